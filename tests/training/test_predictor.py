"""Style dataset and loss of the style predictor."""

import numpy as np
from training_samples import pictures

from nst_video.training import (
    predictor,
)


class TestPredictor:
    def test_a_pool_is_filled_once(self, tmp_path):
        calls = []

        def predict(picture):
            calls.append(picture)
            return picture.mean(axis=(0, 1)).astype(np.float32)

        made = [
            predictor.build_style_dataset(
                tmp_path, pictures(2), predict, 5, np.random.default_rng(0)
            )
            for _ in range(2)
        ]
        assert len(calls) == 5
        shown, bottlenecks = made[1].draw(7, np.random.default_rng(0))
        assert shown.shape == (7, 256, 256, 3)
        assert np.allclose(shown.mean(axis=(1, 2)) * 255, bottlenecks, atol=0.1)

    def test_rare_directions_are_raised_but_not_to_the_level_of_common_ones(self):
        rng = np.random.default_rng(0)
        spread = np.array((10, 1), np.float32)
        points = rng.standard_normal((4000, 2)).astype(np.float32) * spread
        sizes = np.sort((points @ predictor.whitening_matrix(points)).std(axis=0))
        assert 2 < sizes[1] / sizes[0] < 9
