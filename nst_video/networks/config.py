"""Architectures of the style transformers as data, and options of loss networks.

Every engine needs them; this module imports no framework.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Pooling: TypeAlias = Literal["average", "max"]
"""Pooling between the blocks of a loss network. VGG was trained with "max"; Gatys et al. 2016
(CVPR) section 2 prefer "average"."""

LOSS_NETWORKS = ("builtin", "vgg16", "vgg19")
"""Names of the loss networks, see `vgg.SHAPES`."""

DEFAULT_NETWORK = "builtin"
DEFAULT_POOLING: Pooling = "average"

STRIDE = 4
"""Sides of the network's input are multiples of this; others are padded."""

MIN_SIDE = 8
"""Shortest side, in pixels, that the reflection padding of every layer allows."""

NORM_EPSILON = 1e-5

LAYOUT = "channels_last"
"""Data format of all Keras layers, regardless of its global setting."""


@dataclass(frozen=True, slots=True)
class TransformerConfig:
    """The architecture of a style transformer network.

    Attributes:
        widths: channels at full, half and quarter resolution.
        residual_blocks: residual blocks at quarter resolution.
        bottleneck: length of the style bottleneck.
    """

    widths: tuple[int, int, int]
    residual_blocks: int
    bottleneck: int

    @property
    def norms(self) -> tuple[tuple[str, int], ...]:
        """(name, channels) of the conditionally normalized layers, from input to output."""
        full, half, quarter = self.widths
        blocks = range(1, self.residual_blocks + 1)
        residual = [(f"residual{i}_conv{j}", quarter) for i in blocks for j in (1, 2)]
        return (*residual, ("expand1", half), ("expand2", full), ("expand3", 3))

    def array_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every array of weights, by "<layer>.kernel" and "<layer>.bias"."""
        full, half, quarter = self.widths
        shapes: dict[str, tuple[int, ...]] = {
            "contract1.kernel": (9, 9, 3, full),
            "contract1.bias": (full,),
            "contract2.kernel": (3, 3, full, half),
            "contract2.bias": (half,),
            "contract3.kernel": (3, 3, half, quarter),
            "contract3.bias": (quarter,),
        }
        for layer, _ in self.norms[:-3]:
            shapes[f"{layer}.kernel"] = (3, 3, quarter, quarter)
        return shapes | {
            "expand1.kernel": (3, 3, quarter, half),
            "expand2.kernel": (3, 3, half, full),
            "expand3.kernel": (9, 9, full, 3),
            "style_head.kernel": (self.bottleneck, self.style_size),
            "style_head.bias": (self.style_size,),
        }

    @property
    def style_size(self) -> int:
        """Length of a style parameter vector: all gammas, then all betas, in order of `norms`."""
        return 2 * sum(channels for _, channels in self.norms)


TRANSFORMERS: dict[str, TransformerConfig] = {
    "magenta": TransformerConfig(widths=(32, 64, 128), residual_blocks=20, bottleneck=768),
    "magenta-lite": TransformerConfig(widths=(8, 16, 32), residual_blocks=5, bottleneck=100),
    "builtin": TransformerConfig(widths=(8, 16, 32), residual_blocks=5, bottleneck=100),
}
