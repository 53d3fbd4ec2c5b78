"""Choosing working size and painting rate that hold a frame rate: reduced quickly, raised slowly.

With steadiness, frames between paintings are carried along the motion, and paintings are made in
the background. Then painting less often comes before a smaller size. Without it, every frame is
painted by itself, and at the smallest size some frames are skipped.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

SIZES = (128, 160, 208, 256, 320, 384, 480, 592, 720, 896, 1088)
"""Working sizes, short side in pixels. Each size has to be compiled, so there are few."""

FULL = 0.95
"""Load (time for each frame / frame interval) above which a level is too slow."""

ROOMY, ROOMY_CARRYING = 0.6, 0.8
"""Load that the next better level must be expected to stay below, without and with steadiness:
there, less of it depends on the level."""

FITS = 0.85
"""Load below which a worse level is expected to be fast enough."""

SAMPLES = 20
"""Frames measured before each decision, all at the current level."""

OUTLIERS = 2
"""Slowest of them that do not count: single slow frames are caused by other load."""

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


SKIPPING = (3, 2)
"""Without steadiness, at the smallest size: every n-th frame is painted, the others are skipped."""

CARRYING, CARRYING_ABOVE = (12, 8, 6, 4, 3, 2, 1), (3, 2, 1)
"""With steadiness: every n-th frame is painted, up to `GOOD_SIZE` and above it."""

GOOD_SIZE, GOOD_FULL = 480, 1.1
"""Working size that is worth painting seldom, as strokes and faces are clear from here on, and the
load above which even that is too slow: nine of ten frames at this size are better than all smaller.
"""

LATE_FRAMES, GOOD_LATE_FRAMES = 12, 24
"""Frame intervals that a painting may take, and at `GOOD_SIZE`: what is new is shown in the
painting's colors, but without its strokes for so long."""

CONTENTION = 1.5
"""Additional time of a frame while a painting is made in the background, as a share; less where
painting has a low priority."""

GROWING = 0.5
"""Work of a frame besides painting that grows with the area, as a share of that which does not, at
480 lines: carrying 8 ms; motion, shrinking and enlarging 1280x720 17."""


@dataclass(frozen=True, slots=True)
class QualityLevel:
    """Working size and painting rate.

    Attributes:
        size: working size, short side in pixels.
        every: every n-th frame is painted.
    """

    size: int
    every: int = 1


@dataclass(frozen=True, slots=True)
class FrameTime:
    """What one frame took, in seconds.

    Attributes:
        busy_s: until the next frame could be taken.
        painting_s: what the last painting took in the background, None if the frame itself was
            painted in `busy_s`.
        is_painting: a painting was being made in the background meanwhile.
    """

    busy_s: float
    painting_s: float | None = None
    is_painting: bool = False


@dataclass(frozen=True, slots=True)
class _Typical:
    """What frames take, see `FrameTime`.

    Attributes:
        busy_s: for each frame.
        painting_s: for each painting in the background, None without.
        painting_share: share of the time in which a painting is made in the background.
    """

    busy_s: float
    painting_s: float | None
    painting_share: float


def _typical(times: Sequence[FrameTime]) -> _Typical:
    busy = sorted(time.busy_s for time in times)[: len(times) - OUTLIERS]
    paintings = [time.painting_s for time in times if time.painting_s is not None]
    if not paintings:
        return _Typical(median(busy), None, 0.0)
    share = sum(time.is_painting for time in times) / len(times)
    return _Typical(fmean(busy), median(paintings), share)


def quality_ladder(
    bounds: SizeBounds, rates: tuple[int, ...] | None = None
) -> tuple[QualityLevel, ...]:
    """Return the levels to choose from, the least wanted first, both bounds included.

    Args:
        bounds: of the working size.
        rates: with steadiness, the painting rates to choose from: every n-th frame.
    """
    between = [size for size in SIZES if bounds.smallest < size < bounds.largest]
    sizes = sorted({bounds.smallest, *between, bounds.largest})
    if rates is None:
        seldom = [QualityLevel(bounds.smallest, n) for n in SKIPPING]
        return (*seldom, *(QualityLevel(size) for size in sizes))
    chosen = sorted(rates, reverse=True)
    return tuple(
        QualityLevel(size, n)
        for size in sizes
        for n in chosen
        if size <= GOOD_SIZE or n in CARRYING_ABOVE or n == chosen[-1]
    )


def _other_work(size: int) -> float:
    """Return the work of a frame besides painting, relative to that which does not grow."""
    return 1 + GROWING * (size / 480) ** 2


