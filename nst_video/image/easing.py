"""A vector that eases toward each new target: style switches that can be watched."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


class EasedVector:
    """Follows a target over a fixed time, slow at both ends, from wherever it is.

    Attributes:
        duration_s: seconds from one target to the next; 0 jumps.
        clock: tells the time, in seconds.
    """

    def __init__(self, duration_s: float, clock: Callable[[], float]) -> None:
        """Begin nowhere: the first target is reached at once."""
        self.duration_s = duration_s
        self.clock = clock
        self._from: NDArray[np.float32] | None = None
        self._target: NDArray[np.float32] | None = None
        self._begun_s = 0.0

    @property
    def is_moving(self) -> bool:
        """True until the target is reached."""
        return self._from is not None and self.clock() < self._begun_s + self.duration_s

    def toward(self, target: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return where it is now on the way to `target`, float32 of the same shape."""
        now_s = self.clock()
        if self._target is None or self.duration_s <= 0:
            self._from = None
        elif not np.array_equal(target, self._target):
            self._from, self._begun_s = self._at(now_s), now_s
        self._target = target
        return self._at(now_s)

    def _at(self, now_s: float) -> NDArray[np.float32]:
        if self._target is None:
            raise ValueError("there is no target yet")
        if self._from is None or now_s >= self._begun_s + self.duration_s:
            return self._target
        share = (now_s - self._begun_s) / self.duration_s
        eased = np.float32(share * share * (3 - 2 * share))
        return self._from + eased * (self._target - self._from)
