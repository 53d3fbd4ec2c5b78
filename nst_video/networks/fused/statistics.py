"""Instance-norm statistics of a picture as data.

A vector of style parameters holds all gammas, then all betas. Folded with statistics, it holds
instead the scale and the shift of every channel, to which normalization, gamma and beta reduce.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from nst_video.frames import Floats
from nst_video.networks.config import NORM_EPSILON, TransformerConfig


def norm_slices(config: TransformerConfig) -> dict[str, slice]:
    """Return the range of each normalized layer's channels among all of them, by layer name."""
    slices, start = {}, 0
    for name, channels in config.norms:
        slices[name] = slice(start, start + channels)
        start += channels
    return slices


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Mean and variance of every channel of the normalized layers, float32.

    Attributes:
        mean: (regions, channels of all normalized layers, in their order). One region for one
            style.
        variance: same shape.
    """

    mean: Floats
    variance: Floats

    @classmethod
    def blank(cls, config: TransformerConfig, regions: int = 1) -> Self:
        """Return statistics to be filled in: mean 0, variance 1."""
        shape = (regions, config.style_size // 2)
        return cls(np.zeros(shape, np.float32), np.ones(shape, np.float32))

    def fold(self, style: Floats) -> Floats:
        """Return `style` (regions, style_size) with the statistics folded in: scales and shifts."""
        gamma, beta = np.split(style, 2, axis=1)
        scale = gamma / np.sqrt(self.variance + NORM_EPSILON)
        return np.concatenate([scale, beta - self.mean * scale], 1, dtype=np.float32)
