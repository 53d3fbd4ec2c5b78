"""Measurements of a live session: frame rates, stage times, latency."""

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np

WINDOW_S = 2.0
"""Seconds over which a rate is measured."""

SHARE = 0.1
"""Weight of each new value in an exponential moving average."""

KEPT = 4096
"""Latencies kept for the percentiles at the end."""


class RateMeter:
    """Events per second over the last `WINDOW_S`. Thread-safe."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self._lock = threading.Lock()

    def tick(self, now_s: float) -> None:
        """Count an event at `now_s` seconds."""
        with self._lock:
            self._times.append(now_s)
            self._forget(now_s)

    def per_s(self, now_s: float) -> float:
        """Return events per second, 0 with fewer than two events."""
        with self._lock:
            self._forget(now_s)
            if len(self._times) < 2:
                return 0.0
            # The time since the last event counts too, so that the rate falls when events stop.
            first, last = self._times[0], self._times[-1]
            overdue = max(0.0, now_s - last - (last - first) / (len(self._times) - 1))
            return (len(self._times) - 1) / max(1e-6, last - first + overdue)

    def _forget(self, now_s: float) -> None:
        while self._times and self._times[0] < now_s - WINDOW_S:
            self._times.popleft()


class SmoothedValue:
    """An exponential moving average that starts at the first value.

    Attributes:
        value: the average, 0 before the first value.
    """

    def __init__(self) -> None:
        self.value = 0.0
        self._is_new = True

    def add(self, value: float) -> None:
        """Add a value."""
        self.value = value if self._is_new else self.value + SHARE * (value - self.value)
        self._is_new = False


@dataclass(frozen=True, slots=True)
class LiveResult:
    """Statistics of a live session.

    Attributes:
        captured: frames delivered by the source.
        shown: painted frames that were shown and sent to the outputs.
        dropped: frames skipped because a newer one was available.
        reused: frames equal to the one before, so its painted frame was shown again.
        elapsed_s: seconds from the first painted frame to the end.
        first_painted_s: seconds from the start to the first painted frame, None without one.
        age_p50_ms: median latency from capture to display, in milliseconds.
        age_p95_ms: 95th percentile of that latency.
        stall_ms: the longest time between two painted frames, in milliseconds.
        is_ordered: no frame was shown after a later one.
        lost_outputs: names of the outputs that failed.
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
        """Painted frames shown per second."""
        return (self.shown - 1) / self.elapsed_s if self.elapsed_s > 0 else 0.0


class LiveMetrics:
    """Measures the frames shown. Only the thread that shows them may use it.

    Attributes:
        rate: frames shown.
        age_ms: moving average of the latency of the frame on screen.
        show_ms: moving average of the time to show a frame.
        shown: frames shown.
        is_ordered: see `LiveResult`.
        stall_ms: see `LiveResult`.
    """

    def __init__(self, started_s: float) -> None:
        """Start at `started_s` (monotonic seconds)."""
        self.rate = RateMeter()
        self.age_ms = SmoothedValue()
        self.show_ms = SmoothedValue()
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
        """Count a painted frame that was shown at `now_s`, captured at `captured_s` (seconds)."""
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
        """Return the statistics of the session so far."""
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
