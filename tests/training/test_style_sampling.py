"""Sampling of style images and bottlenecks."""

import numpy as np
from training_samples import pictures

from nst_video.training import (
    style_sampling,
)


class TestStyleSampling:
    def test_style_pictures_are_all_of_one_size(self):
        rng = np.random.default_rng(1)
        shapes = {style_sampling.draw_style_picture(pictures(3), rng).shape for _ in range(60)}
        assert shapes == {(style_sampling.SIDE, style_sampling.SIDE, 3)}

    def test_styles_are_drawn_as_they_are_or_mixed_and_some_are_bolder(self):
        corners = np.eye(6, dtype=np.float32)
        drawn = style_sampling.draw_styles(corners, 400, np.random.default_rng(0))
        assert np.allclose(drawn.sum(axis=1), 1, atol=1e-5)
        pure = np.isclose(drawn.max(axis=1), 1, atol=1e-4).mean()
        assert 0.3 < pure < 0.6
        assert 0.05 < np.mean(drawn.max(axis=1) > 1.01) < 0.3
