"""The floating-point operations of a frame: multiplications of the transformer's convolutions.

Norms, activations and padding are not counted: they are bound by memory. Zeros that the rewriting
puts into kernels are counted, because they are multiplied, too.
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
    """How often a kernel is applied to a picture of r x c cells of `STRIDE` x `STRIDE` pixels.

    Attributes:
        rows: output rows for each row of cells.
        columns: output columns for each column of cells.
        extra: rows and columns in addition, for the whole picture.
    """

    rows: int = 1
    columns: int = 1
    extra: int = 0

    def count(self, size: Size) -> int:
        """Return how often, on a picture of `size` (width, height), padded to whole cells."""
        columns, rows = (-(-side // STRIDE) for side in size)
        return (self.rows * rows + self.extra) * (self.columns * columns + self.extra)


ORIGINAL = {
    "contract1": KernelPositions(4, 4),
    "contract2": KernelPositions(2, 2),
    "expand1": KernelPositions(2, 2),
    "expand2": KernelPositions(4, 4),
    "expand3": KernelPositions(4, 4),
}
"""By layer, in `transformer.StyleTransformer`; all other layers have one position in each cell."""

FUSED = {
    "contract1": KernelPositions(4, 2),
    "contract2": KernelPositions(2, 2),
    "expand1": KernelPositions(1, 1, 1),
    "expand2": KernelPositions(2, 2, 1),
    "expand3": KernelPositions(2, 2, 1),
}
"""The same for `network.paint`, which starts with column blocks and ends with shifted blocks."""


def count_fused(convolutions: Mapping[str, Convolution], size: Size) -> dict[str, int]:
    """Return the multiplications of each layer of `network.paint` for one frame.

    Args:
        convolutions: as `convolutions.fuse_transformer` returns them.
        size: (width, height) of the frame.
    """
    kernels = {layer: convolution.kernel for layer, convolution in convolutions.items()}
    return _count(kernels, FUSED, size)


def count_original(arrays: Mapping[str, Floats], size: Size) -> dict[str, int]:
    """Return the multiplications of each layer of the original network for one frame.

    Args:
        arrays: its weights by `"<layer>.kernel"` and `"<layer>.bias"`.
        size: (width, height) of the frame.
    """
    kernels = {
        name.removesuffix(".kernel"): array for name, array in arrays.items() if array.ndim == 4
    }
    return _count(kernels, ORIGINAL, size)


def gflop(multiplications: Mapping[str, int]) -> float:
    """Return the sum of all layers in billions of floating-point operations."""
    return FLOP * sum(multiplications.values()) / 1e9


def _count(
    kernels: Mapping[str, Floats], positions: Mapping[str, KernelPositions], size: Size
) -> dict[str, int]:
    everywhere = KernelPositions()
    return {
        layer: kernel.size * positions.get(layer, everywhere).count(size)
        for layer, kernel in kernels.items()
    }
