"""The thread that reads a source: newest frame only, watched, reopened when it stops."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from nst_video.errors import NstVideoError
from nst_video.frames import Frame
from nst_video.live.meter import Rate
from nst_video.prefetch import Newest
from nst_video.sources import FrameSource

STALL_S = 2.0
"""Seconds without a frame after which a source counts as stopped."""

OPEN_S = 15.0
"""Seconds a source may take to deliver its first frame: some webcams need five.

A file may take as long at any frame: it does not get unplugged, but disks and machines are busy.
"""

BACK_OFF_S = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Waits between attempts to open a source again; the last one repeats."""

JOIN_S = 3.0
"""Seconds given to a driver to come back from a read; after that its thread is left behind."""


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
        last_s: when the latest frame came, None before the first.
        error: why it ended, None where the source came to its end.
    """

    def __init__(self, source: LiveInput, deliver: Callable[[Frame], None]) -> None:
        self.last_s: float | None = None
        self.error: BaseException | None = None
        self._input = source
        self._deliver = deliver
        self._abandoned = threading.Event()
        self._opened: FrameSource | None = None
        self.thread = threading.Thread(target=self._work, name="capture", daemon=True)
        self.thread.start()

    def abandon(self) -> None:
        """Take no more frames from it and let it end when it can."""
        self._abandoned.set()
        if self._opened is not None:
            self._opened.stop()

    def _work(self) -> None:
        try:
            self._opened = self._input.open()
            with self._opened as source:
                for frame in source:
                    if self._abandoned.is_set():
                        return
                    self.last_s = time.monotonic()
                    self._deliver(frame)
        except BaseException as error:  # noqa: BLE001 - judged by the thread that watches
            self.error = error


class Reader:
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
        stall_s: float = STALL_S,
        back_off_s: tuple[float, ...] = BACK_OFF_S,
    ) -> None:
        """Prepare; the threads start on `start`.

        Args:
            source: what to read.
            on_trouble: called with a sentence when the input stops, with None when it is back.
            stall_s: see `STALL_S`.
            back_off_s: see `BACK_OFF_S`.
        """
        self.frames: Newest[Captured] = Newest()
        self.rate = Rate()
        self._input = source
        self._on_trouble = on_trouble
        self._stall_s = stall_s
        self._back_off_s = back_off_s
        self._wake = threading.Event()
        self._stopped = False
        self._switched = False
        self._numbers = count()
        self._is_well = False
        self._left_behind: list[_Attempt] = []
        self._thread = threading.Thread(target=self._watch, name="reader", daemon=True)

    @property
    def source(self) -> LiveInput:
        """What is read."""
        return self._input

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def switch(self, source: LiveInput) -> None:
        """Read another input from now on."""
        self._input, self._switched = source, True
        self._wake.set()

    def close(self) -> None:
        """Stop and wait for the threads, for a driver that hangs at most `JOIN_S`."""
        self._stopped = True
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join()
        for attempt in self._left_behind:
            attempt.thread.join(JOIN_S)
        self.frames.close()

    def _watch(self) -> None:
        """Open, watch, and open again; ends with the reader, or with a finite input."""
        failures = 0
        try:
            while not self._stopped:
                self._switched = False
                self._wake.clear()
                source, before = self._input, self.frames.put_count
                attempt = _Attempt(source, self._put)
                trouble = self._follow(attempt)
                attempt.abandon()
                self._left_behind = [a for a in self._left_behind if a.thread.is_alive()]
                self._left_behind.append(attempt)
                if self._stopped or self._switched:
                    failures = 0
                    continue
                came = self.frames.put_count > before
                if not source.is_endless or (not came and not before):
                    self.frames.close(
                        attempt.error or (NstVideoError(trouble) if trouble else None)
                    )
                    return
                failures = 1 if came else failures + 1
                self._rest(trouble or f"{source.name} has ended.", failures)
        except BaseException as error:  # noqa: BLE001 - raised again where frames are taken
            self.frames.close(error)

    def _follow(self, attempt: _Attempt) -> str | None:
        """Wait until the attempt ends or stalls; return what to tell the user."""
        begun = time.monotonic()
        while attempt.thread.is_alive():
            last_s = attempt.last_s
            is_patient = last_s is None or not self._input.is_endless
            since = begun if last_s is None else last_s
            limit = OPEN_S if is_patient else self._stall_s
            left = since + limit - time.monotonic()
            if left <= 0:
                return f"{self._input.name} has given no picture for {limit:g} s."
            if self._wake.wait(min(left, self._stall_s / 10)):
                return None
        return None if attempt.error is None else str(attempt.error)

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
