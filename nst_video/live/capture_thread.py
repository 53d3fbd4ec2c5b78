"""The thread that reads a source: newest frame only, watched, reopened when it stops."""

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from nst_video.errors import SourceError
from nst_video.frames import Frame
from nst_video.live.metrics import Rate
from nst_video.video.queues import LatestQueue
from nst_video.video.sources import FrameSource

STALL_S = 2.0
"""Seconds without a frame after which a source counts as stopped."""

OPEN_S = 15.0
"""Seconds a source may take to deliver its first frame: some webcams need five.

A file may take as long at any frame: it does not get unplugged, but disks and machines are busy.
"""

BACK_OFF_S = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Waits between attempts to open a source again; the last one repeats."""

ASK_S = 3.0
"""Seconds after which the user is told that a source is still silent."""

_POLL_S = 0.1
"""Longest time until a source that hangs is left for another one."""

FIRST_TRIES = 3
"""How often a source that opens, but has never given a picture, is opened before that is final."""


@dataclass(frozen=True, slots=True)
class LiveInput:
    """A source that can be opened again and again.

    Attributes:
        name: for the user.
        open: makes a new source, not yet entered.
        is_endless: an end is a failure, to be mended by opening it again.
        is_camera: shown mirrored in the window unless told otherwise, as people know themselves.
    """

    name: str
    open: Callable[[], FrameSource]
    is_endless: bool = True
    is_camera: bool = False


@dataclass(frozen=True, slots=True)
class Captured:
    """A frame, its number among all that were read, and when it came (monotonic seconds)."""

    frame: Frame
    number: int
    at_s: float


class _Attempt:
    """One opening of a source, read in a thread of its own until it ends or is abandoned.

    A driver may hang in a read for good, so whoever watches must be able to walk away.

    Attributes:
        is_open: the device has answered.
        last_s: when the latest frame came, None before the first.
        error: why it ended, None where the source came to its end.
        ended: set when it has.
    """

    def __init__(
        self,
        source: LiveInput,
        deliver: Callable[[Frame], None],
        on_note: Callable[[str], None],
    ) -> None:
        self.is_open = False
        self.last_s: float | None = None
        self.error: BaseException | None = None
        self._input = source
        self._deliver = deliver
        self._on_note = on_note
        self.ended = threading.Event()
        self._abandoned = threading.Event()
        self._opened: FrameSource | None = None
        self.thread = threading.Thread(target=self._work, name="capture", daemon=True)
        self.thread.start()

    def abandon(self) -> None:
        """Take no more frames from it and let it end when it can."""
        self._abandoned.set()
        opened = self._opened
        if opened is not None:
            opened.stop()

    def _work(self) -> None:
        try:
            self._read()
        except BaseException as error:  # noqa: BLE001 - judged by the thread that watches
            self.error = without_frames(error)
        finally:
            self._opened = None
            self.ended.set()

    def _read(self) -> None:
        self._opened = self._input.open()
        if self._abandoned.is_set():
            return
        told: set[str] = set()
        with self._opened as source:
            self.is_open = True
            for frame in source:
                if self._abandoned.is_set():
                    return
                for note in source.notes:
                    if note not in told:
                        told.add(note)
                        self._on_note(note)
                self.last_s = time.monotonic()
                self._deliver(frame)


def without_frames(error: BaseException) -> BaseException:
    """Let go of everything that an error's traceback holds, and return the error.

    Kept as it is, it would keep the source's device, decoder and threads until the garbage
    collector comes: the traceback holds the frame that holds the error.
    """
    each: BaseException | None = error
    while each is not None:
        traceback.clear_frames(each.__traceback__)
        if each is error and each.__traceback__ is not None:
            each.__traceback__ = each.__traceback__.tb_next
        each = each.__cause__ or each.__context__
    return error


class CaptureThread:
    """Keeps the newest frame of an input in a slot, whatever the input does.

    Attributes:
        frames: where the newest frame waits; closed at the end, or with what went wrong.
        rate: measures the frames that come.
    """

    def __init__(
        self,
        source: LiveInput,
        *,
        on_trouble: Callable[[str | None], None],
        on_note: Callable[[str], None] = lambda text: None,
        stall_s: float = STALL_S,
        back_off_s: tuple[float, ...] = BACK_OFF_S,
    ) -> None:
        """Prepare; the threads start on `start`.

        Args:
            source: what to read.
            on_trouble: called with a sentence when the input stops, with None when it is back.
            on_note: called with a sentence when the input leaves something out.
            stall_s: see `STALL_S`.
            back_off_s: see `BACK_OFF_S`.
        """
        self.frames: LatestQueue[Captured] = LatestQueue()
        self.rate = Rate()
        self._input = source
        self._on_trouble = on_trouble
        self._on_note = on_note
        self._stall_s = stall_s
        self._back_off_s = back_off_s
        self._wake = threading.Event()
        self._stopped = False
        self._numbers = count()
        self._is_well = False
        self._attempts: list[_Attempt] = []
        self._thread = threading.Thread(target=self._watch, name="reader", daemon=True)

    @property
    def source(self) -> LiveInput:
        """What is read."""
        return self._input

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """The threads in which it watches and reads, those that hang among them."""
        return (self._thread, *(attempt.thread for attempt in self._attempts))

    def switch(self, source: LiveInput) -> None:
        """Read another input from now on."""
        self._input = source
        self._wake.set()

    def stop(self) -> None:
        """End the threads as soon as their drivers let them, without waiting for that."""
        self._stopped = True
        self.frames.close()
        for attempt in tuple(self._attempts):
            attempt.abandon()
        self._wake.set()

    def _watch(self) -> None:
        """Open, watch, and open again; ends with the reader, or with a finite input."""
        failures, came_once = 0, False
        try:
            while not self._stopped:
                self._wake.clear()
                source, before = self._input, self.frames.put_count
                attempt = _Attempt(source, self._put, self._on_note)
                self._attempts = [*(a for a in self._attempts if a.thread.is_alive()), attempt]
                trouble = self._follow(attempt, source)
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
                self._rest(trouble or f"{source.name} has ended.", failures)
        except BaseException as error:  # noqa: BLE001 - raised again where frames are taken
            self.frames.close(error)

    def _follow(self, attempt: _Attempt, source: LiveInput) -> str | None:
        """Wait until the attempt ends or stalls; return what to tell the user."""
        begun, has_asked = time.monotonic(), False
        while not attempt.ended.is_set() and not self._stopped and self._input is source:
            last_s, now = attempt.last_s, time.monotonic()
            is_patient = last_s is None or not source.is_endless
            limit = OPEN_S if is_patient else self._stall_s
            left = (begun if last_s is None else last_s) + limit - now
            if left <= 0:
                return self._describe_silence(attempt, source, limit)
            if last_s is None and source.is_endless and not has_asked and now > begun + ASK_S:
                has_asked = True
                self._is_well = False
                self._on_trouble(f"Waiting for {source.name}, up to {OPEN_S:g} s.")
            attempt.ended.wait(min(left, _POLL_S))
        return None if attempt.error is None else str(attempt.error)

    def _describe_silence(self, attempt: _Attempt, source: LiveInput, limit_s: float) -> str:
        if attempt.is_open or not source.is_endless:
            return f"{source.name} has given no picture for {limit_s:g} s."
        advice = "another program may hold it: close that, or unplug it and plug it in again"
        if not source.is_camera:
            advice = "check its address and whether it runs"
        return f"{source.name} has not answered for {limit_s:g} s: {advice}."

    def _rest(self, trouble: str, failures: int) -> None:
        """Report, then wait as long as the number of failures demands."""
        self._is_well = False
        self._on_trouble(f"{trouble} Trying again ({failures}).")
        self._wake.wait(self._back_off_s[min(failures, len(self._back_off_s)) - 1])

    def _put(self, frame: Frame) -> None:
        now = time.monotonic()
        self.rate.tick(now)
        self.frames.put(Captured(frame, next(self._numbers), now))
        if not self._is_well:
            self._is_well = True
            self._on_trouble(None)
