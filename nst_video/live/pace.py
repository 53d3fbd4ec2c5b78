"""The working size that holds a frame rate: shrinks soon, grows late, does not hunt."""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

STEP = 1.25
"""Ratio of neighboring sizes: each has to be compiled, so there are few."""

MULTIPLE = 16
"""Sizes are multiples of this many pixels."""

FULL = 0.95
"""Share of a frame's time above which painting is too slow."""

ROOMY = 0.6
"""Share of a frame's time under which the next larger size would have to stay."""

FITS = 0.85
"""Share of a frame's time under which a smaller size is taken to fit."""

SAMPLES = 20
"""Frames looked at before a decision, all of the present size."""

PATIENCE_S = 2.0
"""Seconds of room before growing; doubled, up to `MAX_PATIENCE_S`, when growing was too much."""

MAX_PATIENCE_S = 64.0


@dataclass(frozen=True, slots=True)
class SizeBounds:
    """Smallest and largest working size, short side in pixels."""

    smallest: int = 128
    largest: int = 720


def size_ladder(bounds: SizeBounds) -> tuple[int, ...]:
    """Return the sizes to choose from, ascending, both bounds among them."""
    sizes, size = [bounds.smallest], float(bounds.smallest)
    while (size := size * STEP) < bounds.largest:
        rounded = MULTIPLE * round(size / MULTIPLE)
        if sizes[-1] < rounded < bounds.largest:
            sizes.append(rounded)
    return (*sizes, bounds.largest) if bounds.largest > bounds.smallest else tuple(sizes)


class Pacer:
    """Chooses the working size from how long frames took to paint.

    Attributes:
        size: the working size to use now.
    """

    def __init__(self, target_fps: float, size: int, bounds: SizeBounds | None = None) -> None:
        """Begin with the size of the ladder nearest to `size`."""
        self._ladder = size_ladder(bounds or SizeBounds())
        self.size = min(self._ladder, key=lambda step: abs(step - size))
        self._frame_s = 1 / target_fps
        self._paint_s: deque[float] = deque(maxlen=SAMPLES)
        self._patience_s = PATIENCE_S
        self._roomy_since: float | None = None
        self._grown_at = -math.inf

    def update(self, paint_s: float, now_s: float, limit: int) -> int:
        """Take in the time of a frame painted at the present size; return the size for the next.

        Args:
            paint_s: seconds it took.
            now_s: the clock.
            limit: short side of the frames, which no size needs to exceed.
        """
        self._paint_s.append(paint_s)
        if len(self._paint_s) < SAMPLES:
            return self.size
        # The median of the frames stands for the size, single slow ones for the machine.
        typical_s = float(np.median(self._paint_s))
        place = self._ladder.index(self.size)
        if typical_s > FULL * self._frame_s:
            self._shrink(typical_s, place, now_s)
        elif place + 1 < len(self._ladder) and self.size < limit:
            growth = (self._ladder[place + 1] / self.size) ** 2
            self._consider_growing(typical_s * growth < ROOMY * self._frame_s, place, now_s)
        return self.size

    def _shrink(self, typical_s: float, place: int, now_s: float) -> None:
        """Go to the largest size that should fit."""
        if now_s - self._grown_at < 2 * self._patience_s:
            self._patience_s = min(MAX_PATIENCE_S, 2 * self._patience_s)
        fitting = [
            size
            for size in self._ladder[:place]
            if typical_s * (size / self.size) ** 2 < FITS * self._frame_s
        ]
        self._change(fitting[-1] if fitting else self._ladder[0])

    def _consider_growing(self, is_roomy: bool, place: int, now_s: float) -> None:
        if not is_roomy:
            self._roomy_since = None
        elif self._roomy_since is None:
            self._roomy_since = now_s
        elif now_s - self._roomy_since >= self._patience_s:
            self._grown_at = now_s
            self._change(self._ladder[place + 1])

    def _change(self, size: int) -> None:
        if size != self.size:
            self.size = size
            self._paint_s.clear()
        self._roomy_since = None
