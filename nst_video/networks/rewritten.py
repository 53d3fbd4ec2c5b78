"""The style transformer over the rewritten convolutions of `folded`, written once for all runtimes.

`paint` speaks to a runtime through `Ops`: a dozen primitives over pictures of any layout. It
computes the numbers of `transformer.StyleTransformer`, up to rounding, with fewer multiplications
and without ever holding the picture at full resolution.

Three forms of a picture occur. Pixels: as they are. Column blocks: two neighbors of a row as one.
Shifted blocks: 2x2 pixels as one, block (i, j) holding rows 2i-1 and 2i, columns 2j-1 and 2j; its
outermost pixels lie outside of the picture.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nst_video.networks.config import TransformerConfig
from nst_video.networks.folded import Convolution

Tensor: TypeAlias = Any
"""A runtime's tensor; `+`, `-` and `*` work between any two of them and with numbers."""

Axis: TypeAlias = Literal["rows", "columns", "channels"]

MARGIN = 4
"""Pixels by which the first and the last layer, both 9x9, reflect their picture."""

EDGE = 1
"""Pixels around the picture in the result of `paint`, to be cut off."""

PHASES = 4


class Ops(Protocol):
    """What a runtime must be able to do with pictures."""

    def convolve(self, x: Tensor, convolution: Convolution) -> Tensor:
        """Convolve without padding."""
        ...

    def pad(
        self,
        x: Tensor,
        rows: tuple[int, int],
        columns: tuple[int, int],
        mode: Literal["symmetric", "reflect"],
    ) -> Tensor:
        """Pad (before, after) along rows and columns."""
        ...

    def cut(self, x: Tensor, axis: Axis, start: int, stop: int | None) -> Tensor:
        """Return a slice along one axis; negative bounds count from the end."""
        ...

    def join(self, parts: Sequence[Tensor], axis: Axis) -> Tensor:
        """Concatenate along one axis."""
        ...

    def select(self, where: NDArray[np.bool_], x: Tensor, other: Tensor) -> Tensor:
        """Take the channels of `x` where the vector says so, else those of `other`."""
        ...

    def vector(self, values: NDArray[np.float32]) -> Tensor:
        """Return one constant for each channel, fit to be multiplied with a picture."""
        ...

    def total(self, x: Tensor, axis: Axis) -> Tensor:
        """Sum along an axis, which stays with length 1."""
        ...

    def total_of_squares(self, x: Tensor, axis: Axis) -> Tensor:
        """Sum the squares along an axis, which stays with length 1."""
        ...

    def pixels_inside(self, x: Tensor) -> Tensor:
        """Return how many pixels of one picture of shifted blocks lie inside of it."""
        ...

    def normalize(self, x: Tensor) -> Tensor:
        """Give every channel of every picture mean 0 and variance 1 over rows and columns."""
        ...

    def unblock(self, x: Tensor) -> Tensor:
        """Turn blocks of 2x2 pixels into pixels."""
        ...

    def relu(self, x: Tensor) -> Tensor:
        """max(x, 0)."""
        ...

    def sigmoid(self, x: Tensor) -> Tensor:
        """1 / (1 + exp(-x))."""
        ...

    def inverse_deviation(self, variance: Tensor) -> Tensor:
        """1 / sqrt(variance + config.NORM_EPSILON)."""
        ...


def paint(
    ops: Ops,
    config: TransformerConfig,
    convolutions: Mapping[str, Convolution],
    content: Tensor,
    style: Tensor,
) -> Tensor:
    """Paint a batch of pictures.

    Args:
        ops: the runtime.
        config: shape of the network.
        convolutions: as `folded.fold_transformer` returns them.
        content: pixels of 0..255 in column blocks of 6 channels; the picture's sides are multiples
            of `config.STRIDE`, and it is padded by reflection by `MARGIN` pixels on all sides.
        style: style parameters as a picture of 1x1 and `config.style_size` channels.

    Returns:
        Shifted blocks of 12 channels, 0..1: after `unblock`, cut off `EDGE` pixels on all sides.
    """
    norms = _norms(ops, config, style)

    def convolve(layer: str, x: Tensor) -> Tensor:
        return ops.convolve(x, convolutions[layer])

    x = ops.relu(convolve("contract1", content))
    x = ops.pad(x, (1, 0), (0, 0), "reflect")
    x = ops.pad(x, (0, 0), (1, 0), "symmetric")
    x = ops.relu(convolve("contract2", x))
    x = ops.pad(x, (1, 0), (1, 0), "reflect")
    x = ops.relu(convolve("contract3", x))
    for block in range(1, config.residual_blocks + 1):
        y = convolve(f"residual{block}_conv1", ops.pad(x, (1, 1), (1, 1), "reflect"))
        y = ops.relu(_instance_norm(ops, y, next(norms)))
        y = convolve(f"residual{block}_conv2", ops.pad(y, (1, 1), (1, 1), "reflect"))
        x = x + _instance_norm(ops, y, next(norms))
    x = convolve("expand1", ops.pad(x, (1, 1), (1, 1), "symmetric"))
    x = ops.relu(_block_norm(ops, x, next(norms)))
    # The pixels outside of the picture equal their neighbors inside: just the padding needed here.
    x = convolve("expand2", ops.unblock(x))
    x = ops.relu(_block_norm(ops, x, next(norms)))
    x = _reflect_blocks(ops, x, "rows", config.widths[0])
    x = _reflect_blocks(ops, x, "columns", config.widths[0])
    return ops.sigmoid(_block_norm(ops, convolve("expand3", x), next(norms)))


