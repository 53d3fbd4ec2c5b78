"""Magenta's style prediction network: Inception-v3 up to `Mixed_6e`, then the mean over space.

Szegedy et al. 2015 (arXiv 1512.00567) as TF-Slim writes it, scope by scope, with ReLU6 as in
Magenta's checkpoint. Its 768 means are the style bottleneck (Ghiasi et al., arXiv 1705.06830).

Differs from the paper: no layer squeezes the 768 numbers to 100; the public checkpoint has none.
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from nst_video.networks.checkpoints import Arrays, Read, assign, fold_batch_norm
from nst_video.networks.config import LAYOUT
from nst_video.networks.transformer import Tensor, float32_model


@dataclass(frozen=True, slots=True)
class Conv:
    """A convolution with its folded batch norm and ReLU6, as the checkpoint calls it."""

    scope: str
    filters: int
    kernel: tuple[int, int]
    stride: int = 1
    padding: str = "same"


@dataclass(frozen=True, slots=True)
class Pool:
    """A 3x3 pooling: "avg" keeps the size, "max" halves it."""

    kind: str


Chain = tuple[Conv | Pool, ...]

STEM: Chain = (
    Conv("Conv2d_1a_3x3", 32, (3, 3), stride=2, padding="valid"),
    Conv("Conv2d_2a_3x3", 32, (3, 3), padding="valid"),
    Conv("Conv2d_2b_3x3", 64, (3, 3)),
    Pool("max"),
    Conv("Conv2d_3b_1x1", 80, (1, 1), padding="valid"),
    Conv("Conv2d_4a_3x3", 192, (3, 3), padding="valid"),
    Pool("max"),
)


def _mixed_5(pooled: int, reduce: str, enlarge: str) -> tuple[Chain, ...]:
    return (
        (Conv("Conv2d_0a_1x1", 64, (1, 1)),),
        (Conv(reduce, 48, (1, 1)), Conv(enlarge, 64, (5, 5))),
        (
            Conv("Conv2d_0a_1x1", 64, (1, 1)),
            Conv("Conv2d_0b_3x3", 96, (3, 3)),
            Conv("Conv2d_0c_3x3", 96, (3, 3)),
        ),
        (Pool("avg"), Conv("Conv2d_0b_1x1", pooled, (1, 1))),
    )


def _mixed_6(width: int) -> tuple[Chain, ...]:
    return (
        (Conv("Conv2d_0a_1x1", 192, (1, 1)),),
        (
            Conv("Conv2d_0a_1x1", width, (1, 1)),
            Conv("Conv2d_0b_1x7", width, (1, 7)),
            Conv("Conv2d_0c_7x1", 192, (7, 1)),
        ),
        (
            Conv("Conv2d_0a_1x1", width, (1, 1)),
            Conv("Conv2d_0b_7x1", width, (7, 1)),
            Conv("Conv2d_0c_1x7", width, (1, 7)),
            Conv("Conv2d_0d_7x1", width, (7, 1)),
            Conv("Conv2d_0e_1x7", 192, (1, 7)),
        ),
        (Pool("avg"), Conv("Conv2d_0b_1x1", 192, (1, 1))),
    )


BLOCKS: dict[str, tuple[Chain, ...]] = {
    "Mixed_5b": _mixed_5(32, "Conv2d_0a_1x1", "Conv2d_0b_5x5"),
    "Mixed_5c": _mixed_5(64, "Conv2d_0b_1x1", "Conv_1_0c_5x5"),
    "Mixed_5d": _mixed_5(64, "Conv2d_0a_1x1", "Conv2d_0b_5x5"),
    "Mixed_6a": (
        (Conv("Conv2d_1a_1x1", 384, (3, 3), stride=2, padding="valid"),),
        (
            Conv("Conv2d_0a_1x1", 64, (1, 1)),
            Conv("Conv2d_0b_3x3", 96, (3, 3)),
            Conv("Conv2d_1a_1x1", 96, (3, 3), stride=2, padding="valid"),
        ),
        (Pool("max"),),
    ),
    "Mixed_6b": _mixed_6(128),
    "Mixed_6c": _mixed_6(160),
    "Mixed_6d": _mixed_6(160),
    "Mixed_6e": _mixed_6(192),
}


def _run(x: Tensor, chain: Chain, scope: str) -> Tensor:
    """Apply the convolutions and poolings of `chain` one after another."""
    for step in chain:
        if isinstance(step, Conv):
            name = f"{scope}{step.scope}".replace("/", ".")
            convolution = layers.Conv2D(
                step.filters,
                step.kernel,
                step.stride,
                padding=step.padding,
                data_format=LAYOUT,
                name=name,
                dtype="float32",
            )
            x = ops.relu6(convolution(x))
        elif step.kind == "max":
            x = ops.max_pool(x, 3, strides=2, padding="valid", data_format=LAYOUT)
        else:
            x = ops.average_pool(x, 3, strides=1, padding="same", data_format=LAYOUT)
    return x


def build_inception_predictor() -> keras.Model:
    """Return the network from pictures (n, height, width, 3), 0..1, to bottlenecks (n, 768)."""
    picture = keras.Input((None, None, 3), dtype="float32")
    x = _run(picture, STEM, "")
    for block, branches in BLOCKS.items():
        outputs = [_run(x, chain, f"{block}/Branch_{i}/") for i, chain in enumerate(branches)]
        x = ops.concatenate(outputs, axis=-1)
    return float32_model(picture, ops.mean(x, axis=(1, 2)), "inception_style_predictor")


def inception_from_savedmodel(read: Read) -> Arrays:
    """Map the variables of Magenta's SavedModel, which `read` returns by name."""
    arrays: dict[str, NDArray[np.float32]] = {}
    for scope in _conv_scopes():
        path = f"InceptionV3/{scope}"
        norm = (read(f"{path}/BatchNorm/{x}") for x in ("beta", "moving_mean", "moving_variance"))
        kernel, bias = fold_batch_norm(read(f"{path}/weights"), *norm)
        layer = scope.replace("/", ".")
        arrays[f"{layer}.kernel"], arrays[f"{layer}.bias"] = kernel, bias
    return arrays


def _conv_scopes() -> list[str]:
    """Return the scopes of all convolutions, below `InceptionV3/`."""
    chains = [("", STEM)] + [
        (f"{block}/Branch_{i}/", chain)
        for block, branches in BLOCKS.items()
        for i, chain in enumerate(branches)
    ]
    return [
        scope + step.scope for scope, chain in chains for step in chain if isinstance(step, Conv)
    ]


def load_inception_predictor(arrays: Arrays) -> keras.Model:
    """Return the style prediction network that carries `arrays`."""
    network = build_inception_predictor()
    assign(network, arrays)
    return network
