"""The thread that captures frames: keeps the newest, reopens the source when it stops."""

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from nst_video.errors import SourceError
from nst_video.frames import Frame
from nst_video.live.metrics import RateMeter
from nst_video.video.queues import LatestQueue
from nst_video.video.sources import FrameSource

STALL_S = 2.0
"""Seconds without a frame after which a source counts as stalled."""

OPEN_S = 15.0
"""Seconds that a source may take to deliver its first frame. Some webcams need five.

A file may take as long for any frame: it cannot be unplugged, but disks can be busy.
"""

BACK_OFF_S = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts to reopen a source; the last one repeats."""

ASK_S = 3.0
"""Seconds after which the user is told that a source has not answered yet."""

_DEPTH = 2
"""Frames that wait at most: one more than the newest, so that a single slow frame loses none."""

_POLL_S = 0.1
"""Longest time in seconds until a switch to another source is noticed."""

STOPPED_S = 1.0
"""Seconds between two looks at a source from which on the process was stopped, not the source."""

FIRST_TRIES = 3
"""Attempts to open a source that opens but has never delivered a frame."""


@dataclass(frozen=True, slots=True)
class LiveSource:
    """A source of a live session, which can be reopened.

    Attributes:
        name: shown to the user.
        open: creates a `FrameSource` that has not been entered yet.
        is_endless: the source never ends normally; when it ends, it is reopened.
        is_camera: the window mirrors it by default.
    """

    name: str
    open: Callable[[], FrameSource]
    is_endless: bool = True
    is_camera: bool = False


@dataclass(frozen=True, slots=True)
class CapturedFrame:
    """A frame with its number and its capture time.

    Attributes:
        frame: uint8 RGB (height, width, 3).
        number: counts all captured frames from 0.
        at_s: capture time (monotonic seconds).
        opening: counts how often a source has been opened: another source, or the same again.
    """

    frame: Frame
    number: int
    at_s: float
    opening: int = 0


class _Attempt:
    """Opens a source once and reads it in a thread of its own, until it ends or is abandoned.

    A driver may block in a read forever, so the watching thread must be able to give it up.

    Attributes:
        is_open: the source has been opened.
        last_s: time of the latest frame (monotonic seconds), None before the first.
        error: why it failed, None if the source ended normally.
        ended: set when the thread has finished.
    """

    def __init__(
        self,
        source: LiveSource,
        deliver: Callable[[Frame], None],
        on_note: Callable[[str], None],
        may_play: threading.Event,
    ) -> None:
        self.is_open = False
        self.last_s: float | None = None
        self.error: BaseException | None = None
        self._input = source
        self._deliver = deliver
        self._on_note = on_note
        self._may_play = may_play
        self.ended = threading.Event()
        self._abandoned = threading.Event()
        self._opened: FrameSource | None = None
        self.thread = threading.Thread(target=self._work, name="capture", daemon=True)
        self.thread.start()

    def abandon(self) -> None:
        """Ignore further frames and ask the source to stop, without waiting."""
        self._abandoned.set()
        opened = self._opened
        if opened is not None:
            opened.stop()

    def _work(self) -> None:
        try:
            self._read()
        except BaseException as error:  # noqa: BLE001 - handled by the watching thread
            self.error = without_frames(error)
        finally:
            self._opened = None
            self.ended.set()

    def _read(self) -> None:
        self._opened = self._input.open()
        if self._abandoned.is_set():
            return
        reported: set[str] = set()
        with self._opened as source:
            self.is_open = True
            for frame in source:
                if self._abandoned.is_set():
                    return
                for note in source.notes:
                    if note not in reported:
                        reported.add(note)
                        self._on_note(note)
                self.last_s = time.monotonic()
                self._deliver(frame)
                if not self._input.is_endless:
                    self._wait_to_play()

    def _wait_to_play(self) -> None:
        """Wait until films may play, which is no silence of the source."""
        while not self._may_play.wait(_POLL_S) and not self._abandoned.is_set():
            self.last_s = time.monotonic()


def without_frames(error: BaseException) -> BaseException:
    """Clear the stack frames of an error's traceback and return the error.

    They form a reference cycle with the error, which would keep the device, the decoder and their
    threads alive until the garbage collector runs.
    """
    each: BaseException | None = error
    while each is not None:
        traceback.clear_frames(each.__traceback__)
        if each is error and each.__traceback__ is not None:
            each.__traceback__ = each.__traceback__.tb_next
        each = each.__cause__ or each.__context__
    return error


class Silence:
    """How long a source has given nothing, by what was seen of it.

    Where nobody has looked for long, the process itself was stopped (Ctrl-Z, a laptop that sleeps):
    this says nothing of the source.
    """

    def __init__(self, begun_s: float) -> None:
        """Begin, at a time in seconds."""
        self._since_s = self._looked_s = begun_s
        self._duration_s = 0.0

    def duration_s(self, last_s: float | None, now_s: float) -> float:
        """Return the seconds of silence.

        Args:
            last_s: when the source gave its last frame, None before the first.
            now_s: the current time; this is called every `_POLL_S` or sooner.
        """
        if last_s is not None and last_s > self._since_s:
            self._since_s, self._duration_s = last_s, 0.0
        passed_s = now_s - max(self._looked_s, self._since_s)
        self._duration_s += passed_s if passed_s < STOPPED_S else 0.0
        self._looked_s = now_s
        return self._duration_s


class CaptureThread:
    """Keeps the newest frame of a source available, and reopens the source when it fails.

    Attributes:
        frames: holds the newest frame; closed at the end, with the error if there was one.
        rate: measures the captured frames.
    """

    def __init__(
        self,
        source: LiveSource,
        *,
        on_trouble: Callable[[str | None], None],
        on_note: Callable[[str], None] = lambda text: None,
        stall_s: float = STALL_S,
        back_off_s: tuple[float, ...] = BACK_OFF_S,
        holds_films: bool = False,
    ) -> None:
        """Prepare; the threads start on `start`.

        Args:
            source: the source to read.
            on_trouble: called with a message when the source fails, with None when it is back.
            on_note: called with a message when the source ignores something, such as an option.
            stall_s: see `STALL_S`.
            back_off_s: see `BACK_OFF_S`.
            holds_films: sources that end, such as files, stay at their first frame until `play`.
        """
        self.frames: LatestQueue[CapturedFrame] = LatestQueue(_DEPTH)
        self.rate = RateMeter()
        self._input = source
        self._on_trouble = on_trouble
        self._on_note = on_note
        self._stall_s = stall_s
        self._back_off_s = back_off_s
        self._may_play = threading.Event()
        if not holds_films:
            self._may_play.set()
        self._wake = threading.Event()
        self._stopped = False
        self._numbers = count()
        self._opening = 0
        self._is_well = False
        self._attempts: list[_Attempt] = []
        self._thread = threading.Thread(target=self._watch, name="capture-watch", daemon=True)

    @property
    def source(self) -> LiveSource:
        """The source being read."""
        return self._input

    def start(self) -> None:
        """Start capturing."""
        self._thread.start()

    def play(self) -> None:
        """Let films go on from their first frame."""
        self._may_play.set()

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """The watching thread and the reading threads, including blocked ones."""
        return (self._thread, *(attempt.thread for attempt in self._attempts))

    def switch(self, source: LiveSource) -> None:
        """Switch to another source."""
        self._input = source
        self._wake.set()

    def stop(self) -> None:
        """Ask the threads to end, without waiting for their drivers."""
        self._stopped = True
        self.frames.close()
        for attempt in tuple(self._attempts):
            attempt.abandon()
        self._wake.set()

    def _watch(self) -> None:
        """Open the source, watch it and reopen it, until `stop` or the end of a finite source."""
        failures, came_once = 0, False
        try:
            while not self._stopped:
                self._wake.clear()
                source, before = self._input, self.frames.put_count
                self._opening += 1
                attempt = _Attempt(source, self._put, self._on_note, self._may_play)
                self._attempts = [*(a for a in self._attempts if a.thread.is_alive()), attempt]
                trouble = self._watch_attempt(attempt, source)
                attempt.abandon()
                if self._stopped or self._input is not source:
                    failures = 0
                    continue
                came = self.frames.put_count > before
                came_once |= came
                failures = 1 if came else failures + 1
                is_hopeless = not attempt.is_open or failures >= FIRST_TRIES
                if not source.is_endless or (is_hopeless and not came_once):
                    self.frames.close(attempt.error or (SourceError(trouble) if trouble else None))
                    return
                self._back_off(trouble or f"{source.name} has ended.", failures)
        except BaseException as error:  # noqa: BLE001 - raised again by the consumer of the frames
            self.frames.close(error)

    def _watch_attempt(self, attempt: _Attempt, source: LiveSource) -> str | None:
        """Wait until the attempt ends or stalls; return the message for the user."""
        begun, has_asked = time.monotonic(), False
        silence = Silence(begun)
        while not attempt.ended.is_set() and not self._stopped and self._input is source:
            last_s, now = attempt.last_s, time.monotonic()
            is_patient = last_s is None or not source.is_endless
            limit = OPEN_S if is_patient else self._stall_s
            left = limit - silence.duration_s(last_s, now)
            if left <= 0:
                return self._describe_silence(attempt, source, limit)
            if last_s is None and source.is_endless and not has_asked and now > begun + ASK_S:
                has_asked = True
                self._is_well = False
                self._on_trouble(f"Waiting for {source.name}, up to {OPEN_S:g} s.")
            attempt.ended.wait(min(left, _POLL_S))
        return None if attempt.error is None else str(attempt.error)

    def _describe_silence(self, attempt: _Attempt, source: LiveSource, limit_s: float) -> str:
        if attempt.is_open or not source.is_endless:
            return f"{source.name} has given no picture for {limit_s:g} s."
        advice = "another program may hold it: close that, or unplug it and plug it in again"
        if not source.is_camera:
            advice = "check its address and whether it runs"
        return f"{source.name} has not answered for {limit_s:g} s: {advice}."

    def _back_off(self, trouble: str, failures: int) -> None:
        """Report the failure, then wait for the back-off time."""
        self._is_well = False
        self._on_trouble(f"{trouble} Trying again ({failures}).")
        self._wake.wait(self._back_off_s[min(failures, len(self._back_off_s)) - 1])

    def _put(self, frame: Frame) -> None:
        now = time.monotonic()
        self.rate.tick(now)
        self.frames.put(CapturedFrame(frame, next(self._numbers), now, self._opening))
        if not self._is_well:
            self._is_well = True
            self._on_trouble(None)
