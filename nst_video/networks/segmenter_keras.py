"""The `builtin` person segmenter in Keras, for training; see `segmenter`."""

import keras
from keras import layers, ops

from nst_video.networks.config import LAYOUT
from nst_video.networks.segmenter import LAYERS, SIZE, segment
from nst_video.networks.transformer import Tensor, double, float32_model


def build_segmenter(policy: str = "float32") -> keras.Model:
    """Return the network with random weights: (n, 144, 256, 3), 0..1, to logits (n, 144, 256).

    Args:
        policy: of its convolutions; "mixed_bfloat16" halves the time of a training step on CPUs
            that multiply bfloat16.
    """
    width, height = SIZE
    picture = keras.Input((height, width, 3), dtype="float32")
    blocks = segment(_KerasOps(policy), picture * 4 - 2)
    blocks = ops.reshape(blocks, (-1, height // 2, width // 2, 2, 2))
    logits = ops.reshape(ops.transpose(blocks, (0, 1, 3, 2, 4)), (-1, height, width))
    return float32_model(picture, ops.cast(logits, "float32"), "builtin_segmenter")


class _KerasOps:
    """`SegmenterOps` in Keras; feature maps are (n, rows, columns, channels)."""

    def __init__(self, policy: str) -> None:
        self._policy = policy

    def convolve(self, x: Tensor, name: str) -> Tensor:
        layer = LAYERS[name]
        return layers.Conv2D(
            layer.outputs,
            layer.side,
            layer.stride,
            padding="same",
            data_format=LAYOUT,
            dilation_rate=layer.dilation,
            kernel_initializer="he_normal",
            name=name,
            dtype=self._policy,
        )(x)

    def relu(self, x: Tensor) -> Tensor:
        return ops.relu(x)

    def double(self, x: Tensor) -> Tensor:
        return double(x)

    def mean(self, x: Tensor) -> Tensor:
        return ops.mean(x, axis=(1, 2), keepdims=True)
