"""The fused transformer in `keras.ops`: for TensorFlow, JAX and PyTorch, on any device."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np
from keras import ops
from numpy.typing import NDArray

from nst_video.image.yuv420 import OUTPUT_COLORS
from nst_video.networks.config import LAYOUT, NORM_EPSILON, STRIDE, TransformerConfig
from nst_video.networks.fused import network
from nst_video.networks.fused.backend import Arrange, Axis
from nst_video.networks.fused.convolutions import PIXEL_SCALE, Convolution
from nst_video.networks.fused.network import EDGE, MARGIN, Normalize
from nst_video.networks.fused.norms import ExactNorms
from nst_video.networks.fused.regions import ExactRegionNorms, RegionMaps
from nst_video.networks.transformer import Tensor, pad_to_stride, reflect

_AXES: Mapping[Axis, int] = {"rows": 1, "columns": 2, "channels": 3}

Regions: TypeAlias = tuple[Tensor, RegionMaps]
"""Style parameters (n or 1, `config.style_size`) of the second region, and what masks become."""


def paint(
    config: TransformerConfig,
    convolutions: Mapping[str, Convolution],
    content: Tensor,
    style: Tensor,
    dtype: str = "float32",
    regions: Regions | None = None,
) -> Tensor:
    """Paint `content` as `transformer.StyleTransformer` does, with fewer multiplications.

    Args:
        config: shape of the network.
        convolutions: as `convolutions.fuse_transformer` returns them.
        content: (n, height, width, 3), 0..1; both sides at least `config.MIN_SIDE`.
        style: style parameters (n or 1, `config.style_size`).
        dtype: type in which the convolutions compute; everything else is float32.
        regions: another style for a part of the pictures.

    Returns:
        (n, height, width, 3), 0..1, float32.
    """
    runtime = KerasBackend(dtype)
    norms = _norms(runtime, config, style, regions)
    height, width = ops.shape(content)[1:3]
    x = runtime.content(content * PIXEL_SCALE)
    return runtime.pixels(network.paint(runtime, config, convolutions, x, norms), height, width)


def _norms(
    runtime: "KerasBackend", config: TransformerConfig, style: Tensor, regions: Regions | None
) -> Normalize:
    if regions is None:
        return ExactNorms(runtime, config, style[:, None, None, :])
    second, maps = regions
    styles = [each[:, None, None, :] for each in (style, second)]
    return ExactRegionNorms(runtime, config, styles, maps)


def encode(convolutions: Mapping[str, Convolution], content: Tensor) -> Tensor:
    """Run the layers that no style changes.

    Args:
        convolutions: as `convolutions.fuse_transformer` returns them.
        content: (n, height, width, 3), 0..1; both sides at least `config.MIN_SIDE`.

    Returns:
        Features (n, height / 4, width / 4, channels), sides rounded up.
    """
    runtime = KerasBackend("float32")
    return network.encode(runtime, convolutions, runtime.content(content * PIXEL_SCALE))


def decode(
    config: TransformerConfig,
    convolutions: Mapping[str, Convolution],
    features: Tensor,
    style: Tensor,
) -> Tensor:
    """Paint what `encode` has encoded, as `paint` does.

    Args:
        config: shape of the network.
        convolutions: as `convolutions.fuse_transformer` returns them.
        features: (n, h, w, channels).
        style: style parameters (n or 1, `config.style_size`).

    Returns:
        (n, 4h, 4w, 3), 0..1.
    """
    runtime = KerasBackend("float32")
    norms = ExactNorms(runtime, config, style[:, None, None, :])
    height, width = ops.shape(features)[1:3]
    painted = network.decode(runtime, config, convolutions, features, norms)
    return runtime.pixels(painted, STRIDE * height, STRIDE * width)


def paint_yuv(
    config: TransformerConfig,
    convolutions: Mapping[str, Convolution],
    yuv: Tensor,
    style: Tensor,
    to_rgb: Tensor,
    dtype: str = "float32",
    regions: Regions | None = None,
) -> Tensor:
    """Paint as `paint` does, from YUV to YUV of `OUTPUT_COLORS`, by way of rounded RGB.

    Args:
        config: shape of the network.
        convolutions: as `convolutions.fuse_transformer` returns them.
        yuv: see `image.yuv420.YuvFrames`.
        style: style parameters (n or 1, `config.style_size`).
        to_rgb: see `image.yuv420.YuvColors.to_rgb`.
        dtype: type in which the convolutions compute; everything else is float32.
        regions: another style for a part of the pictures.
    """
    content = _yuv_to_rgb(yuv, to_rgb) / PIXEL_SCALE
    painted = paint(config, convolutions, content, style, dtype, regions)
    return _rgb_to_yuv(ops.round(painted * PIXEL_SCALE))


def _yuv_to_rgb(yuv: Tensor, to_rgb: Tensor) -> Tensor:
    """Return RGB (n, height, width, 3), whole numbers of 0..255."""
    _, rows, width = ops.shape(yuv)
    height = rows * 2 // 3
    yuv = ops.cast(yuv, "float32")
    chroma = ops.reshape(yuv[:, height:], (-1, 2, height // 2, width // 2))
    chroma = ops.repeat(ops.repeat(chroma, 2, 2), 2, 3)
    y, u, v = (x[..., None] for x in (yuv[:, :height], chroma[:, 0], chroma[:, 1]))
    # Not a matrix product, which GPUs may compute in TF32: too few digits.
    rgb = y * to_rgb[:, 0] + u * to_rgb[:, 1] + v * to_rgb[:, 2] + to_rgb[:, 3]
    return ops.clip(ops.round(rgb), 0, PIXEL_SCALE)


def _rgb_to_yuv(rgb: Tensor) -> Tensor:
    """Turn RGB of 0..255 (n, height, width, 3) into YUV frames."""
    _, height, width, _ = ops.shape(rgb)
    blocks = ops.reshape(rgb, (-1, height // 2, 2, width // 2, 2, 3))
    means = ops.mean(blocks, axis=(2, 4))
    luma, *chroma = (
        ops.sum(x * weights[:3], axis=-1) + (weights[3] + 0.5)
        for x, weights in zip((rgb, means, means), OUTPUT_COLORS.from_rgb(), strict=True)
    )
    both = ops.reshape(ops.stack(chroma, 1), (-1, height // 2, width))
    return ops.cast(ops.concatenate([luma, both], 1), "uint8")


class KerasBackend:
    """`backend.Backend` in `keras.ops`; tensors are float32 (n, rows, columns, channels).

    Convolutions compute in the given type, everything else in float32.
    """

    def __init__(self, dtype: str) -> None:
        self._dtype = dtype

    def content(self, pixels: Tensor) -> Tensor:
        """Turn pixels (n, height, width, 3) of 0..255 into column blocks for `encode`."""
        x = reflect(pad_to_stride(pixels), MARGIN)
        _, rows, columns, _ = ops.shape(x)
        return ops.reshape(x, (-1, rows, columns // 2, 6))

    def pixels(self, blocks: Tensor, height: int, width: int) -> Tensor:
        """Turn the shifted blocks `network.paint` returns into pixels (n, height, width, 3)."""
        return self.depth_to_space(blocks)[:, EDGE : EDGE + height, EDGE : EDGE + width]

    def convolve(
        self, x: Tensor, convolution: Convolution, arrange: Arrange | None = None
    ) -> Tensor:
        """Convolve without padding, after `arrange` has rearranged `x`; adds the bias."""
        x = x if arrange is None else arrange(x)
        kernel = ops.convert_to_tensor(convolution.kernel, self._dtype)
        x = ops.cast(x, self._dtype)
        y = ops.conv(x, kernel, convolution.strides, "valid", data_format=LAYOUT)
        y = ops.cast(y, "float32")
        return y if convolution.bias is None else y + convolution.bias

    def pad(
        self,
        x: Tensor,
        rows: tuple[int, int],
        columns: tuple[int, int],
        mode: Literal["symmetric", "reflect"],
    ) -> Tensor:
        """Pad (before, after) along rows and columns."""
        return ops.pad(x, ((0, 0), rows, columns, (0, 0)), mode)

    def slice(self, x: Tensor, axis: Axis, start: int, stop: int | None) -> Tensor:
        """Return a slice along one axis; negative bounds count from the end."""
        return x[(slice(None),) * _AXES[axis] + (slice(start, stop),)]

    def every(self, x: Tensor, axis: Axis, step: int) -> Tensor:
        """Return one in `step` slices along an axis, from half a step on."""
        return x[(slice(None),) * _AXES[axis] + (slice(step // 2, None, step),)]

    def concat(self, parts: Sequence[Tensor], axis: Axis) -> Tensor:
        """Concatenate along one axis."""
        return ops.concatenate(list(parts), _AXES[axis])

    def select(self, where: NDArray[np.bool_], x: Tensor, other: Tensor) -> Tensor:
        """Take the channels of `x` where the vector (channels,) is True, else those of `other`."""
        return ops.where(where, x, other)

    def vector(self, values: NDArray[np.float32]) -> Tensor:
        """Return a constant (channels,) that broadcasts over rows and columns."""
        return ops.convert_to_tensor(values)

    def sum(self, x: Tensor, axis: Axis) -> Tensor:
        """Sum along an axis, which is kept with length 1."""
        return ops.sum(x, _AXES[axis], keepdims=True)

    def sum_of_squares(self, x: Tensor, axis: Axis) -> Tensor:
        """Sum the squares along an axis, which is kept with length 1."""
        return ops.sum(ops.square(x), _AXES[axis], keepdims=True)

    def weighted_sums(self, x: Tensor, weights: Tensor) -> Tensor:
        """Return weighted sums over all pixels: one column, one row for each weight."""
        _, rows, columns, channels = ops.shape(x)
        pixels = ops.reshape(x, (-1, rows * columns, channels))
        return ops.matmul(weights, pixels)[:, :, None, :]

    def repeat_channels(self, x: Tensor, times: int) -> Tensor:
        """Repeat each of a few channels, one after the other, so many times."""
        return ops.repeat(x, times, axis=-1)

    def count_valid_pixels(self, x: Tensor) -> Tensor:
        """Return how many pixels of shifted blocks lie inside of the picture, for one picture."""
        rows, columns = ops.shape(x)[1:3]
        return ops.cast((2 * rows - 2) * (2 * columns - 2), "float32")

    def normalize(self, x: Tensor) -> Tensor:
        """Give every channel of every picture mean 0 and variance 1 over rows and columns."""
        mean, variance = ops.moments(x, axes=(1, 2), keepdims=True)
        return (x - mean) * self.inverse_std(variance)

    def depth_to_space(self, x: Tensor) -> Tensor:
        """Turn blocks of 2x2 pixels, (row, column, channel) along the channels, into pixels."""
        _, rows, columns, channels = ops.shape(x)
        x = ops.reshape(x, (-1, rows, columns, 2, channels // 2))
        x = ops.transpose(x, (0, 1, 3, 2, 4))
        return ops.reshape(x, (-1, 2 * rows, 2 * columns, channels // 4))

    def relu(self, x: Tensor) -> Tensor:
        """max(x, 0)."""
        return ops.relu(x)

    def sigmoid(self, x: Tensor) -> Tensor:
        """1 / (1 + exp(-x))."""
        return ops.sigmoid(x)

    def inverse_std(self, variance: Tensor) -> Tensor:
        """1 / sqrt(variance + NORM_EPSILON)."""
        return ops.rsqrt(variance + NORM_EPSILON)
