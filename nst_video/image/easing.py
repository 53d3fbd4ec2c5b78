"""Vectors that change smoothly over time: transitions between styles, averages within a scene."""

from collections.abc import Callable

import numpy as np

from nst_video.frames import Floats


class EasedVector:
    """Moves to each new target in a fixed time, slowly at both ends (smoothstep).

    Attributes:
        duration_s: seconds from one target to the next; 0 jumps.
        clock: returns the current time in seconds.
    """

    def __init__(self, duration_s: float, clock: Callable[[], float]) -> None:
        """Set the duration; the first target is reached at once."""
        self.duration_s = duration_s
        self.clock = clock
        self._from: Floats | None = None
        self._target: Floats | None = None
        self._begun_s = 0.0

    @property
    def is_moving(self) -> bool:
        """True until the target is reached."""
        return self._from is not None and self.clock() < self._begun_s + self.duration_s

    def toward(self, target: Floats, convert: Callable[[Floats], Floats] | None = None) -> Floats:
        """Return the current value on the way to `target`.

        Args:
            target: (d,).
            convert: where targets have two lengths, turns those of one length into the other, and
                leaves the other as it is. Once both have been targets, all values are converted.
        """
        if convert and self._target is not None and self._target.shape != target.shape:
            target, self._target = convert(target), convert(self._target)
            self._from = None if self._from is None else convert(self._from)
        now_s = self.clock()
        if self._target is None or self.duration_s <= 0:
            self._from = None
        elif not np.array_equal(target, self._target):
            self._from, self._begun_s = self._at(now_s), now_s
        self._target = target
        return self._at(now_s)

    def _at(self, now_s: float) -> Floats:
        if self._target is None:
            raise ValueError("there is no target yet")
        if self._from is None or now_s >= self._begun_s + self.duration_s:
            return self._target
        share = (now_s - self._begun_s) / self.duration_s
        eased = np.float32(share * share * (3 - 2 * share))
        return self._from + eased * (self._target - self._from)


class SceneAverage:
    """An exponential moving average of a vector that begins again where the vector jumps.

    Attributes:
        mean: the average, float32 (d,); None before the first value.
    """

    def __init__(self, rate: float, jump: float) -> None:
        """Set how it averages.

        Args:
            rate: 0..1, weight of each new value.
            jump: distance from the average to a new value, as a share of the new value's norm,
                above which the average begins again with that value.
        """
        self._rate = rate
        self._jump = jump
        self.mean: Floats | None = None

    def reset(self) -> None:
        """Begin again with the next value."""
        self.mean = None

    def update(self, value: Floats) -> Floats:
        """Take a new value, float32 (d,), and return the average, of the same shape."""
        mean = self.mean
        if mean is None or np.linalg.norm(value - mean) > self._jump * np.linalg.norm(value):
            mean = value
        else:
            mean = mean + self._rate * (value - mean)
        self.mean = mean
        return mean
