"""Frames painted band by band against frames painted whole."""

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nst_video.engines.bands import paint_in_bands
from nst_video.networks import checkpoints, folded, keras_ops
from nst_video.networks.config import TransformerConfig
from nst_video.networks.keras_bands import KerasBands
from nst_video.networks.statistics import Statistics
from nst_video.networks.transformer import StyleTransformer

Floats = NDArray[np.float32]

CONFIG = TransformerConfig((4, 6, 8), 2, bottleneck=3)

few_examples = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),  # to shrink takes minutes
    suppress_health_check=[HealthCheck.too_slow],
)


def random_arrays(config: TransformerConfig, seed: int) -> checkpoints.Arrays:
    rng = np.random.default_rng(seed)
    return {
        key: rng.normal(0, 1 / np.sqrt(max(1, np.prod(value.shape[:-1]))), value.shape).astype(
            np.float32
        )
        for key, value in checkpoints.collect(StyleTransformer(config)).items()
    }


def random_style(n: int, seed: int) -> Floats:
    """Gammas and betas that leave no channel constant: its variance would be rounding alone."""
    rng = np.random.default_rng(seed)
    halves = [rng.normal(mean, 0.3, (n, CONFIG.style_size // 2)) for mean in (1, 0.5)]
    return np.concatenate(halves, axis=1, dtype=np.float32)


def random_frames(shape: tuple[int, ...], seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)


@few_examples
@given(
    height=st.integers(8, 75),
    width=st.integers(8, 30),
    rows=st.integers(8, 40),
    seed=st.integers(0, 99),
)
def test_bands_equal_the_whole_frame(height: int, width: int, rows: int, seed: int) -> None:
    convolutions = folded.fold_transformer(CONFIG, random_arrays(CONFIG, seed))
    frames, style = random_frames((1, height, width), seed), random_style(1, seed)
    content = frames.astype(np.float32) / 255
    expected, packed = keras_ops.measure(CONFIG, convolutions, content, style)
    stages = KerasBands(CONFIG, convolutions, as_bytes=False)
    painted, statistics = paint_in_bands(stages, CONFIG, frames[0], style, rows)
    np.testing.assert_allclose(painted, np.asarray(expected)[0], atol=1e-4)
    measured = Statistics.unpack(np.asarray(packed))
    np.testing.assert_allclose(statistics.mean, measured.mean, atol=1e-4)
    np.testing.assert_allclose(statistics.variance, measured.variance, atol=1e-4, rtol=1e-4)
