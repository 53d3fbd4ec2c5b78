"""How much arithmetic a frame is: the multiplications of a style transformer's convolutions.

Norms, activations and paddings are left out: they move memory rather than compute. Zeros that the
rewriting puts into kernels count, as they are multiplied like all else.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from nst_video.frames import Floats, Size
from nst_video.networks.config import STRIDE
from nst_video.networks.fused.convolutions import Convolution

FLOP = 2
"""Floating-point operations of a multiplication and the addition that goes with it."""


@dataclass(frozen=True, slots=True)
class KernelPositions:
    """Where a kernel is applied, on a picture of r x c cells of `STRIDE` pixels a side.

    Attributes:
        rows: for each row of cells.
        columns: for each column of cells.
        extra: more of both for the whole picture.
    """

    rows: int = 1
    columns: int = 1
    extra: int = 0

    def count(self, size: Size) -> int:
        """Return how many they are on a picture of `size`, which is padded to whole cells."""
        columns, rows = (-(-side // STRIDE) for side in size)
        return (self.rows * rows + self.extra) * (self.columns * columns + self.extra)


ORIGINAL = {
    "contract1": KernelPositions(4, 4),
    "contract2": KernelPositions(2, 2),
    "expand1": KernelPositions(2, 2),
    "expand2": KernelPositions(4, 4),
    "expand3": KernelPositions(4, 4),
}
"""By layer, in `transformer.StyleTransformer`; layers not named here have one for each cell."""

FUSED = {
    "contract1": KernelPositions(4, 2),
    "contract2": KernelPositions(2, 2),
    "expand1": KernelPositions(1, 1, 1),
    "expand2": KernelPositions(2, 2, 1),
    "expand3": KernelPositions(2, 2, 1),
}
"""The same in `network.paint`: column blocks first, shifted blocks last."""


def count_fused(convolutions: Mapping[str, Convolution], size: Size) -> dict[str, int]:
    """Return the multiplications for one frame of every layer that `network.paint` runs.

    Args:
        convolutions: as `convolutions.fuse_transformer` returns them.
        size: (width, height) of the frame.
    """
    kernels = {layer: convolution.kernel for layer, convolution in convolutions.items()}
    return _count(kernels, FUSED, size)


def count_original(arrays: Mapping[str, Floats], size: Size) -> dict[str, int]:
    """Return the multiplications for one frame of every layer of the network as it is written.

    Args:
        arrays: its weights by `"<layer>.kernel"` and `"<layer>.bias"`.
        size: (width, height) of the frame.
    """
    kernels = {
        name.removesuffix(".kernel"): array for name, array in arrays.items() if array.ndim == 4
    }
    return _count(kernels, ORIGINAL, size)


def gflop(multiplications: Mapping[str, int]) -> float:
    """Return the work of layers in billions of floating-point operations."""
    return FLOP * sum(multiplications.values()) / 1e9


def _count(
    kernels: Mapping[str, Floats], positions: Mapping[str, KernelPositions], size: Size
) -> dict[str, int]:
    everywhere = KernelPositions()
    return {
        layer: kernel.size * positions.get(layer, everywhere).count(size)
        for layer, kernel in kernels.items()
    }
