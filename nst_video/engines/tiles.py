"""PendingFrames a frame tile by tile: pictures too large for the memory, the same numbers.

A tile is some rows over the full width, so that it is one piece of memory. Its window is a little
larger than the rows it owns: what the padding at a window's edge spoils stays inside of the margin,
except at the edges of the picture, where the padding is right. So a tile needs no other network.

The norms need statistics of the whole picture. Between the layers at full resolution only *cells*
are kept, a quarter as high and wide as the frame; the residual layers go over them in place, one
norm after the other, and the last three layers are computed up to each of their norms in turn, then
to the end.
"""

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nst_video.frames import Floats, Frame, Frames
from nst_video.networks.config import STRIDE, TransformerConfig
from nst_video.networks.fused.norms import PHASES
from nst_video.networks.fused.statistics import Statistics, norm_slices

Painted: TypeAlias = NDArray[Any]
"""uint8, or float32 of 0..1: what `Stages` returns."""

HALO = 2
"""Cells by which a window exceeds its tile; 7 pixels are spoiled by the encoder, 7 by the end."""

EXPANDING = ("expand1", "expand2", "expand3")


class Stages(Protocol):
    """The parts of a network on some runtime; cells are (1, rows, columns, channels), float32."""

    @property
    def dtype(self) -> DTypeLike:
        """What painted rows are: uint8, or float32 of 0..1."""
        ...

    def encode(self, rows: Frames) -> Floats:
        """Return the cells that rows of a frame (1, rows, width, 3) become."""
        ...

    def residual(
        self, layer: str, cells: Floats, affine: Floats | None, weights: Floats
    ) -> tuple[Floats, Floats]:
        """Return cells after a layer's convolution, and the moments of the tile's own rows.

        Args:
            layer: a convolution of a residual block.
            cells: what to convolve.
            affine: (1, 2 x channels), scale and shift that come before, with a ReLU; None for
                neither.
            weights: as `norms.tile_moments` takes them.

        Returns:
            The cells, and (2, channels): means, variances.
        """
        ...

    def measure(self, layer: str, cells: Floats, style: Floats, weights: Floats) -> Floats:
        """Return the moments, as `residual` does, of what an expanding layer makes of cells.

        `style` has the statistics of the layers before it folded in.
        """
        ...

    def finish(self, cells: Floats, style: Floats, width: int) -> Painted:
        """Return the painted rows (1, rows, width, 3)."""
        ...


@dataclass(frozen=True, slots=True)
class Tile:
    """Rows of cells: those computed, and those of them that are right."""

    window: slice
    own: slice

    @property
    def inner(self) -> slice:
        """The own rows, counted from the window's first."""
        return slice(self.own.start - self.window.start, self.own.stop - self.window.start)


