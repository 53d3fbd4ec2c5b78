"""Recording what is shown: frames carry the time at which they come, so the speed is true.

Frames reach ffmpeg as raw video in NUT, a container that holds a time for each; a microphone's
packets are stamped by the same clock, so that both stay together.

Nothing that was recorded is lost but the last moment, whatever happens: nothing waits for later
frames in the encoder, ffmpeg writes every half second, and the system is told to put it on disk.
"""

import contextlib
import platform
import threading
import time
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av

from nst_video.errors import SinkError, UsageError
from nst_video.frames import Frame, Size
from nst_video.letterbox import letterbox
from nst_video.live import journal
from nst_video.live.rescue import UNFINISHED, rescue
from nst_video.media.containers import CONTAINERS, container_for
from nst_video.media.filters import encode_filters
from nst_video.media.process import FfmpegProcess, ffmpeg_path
from nst_video.media.recognize import PAINTED_BY
from nst_video.partial_file import PartialFile
from nst_video.path_lookup import os_reason

TICKS = 1000
"""Ticks a second to which times are rounded."""

CRF = 20

KEYFRAME_S = 2
"""Between them nobody can seek."""

FLUSH_S = 0.5
"""Seconds of video after which ffmpeg writes what it has."""

STILL_S = 0.6
"""Seconds after which a picture that stays is recorded again: ffmpeg writes when the next comes."""

SYNC_S = 1.0
"""Seconds after which all that is written is put on disk."""

_TICK_S = 0.2

MICROPHONES: dict[str, tuple[str, str]] = {
    "Linux": ("pulse", "{}"),
    "Darwin": ("avfoundation", ":{}"),
    "Windows": ("dshow", "audio={}"),
}
"""System to ffmpeg's input device and how it takes a microphone's name."""

DEFAULT_MICROPHONES = {"Linux": "default", "Darwin": "0"}
"""Names that stand for the usual microphone; Windows has none."""

_MUXERS: dict[str, tuple[str, ...]] = {
    "mp4": ("-movflags", "+hybrid_fragmented", "-frag_duration", f"{FLUSH_S * 1e6:.0f}"),
    "mov": ("-movflags", "+hybrid_fragmented", "-frag_duration", f"{FLUSH_S * 1e6:.0f}"),
    "matroska": ("-cluster_time_limit", f"{FLUSH_S * 1e3:.0f}"),
}
"""By muxer: what makes an unfinished file readable up to its last half second."""

_READ_AT_ONCE = ("-probesize", "1024", "-analyzeduration", "0", "-fpsprobesize", "0")
"""ffmpeg would first collect 20 frames to guess a rate."""

_WRITE_AT_ONCE = (
    *("-flush_packets", "1", "-max_interleave_delta", f"{FLUSH_S * 1e6:.0f}"),
    *("-shortest_buf_duration", f"{FLUSH_S}"),
)
"""Neither waits for a full buffer nor for a microphone that has stalled."""

_ENCODER = (
    *("-c:v", "libx264", "-preset", "superfast", "-crf", f"{CRF}", "-bf", "0"),
    # A look ahead, and one frame for each thread, would wait in the encoder, at 3 frames a second
    # for 4 s. Without them files are 5 to 11 % smaller at 0.4 to 0.8 dB less (SSIM). The rate is
    # for the choice of a level only.
    *("-x264-params", "rc-lookahead=0:sync-lookahead=0:mbtree=0:sliced-threads=1:fps=30"),
    *("-force_key_frames", f"expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+{KEYFRAME_S}))"),
    *("-enc_time_base:v", f"1/{TICKS}", "-fps_mode", "passthrough"),
    *("-filter:v", encode_filters("yuv420p")),
    *("-metadata:s:v", f"encoder={PAINTED_BY}"),
)

RECORDING_SUFFIXES = tuple(s for s, each in CONTAINERS.items() if each.muxer in _MUXERS)
"""Suffixes of the files that can be recorded into."""


