"""How much to paint so that a frame rate is held: less soon, more late, without hunting."""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

STEP = 1.25
"""Ratio of neighboring sizes: each has to be compiled, so there are few."""

FIRST = 128.0
"""Sizes are this times a power of `STEP`, about, so that 256 is among them."""

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
    """Smallest and largest working size, short side in pixels.

    Below 224 lines a face that fills a third of the picture is no longer one.
    """

    smallest: int = 224
    largest: int = 720


MAX_EVERY = 3
"""At the smallest size every frame is painted, or every second, or at least every third."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is painted.

    Attributes:
        size: working size, short side in pixels.
        every: one of so many frames is painted.
    """

    size: int
    every: int = 1

    def cost(self) -> float:
        """Return what it costs for each frame that comes, in squared pixels."""
        return self.size**2 / self.every


def pace_ladder(bounds: SizeBounds) -> tuple[Pace, ...]:
    """Return the paces to choose from, cheapest first; all sizes from bound to bound among them."""
    sizes, size = [bounds.smallest], FIRST
    while (size := size * STEP) < bounds.largest:
        rounded = MULTIPLE * round(size / MULTIPLE)
        if sizes[-1] < rounded < bounds.largest:
            sizes.append(rounded)
    if bounds.largest > bounds.smallest:
        sizes.append(bounds.largest)
    seldom = [Pace(bounds.smallest, every) for every in range(MAX_EVERY, 1, -1)]
    return (*seldom, *(Pace(size) for size in sizes))


class AdaptiveResolution:
    """Chooses how much to paint from how long frames took to paint.

    Attributes:
        pace: what to do now.
    """

    def __init__(self, target_fps: float, size: int, bounds: SizeBounds | None = None) -> None:
        """Begin with every frame at the size of the ladder nearest to `size`."""
        self._ladder = pace_ladder(bounds or SizeBounds())
        self.pace = min(self._ladder, key=lambda pace: (abs(pace.size - size), pace.every))
        self._frame_s = 1 / target_fps
        self._paint_s: deque[float] = deque(maxlen=SAMPLES)
        self._patience_s = PATIENCE_S
        self._roomy_since: float | None = None
        self._grown_at = -math.inf

    def update(self, paint_s: float, now_s: float, limit: int) -> Pace:
        """Take in the time of a frame painted at the present pace; return the pace for the next.

        Args:
            paint_s: seconds it took.
            now_s: the clock.
            limit: short side of the frames, which no size needs to exceed.
        """
        self._paint_s.append(paint_s)
        if len(self._paint_s) < SAMPLES:
            return self.pace
        # The median of the frames stands for the size, single slow ones for the machine.
        typical_s = float(np.median(self._paint_s)) / self.pace.every
        place = self._ladder.index(self.pace)
        if typical_s > FULL * self._frame_s:
            self._relieve(typical_s, place, now_s)
        elif place + 1 < len(self._ladder) and (self.pace.every > 1 or self.pace.size < limit):
            growth = self._ladder[place + 1].cost() / self.pace.cost()
            self._consider_more(typical_s * growth < ROOMY * self._frame_s, place, now_s)
        return self.pace

    def _relieve(self, typical_s: float, place: int, now_s: float) -> None:
        """Go to the best pace that should fit."""
        if now_s - self._grown_at < 2 * self._patience_s:
            self._patience_s = min(MAX_PATIENCE_S, 2 * self._patience_s)
        fitting = [
            pace
            for pace in self._ladder[:place]
            if typical_s * pace.cost() / self.pace.cost() < FITS * self._frame_s
        ]
        self._change(fitting[-1] if fitting else self._ladder[0])

    def _consider_more(self, is_roomy: bool, place: int, now_s: float) -> None:
        if not is_roomy:
            self._roomy_since = None
        elif self._roomy_since is None:
            self._roomy_since = now_s
        elif now_s - self._roomy_since >= self._patience_s:
            self._grown_at = now_s
            self._change(self._ladder[place + 1])

    def _change(self, pace: Pace) -> None:
        if pace != self.pace:
            self.pace = pace
            self._paint_s.clear()
        self._roomy_since = None
