"""Limits the size of a painting to the available memory."""

from collections.abc import Sequence

from nst_video.frames import Size
from nst_video.networks.vgg import LossNetwork, halvings
from nst_video.optimization.pyramid import MIN_SIDE
from nst_video.system.memory import free_memory

COPIES = 4.0
"""Copies of all layers' features that an optimization holds; 3.3 to 4.2 were measured."""

MEMORY_SHARE = 0.6
"""Share of the available memory that a painting may use."""

FALLBACK_BYTES = 4 << 30
"""Memory limit where the system does not report how much is available."""

_FLOAT_BYTES = 4


def painting_bytes(network: LossNetwork, layers: Sequence[str], size: Size) -> int:
    """Return the estimated bytes that an optimization needs.

    Args:
        network: the loss network.
        layers: names of its layers that the loss uses.
        size: (width, height) of the picture.
    """
    last = max(network.layers.index(layer) for layer in layers)
    width, height = size
    values = sum(
        (width >> halvings(layer)) * (height >> halvings(layer)) * channels
        for layer in network.layers[: last + 1]
        for channels in [network.channels(layer)]
    )
    return round(COPIES * _FLOAT_BYTES * values)


def fit_to_memory(network: LossNetwork, layers: Sequence[str], size: Size, budget: int) -> Size:
    """Return `size` (width, height), scaled down so that `budget` bytes suffice."""
    factor = min(1.0, (budget / painting_bytes(network, layers, size)) ** 0.5)
    factor = max(factor, min(1.0, MIN_SIDE / min(size)))
    return round(size[0] * factor), round(size[1] * factor)


def available_bytes() -> int:
    """Return how many bytes a painting may use."""
    free = free_memory()
    return FALLBACK_BYTES if free is None else round(MEMORY_SHARE * free)
