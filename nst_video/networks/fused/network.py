"""The fused style transformer, written once for all backends.

It uses a runtime through `backend.Backend`, whatever its tensor layout. Its output equals that of
`transformer.StyleTransformer` up to rounding, with fewer multiplications and without a feature map
at full resolution. `paint` runs all of it; the other functions are its parts, which
painting in tiles uses as well (`engines.tiles`).

Feature maps have one of three layouts. Pixels. Column blocks: space-to-depth of two neighbors in a
row. Shifted blocks: space-to-depth of 2x2 pixels, where block (i, j) holds rows 2i-1 and 2i and
columns 2j-1 and 2j, so the outermost pixels lie outside of the picture.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from nst_video.networks.config import TransformerConfig
from nst_video.networks.fused.backend import Axis, Backend, Tensor
from nst_video.networks.fused.convolutions import Convolution
from nst_video.networks.fused.norms import block_phases

Convolutions: TypeAlias = Mapping[str, Convolution]
"""By layer, as `convolutions.fuse_transformer` returns them."""

Normalize: TypeAlias = Callable[[str, Tensor], Tensor]
"""Normalizes the output of a layer, given the layer's name; see `norms`."""

MARGIN = 4
"""Pixels of reflection padding of the first and the last layer, both 9x9."""

EDGE = 1
"""Pixels around the picture in the result of `paint`, to be cropped."""


def paint(
    ops: Backend,
    config: TransformerConfig,
    convolutions: Convolutions,
    content: Tensor,
    normalize: Normalize,
) -> Tensor:
    """Paint a batch of pictures.

    Args:
        ops: the backend.
        config: shape of the network.
        convolutions: its convolutions.
        content: see `encode`.
        normalize: one of `norms`, which knows the style.

    Returns:
        Shifted blocks of 12 channels, 0..1: apply `depth_to_space`, then crop `EDGE` pixels on
        all sides.
    """
    return decode(ops, config, convolutions, encode(ops, convolutions, content), normalize)


def decode(
    ops: Backend,
    config: TransformerConfig,
    convolutions: Convolutions,
    x: Tensor,
    normalize: Normalize,
) -> Tensor:
    """Run all layers that depend on the style on the encoder's output; returns what `paint` does.

    Args:
        ops: the backend.
        config: shape of the network.
        convolutions: its convolutions.
        x: what `encode` returns.
        normalize: one of `norms`, which knows the style.
    """
    for block in range(1, config.residual_blocks + 1):
        first, second = f"residual{block}_conv1", f"residual{block}_conv2"
        y = ops.relu(normalize(first, residual(ops, convolutions[first], x)))
        x = x + normalize(second, residual(ops, convolutions[second], y))
    return finish(ops, config, convolutions, x, normalize)


def encode(ops: Backend, convolutions: Convolutions, content: Tensor) -> Tensor:
    """Return the encoder's output at a quarter of the resolution: input of the residual blocks.

    Args:
        ops: the backend.
        convolutions: the network's.
        content: pixels of 0..255 in column blocks of 6 channels; the picture's sides are multiples
            of `config.STRIDE`, and it is padded by reflection by `MARGIN` pixels on all sides.
    """
    x = ops.relu(ops.convolve(content, convolutions["contract1"]))
    x = ops.pad(x, (1, 0), (0, 0), "reflect")
    x = ops.pad(x, (0, 0), (1, 0), "symmetric")
    x = ops.relu(ops.convolve(x, convolutions["contract2"]))
    x = ops.pad(x, (1, 0), (1, 0), "reflect")
    return ops.relu(ops.convolve(x, convolutions["contract3"]))


def residual(ops: Backend, convolution: Convolution, x: Tensor) -> Tensor:
    """Return a convolution of a residual block, before its norm."""
    return ops.convolve(ops.pad(x, (1, 1), (1, 1), "reflect"), convolution)


def expand(
    ops: Backend,
    config: TransformerConfig,
    convolutions: Convolutions,
    x: Tensor,
    normalize: Normalize,
    last: str = "expand3",
) -> Tensor:
    """Run the decoder on the output of the residual blocks, up to layer `last`, before its norm.

    Returns:
        Shifted blocks at half of the resolution for "expand1", else at the full one.
    """
    x = ops.convolve(ops.pad(x, (1, 1), (1, 1), "symmetric"), convolutions["expand1"])
    if last == "expand1":
        return x
    x = ops.relu(normalize("expand1", x))
    # The pixels outside of the picture equal their neighbors inside: the padding needed here.
    x = ops.convolve(ops.depth_to_space(x), convolutions["expand2"])
    if last == "expand2":
        return x
    x = ops.relu(normalize("expand2", x))

    def reflect(x: Tensor) -> Tensor:
        rows = _reflect_blocks(ops, x, "rows", config.widths[0])
        return _reflect_blocks(ops, rows, "columns", config.widths[0])

    return ops.convolve(x, convolutions["expand3"], reflect)


def finish(
    ops: Backend,
    config: TransformerConfig,
    convolutions: Convolutions,
    x: Tensor,
    normalize: Normalize,
) -> Tensor:
    """Run the decoder on the output of the residual blocks; returns what `paint` does."""
    return ops.sigmoid(normalize("expand3", expand(ops, config, convolutions, x, normalize)))


def _reflect_blocks(ops: Backend, x: Tensor, axis: Axis, channels: int) -> Tensor:
    """Pad shifted blocks by reflection, two on each side, along one axis.

    The pixels outside of the picture are replaced, too, except the outermost ones of the result,
    which no pixel inside depends on.
    """
    is_second = block_phases(axis, channels) == 1

    def block(index: int) -> Tensor:
        return ops.slice(x, axis, index, index + 1 or None)

    def mix(first: int, second: int) -> Tensor:
        return ops.select(is_second, block(second), block(first))

    before = [block(2), mix(2, 1), mix(1, 0)]
    after = [mix(-1, -2), mix(-2, -3), block(-3)]
    return ops.concat([*before, ops.slice(x, axis, 1, -1), *after], axis)
