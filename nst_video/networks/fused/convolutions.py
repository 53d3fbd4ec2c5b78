"""The transformer's convolutions rewritten for speed; same output up to rounding.

Three exact rewrites. Each is described by a tap map for one axis and applied to both axes:

* Space-to-depth: a stride-1 convolution over blocks of two pixels, whose pixels ("phases") become
  channels, so that layers with 3 or 8 channels fill the vector units (Shi et al. 2016, arXiv
  1609.05158, do the same at the output).
* Stride 2 over such blocks becomes stride 1 with only the taps that a block needs.
* Nearest-neighbor upsampling by 2 before a 3x3 convolution: upsampled pixels repeat, so their taps
  are added up to 2x2 taps at low resolution, 2.25 times fewer multiplications. The output is blocks
  shifted by one pixel: block i holds pixels 2i-1 and 2i.

Channels are ordered (row phase, column phase, channel of the layer).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Floats
from nst_video.networks.config import TransformerConfig

TapMap: TypeAlias = NDArray[np.float32]
"""0 or 1, (output phases, block taps, input phases, kernel taps): where each kernel tap goes."""

LayerPrecision: TypeAlias = Literal["any", "float32", "uint8", "scaled uint8"]
"""In what a backend that need not be exact computes a layer.

"any" type, float32, or 8-bit integers: with "uint8" the inputs are bytes already, with
"scaled uint8" they are scaled to bytes, and none is negative.
"""

PIXEL_SCALE = 255.0

STRIDES: Mapping[str, tuple[int, int]] = {"contract2": (2, 1), "contract3": (2, 2)}
"""Of the rewritten convolutions, where not 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """A convolution without padding.

    Attributes:
        kernel: (rows, columns, input channels, output channels), phases among the channels.
        bias: (output channels,), or None.
        strides: of rows and columns.
        numbers: what it is computed in; "any" where all is computed alike.
    """

    kernel: Floats
    bias: Floats | None = None
    strides: tuple[int, int] = (1, 1)
    precision: LayerPrecision = "any"


def identity_taps(taps: int) -> TapMap:
    """Return the tap map of a convolution that is not rewritten."""
    return np.eye(taps, dtype=np.float32).reshape(1, taps, 1, taps)


def block_taps(taps: int) -> TapMap:
    """Return the tap map of a stride-1 convolution from blocks of two pixels to such blocks."""
    tap_map = np.zeros((2, (taps + 1) // 2, 2, taps), np.float32)
    for phase in range(2):
        for tap in range(taps):
            tap_map[phase, (phase + tap) // 2, (phase + tap) % 2, tap] = 1
    return tap_map


def strided_taps() -> TapMap:
    """Return the tap map of 3 taps and stride 2, from blocks of two pixels to single pixels.

    Output pixel i sees pixels 2i-1 to 2i+1: the last of block i-1 and both of block i.
    """
    tap_map = np.zeros((1, 2, 2, 3), np.float32)
    for tap in range(3):
        tap_map[0, (tap + 1) // 2, (tap + 1) % 2, tap] = 1
    return tap_map


def upsampled_taps() -> TapMap:
    """Return the tap map of 3 taps after 2x upsampling, to blocks shifted by one pixel.

    Block i holds pixel 2i-1, computed from input pixels (i-1, i-1, i), and 2i: (i-1, i, i).
    """
    taps = np.array([[[1, 1, 0], [0, 0, 1]], [[1, 0, 0], [0, 1, 1]]], np.float32)
    return taps[:, :, None, :]


def rearrange(kernel: Floats, rows: TapMap, columns: TapMap) -> Floats:
    """Return `kernel` (rows, columns, input, output) rearranged by a tap map for each axis."""
    folded = np.einsum("atpu,bsqv,uvio->tspqiabo", rows, columns, kernel, optimize=True)
    taps, inputs = folded.shape[:2], int(np.prod(folded.shape[2:5]))
    return np.ascontiguousarray(folded.reshape(*taps, inputs, -1), np.float32)


def tap_maps(config: TransformerConfig) -> dict[str, tuple[TapMap, TapMap]]:
    """Return the tap maps of rows and columns of every layer, for `rearrange`."""
    maps = {
        "contract1": (identity_taps(9), block_taps(9)),
        "contract2": (identity_taps(3), strided_taps()),
        "contract3": (identity_taps(3), identity_taps(3)),
        "expand3": (block_taps(9), block_taps(9)),
    }
    for name, _ in config.norms[:-1]:
        taps = upsampled_taps() if name.startswith("expand") else identity_taps(3)
        maps[name] = (taps, taps)
    return maps


def fuse_transformer(
    config: TransformerConfig, arrays: Mapping[str, Floats]
) -> dict[str, Convolution]:
    """Rewrite all convolutions of a style transformer.

    Args:
        config: its shape.
        arrays: its weights by `"<layer>.kernel"` and `"<layer>.bias"`.

    Returns:
        Layer name to convolution, for `network.paint`. The first layer takes pixels of 0..255.

    Raises:
        KeyError: a layer's weights are missing.
    """
    kernels = {
        name: rearrange(arrays[f"{name}.kernel"], *maps) for name, maps in tap_maps(config).items()
    }
    kernels["contract1"] = kernels["contract1"] / np.float32(PIXEL_SCALE)
    biases = {
        "contract1": np.tile(arrays["contract1.bias"], 2),
        "contract2": arrays["contract2.bias"],
        "contract3": arrays["contract3.bias"],
    }
    return {
        name: Convolution(kernel, biases.get(name), STRIDES.get(name, (1, 1)))
        for name, kernel in kernels.items()
    }
