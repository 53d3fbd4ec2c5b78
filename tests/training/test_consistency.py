"""Pairs of views for the temporal losses."""

import cv2
import numpy as np
from training_samples import pictures

from nst_video.training import (
    consistency,
    dataset,
)


class TestConsistency:
    def test_moving_a_picture_agrees_with_warping_it(self):
        picture = dataset.content_batch(pictures(1), 1, 40, np.random.default_rng(0))
        moved = np.asarray(consistency.shift(picture, consistency.shift_kernel(0.75, -1.5)))
        matrix = np.array(((1, 0, -1.5), (0, 1, 0.75)), np.float32)
        warped = cv2.warpAffine(picture[0], matrix, (40, 40), flags=cv2.INTER_LINEAR)
        assert np.allclose(moved[0], consistency.trim(warped[None])[0], atol=2e-3)

    def test_the_second_view_is_the_first_one_moved(self):
        smooth = [cv2.GaussianBlur(picture, (0, 0), 4) for picture in pictures(3)]
        views = consistency.draw_views(smooth, 2, 48, np.random.default_rng(4), moving=True)
        moved = np.asarray(consistency.shift(views.first, views.kernel))
        still = np.abs(consistency.trim(views.second) - consistency.trim(views.first)).mean()
        assert np.abs(moved - consistency.trim(views.second)).mean() < still / 3

    def test_still_views_differ_in_noise_and_exposure(self):
        views = consistency.draw_views(pictures(3), 4, 32, np.random.default_rng(1), moving=False)
        assert np.array_equal(
            np.asarray(consistency.shift(views.first, views.kernel)), consistency.trim(views.first)
        )
        noise = (views.noisy_first - views.first).std()
        assert 0.2 * consistency.CAMERA_NOISE < noise < 1.6 * consistency.CAMERA_NOISE
        assert not np.array_equal(
            views.noisy_first - views.first, views.noisy_second - views.second
        )
        assert not np.array_equal(views.first, views.second)
