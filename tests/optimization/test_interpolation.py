"""Frames between keyframes: feathering and filling of occlusions."""

import numpy as np
import pytest

from nst_video.optimization.interpolation import feather, fill_occlusions, match_surrounding_color


def test_holes_are_filled_in_the_colors_around_them():
    painted = np.full((48, 64, 3), (0.8, 0.2, 0.5), np.float32)
    patch = np.random.default_rng(0).normal(0.4, 0.02, (48, 64, 3)).astype(np.float32)
    reliable = np.ones((48, 64), np.float32)
    reliable[16:32, 20:40] = 0
    painted[16:32, 20:40] = 0
    mended = fill_occlusions(painted, reliable, lambda: patch)
    np.testing.assert_array_equal(mended[:16], painted[:16])
    np.testing.assert_allclose(mended[16:32, 20:40].mean((0, 1)), (0.8, 0.2, 0.5), atol=0.02)
    assert mended[16:32, 20:40].std(axis=(0, 1)).min() > 0.01


def test_patch_far_from_all_reliable_pixels_gets_the_mean_difference():
    painted = np.full((60, 400, 3), 0.7, np.float32)
    patch = np.full_like(painted, 0.3)
    reliable = np.zeros((60, 400), np.float32)
    reliable[:, :20] = 1
    np.testing.assert_allclose(
        match_surrounding_color(patch, painted, reliable), painted, atol=1e-3
    )


def test_patch_is_not_made_where_nothing_is_missing():
    painted = np.zeros((8, 8, 3), np.float32)
    assert (
        fill_occlusions(painted, np.ones((8, 8), np.float32), lambda: pytest.fail("made"))
        is painted
    )


def test_feathered_reliability_never_exceeds_the_map():
    reliable = np.zeros((40, 40), np.float32)
    reliable[:, 10:] = 1
    reliable[0] = 0
    feathered = feather(reliable)
    assert feathered[:, :10].max() == 0
    assert feathered[0, 30:].min() == pytest.approx(1)
    assert 0 < feathered[20, 11] < feathered[20, 13] < 1