class AdaptiveResolution:
    """Chooses the level from measured times.

    Attributes:
        level: the level in use.
    """

    def __init__(self, target_fps: float, size: int, bounds: SizeBounds | None = None) -> None:
        """Start with every frame, at the available size nearest to `size`."""
        self._bounds = bounds or SizeBounds()
        self._choices: tuple[tuple[int, ...] | None, int | None] = None, None
        self._ladder = quality_ladder(self._bounds)
        self.level = self._nearest(QualityLevel(size))
        self._frame_s = 1 / target_fps
        self._times: deque[FrameTime] = deque(maxlen=SAMPLES)
        self._typical = _Typical(0.0, None, 0.0)
        self._patience_s = PATIENCE_S
        self._roomy_since: float | None = None
        self._grown_at = -math.inf

    def choose_among(self, rates: tuple[int, ...] | None, size: int | None = None) -> None:
        """Say what there is to choose from; the level stays as near as possible to the last one.

        Args:
            rates: with steadiness, every n-th frame may be painted, n being one of these; None
                without steadiness.
            size: keep this working size; None to choose it, too.
        """
        if (rates, size) == self._choices:
            return
        self._choices = rates, size
        bounds = self._bounds if size is None else SizeBounds(size, size)
        self._ladder = quality_ladder(bounds, rates)
        self._change(self._nearest(self.level))
        self._times.clear()

    def update(self, time: FrameTime, now_s: float, limit: int) -> QualityLevel:
        """Add what a frame took at the current level; return the next level.

        Args:
            time: of the frame.
            now_s: current time in seconds.
            limit: short side of the frames in pixels; no larger size is useful.
        """
        self._times.append(time)
        if len(self._times) < SAMPLES:
            return self.level
        self._typical = _typical(self._times)
        place = self._ladder.index(self.level)
        if self._load(self.level) > (GOOD_FULL if self._is_least_good(place) else FULL):
            self._reduce(place, now_s)
        else:
            self._consider_increase(self._next_better(place, limit), now_s)
        return self.level

    def _nearest(self, wanted: QualityLevel) -> QualityLevel:
        return min(
            self._ladder,
            key=lambda level: (abs(level.size - wanted.size), abs(level.every - wanted.every)),
        )

    def _load(self, level: QualityLevel) -> float:
        """Return the expected time for each frame at a level, in frame intervals."""
        typical, growth = self._typical, (level.size / self.level.size) ** 2
        if typical.painting_s is None:
            return typical.busy_s * growth / level.every / self._frame_s
        now, painting_s = typical.painting_share, typical.painting_s
        # More than expected where much is new.
        excess = now / self._painting_share(painting_s, self.level.every)
        then = min(1.0, excess * self._painting_share(painting_s * growth, level.every))
        frame_s = typical.busy_s / (1 + CONTENTION * now) * (1 + CONTENTION * then)
        frame_s *= _other_work(level.size) / _other_work(self.level.size)
        late = GOOD_LATE_FRAMES if level.size == GOOD_SIZE else LATE_FRAMES
        return max(frame_s, painting_s * growth / late) / self._frame_s

    def _is_least_good(self, place: int) -> bool:
        """Return whether the next worse level has less than `GOOD_SIZE`."""
        is_good = self._choices[0] is not None and self._ladder[place].size == GOOD_SIZE
        return is_good and place > 0 and self._ladder[place - 1].size < GOOD_SIZE

    def _painting_share(self, painting_s: float, every: int) -> float:
        """Return the share of the time in which a painting is made; the next waits for its end."""
        frames = max(painting_s / self._frame_s, 0.01)
        return frames / max(every, frames + 1)

    def _reduce(self, place: int, now_s: float) -> None:
        """Change to the best level that should be fast enough."""
        if now_s - self._grown_at < 2 * self._patience_s:
            self._patience_s = min(MAX_PATIENCE_S, 2 * self._patience_s)
        fitting = [level for level in self._ladder[:place] if self._load(level) < FITS]
        # The least level of the good size is tried before smaller sizes.
        fitting += [self._ladder[n] for n in range(place) if self._is_least_good(n)]
        best = max(fitting, key=self._ladder.index, default=self._ladder[0])
        self._change(best)

    def _next_better(self, place: int, limit: int) -> QualityLevel | None:
        """Return the best level, up to the next size, that should have spare time, if any."""
        better = self._ladder[place + 1 :]
        # The good size is reached at once, since it is left only far above this load.
        for good in range(place + 1, len(self._ladder)):
            if self._is_least_good(good) and limit >= GOOD_SIZE:
                if self._load(self._ladder[good]) < FULL:
                    return self._ladder[good]
                break
        sizes = [level.size for level in better if level.size > self.level.size]
        largest = sizes[0] if sizes and self.level.size < limit else self.level.size
        limit_load = ROOMY if self._choices[0] is None else ROOMY_CARRYING
        candidates = (level for level in better if level.size <= largest)
        fitting = [level for level in candidates if self._load(level) < limit_load]
        return fitting[-1] if fitting else None

    def _consider_increase(self, better: QualityLevel | None, now_s: float) -> None:
        if better is None:
            self._roomy_since = None
        elif self._roomy_since is None:
            self._roomy_since = now_s
        elif now_s - self._roomy_since >= self._patience_s:
            self._grown_at = now_s
            self._change(better)

    def _change(self, level: QualityLevel) -> None:
        if level != self.level:
            self.level = level
            self._times.clear()
        self._roomy_since = None
