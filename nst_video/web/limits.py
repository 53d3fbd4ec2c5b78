"""Limits of what the server accepts, and how often. The constants are in `Limits`."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server accepts.

    Attributes:
        picture_bytes: of an uploaded picture; photos of 108 megapixel cameras have 15 to 40 MB.
        picture_pixels: of it; decoded it takes three bytes each, twice while it is painted.
        film_bytes: of an uploaded film.
        films: most films kept at a time, uploaded or painted.
        stall_s: seconds without a byte after which an upload is given up.
        slowest: bytes per second, over each `stall_s`, below which it is given up, too.
        picture_s: seconds that the upload of a picture may take.
        waiting: most requests that may wait for the one that is painted.
    """

    picture_bytes: int = 40 << 20
    picture_pixels: int = 50_000_000
    film_bytes: int = 8 << 30
    films: int = 64
    stall_s: float = 30.0
    slowest: int = 1024
    picture_s: float = 120.0
    waiting: int = 80


BURST, RATE = 40, 4.0
"""Changing requests that one address may send at once, and per second in the long run."""

_ADDRESSES = 1024


@dataclass(slots=True)
class RateLimiter:
    """Counts requests of each address: so many at once, then so many per second. Thread-safe.

    Attributes:
        burst: requests at once.
        rate: requests per second in the long run.
        clock: returns monotonic seconds.
    """

    burst: int = BURST
    rate: float = RATE
    clock: Callable[[], float] = time.monotonic
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_s(self, address: str) -> float:
        """Count a request; return 0 if it is allowed, else seconds after which one is."""
        with self._lock:
            now = self.clock()
            left, at_s = self._left.pop(address, (float(self.burst), now))
            left = min(float(self.burst), left + (now - at_s) * self.rate)
            is_allowed = left >= 1
            self._left[address] = (left - 1 if is_allowed else left, now)
            while len(self._left) > _ADDRESSES:
                del self._left[next(iter(self._left))]
            return 0.0 if is_allowed else (1 - left) / self.rate
