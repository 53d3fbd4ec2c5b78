"""Network streams (RTSP, HTTP, MJPEG and whatever else FFmpeg reads), through PyAV."""

import threading
from collections.abc import Iterator
from fractions import Fraction

import av
import av.container
import numpy as np

from nst_video.errors import SourceError
from nst_video.frames import Frame, VideoInfo
from nst_video.image.resize import letterbox
from nst_video.video.capture.base import MAX_BAD, LiveSource
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


class StreamSource(LiveSource):
    """A stream by its address. Nothing is buffered beyond what the system's socket holds."""

    def __init__(self, url: str, options: CaptureOptions | None = None) -> None:
        """Name the stream; it is connected to on entering the context."""
        super().__init__(url)
        self._options = options or CaptureOptions()
        self._container: av.container.InputContainer | None = None
        self._pictures: Iterator[av.VideoFrame] | None = None
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
        self._pictures = self._decode(self._container)
        size = self._options.size or (stream.width, stream.height)
        if 0 in size:  # the first pictures are damaged
            first = next(self._pictures, None)
            if first is None:
                raise SourceError(f"{self.name} has ended.")
            size = (first.width, first.height)
        return VideoInfo(size, Fraction(stream.average_rate or FALLBACK_FPS))

    def _close(self) -> None:
        with self._using:
            self._pictures = None
            if self._container is not None:
                self._container.close()
                self._container = None

    def __iter__(self) -> Iterator[Frame]:
        """Deliver frames until stopped, in the size asked for or their own; without damaged ones.

        Raises:
            SourceError: the stream ends, breaks, or gives nothing for `READ_TIMEOUT_S`.
        """
        pictures, size = self._pictures, self._options.size
        if pictures is None:
            raise SourceError(f"{self.name} is not open: use it in a `with` statement.")
        for picture in pictures:
            if self.stopped.is_set():
                return
            frame = np.ascontiguousarray(picture.to_ndarray(format="rgb24"), np.uint8)
            yield frame if size is None else letterbox(frame, size)
        if not self.stopped.is_set():
            raise SourceError(f"{self.name} has ended.")

    def _decode(self, container: av.container.InputContainer) -> Iterator[av.VideoFrame]:
        """Yield the pictures; of damaged ones in a row at most `MAX_BAD` are left out."""
        damaged = 0
        try:
            for packet in container.demux(container.streams.video[0]):
                try:
                    pictures = packet.decode()
                except av.InvalidDataError:
                    damaged += 1
                    if damaged == MAX_BAD:
                        raise
                    continue
                for picture in pictures:
                    damaged = damaged + 1 if picture.is_corrupt else 0
                    if not picture.is_corrupt or damaged > MAX_BAD:
                        yield picture
        except (av.FFmpegError, OSError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise SourceError(f"{self.name} broke off: {reason}.") from error
