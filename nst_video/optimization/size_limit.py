"""How large a picture may be painted in the memory there is."""

from collections.abc import Sequence

from nst_video.frames import Size
from nst_video.networks.vgg import LossNetwork, halvings
from nst_video.optimization.pyramid import MIN_SIDE
from nst_video.system.memory import free_memory

COPIES = 4.0
"""Features held at once, in units of one copy of all layers: 3.3 to 4.2 were measured."""

SHARE = 0.6
"""Of the memory available, what a painting may take."""

UNKNOWN_BYTES = 4 << 30
"""What is assumed where the system does not say how much memory is available."""

_FLOAT_BYTES = 4


def painting_bytes(network: LossNetwork, layers: Sequence[str], size: Size) -> int:
    """Estimate the memory that the optimization of a picture of a size (width, height) takes."""
    last = max(network.layers.index(layer) for layer in layers)
    width, height = size
    values = sum(
        (width >> halvings(layer)) * (height >> halvings(layer)) * channels
        for layer in network.layers[: last + 1]
        for channels in [network.channels(layer)]
    )
    return round(COPIES * _FLOAT_BYTES * values)


def fit_to_memory(network: LossNetwork, layers: Sequence[str], size: Size, budget: int) -> Size:
    """Return `size` (width, height), scaled down so that `budget` bytes suffice for a painting."""
    factor = min(1.0, (budget / painting_bytes(network, layers, size)) ** 0.5)
    factor = max(factor, min(1.0, MIN_SIDE / min(size)))
    return round(size[0] * factor), round(size[1] * factor)


def available_bytes() -> int:
    """Return how much memory a painting may take."""
    free = free_memory()
    return UNKNOWN_BYTES if free is None else round(SHARE * free)
