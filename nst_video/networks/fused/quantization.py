"""Mixed precision: which layers a fast engine computes in float32, and which in 8-bit integers.

Later norms amplify the errors of early layers; errors of the last layer are not amplified. A
network with many residual blocks keeps its encoder in float32, which is a small part of the work.
In a network with few of them, a third of the arithmetic is in the first and the last layer, both at
full resolution. These run in 8-bit integers: the first layer's inputs are bytes already, and the
last layer tolerates it.

Kernels are quantized to 7 bits by error diffusion (Floyd and Steinberg 1976, there for pixels): the
rounding error of one tap is added to the next. The remaining error is in high spatial frequencies,
of which pictures have little: 10 dB less error in the output than after plain rounding.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nst_video.frames import Floats
from nst_video.networks.config import TransformerConfig
from nst_video.networks.fused.convolutions import Convolution, LayerPrecision, fuse_transformer
from nst_video.networks.fused.flops import count_original

MAX_LEVEL = 63
"""Largest level of a quantized kernel: twice that overflows on CPUs without AVX-VNNI."""

SMALL_SHARE = 0.1
"""Share of the multiplications up to which float32 costs little and 8 bits gain little."""

_ENCODER = ("contract1", "contract2", "contract3")
_SIZE = (512, 512)
"""(width, height) for counting; the layers' shares hardly depend on it."""


def choose_precisions(arrays: Mapping[str, Floats]) -> dict[str, LayerPrecision]:
    """Choose the precision of each layer, see `LayerPrecision`.

    Args:
        arrays: a transformer's weights by `"<layer>.kernel"` and `"<layer>.bias"`.
    """
    counts = count_original(arrays, _SIZE)
    small = SMALL_SHARE * sum(counts.values())
    precisions: dict[str, LayerPrecision] = dict.fromkeys(counts, "any")
    if sum(counts[layer] for layer in _ENCODER) <= small:
        precisions.update(dict.fromkeys(_ENCODER, "float32"))
    else:
        precisions["contract1"] = "uint8"
    if counts["expand3"] > small:
        precisions["expand3"] = "scaled uint8"
    return precisions


def fuse_mixed_precision(
    config: TransformerConfig, arrays: Mapping[str, Floats]
) -> dict[str, Convolution]:
    """Rewrite all convolutions as `fuse_transformer` does, each with its precision.

    Args:
        config: shape of the network.
        arrays: its weights by `"<layer>.kernel"` and `"<layer>.bias"`.

    Raises:
        KeyError: a layer's weights are missing.
    """
    precisions = choose_precisions(arrays)
    coarse = {
        f"{layer}.kernel": quantize_kernel(arrays[f"{layer}.kernel"])
        for layer, chosen in precisions.items()
        if chosen.endswith("uint8")
    }
    folded = fuse_transformer(config, {**arrays, **coarse})
    return {layer: replace(each, precision=precisions[layer]) for layer, each in folded.items()}


def kernel_steps(kernel: Floats) -> Floats:
    """Return the step between the levels of each output channel, (1, 1, 1, output)."""
    largest = np.abs(kernel).max(axis=(0, 1, 2), keepdims=True)
    return np.asarray(np.where(largest > 0, largest, 1) / MAX_LEVEL, np.float32)


def quantize_kernel(kernel: Floats) -> Floats:
    """Quantize a kernel (rows, columns, input, output) by error diffusion.

    Rows are processed alternately left to right and right to left; the error of each tap is
    added to the next one.
    """
    steps = kernel_steps(kernel)
    exact = (kernel / steps).astype(np.float64)
    rounded, carried = np.empty_like(exact), np.zeros(exact.shape[2:])
    rows, columns = exact.shape[:2]
    for row in range(rows):
        for column in range(columns) if row % 2 == 0 else reversed(range(columns)):
            wanted = exact[row, column] + carried
            rounded[row, column] = np.clip(np.round(wanted), -MAX_LEVEL, MAX_LEVEL)
            carried = wanted - rounded[row, column]
    return np.asarray(rounded * steps, np.float32)
