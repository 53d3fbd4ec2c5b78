"""The style transformer network: a content frame and style parameters in, a painted frame out.

Ghiasi et al. 2017, "Exploring the structure of a real-time, arbitrary neural artistic stylization
network" (arXiv 1705.06830), section 2, as Magenta published it: every normalized layer takes its
gamma and beta from outside, so one network serves every style.

Differs from the paper: `magenta` has 20 residual blocks and a bottleneck of 768 numbers, as its
public checkpoint does; `magenta-lite` is the public mobile network of a quarter of its width.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

import keras
from keras import layers, ops

from nst_video.networks.config import (
    LAYOUT,
    MIN_SIDE,
    NORM_EPSILON,
    STRIDE,
    TRANSFORMERS,
    TransformerConfig,
)

__all__ = ["MIN_SIDE", "STRIDE", "TRANSFORMERS", "StyleTransformer", "TransformerConfig"]

Tensor: TypeAlias = Any
"""A tensor of whichever backend Keras runs on; Keras itself has no common type for them."""


def float32_model(inputs: Tensor, outputs: Tensor, name: str) -> keras.Model:
    """Return the functional model that computes in float32, whatever Keras' global policy."""
    model = keras.Model(inputs, outputs, name=name)
    model.dtype_policy = keras.DTypePolicy("float32")
    return model


def pad_to_stride(x: Tensor) -> Tensor:
    """Pad (n, height, width, c) by reflection at the bottom and right to multiples of `STRIDE`."""
    height, width = ops.shape(x)[1:3]
    extra = STRIDE - 1
    x = ops.pad(x, [[0, 0], [0, extra], [0, extra], [0, 0]], mode="reflect")
    return x[:, : (height + extra) // STRIDE * STRIDE, : (width + extra) // STRIDE * STRIDE]


def reflect(x: Tensor, margin: int) -> Tensor:
    """Pad (n, height, width, c) by reflection, `margin` pixels on each side."""
    return ops.pad(x, [[0, 0], [margin, margin], [margin, margin], [0, 0]], mode="reflect")


def double(x: Tensor) -> Tensor:
    """Enlarge (n, height, width, c) to twice its size, nearest neighbor."""
    return ops.repeat(ops.repeat(x, 2, axis=1), 2, axis=2)


def instance_norm(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    """Normalize (n, height, width, c) over height and width, then scale and shift.

    Gamma and beta are (n or 1, c): one style for each picture of the batch, or one for all.
    Ulyanov et al. 2016 (arXiv 1607.08022), conditioned as in Dumoulin et al. (arXiv 1610.07629).
    """
    mean = _mean_of_pixels(x)
    variance = _mean_of_pixels(ops.square(x - mean))
    scale = ops.rsqrt(variance + NORM_EPSILON) * gamma[:, None, None, :]
    return x * scale + (beta[:, None, None, :] - mean * scale)


def _mean_of_pixels(x: Tensor) -> Tensor:
    """Return the mean over height and width, (n, 1, 1, c).

    One axis after the other: summing up millions of numbers in a row costs float32 digits.
    """
    return ops.mean(ops.mean(x, axis=2, keepdims=True), axis=1, keepdims=True)


class StyleTransformer(keras.Model):
    """Paints frames: (n, height, width, 3) in 0..1 and style parameters to the same shape.

    Call it as `transformer(content, style)`, `style` being (n or 1, `config.style_size`) as
    `style_parameters` makes it of bottlenecks. Height and width are free, at least `MIN_SIDE`.
    """

    def __init__(self, config: TransformerConfig, dtype: str = "float32") -> None:
        super().__init__(name="style_transformer", dtype=dtype)
        self.config = config
        full, half, quarter = config.widths
        self.contract = [
            self._convolution("contract1", full, 9, bias=True),
            self._convolution("contract2", half, 3, stride=2, bias=True),
            self._convolution("contract3", quarter, 3, stride=2, bias=True),
        ]
        self.residual = [
            (
                self._convolution(f"residual{i}_conv1", quarter, 3),
                self._convolution(f"residual{i}_conv2", quarter, 3),
            )
            for i in range(1, config.residual_blocks + 1)
        ]
        self.expand = [
            self._convolution("expand1", half, 3),
            self._convolution("expand2", full, 3),
            self._convolution("expand3", 3, 9),
        ]
        self.style_head = layers.Dense(config.style_size, name="style_head", dtype="float32")
        self._build()

    def _convolution(
        self, name: str, filters: int, kernel: int, stride: int = 1, bias: bool = False
    ) -> layers.Conv2D:
        """A convolution without padding; before a norm it has no bias, which would cancel out."""
        return layers.Conv2D(
            filters,
            kernel,
            stride,
            data_format=LAYOUT,
            use_bias=bias,
            name=name,
            dtype=self.dtype_policy,
        )

    def _build(self) -> None:
        """Create all variables, so that checkpoints can be assigned before the first call."""
        full, half, quarter = self.config.widths
        inputs = (3, full, half, *(quarter for _ in self.residual), quarter, half, full)
        for layer, channels in zip(
            [*self.contract, *(a for a, _ in self.residual), *self.expand], inputs, strict=True
        ):
            layer.build((None, None, None, channels))
        for _, second in self.residual:
            second.build((None, None, None, quarter))
        self.style_head.build((None, self.config.bottleneck))
        self.built = True

    def style_parameters(self, bottlenecks: Tensor) -> Tensor:
        """Turn bottlenecks (n, `config.bottleneck`) into style parameters (n, `style_size`)."""
        return self.style_head(bottlenecks)

    def call(self, content: Tensor, style: Tensor) -> Tensor:
        """Paint `content` (n, height, width, 3), 0..1, with `style` (n or 1, style_size)."""
        height, width = ops.shape(content)[1:3]
        norms = self._norms(style)
        x = pad_to_stride(content)
        for layer in self.contract:
            x = ops.relu(layer(reflect(x, layer.kernel_size[0] // 2)))
        for first, second in self.residual:
            y = ops.relu(instance_norm(first(reflect(x, 1)), *next(norms)))
            x = x + instance_norm(second(reflect(y, 1)), *next(norms))
        for layer in self.expand[:2]:
            x = ops.relu(instance_norm(layer(reflect(double(x), 1)), *next(norms)))
        x = ops.sigmoid(instance_norm(self.expand[2](reflect(x, 4)), *next(norms)))
        return x[:, :height, :width]

    def _norms(self, style: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (gamma, beta), each (n or 1, channels), for the normalized layers in order."""
        style = ops.cast(style, self.compute_dtype)
        half = self.config.style_size // 2
        start = 0
        for _, channels in self.config.norms:
            stop = start + channels
            yield style[:, start:stop], style[:, half + start : half + stop]
            start = stop