class RecordingSink:
    """A file of frames with the times at which they were written; H.264 in MP4, MOV or Matroska.

    It grows under a hidden name beside the target and stays readable should the program die;
    leaving the context gives it its own, or that of an unfinished one where something failed.

    Attributes:
        saved: its final path once it is finished, None before.
    """

    def __init__(
        self,
        target: Path,
        size: Size,
        microphone: str | None = None,
        *,
        overwrite: bool = False,
    ) -> None:
        """Check that it can be written; ffmpeg starts with the first frame.

        Args:
            target: the file; its suffix names the container.
            size: (width, height) of the video; frames of other sizes are fitted into it.
            microphone: name of one, or "default"; None records no sound.
            overwrite: `target` may be replaced; otherwise a free name is taken where it exists.

        Raises:
            UsageError: a container that does not hold H.264, or no such microphone here.
            SinkError: there is no folder to write in.
        """
        container = container_for(target)
        if container.muxer not in _MUXERS:
            raise UsageError(f"A recording is .mp4, .mov or .mkv, not {target.suffix}.")
        if not target.parent.is_dir():
            raise SinkError(f"{target} cannot be written: there is no folder {target.parent}.")
        self.saved: Path | None = None
        self._target = target
        self._muxer = container.muxer
        self._size = (size[0] + size[0] % 2, size[1] + size[1] % 2)
        self._sound = [] if microphone is None else microphone_input(microphone)
        self._take = PartialFile(target, overwrite=overwrite, is_take=True)
        self._process: FfmpegProcess | None = None
        self._nut: _NutWriter | None = None
        self._last: Frame | None = None
        self._problem: str | None = None
        self._fed_s = 0.0
        self._feeding = threading.Lock()
        self._is_over = threading.Event()
        self._is_stopped = False
        self._tender = threading.Thread(target=self._tend, name="recording", daemon=True)

    def __enter__(self) -> Self:
        try:
            self._take.__enter__()
        except OSError as error:
            raise SinkError(f"{self._target} cannot be written: {os_reason(error)}.") from error
        journal.note(self._take.path)
        self._tender.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                problem = self._finish()
            else:
                problem = str(error) if isinstance(error, SinkError) else repr(error)
            if problem is not None:
                raise SinkError(self._cut_off(problem)) from error
        finally:
            self._end_process()
            self._take.__exit__(kind, error, trace)
            if not self._take.path.exists():
                journal.forget(self._take.path)

    def write(self, frame: Frame) -> None:
        """Record a frame as shown from now on.

        Raises:
            SinkError: ffmpeg fails, as on a full disk or without the microphone.
        """
        fitted = letterbox(frame, self._size)
        with self._feeding:
            self._last = fitted
            self._feed(fitted)

    def stop(self) -> None:
        """Kill the encoder; what is written by then is kept."""
        self._is_stopped = True
        if self._process is not None:
            self._process.stop()

    def _finish(self) -> str | None:
        """Finish the file and give it its name; return what went wrong, None where nothing did."""
        if self._last is None or self._process is None:
            return None
        self._end_tender()
        try:
            # The last picture lasts until now; players give the very last frame as long as
            # the one before it, which so is a tick.
            self._feed(self._last)
            self._feed(self._last)
            if self._process.finish():
                return self._process.failure()
            self.saved = self._take.commit()
        except SinkError as error:
            return str(error)
        except OSError as error:
            return os_reason(error)
        return None

    def _cut_off(self, problem: str) -> str:
        """Keep what was written; return what to tell the user."""
        self._end_process()
        begin = f"{self._target} was cut off: {problem}."
        try:
            rescued = rescue(self._take, UNFINISHED, lambda: self._is_stopped)
        except OSError as error:
            return (
                f"{begin} What was recorded is in {self._take.path} ({os_reason(error)}); the next "
                "live session gives it a name."
            )
        return f"{begin} " + (f"Kept {rescued}" if rescued else "Nothing was recorded.")

    def _end_process(self) -> None:
        """End what writes to the file."""
        if self._process is not None:
            self._process.close()
        self._end_tender()

    def _end_tender(self) -> None:
        self._is_over.set()
        self._tender.join()

    def _tend(self) -> None:
        """Record a picture that stays again and again, and have the disk hold what is written."""
        synchronized_s = time.monotonic()
        while not self._is_over.wait(_TICK_S):
            # What fails is told where the next frame is written, or at the end.
            with contextlib.suppress(SinkError, OSError):
                with self._feeding:
                    if self._last is not None and time.monotonic() > self._fed_s + STILL_S:
                        self._feed(self._last)
                if time.monotonic() > synchronized_s + SYNC_S:
                    synchronized_s = time.monotonic()
                    self._take.synchronize()

    def _feed(self, frame: Frame) -> None:
        """Hand a frame to ffmpeg; the caller holds the lock, or is alone.

        Raises:
            SinkError: ffmpeg has ended.
        """
        if self._problem is not None:
            raise SinkError(self._problem)
        now_s = time.time()
        if self._process is None or self._nut is None:
            self._process = FfmpegProcess(
                self._arguments(now_s), feed=True, inherit=[self._take.lock]
            )
            self._nut = _NutWriter(self._process, self._size)
        try:
            self._nut.write(frame, now_s)
        except (OSError, av.FFmpegError) as error:
            self._process.finish()
            self._problem = self._process.failure()
            raise SinkError(self._problem) from error
        self._fed_s = time.monotonic()

    def _arguments(self, start_s: float) -> list[str]:
        return [
            *("-y", *_READ_AT_ONCE, "-copyts", "-f", "nut", "-i", "pipe:0", *self._sound),
            *("-map", "0:v", *_ENCODER, "-output_ts_offset", f"{-start_s:.3f}"),
            *(("-map", "1:a", "-c:a", "aac", "-b:a", "160k", "-shortest") if self._sound else ()),
            *_MUXERS[self._muxer],
            *_WRITE_AT_ONCE,
            *("-f", self._muxer, ffmpeg_path(self._take.path)),
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
