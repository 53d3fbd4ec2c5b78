"""Which convolutions an engine that need not be exact computes in which numbers, and why.

Errors made early grow through every later norm, those of the last layer reach the picture as they
are. A network of many residual blocks keeps its encoder in float32, which is little of its work. In
one of few, a third of the arithmetic is in the first and the last layer, both at full resolution:
they are left to 8-bit integers, which hold the first one's inputs, bytes, as they are, and the last
one's well enough.

Kernels are rounded to 7 bits by error diffusion (Floyd and Steinberg 1976 do so with the pixels of
a picture): what one tap is rounded up, the next one is rounded down. The error that remains is in
high spatial frequencies, of which pictures have little: 10 dB less of it in the painting than
after plain rounding.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nst_video.frames import Floats
from nst_video.networks.config import TransformerConfig
from nst_video.networks.fused.convolutions import Convolution, LayerPrecision, fuse_transformer
from nst_video.networks.fused.flops import count_original

MAX_LEVEL = 63
"""Largest whole number in a rounded kernel: twice that overflows where CPUs lack AVX-VNNI."""

SMALL_SHARE = 0.1
"""Share of the multiplications up to which being exact costs little and bytes gain little."""

_ENCODER = ("contract1", "contract2", "contract3")
_SIZE = (512, 512)
"""Any will do: the shares of the layers hardly depend on it."""


def choose_precisions(arrays: Mapping[str, Floats]) -> dict[str, LayerPrecision]:
    """Return what each layer is best computed in, see `LayerPrecision`.

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
    """Rewrite all convolutions as `fuse_transformer` does, each for the numbers that suit it.

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
    """Round a kernel (rows, columns, input, output) to levels by error diffusion.

    The error of each tap is carried to the next one of its row, and from the end of a row to the
    row below, which is gone through in the opposite direction.
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
