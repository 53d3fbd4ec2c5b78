"""A style transformer so small that every engine can be compared with every other in a moment."""

import numpy as np
from numpy.typing import NDArray

from nst_video.networks import checkpoints
from nst_video.networks.config import TransformerConfig
from nst_video.networks.transformer import StyleTransformer

CONFIG = TransformerConfig((4, 6, 8), 2, bottleneck=3)


def random_arrays(config: TransformerConfig, seed: int) -> checkpoints.Arrays:
    """Weights that keep the signal about as large from layer to layer, as trained ones do."""
    rng = np.random.default_rng(seed)
    return {
        key: rng.normal(0, 1 / np.sqrt(max(1, np.prod(value.shape[:-1]))), value.shape).astype(
            np.float32
        )
        for key, value in checkpoints.collect(StyleTransformer(config)).items()
    }


def random_style(n: int, seed: int) -> NDArray[np.float32]:
    """Gammas and betas that leave no channel constant: its variance would be rounding alone."""
    rng = np.random.default_rng(seed)
    halves = [rng.normal(mean, 0.3, (n, CONFIG.style_size // 2)) for mean in (1, 0.5)]
    return np.concatenate(halves, axis=1, dtype=np.float32)
