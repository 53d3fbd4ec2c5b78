"""Network streams (RTSP, HTTP, MJPEG and everything else that FFmpeg reads), through PyAV."""

import threading
from collections.abc import Iterator
from fractions import Fraction

import av
import av.container
import numpy as np

from nst_video.errors import SourceError
from nst_video.frames import Frame, VideoInfo
from nst_video.image.resize import letterbox
from nst_video.video.capture.base import MAX_BAD, CaptureSource
from nst_video.video.capture.camera import FALLBACK_FPS
from nst_video.video.capture.capture_options import CaptureOptions

OPEN_TIMEOUT_S = 8.0
READ_TIMEOUT_S = 2.0

_LOW_DELAY = {
    "fflags": "nobuffer",
    "flags": "low_delay",
    "probesize": "500000",
    "analyzeduration": "500000",
    "rtsp_transport": "tcp",
}


class StreamSource(CaptureSource):
    """A network stream by its URL, with no buffer but that of the system's socket."""

    def __init__(self, url: str, options: CaptureOptions | None = None) -> None:
        """Keep the URL; the connection is opened on entering the context."""
        super().__init__(url)
        self._options = options or CaptureOptions()
        self._container: av.container.InputContainer | None = None
        self._frames: Iterator[av.VideoFrame] | None = None
        self._using = threading.Lock()

    def _open(self) -> VideoInfo:
        try:
            self._container = av.open(
                self.name, options=_LOW_DELAY, timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S)
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise SourceError(f"{self.name} cannot be opened: {reason}.") from error
        if not self._container.streams.video:
            raise SourceError(f"{self.name} has no video.")
        stream = self._container.streams.video[0]
        self._frames = self._decode(self._container)
        size = self._options.size or (stream.width, stream.height)
        if 0 in size:  # the size is not known before the first frame
            first = next(self._frames, None)
            if first is None:
                raise SourceError(f"{self.name} has ended.")
            size = (first.width, first.height)
        return VideoInfo(size, Fraction(stream.average_rate or FALLBACK_FPS))

    def _close(self) -> None:
        with self._using:
            self._frames = None
            if self._container is not None:
                self._container.close()
                self._container = None

    def __iter__(self) -> Iterator[Frame]:
        """Yield frames until stopped, at the size given or their own; damaged ones are skipped.

        Raises:
            SourceError: the stream ends or fails, or no data comes for `READ_TIMEOUT_S`.
        """
        frames, size = self._frames, self._options.size
        if frames is None:
            raise SourceError(f"{self.name} is not open: use it in a `with` statement.")
        for decoded in frames:
            if self.stopped.is_set():
                return
            frame = np.ascontiguousarray(decoded.to_ndarray(format="rgb24"), np.uint8)
            yield frame if size is None else letterbox(frame, size)
        if not self.stopped.is_set():
            raise SourceError(f"{self.name} has ended.")

    def _decode(self, container: av.container.InputContainer) -> Iterator[av.VideoFrame]:
        """Yield frames; up to `MAX_BAD` damaged ones in a row are skipped."""
        damaged = 0
        try:
            for packet in container.demux(container.streams.video[0]):
                try:
                    frames = packet.decode()
                except av.InvalidDataError:
                    damaged += 1
                    if damaged == MAX_BAD:
                        raise
                    continue
                for frame in frames:
                    damaged = damaged + 1 if frame.is_corrupt else 0
                    if not frame.is_corrupt or damaged > MAX_BAD:
                        yield frame
        except (av.FFmpegError, OSError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise SourceError(f"{self.name} failed: {reason}.") from error
