"""Measuring a stream of frames: how many come, how long stages take, how old a frame is."""

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np

WINDOW_S = 2.0
"""Seconds over which a rate is measured."""

SHARE = 0.1
"""Share of each new value in a smoothed one."""

KEPT = 4096
"""Values kept for the figures at the end."""


class Rate:
    """Events a second over the last `WINDOW_S`; safe to use from several threads."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self._lock = threading.Lock()

    def tick(self, now_s: float) -> None:
        """Count an event."""
        with self._lock:
            self._times.append(now_s)
            self._forget(now_s)

    def per_s(self, now_s: float) -> float:
        """Return events a second, 0 with fewer than two of them."""
        with self._lock:
            self._forget(now_s)
            if len(self._times) < 2:
                return 0.0
            # Measured up to now, the rate falls as soon as events stay away.
            first, last = self._times[0], self._times[-1]
            overdue = max(0.0, now_s - last - (last - first) / (len(self._times) - 1))
            return (len(self._times) - 1) / max(1e-6, last - first + overdue)

    def _forget(self, now_s: float) -> None:
        while self._times and self._times[0] < now_s - WINDOW_S:
            self._times.popleft()


class Smoothed:
    """A value without its jitter; the first one counts fully.

    Attributes:
        value: 0 before the first.
    """

    def __init__(self) -> None:
        self.value = 0.0
        self._is_new = True

    def add(self, value: float) -> None:
        """Take in a new value."""
        self.value = value if self._is_new else self.value + SHARE * (value - self.value)
        self._is_new = False


@dataclass(frozen=True, slots=True)
class LiveResult:
    """What a live session did.

    Attributes:
        captured: frames the source delivered.
        shown: painted frames that reached the outputs.
        dropped: frames passed over because a newer one was there.
        reused: frames that equaled the one before, so that its painting was shown again.
        elapsed_s: seconds from the first painted frame to the end.
        first_painted_s: seconds from the start to the first painted frame, None without one.
        age_p50_ms: median age of a frame when it was shown.
        age_p95_ms: 95th percentile of that.
        stall_ms: the longest time between two painted frames shown.
        is_ordered: no frame was shown after a later one.
        lost_outputs: names of outputs that failed and were dropped.
    """

    captured: int = 0
    shown: int = 0
    dropped: int = 0
    reused: int = 0
    elapsed_s: float = 0.0
    first_painted_s: float | None = None
    age_p50_ms: float = 0.0
    age_p95_ms: float = 0.0
    stall_ms: float = 0.0
    is_ordered: bool = True
    lost_outputs: tuple[str, ...] = ()

    @property
    def fps(self) -> float:
        """Painted frames shown a second."""
        return (self.shown - 1) / self.elapsed_s if self.elapsed_s > 0 else 0.0


class Meter:
    """Everything that is measured of the frames shown; used by the thread that shows them.

    Attributes:
        rate: frames shown.
        age_ms: smoothed age of the frame on screen.
        shown: frames shown.
        is_ordered: see `LiveResult`.
        stall_ms: see `LiveResult`.
    """

    def __init__(self, started_s: float) -> None:
        """Begin at `started_s`, monotonic seconds."""
        self.rate = Rate()
        self.age_ms = Smoothed()
        self.show_ms = Smoothed()
        self.shown = 0
        self.is_ordered = True
        self.stall_ms = 0.0
        self._started_s = started_s
        self._first_s: float | None = None
        self._last_s = started_s
        self._last_number = -1
        self._ages_ms: deque[float] = deque(maxlen=KEPT)

    @property
    def elapsed_s(self) -> float:
        """Seconds from the first painted frame to the latest."""
        return 0.0 if self._first_s is None else self._last_s - self._first_s

    def show(self, number: int, captured_s: float, now_s: float) -> None:
        """Count a painted frame that has just been shown."""
        self.rate.tick(now_s)
        age_ms = 1000 * (now_s - captured_s)
        self.age_ms.add(age_ms)
        self._ages_ms.append(age_ms)
        self.shown += 1
        self.is_ordered &= number >= self._last_number
        if self._first_s is None:
            self._first_s = now_s
        else:
            self.stall_ms = max(self.stall_ms, 1000 * (now_s - self._last_s))
        self._last_number, self._last_s = number, now_s

    def result(
        self, *, captured: int, dropped: int, reused: int, lost_outputs: tuple[str, ...]
    ) -> LiveResult:
        """Return the figures of the session so far."""
        ages = np.asarray(self._ages_ms or [0.0])
        first_s = self._first_s
        return LiveResult(
            captured=captured,
            shown=self.shown,
            dropped=dropped,
            reused=reused,
            elapsed_s=self.elapsed_s,
            first_painted_s=None if first_s is None else first_s - self._started_s,
            age_p50_ms=float(np.percentile(ages, 50)),
            age_p95_ms=float(np.percentile(ages, 95)),
            stall_ms=self.stall_ms,
            is_ordered=self.is_ordered,
            lost_outputs=lost_outputs,
        )
