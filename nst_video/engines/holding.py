"""Statistics held from frame to frame: taken every so many frames, and at once where it matters.

Instance norms need a pass over the whole picture, and from one frame to the next what they measure
hardly changes. That is not exact. It saves some percent where frames are painted whole, and much
where they are painted in bands.
"""

from dataclasses import dataclass
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from nst_video.engines.base import Device, Painting
from nst_video.engines.tiling import TilingEngine
from nst_video.errors import UsageError
from nst_video.frames import Frame, Frames, Size, size_of
from nst_video.networks.statistics import Floats, Statistics

CUT = 0.02
"""Relative change of a frame's sketch that asks for new statistics.

A cut is far above it; so are a fade and a car that drives in, whose frames need them too. Measured
on four real clips with statistics held for 8 frames at most: 22 to 38 of 100 frames take new ones,
19 of 20 frames are above 32 dB (of a fade from black 28); 0.08 gave 16 to 26 and 23 dB.
"""

DARK = 2.0
"""Mean of a frame's sketch below which nothing is held: norms enlarge what little is there."""

SKETCH_SIDE = 8
"""Cells in each direction of the sketch, coarse so that motion within a scene does not matter."""

SAMPLES = 8
"""Pixels looked at in each direction of a cell."""


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """Statistics and what they were taken of: the style and the sketch of a frame of some size."""

    statistics: Statistics
    size: Size
    style: Floats
    sketch: NDArray[np.float32]

    def fits(self, frame: Frame, style: Floats) -> bool:
        """Say whether a frame may be painted with them."""
        return (
            self.size == size_of(frame)
            and np.array_equal(self.style, style)
            and self.sketch.mean() >= DARK
            and change(self.sketch, sketch(frame)) <= CUT
        )


class HoldingEngine:
    """An engine that paints with the statistics of an earlier frame."""

    def __init__(self, engine: TilingEngine, frames: int) -> None:
        """Wrap an engine.

        Args:
            engine: what paints.
            frames: how many are painted with the statistics of the first of them.

        Raises:
            UsageError: fewer than 1.
        """
        if frames < 1:
            raise UsageError(f"Statistics are held for at least 1 frame, not {frames}.")
        self._engine = engine
        self._frames = frames
        self._loaded: set[Size] = set()
        self.reset()

    @property
    def name(self) -> str:
        """The engine's name in `ENGINES`."""
        return self._engine.name

    @property
    def device(self) -> Device:
        """Where it runs and why."""
        return self._engine.device

    def reset(self) -> None:
        """Forget earlier frames."""
        self._held: _Held | None = None
        self._age = 0

    def load(self, size: Size, style: Floats) -> None:
        """Compile for frames of a size (width, height); any thread may do so."""
        blank = np.zeros((1, size[1], size[0], 3), np.uint8)
        _, statistics = self._engine.measure(blank, style)
        if not self._engine.is_tiled(size):
            self._engine.paint_held(blank, style, statistics)
        self._loaded.add(size)

    def __call__(self, frames: Frames, style: Floats) -> Frames:
        """Paint consecutive `frames` (n, height, width, 3) with `style` (n or 1, style_size).

        Raises:
            EngineError: the engine cannot paint them.
        """
        styles = np.broadcast_to(style, (len(frames), style.shape[1]))
        painted = np.empty_like(frames)
        start = 0
        while start < len(frames):
            held, count = self._held, self._count_fitting(frames[start:], styles[start:])
            here = slice(start, start + max(count, 1))
            if held is None or count == 0:
                painted[here] = self._refresh(frames[here], styles[here])
            else:
                part = self._engine.paint_held(frames[here], styles[here], held.statistics)
                painted[here] = part
                self._age += count
            start = here.stop
        return painted

    def start(self, frames: Frames, style: Floats) -> Painting:
        """Paint as a call does, at once: the next frames may need these frames' statistics."""
        return Painting.done(self(frames, style))

    def _count_fitting(self, frames: Frames, styles: Floats) -> int:
        """Return how many of the next frames may be painted with the statistics held."""
        held = self._held
        if held is None:
            return 0
        nexts = zip(frames[: self._frames - self._age], styles, strict=False)
        return sum(1 for _ in takewhile(lambda each: held.fits(*each), nexts))

    def _refresh(self, frames: Frames, style: Floats) -> Frames:
        """Paint one frame with its own statistics, and keep them."""
        size = size_of(frames)
        if size not in self._loaded:
            self.load(size, style)  # both networks now, so that no later frame waits
        painted, statistics = self._engine.measure(frames, style)
        self._held = _Held(statistics, size, style[0].copy(), sketch(frames[0]))
        self._age = 1
        return painted


def sketch(frame: Frame) -> NDArray[np.float32]:
    """Return a coarse gray copy of a frame (8, 8), 0..255, from a sample of its pixels."""
    height, width = frame.shape[:2]
    count = SKETCH_SIDE * SAMPLES
    rows, columns = (np.arange(count) * side // count for side in (height, width))
    gray = frame[rows[:, None], columns].mean(axis=2, dtype=np.float32)
    cells = gray.reshape(SKETCH_SIDE, SAMPLES, SKETCH_SIDE, SAMPLES).mean(axis=(1, 3))
    return np.asarray(cells, np.float32)


def change(before: NDArray[np.float32], after: NDArray[np.float32]) -> float:
    """Return the mean change between two sketches, relative to the brighter one's mean."""
    return float(np.abs(after - before).mean() / max(before.mean(), after.mean(), DARK))
