"""Recording of the shown frames at a variable frame rate, with the sound of a microphone.

Raw frames are piped to ffmpeg in NUT, a container with a timestamp for each frame. The sound has
timestamps of the same clock, so both stay in sync.

If the program dies, only the last moment is lost: the encoder buffers no frames, and ffmpeg writes
fragments of half a second. In case the machine dies, the file is synchronized to disk every second.
"""

import contextlib
import threading
import time
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np

from nst_video.errors import SinkError, UsageError
from nst_video.frames import Frame, Size
from nst_video.image.resize import letterbox
from nst_video.live.outputs import recording_journal
from nst_video.live.outputs.microphone import CHANNELS, RATE, Microphone
from nst_video.live.outputs.recording_repair import UNFINISHED, repair_recording
from nst_video.live.outputs.threads import LiveSink
from nst_video.system.partial_file import PartialFile
from nst_video.system.path_lookup import os_reason
from nst_video.video.media.containers import CONTAINERS, container_for
from nst_video.video.media.ffmpeg import FfmpegProcess, ffmpeg_path
from nst_video.video.media.file_type import PAINTED_BY
from nst_video.video.media.filters import encode_filters

TICKS = 1000
"""Ticks per second of the timestamps."""

CRF = 20

KEYFRAME_S = 2
"""Seconds between keyframes, to which players seek."""

FLUSH_S = 0.5
"""Seconds of video in each fragment that ffmpeg writes."""

STILL_S = 0.6
"""Seconds after which an unchanged frame is written again: ffmpeg writes only with a next frame."""

SYNC_S = 1.0
"""Seconds between synchronizations of the file to disk."""

_TICK_S = 0.2

_MUXERS: dict[str, tuple[str, ...]] = {
    "mp4": ("-movflags", "+hybrid_fragmented", "-frag_duration", f"{FLUSH_S * 1e6:.0f}"),
    "mov": ("-movflags", "+hybrid_fragmented", "-frag_duration", f"{FLUSH_S * 1e6:.0f}"),
    "matroska": ("-cluster_time_limit", f"{FLUSH_S * 1e3:.0f}"),
}
"""Options of each muxer that keep an unfinished file readable up to the last half second."""

_READ_AT_ONCE = ("-probesize", "1024", "-analyzeduration", "0", "-fpsprobesize", "0")
"""Otherwise ffmpeg first collects 20 frames to estimate a rate."""

_WRITE_AT_ONCE = ("-flush_packets", "1", "-max_interleave_delta", f"{FLUSH_S * 1e6:.0f}")

_INTERLEAVE_S = 0.1
"""Longest time in seconds that a frame waits for the sound before it."""

_ENCODER = (
    *("-c:v", "libx264", "-preset", "superfast", "-crf", f"{CRF}", "-bf", "0"),
    # Lookahead and frame threads buffer frames in the encoder: 4 s at 3 frames per second. Without
    # them files are 5 to 11 % smaller at 0.4 to 0.8 dB less (SSIM). The rate only selects the
    # H.264 level.
    *("-x264-params", "rc-lookahead=0:sync-lookahead=0:mbtree=0:sliced-threads=1:fps=30"),
    *("-force_key_frames", f"expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+{KEYFRAME_S}))"),
    *("-enc_time_base:v", f"1/{TICKS}", "-fps_mode", "passthrough"),
    *("-filter:v", encode_filters("yuv420p")),
    *("-metadata:s:v", f"encoder={PAINTED_BY}"),
)

RECORDING_SUFFIXES = tuple(s for s, each in CONTAINERS.items() if each.muxer in _MUXERS)
"""Suffixes of possible recordings."""


