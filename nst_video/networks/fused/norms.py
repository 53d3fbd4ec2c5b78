"""Conditional instance norm in the fused transformer: exact, with known statistics, or of a tile.

Ghiasi et al. 2017 (arXiv 1705.06830): every channel gets mean 0 and variance 1 over the picture,
then the style's gamma and beta. Residual layers are in pixels, the others in shifted blocks (see
`network`), whose outermost pixels lie outside of the picture and must not count.
"""

from functools import reduce
from operator import add

import numpy as np
from numpy.typing import NDArray

from nst_video.networks.config import TransformerConfig
from nst_video.networks.fused.backend import Axis, Backend, Tensor
from nst_video.networks.fused.statistics import norm_slices

PHASES = 4


def is_blocks(layer: str) -> bool:
    """Return whether a normalized layer's output is in shifted blocks."""
    return layer.startswith("expand")


class FoldedNorms:
    """Norms with known statistics: the style holds scales and shifts, see `Statistics.fold`."""

    def __init__(self, ops: Backend, config: TransformerConfig, style: Tensor) -> None:
        """Prepare.

        Args:
            ops: the backend.
            config: shape of the network.
            style: a picture of 1x1 and `config.style_size` channels.
        """
        self._ops = ops
        self._slices = norm_slices(config)
        self._half = config.style_size // 2
        self._style = style

    def __call__(self, layer: str, x: Tensor) -> Tensor:
        """Apply the norm of `layer`."""
        return self._apply(layer, x, *self.parameters(layer))

    def parameters(self, layer: str) -> tuple[Tensor, Tensor]:
        """Return both halves of the style for one layer: gamma and beta, or scale and shift."""
        here = self._slices[layer]
        first = self._ops.slice(self._style, "channels", here.start, here.stop)
        start, stop = self._half + here.start, self._half + here.stop
        return first, self._ops.slice(self._style, "channels", start, stop)

    def _apply(self, layer: str, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        if is_blocks(layer):
            scale, shift = (
                self._ops.concat([each] * PHASES, "channels") for each in (scale, shift)
            )
        return x * scale + shift

    def channels(self, layer: str) -> int:
        """Return the number of channels of a layer."""
        here = self._slices[layer]
        return int(here.stop - here.start)


class ExactNorms(FoldedNorms):
    """Norms with the statistics of the picture itself."""

    def __call__(self, layer: str, x: Tensor) -> Tensor:
        """Apply the norm of `layer`."""
        gamma, beta = self.parameters(layer)
        if is_blocks(layer):
            mean, variance = block_moments(self._ops, x, self.channels(layer))
            scale = gamma * self._ops.inverse_std(variance)
            return self._apply(layer, x, scale, beta - mean * scale)
        return self._ops.normalize(x) * gamma + beta


def block_moments(ops: Backend, x: Tensor, channels: int) -> tuple[Tensor, Tensor]:
    """Return mean and variance of shifted blocks over the pixels inside of the picture."""
    rows = [_sums_of_rows(ops, x, channels), _squares_of_rows(ops, x, channels)]
    sums = ops.concat(rows, "columns")
    sums = _inside(ops, ops.sum(sums, "rows"), _ends(ops, sums, "rows"), "rows", channels)
    moments = _add_phases(ops, sums, channels) / ops.count_valid_pixels(x)
    mean, square = ops.slice(moments, "columns", 0, 1), ops.slice(moments, "columns", 1, 2)
    # Rounding may make the variance of a flat picture negative.
    return mean, ops.relu(square - mean * mean)


def tile_moments(ops: Backend, layer: str, x: Tensor, channels: int, weights: Tensor) -> Tensor:
    """Return mean and variance over the rows that belong to a tile, without its halo.

    Args:
        ops: the backend.
        layer: a normalized layer.
        x: the tile's picture before that norm.
        channels: of the layer.
        weights: what a pixel of each row counts, 0 for rows not its own, 1 in all: a picture of one
            column, and for shifted blocks with their channels, as the rows of a block may differ.

    Returns:
        A picture of one row: means in the first column, variances in the second.
    """
    if is_blocks(layer):
        sums = _sums_of_rows(ops, x, channels)
        mean = _add_phases(ops, ops.sum(sums * weights, "rows"), channels)
        # Subtract the mean first: the difference of two large numbers would lose precision.
        squares = _squares_of_rows(ops, x - ops.concat([mean] * PHASES, "channels"), channels)
        variance = _add_phases(ops, ops.sum(squares * weights, "rows"), channels)
    else:
        mean = ops.sum(ops.sum(x, "columns") * weights, "rows")
        variance = ops.sum(ops.sum_of_squares(x - mean, "columns") * weights, "rows")
    return ops.concat([mean, variance], "columns")


def block_phases(axis: Axis, channels: int) -> NDArray[np.int_]:
    """Return the phase along `axis` of every channel of blocks."""
    index = np.arange(PHASES * channels) // channels
    return index // 2 if axis == "rows" else index % 2


def _sums_of_rows(ops: Backend, x: Tensor, channels: int) -> Tensor:
    """Return for each row of shifted blocks the sum of its pixels inside."""
    return _inside(ops, ops.sum(x, "columns"), _ends(ops, x, "columns"), "columns", channels)


def _squares_of_rows(ops: Backend, x: Tensor, channels: int) -> Tensor:
    """Return for each row of shifted blocks the sum of the squares of its pixels inside."""
    left, right = _ends(ops, x, "columns")
    squares = ops.sum_of_squares(x, "columns")
    return _inside(ops, squares, (left * left, right * right), "columns", channels)


def _add_phases(ops: Backend, x: Tensor, channels: int) -> Tensor:
    starts = range(0, PHASES * channels, channels)
    return reduce(add, (ops.slice(x, "channels", start, start + channels) for start in starts))


def _ends(ops: Backend, x: Tensor, axis: Axis) -> tuple[Tensor, Tensor]:
    """Return the first and the last row or column."""
    return ops.slice(x, axis, 0, 1), ops.slice(x, axis, -1, None)


def _inside(
    ops: Backend, total: Tensor, ends: tuple[Tensor, Tensor], axis: Axis, channels: int
) -> Tensor:
    """Take what lies outside of the picture off a total along `axis`.

    That is phase 0 of the first block and phase 1 of the last one.
    """
    phases = block_phases(axis, channels)
    first, last = (ops.vector((phases == phase).astype(np.float32)) for phase in (0, 1))
    return total - ends[0] * first - ends[1] * last
