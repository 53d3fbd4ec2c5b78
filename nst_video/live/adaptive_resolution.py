"""Choosing the working size that holds a frame rate: reduced quickly, increased slowly."""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

STEP = 1.25
"""Ratio of neighboring sizes. Each size has to be compiled, so there are few."""

FIRST = 128.0
"""Sizes are about this times a power of `STEP`, so that 256 is one of them."""

MULTIPLE = 16
"""Sizes are multiples of this many pixels."""

FULL = 0.95
"""Load (painting time / frame interval) above which painting is too slow."""

ROOMY = 0.6
"""Load that the next larger size must be expected to stay below."""

FITS = 0.85
"""Load below which a smaller size is expected to be fast enough."""

SAMPLES = 20
"""Frames measured before each decision, all at the current level."""

PATIENCE_S = 2.0
"""Seconds of spare time before an increase. Doubled, up to `MAX_PATIENCE_S`, if it was too much."""

MAX_PATIENCE_S = 64.0


@dataclass(frozen=True, slots=True)
class SizeBounds:
    """Smallest and largest working size, short side in pixels.

    Below 224 lines, a face that fills a third of the frame is no longer recognizable.
    """

    smallest: int = 224
    largest: int = 720


MAX_EVERY = 3
"""At the smallest size, at least every third frame is painted."""


@dataclass(frozen=True, slots=True)
class QualityLevel:
    """Working size and frame decimation.

    Attributes:
        size: working size, short side in pixels.
        every: every n-th frame is painted.
    """

    size: int
    every: int = 1

    def cost(self) -> float:
        """Return the cost per captured frame, in squared pixels."""
        return self.size**2 / self.every


def quality_ladder(bounds: SizeBounds) -> tuple[QualityLevel, ...]:
    """Return the levels to choose from, cheapest first, both bounds included."""
    sizes, size = [bounds.smallest], FIRST
    while (size := size * STEP) < bounds.largest:
        rounded = MULTIPLE * round(size / MULTIPLE)
        if sizes[-1] < rounded < bounds.largest:
            sizes.append(rounded)
    if bounds.largest > bounds.smallest:
        sizes.append(bounds.largest)
    seldom = [QualityLevel(bounds.smallest, every) for every in range(MAX_EVERY, 1, -1)]
    return (*seldom, *(QualityLevel(size) for size in sizes))


class AdaptiveResolution:
    """Chooses the working size from measured painting times.

    Attributes:
        level: the level in use.
    """

    def __init__(self, target_fps: float, size: int, bounds: SizeBounds | None = None) -> None:
        """Start with every frame, at the available size nearest to `size`."""
        self._ladder = quality_ladder(bounds or SizeBounds())
        self.level = min(self._ladder, key=lambda level: (abs(level.size - size), level.every))
        self._frame_s = 1 / target_fps
        self._paint_s: deque[float] = deque(maxlen=SAMPLES)
        self._patience_s = PATIENCE_S
        self._roomy_since: float | None = None
        self._grown_at = -math.inf

    def update(self, paint_s: float, now_s: float, limit: int) -> QualityLevel:
        """Add the painting time of a frame at the current level; return the next level.

        Args:
            paint_s: painting time in seconds.
            now_s: current time in seconds.
            limit: short side of the frames in pixels; no larger size is useful.
        """
        self._paint_s.append(paint_s)
        if len(self._paint_s) < SAMPLES:
            return self.level
        # The median measures the size. Single slow frames are caused by other load.
        typical_s = float(np.median(self._paint_s)) / self.level.every
        place = self._ladder.index(self.level)
        if typical_s > FULL * self._frame_s:
            self._reduce(typical_s, place, now_s)
        elif place + 1 < len(self._ladder) and (self.level.every > 1 or self.level.size < limit):
            growth = self._ladder[place + 1].cost() / self.level.cost()
            self._consider_increase(typical_s * growth < ROOMY * self._frame_s, place, now_s)
        return self.level

    def _reduce(self, typical_s: float, place: int, now_s: float) -> None:
        """Change to the best level that should be fast enough."""
        if now_s - self._grown_at < 2 * self._patience_s:
            self._patience_s = min(MAX_PATIENCE_S, 2 * self._patience_s)
        fitting = [
            level
            for level in self._ladder[:place]
            if typical_s * level.cost() / self.level.cost() < FITS * self._frame_s
        ]
        self._change(fitting[-1] if fitting else self._ladder[0])

    def _consider_increase(self, is_roomy: bool, place: int, now_s: float) -> None:
        if not is_roomy:
            self._roomy_since = None
        elif self._roomy_since is None:
            self._roomy_since = now_s
        elif now_s - self._roomy_since >= self._patience_s:
            self._grown_at = now_s
            self._change(self._ladder[place + 1])

    def _change(self, level: QualityLevel) -> None:
        if level != self.level:
            self.level = level
            self._paint_s.clear()
        self._roomy_since = None