@dataclass(frozen=True, slots=True)
class _Norm:
    """What follows a normalization: gamma and beta for each of `channels`."""

    channels: int
    gamma: Tensor
    beta: Tensor


def _norms(ops: Ops, config: TransformerConfig, style: Tensor) -> Iterator[_Norm]:
    """Take the style parameters apart, in order of the normalized layers."""
    half = config.style_size // 2
    start = 0
    for _, channels in config.norms:
        stop = start + channels
        gamma = ops.cut(style, "channels", start, stop)
        yield _Norm(channels, gamma, ops.cut(style, "channels", half + start, half + stop))
        start = stop


def _instance_norm(ops: Ops, x: Tensor, norm: _Norm) -> Tensor:
    """Normalize a picture of pixels, then scale and shift."""
    return ops.normalize(x) * norm.gamma + norm.beta


def _block_norm(ops: Ops, x: Tensor, norm: _Norm) -> Tensor:
    """Normalize shifted blocks over the pixels inside of the picture, then scale and shift."""
    left, right = _ends(ops, x, "columns")
    sums = _inside(ops, ops.total(x, "columns"), (left, right), "columns", norm)
    squares = ops.total_of_squares(x, "columns")
    squares = _inside(ops, squares, (left * left, right * right), "columns", norm)
    both = ops.join([sums, squares], "columns")
    both = _inside(ops, ops.total(both, "rows"), _ends(ops, both, "rows"), "rows", norm)
    phases = range(0, PHASES * norm.channels, norm.channels)
    moments = reduce(
        add, (ops.cut(both, "channels", start, start + norm.channels) for start in phases)
    )
    moments = moments / ops.pixels_inside(x)
    mean, square = ops.cut(moments, "columns", 0, 1), ops.cut(moments, "columns", 1, 2)
    scale = norm.gamma * ops.inverse_deviation(square - mean * mean)
    shift = norm.beta - mean * scale
    return x * ops.join([scale] * PHASES, "channels") + ops.join([shift] * PHASES, "channels")


def _phases(axis: Axis, channels: int) -> NDArray[np.int_]:
    """Return the phase along `axis` of every channel of blocks."""
    index = np.arange(PHASES * channels) // channels
    return index // 2 if axis == "rows" else index % 2


def _ends(ops: Ops, x: Tensor, axis: Axis) -> tuple[Tensor, Tensor]:
    """Return the first and the last row or column."""
    return ops.cut(x, axis, 0, 1), ops.cut(x, axis, -1, None)


def _inside(
    ops: Ops, total: Tensor, ends: tuple[Tensor, Tensor], axis: Axis, norm: _Norm
) -> Tensor:
    """Take what lies outside of the picture off a total along `axis`.

    That is phase 0 of the first block and phase 1 of the last one.
    """
    phases = _phases(axis, norm.channels)
    first, last = (ops.vector((phases == phase).astype(np.float32)) for phase in (0, 1))
    return total - ends[0] * first - ends[1] * last


def _reflect_blocks(ops: Ops, x: Tensor, axis: Axis, channels: int) -> Tensor:
    """Pad shifted blocks by reflection, two on each side, along one axis.

    The pixels outside of the picture are replaced, too, but for the outermost ones of the result,
    which no pixel inside sees.
    """
    is_second = _phases(axis, channels) == 1

    def block(index: int) -> Tensor:
        return ops.cut(x, axis, index, index + 1 or None)

    def mix(first: int, second: int) -> Tensor:
        return ops.select(is_second, block(second), block(first))

    before = [block(2), mix(2, 1), mix(1, 0)]
    after = [mix(-1, -2), mix(-2, -3), block(-3)]
    return ops.join([*before, ops.cut(x, axis, 1, -1), *after], axis)