class RecordingSink(LiveSink):
    """Records frames with their times as H.264 in MP4, MOV or Matroska.

    The file is written under a hidden name beside the target and remains readable if the program
    dies. On exit it gets its final name, or a name marked "unfinished" after an error.

    Attributes:
        target: path of the finished file, None before.
        notes: the end of the microphone before that of the recording.
    """

    def __init__(
        self,
        target: Path,
        size: Size,
        microphone: str | None = None,
        *,
        overwrite: bool = False,
    ) -> None:
        """Check the target; ffmpeg starts with the first frame.

        Args:
            target: the file; its suffix selects the container.
            size: (width, height) of the video; other frames are letterboxed.
            microphone: name of a microphone, or "default"; None records no sound.
            overwrite: replace an existing `target`; otherwise a free name beside it is used.

        Raises:
            UsageError: a container that is not supported, or no such microphone.
            SinkError: the folder does not exist.
        """
        container = container_for(target)
        if container.muxer not in _MUXERS:
            raise UsageError(f"A recording is .mp4, .mov or .mkv, not {target.suffix}.")
        if not target.parent.is_dir():
            raise SinkError(f"{target} cannot be written: there is no folder {target.parent}.")
        self._target = target
        self._muxer = container.muxer
        self._size = (size[0] + size[0] % 2, size[1] + size[1] % 2)
        self._microphone = None if microphone is None else Microphone(microphone, time.time)
        self._part = PartialFile(target, overwrite=overwrite, is_recoverable=True)
        self._process: FfmpegProcess | None = None
        self._nut: _NutWriter | None = None
        self._last: Frame | None = None
        self._problem: str | None = None
        self._fed_s = 0.0
        self._feeding = threading.Lock()
        self._is_over = threading.Event()
        self._is_stopped = False
        self._keeper = threading.Thread(target=self._keep_alive, name="recording", daemon=True)

    def __enter__(self) -> Self:
        try:
            self._part.__enter__()
        except OSError as error:
            raise SinkError(f"{self._target} cannot be written: {os_reason(error)}.") from error
        recording_journal.note(self._part.path)
        self._keeper.start()
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
                raise SinkError(self._keep_unfinished(problem)) from error
        finally:
            self._end_process()
            self._part.__exit__(kind, error, trace)
            if not self._part.path.exists():
                recording_journal.forget(self._part.path)

    def write(self, frame: Frame) -> None:
        """Record a frame, uint8 RGB (height, width, 3), shown from now on.

        Raises:
            SinkError: ffmpeg fails, for example because the disk is full.
        """
        microphone, fitted = self._microphone, letterbox(frame, self._size)
        if microphone is not None and microphone.problem is not None:
            if not microphone.has_sound:
                raise SinkError(f"nothing comes from the microphone: {microphone.problem}")
            self.notes = (f"the microphone ended before: {microphone.problem}",)
        with self._feeding:
            self._last = fitted
            self._encode(fitted)

    def stop(self) -> None:
        """Kill the encoder; what has been written is kept."""
        self._is_stopped = True
        if self._process is not None:
            self._process.stop()

    def _finish(self) -> str | None:
        """Finish the file and rename it; return the error message, None on success."""
        if self._last is None or self._process is None or self._nut is None:
            return None
        self._end_keeper()
        try:
            # The last frame lasts until now. Players show the very last frame as long as the one
            # before it, so it is written twice, one tick apart.
            self._encode(self._last)
            self._encode(self._last)
            with contextlib.suppress(OSError, av.FFmpegError):  # ffmpeg's exit status says why
                self._nut.close()
            if self._process.finish():
                return self._process.failure()
            self.target = self._part.commit()
        except SinkError as error:
            return str(error)
        except OSError as error:
            return os_reason(error)
        return None

    def _keep_unfinished(self, problem: str) -> str:
        """Keep what was written; return the message for the user."""
        self._end_process()
        begin = f"{self._target} was cut off: {problem}."
        try:
            repaired = repair_recording(self._part, UNFINISHED, lambda: self._is_stopped)
        except OSError as error:
            return (
                f"{begin} What was recorded is in {self._part.path} ({os_reason(error)}); the next "
                "live session gives it a name."
            )
        return f"{begin} " + (f"Kept {repaired}" if repaired else "Nothing was recorded.")

    def _end_process(self) -> None:
        """End ffmpeg, the microphone and the thread."""
        if self._process is not None:
            self._process.close()
        if self._microphone is not None:
            self._microphone.close()
        self._end_keeper()

    def _end_keeper(self) -> None:
        self._is_over.set()
        self._keeper.join()

    def _keep_alive(self) -> None:
        """Repeat an unchanged frame, and synchronize the file to disk, until the end."""
        synchronized_s = time.monotonic()
        while not self._is_over.wait(_TICK_S):
            # Errors are reported when the next frame is written, or at the end.
            with contextlib.suppress(SinkError, OSError):
                with self._feeding:
                    if self._last is not None and time.monotonic() > self._fed_s + STILL_S:
                        self._encode(self._last)
                if time.monotonic() > synchronized_s + SYNC_S:
                    synchronized_s = time.monotonic()
                    self._part.synchronize()

    def _encode(self, frame: Frame) -> None:
        """Write a frame to ffmpeg. The caller holds the lock, or the thread has ended.

        Raises:
            SinkError: ffmpeg has ended.
        """
        if self._problem is not None:
            raise SinkError(self._problem)
        now_s = time.time()
        microphone = self._microphone
        if self._process is None or self._nut is None:
            if microphone is not None:
                microphone.start()
            self._process = FfmpegProcess(
                self._arguments(now_s), feed=True, inherit=[self._part.lock]
            )
            self._nut = _NutWriter(self._process, self._size, now_s, has_sound=bool(microphone))
        try:
            if microphone is not None:
                self._nut.write_sound(microphone.take())
            self._nut.write(frame, now_s)
        except (OSError, av.FFmpegError) as error:
            self._process.finish()
            self._problem = self._process.failure()
            raise SinkError(self._problem) from error
        self._fed_s = time.monotonic()

    def _arguments(self, start_s: float) -> list[str]:
        return [
            *("-y", *_READ_AT_ONCE, "-copyts", "-f", "nut", "-i", "pipe:0"),
            *("-map", "0:v", *_ENCODER, "-output_ts_offset", f"{-start_s:.3f}"),
            *("-map", "0:a?", "-c:a", "aac", "-b:a", "160k"),
            *_MUXERS[self._muxer],
            *_WRITE_AT_ONCE,
            *("-f", self._muxer, ffmpeg_path(self._part.path)),
        ]


