"""The small networks of the `builtin` model, whose weights are part of the package.

Its transformer is `StyleTransformer` with `TRANSFORMERS["builtin"]`; here are its style predictor
and its loss network. All were trained by `nst_video.training`.
"""

from collections.abc import Sequence
from pathlib import Path

import keras
from keras import layers, ops

from nst_video.networks.checkpoints import assign, load_npz
from nst_video.networks.config import LAYOUT
from nst_video.networks.openvino_predictor import (
    BOTTLENECK,
    HIDDEN,
    STAGE_WIDTHS,
    STEM_KERNEL,
    STEM_STRIDE,
    predictor_shapes,
)
from nst_video.networks.transformer import Tensor, float32_model

LOSS_BLOCKS = ((32, 2), (64, 2), (128, 4), (256, 1))
"""Channels and number of convolutions of the loss network's blocks: VGG-19's, half as wide."""


def layer_names(blocks: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """Return VGG's names, "block1_conv1" first, for blocks of (channels, convolutions)."""
    return tuple(
        f"block{block}_conv{index}"
        for block, (_, count) in enumerate(blocks, 1)
        for index in range(1, count + 1)
    )


LOSS_TRUNK = layer_names(LOSS_BLOCKS)
"""The convolutions of the loss network in order, by the names of VGG-19's."""

LOSS_LAYERS = tuple(name for name in LOSS_TRUNK if name.endswith("_conv1"))
"""Those that Gatys et al. 2015 (arXiv 1508.06576) take for the style, and that learned it."""

VIEW = "_view"
"""Suffix of the names of 1x1 convolutions after `LOSS_LAYERS`: distances between what they make of
features, and between Gram matrices of that, approach those between VGG-19's."""


def build_style_predictor() -> keras.Model:
    """Return the network from style pictures to style bottlenecks, with random weights.

    Pictures (n, height, width, 3), 0..1, made for 256x256, to bottlenecks (n, `BOTTLENECK`).
    Each stage halves the resolution and adds a residual convolution; the mean of every stage, fine
    strokes to coarse shapes, feeds the last layer: style is a matter of statistics.
    """
    picture = keras.Input((None, None, 3), dtype="float32")
    x = (picture - 0.5) * 4
    means = []
    for stage, width in enumerate(STAGE_WIDTHS, 1):
        size = (STEM_KERNEL, STEM_STRIDE) if stage == 1 else (3, 2)
        x = _convolution(f"stage{stage}_down", width, *size)(x)
        if stage > 1:
            x = x + _convolution(f"stage{stage}_more", width, 3)(x)
        means.append(ops.mean(x, axis=(1, 2)))
    hidden = layers.Dense(
        HIDDEN, "relu", kernel_initializer="he_normal", name="hidden", dtype="float32"
    )(ops.concatenate(means, axis=-1))
    bottleneck: Tensor = layers.Dense(BOTTLENECK, name="bottleneck", dtype="float32")(hidden)
    return float32_model(picture, bottleneck, "builtin_style_predictor")


def _convolution(name: str, filters: int, kernel: int, stride: int = 1) -> layers.Conv2D:
    return layers.Conv2D(
        filters,
        kernel,
        stride,
        padding="same",
        data_format=LAYOUT,
        activation="relu",
        kernel_initializer="he_normal",
        name=name,
        dtype="float32",
    )


def load_style_predictor(path: Path) -> keras.Model:
    """Return the style predictor that carries the weights in `path`, see `build_style_predictor`.

    Raises:
        WeightsError: the file is not one of ours, or not of this network.
    """
    network = build_style_predictor()
    assign(network, load_npz(path, predictor_shapes(), "the style predictor"))
    return network


def build_loss_trunk() -> keras.Model:
    """Return the convolutions of the loss network, with random weights.

    Pictures (n, height, width, 3), 0..1, to a mapping from the names of `LOSS_TRUNK` to rectified
    features (n, height / 2^k, width / 2^k, channels). To be trained; `vgg.LossNetwork` runs it.
    """
    picture = keras.Input((None, None, 3), dtype="float32")
    x = center_pixels(picture)
    features = {}
    for block, (width, count) in enumerate(LOSS_BLOCKS, 1):
        x = x if block == 1 else ops.average_pool(x, 2, 2, data_format=LAYOUT)
        for index in range(1, count + 1):
            name = f"block{block}_conv{index}"
            x = features[name] = _convolution(name, width, 3)(x)
    return float32_model(picture, features, "builtin_loss_trunk")


def center_pixels(pictures: Tensor) -> Tensor:
    """Return pixels 0..1 as the loss network takes them in: about 0, deviation about 1."""
    return (pictures - 0.5) * 4
