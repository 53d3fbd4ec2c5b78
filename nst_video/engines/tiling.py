"""Painting what does not fit into memory whole: fewer frames at once, else one frame in tiles."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from nst_video.engines.base import (
    Device,
    Engine,
    EngineCapabilities,
    PendingFrames,
    SecondStyle,
    check_min_size,
)
from nst_video.engines.flat_frames import preserve_flat_frames
from nst_video.engines.memory_estimate import frame_bytes, tiles_bytes
from nst_video.errors import OutOfMemoryError
from nst_video.frames import Floats, Frame, Frames, Size, size_of
from nst_video.image.yuv420 import YuvColors, YuvFrames, rgb_to_yuv, yuv_size, yuv_to_rgb
from nst_video.networks.config import TransformerConfig
from nst_video.settings import TileRows, check_tile
from nst_video.system.memory import free_memory
from nst_video.validation import TILE_ROWS

OnNote: TypeAlias = Callable[[str], None]

MEMORY_SHARE = 0.75
"""Share of the free memory that the frames painted at once may take."""

TILE_PIXELS = 1 << 20
"""Pixels of a tile if memory allows; larger tiles compute fewer halo rows in vain."""

MIN_ROWS = int(TILE_ROWS.low)
"""Minimum height of a tile in pixels; smaller ones save no memory."""

UNLIMITED = 1 << 16
"""Frames at once: no limit."""


Pictures: TypeAlias = Frames | YuvFrames


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Pictures to paint, and how.

    Attributes:
        pictures: RGB frames (`colors` is None) or YUV frames.
        style: style parameters (n or 1, style_size).
        colors: matrix and range of YUV frames.
        second: another style for a part of the pictures.
    """

    pictures: Pictures
    style: Floats
    colors: YuvColors | None
    second: SecondStyle | None

    def part(self, here: slice) -> "_Batch":
        style = self.style if len(self.style) == 1 else self.style[here]
        second = self.second and self.second.part(here)
        return _Batch(self.pictures[here], style, self.colors, second)

    @property
    def size(self) -> Size:
        return size_of(self.pictures) if self.colors is None else yuv_size(self.pictures)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How frames of some size are painted: so many at once, or (0) in tiles of so many rows."""

    frames: int
    rows: int = 0


class TilingEngine:
    """An engine that paints frames whole while they fit into memory, and in tiles where not.

    Flat frames keep their color, see `preserve_flat_frames`.
    """

    def __init__(
        self,
        engine: Engine,
        config: TransformerConfig,
        tile: TileRows = "auto",
        on_note: OnNote | None = None,
        free: Callable[[], int | None] = free_memory,
    ) -> None:
        """Wrap an engine.

        Args:
            engine: what paints; it can paint tiles.
            config: shape of its network, for the estimate of memory.
            tile: see `TileRows`.
            on_note: called with a sentence when frames are painted in tiles because memory is
                short.
            free: returns the free memory in bytes, None if unknown.

        Raises:
            UsageError: tiles of fewer than `MIN_ROWS` rows.
        """
        check_tile(tile)
        self._engine = engine
        self._config = config
        self._tile = tile
        self._on_note = on_note
        self._free = free
        self._plans: dict[Size, _Plan] = {}

    @property
    def name(self) -> str:
        """The engine's name in `ENGINES`."""
        return self._engine.name

    @property
    def device(self) -> Device:
        """Where it runs and why."""
        return self._engine.device

    @property
    def capabilities(self) -> EngineCapabilities:
        """What the wrapped engine can do."""
        return self._engine.capabilities

    def make_reproducible(self, cores: int | None = None) -> None:
        """See `Engine.make_reproducible`; frames in tiles are not."""
        self._engine.make_reproducible(cores)

    def is_tiled(self, size: Size) -> bool:
        """Return whether frames of `size` (width, height) were last painted in tiles."""
        return size in self._plans and not self._plans[size].frames

    def accepts_yuv(self, size: Size) -> bool:
        """Return whether YUV frames of `size` (width, height) would be painted whole."""
        return self.capabilities.yuv and self._find_plan(size).frames > 0

    def __call__(self, frames: Frames, style: Floats, second: SecondStyle | None = None) -> Frames:
        """Paint `frames` (n, height, width, 3) with `style` (n or 1, style_size).

        Raises:
            EngineError: the engine cannot paint them.
            OutOfMemoryError: not even in the smallest tiles.
        """
        return self.submit(frames, style, second).wait()

    def submit(
        self, frames: Frames, style: Floats, second: SecondStyle | None = None
    ) -> PendingFrames:
        """Begin to paint RGB frames; a batch that does not fit into memory is painted at once.

        Raises:
            EngineError: as for a call; so does waiting.
        """
        return self._submit(_Batch(frames, style, None, second))

    def submit_yuv(
        self,
        yuv: YuvFrames,
        style: Floats,
        colors: YuvColors,
        second: SecondStyle | None = None,
    ) -> PendingFrames:
        """Begin to paint 4:2:0 frames, see `Engine.submit_yuv`.

        In tiles they are converted to RGB and back, which is slower than `submit` with RGB.

        Raises:
            EngineError: as for a call; so does waiting.
        """
        return self._submit(_Batch(yuv, style, colors, second))

    def paint_tiles(
        self, frame: Frame, style: Floats, rows: int, second: SecondStyle | None = None
    ) -> Frame:
        """Paint one RGB frame in tiles of `rows` rows, whatever the memory; see `Engine`."""
        batch = _keep_flat(_Batch(frame[None], style, None, second))
        return self._engine.paint_tiles(frame, batch.style, rows, batch.second)

    def _submit(self, batch: _Batch) -> PendingFrames:
        """Begin to paint a batch."""
        check_min_size(batch.size)
        batch = _keep_flat(batch)
        plan = self._find_plan(batch.size)
        begun = None
        if len(batch.pictures) <= plan.frames:
            begun = self._begin(batch)
        if begun is None or begun.is_done:
            return PendingFrames.done(self._complete(batch, begun))
        return PendingFrames(lambda: self._complete(batch, begun))

    def _begin(self, batch: _Batch) -> PendingFrames:
        """Begin to paint all frames at once; being out of memory is raised by `wait`."""
        try:
            return self._begin_whole(batch)
        except OutOfMemoryError as error:
            failure = error

        def fail() -> Pictures:
            raise failure

        return PendingFrames(fail)

    def _begin_whole(self, batch: _Batch) -> PendingFrames:
        if batch.colors is None:
            return self._engine.submit(batch.pictures, batch.style, batch.second)
        return self._engine.submit_yuv(batch.pictures, batch.style, batch.colors, batch.second)

    def _paint_tiles(self, batch: _Batch, rows: int) -> Pictures:
        """Paint a batch of one in tiles."""
        colors, pictures = batch.colors, batch.pictures
        frame = pictures[0] if colors is None else yuv_to_rgb(pictures, colors)[0]
        painted = self._engine.paint_tiles(frame, batch.style, rows, batch.second)[None]
        return painted if colors is None else rgb_to_yuv(painted)

    def _complete(self, batch: _Batch, begun: PendingFrames | None) -> Pictures:
        """Wait for the frames that were submitted, or paint them according to the plan.

        The plan is reduced when memory runs out.
        """
        size, count = batch.size, len(batch.pictures)
        waiting = [] if begun is None else [begun]
        plan = self._find_plan(size)
        while True:
            self._plans[size] = plan
            step = plan.frames or 1
            try:
                parts = []
                for start in range(0, count, step):
                    part = batch.part(slice(start, start + step))
                    if not plan.frames:
                        parts.append(self._paint_tiles(part, plan.rows))
                    # Another batch may have reduced the plan meanwhile.
                    elif waiting and len(part.pictures) == count:
                        parts.append(waiting.pop().wait())
                    else:
                        parts.append(self._begin_whole(part).wait())
            except OutOfMemoryError as error:
                plan = self._smaller(plan, size, count, error)
            else:
                return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _find_plan(self, size: Size) -> _Plan:
        if size not in self._plans:
            self._plans[size] = self._make_plan(size)
        return self._plans[size]

    def _make_plan(self, size: Size) -> _Plan:
        """Decide how to paint frames of a new size."""
        if isinstance(self._tile, int):
            return _Plan(0, self._tile) if size[1] > self._tile else _Plan(UNLIMITED)
        free = None if self._tile == "off" or self.device.name.startswith("GPU") else self._free()
        if free is None:
            return _Plan(UNLIMITED)
        need, available = self._need(size), int(MEMORY_SHARE * free)
        if need <= available:
            return _Plan(max(1, available // need))
        plan = _Plan(0, _rows(size))
        while plan.rows > MIN_ROWS and self._need(size, plan.rows) > available:
            plan = _Plan(0, max(MIN_ROWS, plan.rows // 2))
        self._say(size, plan, f"{free / 1e9:.1f} GB is free")
        return plan

    def _smaller(self, plan: _Plan, size: Size, count: int, error: OutOfMemoryError) -> _Plan:
        """Return the next plan, which takes less memory.

        Raises:
            OutOfMemoryError: there is none.
        """
        at_once = min(plan.frames, count)
        if at_once > 1:
            return _Plan(at_once // 2)
        if self._tile == "off" or 0 < plan.rows <= MIN_ROWS:
            raise error
        smaller = _Plan(0, max(MIN_ROWS, plan.rows // 2) if plan.rows else _rows(size))
        self._say(size, smaller, "memory ran out")
        return smaller

    def _need(self, size: Size, rows: int = 0) -> int:
        config, pictures = self._config, self.capabilities.peak_feature_maps
        if rows:
            return tiles_bytes(config, size, rows, pictures)
        return frame_bytes(config, size, pictures)

    def _say(self, size: Size, plan: _Plan, why: str) -> None:
        if self._on_note:
            self._on_note(
                f"Frames of {size[0]}x{size[1]} are painted in tiles of {plan.rows} rows "
                f"(about {self._need(size, plan.rows) / 1e9:.1f} GB): whole they take about "
                f"{self._need(size) / 1e9:.1f} GB, and {why}."
            )


def _keep_flat(batch: _Batch) -> _Batch:
    """Return a batch with styles that keep the color of flat pictures."""
    pictures, colors, second = batch.pictures, batch.colors, batch.second
    style = preserve_flat_frames(batch.style, pictures, colors)
    if second is not None:
        other = preserve_flat_frames(second.style, pictures, colors)
        second = SecondStyle(other, second.masks)
    return _Batch(pictures, style, colors, second)


def _rows(size: Size) -> int:
    """Return the rows of a tile if memory allows."""
    return max(MIN_ROWS, TILE_PIXELS // size[0] // MIN_ROWS * MIN_ROWS)