class _Pipe:
    """A file object that writes to the input of ffmpeg."""

    def __init__(self, process: FfmpegProcess) -> None:
        self._process = process

    def write(self, data: bytes) -> int:
        """Write all of `data` and return its length."""
        self._process.write(memoryview(data))
        return len(data)


class _NutWriter:
    """Writes frames and sound with timestamps to ffmpeg, as NUT."""

    def __init__(
        self, process: FfmpegProcess, size: Size, start_s: float, *, has_sound: bool
    ) -> None:
        self._container = av.open(
            _Pipe(process),
            "w",
            format="nut",
            options={"max_interleave_delta": f"{_INTERLEAVE_S * 1e6:.0f}"},
        )
        self._stream = self._container.add_stream("rawvideo", rate=TICKS)
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "rgb24"
        self._ticks = 0
        self._sound = None
        if has_sound:
            self._sound = self._container.add_stream("pcm_s16le", rate=RATE, layout="stereo")
        self._samples = round(start_s * RATE)

    def write(self, frame: Frame, at_s: float) -> None:
        """Write a frame that is shown from `at_s` on (seconds since the epoch)."""
        picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
        # Two frames within one tick need different timestamps.
        self._ticks = max(self._ticks + 1, round(at_s * TICKS))
        picture.pts, picture.time_base = self._ticks, Fraction(1, TICKS)
        self._container.mux(self._stream.encode(picture))

    def write_sound(self, sound: bytes) -> None:
        """Append interleaved 16-bit samples."""
        if self._sound is None or not sound:
            return
        samples = np.frombuffer(sound, np.int16).reshape(1, -1)
        piece = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
        piece.sample_rate, piece.time_base = RATE, Fraction(1, RATE)
        piece.pts = self._samples
        self._samples += samples.size // CHANNELS
        self._container.mux(self._sound.encode(piece))

    def close(self) -> None:
        """Write buffered packets and close."""
        self._container.close()