def plan_tiles(cells: int, most: int) -> list[Tile]:
    """Share `cells` rows out among tiles of at most `most` own ones, with windows of one height."""
    count = -(-cells // most)
    step = -(-cells // count)
    height = min(cells, step + 2 * HALO)
    tiles = []
    for start in range(0, cells, step):
        first = min(max(start - HALO, 0), cells - height)
        tiles.append(Tile(slice(first, first + height), slice(start, min(start + step, cells))))
    return tiles


def paint_in_tiles(
    stages: Stages,
    config: TransformerConfig,
    frame: Frame,
    style: Floats,
    rows: int,
) -> Painted:
    """Paint one frame tile by tile.

    Args:
        stages: what runs the parts of the network.
        config: its shape.
        frame: (height, width, 3).
        style: style parameters (1, `config.style_size`).
        rows: of a tile, in pixels; at least `STRIDE`.

    Returns:
        The painted frame, of the type that `stages` returns.
    """
    run = _Run(stages, config, frame, style, rows)
    x = run.encode()
    run.transform(x)
    run.measure(x)
    return run.finish(x)


class _Run:
    """One frame on its way; pictures lose their batch axis between the passes."""

    def __init__(
        self,
        stages: Stages,
        config: TransformerConfig,
        frame: Frame,
        style: Floats,
        rows: int,
    ) -> None:
        self._stages = stages
        self._config = config
        self._frame = frame
        self._style = style
        self._statistics = Statistics.blank(config)
        self._slices = norm_slices(config)
        self._tiles = plan_tiles(-(-frame.shape[0] // STRIDE), max(1, rows // STRIDE))

    def encode(self) -> Floats:
        """Return the frame as cells."""
        height, width = self._frame.shape[:2]
        cells = np.empty((-(-height // STRIDE), -(-width // STRIDE), self._config.widths[2]), "f4")
        for tile in self._tiles:
            cells[tile.own] = self._stages.encode(self._rows(tile)[None])[0, tile.inner]
        return cells

    def _rows(self, tile: Tile) -> Frame:
        """Return a window of the frame, padded by reflection where it goes beyond the bottom."""
        start, stop = STRIDE * tile.window.start, STRIDE * tile.window.stop
        beyond = stop - self._frame.shape[0]
        if beyond <= 0:
            return self._frame[start:stop]
        return np.pad(self._frame[start:stop], ((0, beyond), (0, 0), (0, 0)), "reflect")

    def transform(self, x: Floats) -> None:
        """Run the residual blocks over cells, in place."""
        y = np.empty_like(x)
        for block in range(1, self._config.residual_blocks + 1):
            first, second = f"residual{block}_conv1", f"residual{block}_conv2"
            self._convolve(first, x, None, y)
            self._convolve(second, y, self._affine(first), y)
            scale, shift = np.split(self._affine(second), 2, axis=1)
            for tile in self._tiles:
                y[tile.own] *= scale
                y[tile.own] += shift
                x[tile.own] += y[tile.own]

    def _convolve(self, layer: str, x: Floats, affine: Floats | None, y: Floats) -> None:
        """Write what a layer makes of the cells `x` to `y`, which may be the same."""
        moments = []
        above = None
        for tile in self._tiles:
            window = x[tile.window]
            if x is y and above is not None:
                window = window.copy()
                window[tile.inner.start - 1] = above
            above = x[tile.own.stop - 1].copy()
            weights = _weights(tile, x.shape[1])
            cells, own = self._stages.residual(layer, window[None], affine, weights)
            y[tile.own] = cells[0, tile.inner]
            moments.append(own)
        self._keep(layer, moments)

    def _affine(self, layer: str) -> Floats:
        """Return scale and shift (1, 2 x channels) of a layer with known statistics."""
        scale, shift = np.split(self._statistics.fold(self._style), 2, axis=1)
        here = self._slices[layer]
        return np.concatenate([scale[:, here], shift[:, here]], axis=1)

    def measure(self, x: Floats) -> None:
        """Take the statistics of the last layers."""
        for layer, enlarged in zip(EXPANDING, (2, 4, 4), strict=True):
            here = self._slices[layer]
            style = self._statistics.fold(self._style)
            moments = []
            for tile in self._tiles:
                weights = _block_weights(tile, x.shape[1], enlarged, here.stop - here.start)
                moments.append(self._stages.measure(layer, x[None, tile.window], style, weights))
            self._keep(layer, moments)

    def _keep(self, layer: str, moments: list[Floats]) -> None:
        """Make a layer's statistics of those of the tiles."""
        means, variances = np.asarray(moments, np.float64).swapaxes(0, 1)
        shares = [tile.own.stop - tile.own.start for tile in self._tiles]
        mean = np.average(means, axis=0, weights=shares)
        variance = np.average(variances + (means - mean) ** 2, axis=0, weights=shares)
        self._statistics.mean[:, self._slices[layer]] = mean
        self._statistics.variance[:, self._slices[layer]] = variance

    def finish(self, x: Floats) -> Painted:
        """Return the painted frame."""
        height, width = self._frame.shape[:2]
        style = self._statistics.fold(self._style)
        painted = np.empty(self._frame.shape, self._stages.dtype)
        for tile in self._tiles:
            rows = self._stages.finish(x[None, tile.window], style, width)[0]
            start, stop = STRIDE * tile.own.start, min(STRIDE * tile.own.stop, height)
            first = STRIDE * tile.inner.start
            painted[start:stop] = rows[first : first + stop - start]
        return painted


def _weights(tile: Tile, columns: int) -> Floats:
    """Return what a cell of each row of a window counts: (1, rows, 1, 1)."""
    weights = np.zeros((1, tile.window.stop - tile.window.start, 1, 1), np.float32)
    weights[:, tile.inner] = 1 / (columns * (tile.own.stop - tile.own.start))
    return weights


def _block_weights(tile: Tile, columns: int, enlarged: int, channels: int) -> Floats:
    """Return what a pixel of the shifted blocks counts that a window becomes.

    There are `enlarged` rows for each row of cells, and one more outside on either side:
    (1, rows of blocks, 1, 4 channels).
    """
    cells = np.pad(_weights(tile, columns).ravel().repeat(enlarged), 1)
    cells /= enlarged**2
    return cells.reshape(-1, 2).repeat(PHASES // 2 * channels, axis=1)[None, :, None]
