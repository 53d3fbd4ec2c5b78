"""Painting a frame band by band: pictures too large for the memory, the same numbers.

A band is some rows over the full width, so that it is one piece of memory. Its window is a little
larger than the rows it owns: what the padding at a window's edge spoils stays inside of the margin,
except at the edges of the picture, where the padding is right. So a band needs no other network.

The norms need statistics of the whole picture. Between the layers at full resolution only *cells*
are kept, a quarter as high and wide as the frame; the residual layers go over them in place, one
norm after the other, and the last three layers are computed up to each of their norms in turn, then
to the end.
"""

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nst_video.frames import Frame, Frames
from nst_video.networks.config import STRIDE, TransformerConfig
from nst_video.networks.fused.norms import PHASES
from nst_video.networks.fused.statistics import Floats, Statistics, norm_slices

Painted: TypeAlias = NDArray[Any]
"""uint8, or float32 of 0..1: what `Stages` returns."""

HALO = 2
"""Cells by which a window exceeds its band; 7 pixels are spoiled by the encoder, 7 by the end."""

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
        """Return cells after a layer's convolution, and the moments of the band's own rows.

        Args:
            layer: a convolution of a residual block.
            cells: what to convolve.
            affine: (1, 2 x channels), scale and shift that come before, with a ReLU; None for
                neither.
            weights: as `norms.band_moments` takes them.

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
class Band:
    """Rows of cells: those computed, and those of them that are right."""

    window: slice
    own: slice

    @property
    def inner(self) -> slice:
        """The own rows, counted from the window's first."""
        return slice(self.own.start - self.window.start, self.own.stop - self.window.start)


def plan_bands(cells: int, most: int) -> list[Band]:
    """Share `cells` rows out among bands of at most `most` own ones, with windows of one height."""
    count = -(-cells // most)
    step = -(-cells // count)
    height = min(cells, step + 2 * HALO)
    bands = []
    for start in range(0, cells, step):
        first = min(max(start - HALO, 0), cells - height)
        bands.append(Band(slice(first, first + height), slice(start, min(start + step, cells))))
    return bands


def paint_in_bands(
    stages: Stages,
    config: TransformerConfig,
    frame: Frame,
    style: Floats,
    rows: int,
) -> Painted:
    """Paint one frame band by band.

    Args:
        stages: what runs the parts of the network.
        config: its shape.
        frame: (height, width, 3).
        style: style parameters (1, `config.style_size`).
        rows: of a band, in pixels; at least `STRIDE`.

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
        self._bands = plan_bands(-(-frame.shape[0] // STRIDE), max(1, rows // STRIDE))

    def encode(self) -> Floats:
        """Return the frame as cells."""
        height, width = self._frame.shape[:2]
        cells = np.empty((-(-height // STRIDE), -(-width // STRIDE), self._config.widths[2]), "f4")
        for band in self._bands:
            cells[band.own] = self._stages.encode(self._rows(band)[None])[0, band.inner]
        return cells

    def _rows(self, band: Band) -> Frame:
        """Return a window of the frame, padded by reflection where it goes beyond the bottom."""
        start, stop = STRIDE * band.window.start, STRIDE * band.window.stop
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
            for band in self._bands:
                y[band.own] *= scale
                y[band.own] += shift
                x[band.own] += y[band.own]

    def _convolve(self, layer: str, x: Floats, affine: Floats | None, y: Floats) -> None:
        """Write what a layer makes of the cells `x` to `y`, which may be the same."""
        moments = []
        above = None
        for band in self._bands:
            window = x[band.window]
            if x is y and above is not None:
                window = window.copy()
                window[band.inner.start - 1] = above
            above = x[band.own.stop - 1].copy()
            weights = _weights(band, x.shape[1])
            cells, own = self._stages.residual(layer, window[None], affine, weights)
            y[band.own] = cells[0, band.inner]
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
            for band in self._bands:
                weights = _block_weights(band, x.shape[1], enlarged, here.stop - here.start)
                moments.append(self._stages.measure(layer, x[None, band.window], style, weights))
            self._keep(layer, moments)

    def _keep(self, layer: str, moments: list[Floats]) -> None:
        """Make a layer's statistics of those of the bands."""
        means, variances = np.asarray(moments, np.float64).swapaxes(0, 1)
        shares = [band.own.stop - band.own.start for band in self._bands]
        mean = np.average(means, axis=0, weights=shares)
        variance = np.average(variances + (means - mean) ** 2, axis=0, weights=shares)
        self._statistics.mean[:, self._slices[layer]] = mean
        self._statistics.variance[:, self._slices[layer]] = variance

    def finish(self, x: Floats) -> Painted:
        """Return the painted frame."""
        height, width = self._frame.shape[:2]
        style = self._statistics.fold(self._style)
        painted = np.empty(self._frame.shape, self._stages.dtype)
        for band in self._bands:
            rows = self._stages.finish(x[None, band.window], style, width)[0]
            start, stop = STRIDE * band.own.start, min(STRIDE * band.own.stop, height)
            first = STRIDE * band.inner.start
            painted[start:stop] = rows[first : first + stop - start]
        return painted


def _weights(band: Band, columns: int) -> Floats:
    """Return what a cell of each row of a window counts: (1, rows, 1, 1)."""
    weights = np.zeros((1, band.window.stop - band.window.start, 1, 1), np.float32)
    weights[:, band.inner] = 1 / (columns * (band.own.stop - band.own.start))
    return weights


def _block_weights(band: Band, columns: int, enlarged: int, channels: int) -> Floats:
    """Return what a pixel of the shifted blocks counts that a window becomes.

    There are `enlarged` rows for each row of cells, and one more outside on either side:
    (1, rows of blocks, 1, 4 channels).
    """
    cells = np.pad(_weights(band, columns).ravel().repeat(enlarged), 1)
    cells /= enlarged**2
    return cells.reshape(-1, 2).repeat(PHASES // 2 * channels, axis=1)[None, :, None]
