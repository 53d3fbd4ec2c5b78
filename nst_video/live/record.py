"""Recording what is shown: frames carry the time at which they come, so the speed is true.

Frames reach ffmpeg as raw video in NUT, a container that holds a time for each; a microphone's
packets are stamped by the same clock, so that both stay together.
"""

import platform
import secrets
import subprocess
import time
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av

from nst_video.errors import SinkError, UsageError
from nst_video.frames import Frame, Size, VideoInfo
from nst_video.letterbox import letterbox
from nst_video.media.containers import CODECS, container_for
from nst_video.media.filters import encode_filters
from nst_video.media.process import FfmpegProcess, ffmpeg_path

TICKS = 1000
"""Ticks a second to which times are rounded."""

CRF = 20
"""x264's settings: fast enough to share a computer with the painting."""

FINISH_S = 8.0

MICROPHONES: dict[str, tuple[str, str]] = {
    "Linux": ("pulse", "{}"),
    "Darwin": ("avfoundation", ":{}"),
    "Windows": ("dshow", "audio={}"),
}
"""System to ffmpeg's input device and how it takes a microphone's name."""

DEFAULT_MICROPHONES = {"Linux": "default", "Darwin": "0"}
"""Names that stand for the usual microphone; Windows has none."""


class RecordingSink:
    """A file of frames with the times at which they were written; H.264 in MP4, MOV or Matroska.

    It grows under a hidden name beside the target and stays readable should the program die;
    leaving the context renames it.
    """

    def __init__(self, target: Path, size: Size, microphone: str | None = None) -> None:
        """Check that it can be written; ffmpeg starts on entering the context.

        Args:
            target: the file; its suffix names the container. An existing one is replaced.
            size: (width, height) of the video; frames of other sizes are fitted into it.
            microphone: name of one, or "default"; None records no sound.

        Raises:
            UsageError: a container that does not hold H.264, or no such microphone here.
            SinkError: there is no folder to write in.
        """
        container = container_for(target)
        if container.muxer not in _FLAGS:
            raise UsageError(f"A recording is .mp4, .mov or .mkv, not {target.suffix}.")
        if not target.parent.is_dir():
            raise SinkError(f"{target} cannot be written: there is no folder {target.parent}.")
        self._target = target
        self._muxer = container.muxer
        self._size = (size[0] + size[0] % 2, size[1] + size[1] % 2)
        self._sound = [] if microphone is None else microphone_input(microphone)
        token = secrets.token_hex(4)
        self._partial = target.with_name(f".{target.stem[:80]}.{token}.part{target.suffix}")
        self._process: FfmpegProcess | None = None
        self._nut: _NutWriter | None = None
        self._last: Frame | None = None

    def __enter__(self) -> Self:
        try:
            self._partial.touch()
        except OSError as error:
            raise SinkError(f"{self._target} cannot be written: {error.strerror}.") from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process = self._process
        try:
            if error is None and self._last is not None and process is not None:
                # The last picture lasts until now; players give the very last frame as long as
                # the one before it, which so is a tick.
                self._feed(self._last)
                self._feed(self._last)
                try:
                    status = process.finish(FINISH_S)
                except subprocess.TimeoutExpired:
                    process.stop()
                    status = process.finish()
                if status:
                    raise self._failed()
                self._partial.replace(self._target)
        except OSError as failure:
            raise SinkError(f"{self._target} cannot be finished: {failure.strerror}.") from failure
        finally:
            if process is not None:
                process.close()
            self._partial.unlink(missing_ok=True)

    def write(self, frame: Frame) -> None:
        """Record a frame as shown from now on.

        Raises:
            SinkError: ffmpeg fails, as on a full disk or without the microphone.
        """
        self._last = letterbox(frame, self._size)
        self._feed(self._last)

    def stop(self) -> None:
        """Kill the encoder."""
        if self._process is not None:
            self._process.stop()

    def _feed(self, frame: Frame) -> None:
        now_s = time.time()
        if self._process is None or self._nut is None:
            self._process = FfmpegProcess(self._arguments(now_s), feed=True)
            self._nut = _NutWriter(self._process, self._size)
        try:
            self._nut.write(frame, now_s)
        except (OSError, av.FFmpegError) as error:
            self._process.finish()
            raise self._failed() from error

    def _failed(self) -> SinkError:
        reason = "it was not begun" if self._process is None else self._process.failure()
        return SinkError(f"{self._target} cannot be written: {reason}.")

    def _arguments(self, start_s: float) -> list[str]:
        return [
            *("-y", "-copyts", "-f", "nut", "-i", "pipe:0"),
            *self._sound,
            *("-map", "0:v", "-c:v", "libx264", "-crf", str(CRF)),
            *CODECS["h264"].speed(),
            # Frames that wait for later ones would make the duration wrong: rates vary.
            *("-bf", "0", "-enc_time_base:v", f"1/{TICKS}", "-fps_mode", "passthrough"),
            *("-filter:v", encode_filters("yuv420p"), "-output_ts_offset", f"{-start_s:.3f}"),
            *(("-map", "1:a", "-c:a", "aac", "-b:a", "160k", "-shortest") if self._sound else ()),
            *_FLAGS[self._muxer],
            *("-f", self._muxer, ffmpeg_path(self._partial)),
        ]


class _Pipe:
    """ffmpeg's input as the file that PyAV writes to."""

    def __init__(self, process: FfmpegProcess) -> None:
        self._process = process

    def write(self, data: bytes) -> int:
        """Write all of it."""
        self._process.write(memoryview(data))
        return len(data)


class _NutWriter:
    """Puts frames and their times into ffmpeg's input."""

    def __init__(self, process: FfmpegProcess, size: Size) -> None:
        self._container = av.open(_Pipe(process), "w", format="nut")
        self._stream = self._container.add_stream("rawvideo", rate=TICKS)
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "rgb24"
        self._ticks = 0

    def write(self, frame: Frame, at_s: float) -> None:
        """Append a frame that is shown from then on, in seconds of the epoch."""
        picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
        # Two frames within a tick need different times all the same.
        self._ticks = max(self._ticks + 1, round(at_s * TICKS))
        picture.pts, picture.time_base = self._ticks, Fraction(1, TICKS)
        self._container.mux(self._stream.encode(picture))


_FLAGS: dict[str, tuple[str, ...]] = {
    "mp4": ("-movflags", "+hybrid_fragmented"),
    "mov": ("-movflags", "+hybrid_fragmented"),
    "matroska": (),
}
"""By muxer: what keeps an unfinished file readable."""


def microphone_input(name: str, system: str | None = None) -> list[str]:
    """Return ffmpeg's arguments for a microphone.

    Args:
        name: as the system calls it, or "default".
        system: as `platform.system()` says.

    Raises:
        UsageError: ffmpeg has no way to one on this system, or it must be named.
    """
    system = system or platform.system()
    if system not in MICROPHONES:
        raise UsageError(f"Sound cannot be recorded on {system}.")
    device, form = MICROPHONES[system]
    if name == "default":
        if system not in DEFAULT_MICROPHONES:
            raise UsageError(f"On {system} the microphone must be named.")
        name = DEFAULT_MICROPHONES[system]
    wallclock = ("-use_wallclock_as_timestamps", "1", "-thread_queue_size", "512")
    return [*wallclock, "-f", device, "-i", form.format(name)]


def open_recording(target: Path, info: VideoInfo, microphone: str | None = None) -> RecordingSink:
    """Make the sink for frames like `info`."""
    return RecordingSink(target, info.size, microphone)
