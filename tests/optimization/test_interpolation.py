"""Frames between keyframes: feathering and filling of occlusions."""

import numpy as np
import pytest

from nst_video.optimization.interpolation import (
    KeyframeImages,
    blend,
    drift_of,
    fill_occlusions,
    match_surrounding_color,
    without_drift,
)
from nst_video.temporal.motion import Motion


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


def plain(level: float) -> KeyframeImages:
    picture = np.full((48, 64, 3), level, np.float32)
    return KeyframeImages(picture, 1 - picture)


def motion(right: float, reliability: float = 1) -> Motion:
    """Return a motion at half the size of the pictures."""
    flow = np.broadcast_to(np.float32((right, 0)), (24, 32, 2)).copy()
    return Motion(flow, np.full((24, 32), reliability, np.float32), np.ones((24, 32), np.float32))


def test_keyframes_are_blended_by_their_distance_and_reliability():
    at_quarter = blend(plain(0.2), plain(0.6), motion(1), motion(-3), 0.25)
    np.testing.assert_allclose(at_quarter.images.content, 0.3, atol=1e-6)
    np.testing.assert_allclose(at_quarter.images.painted, 0.7, atol=1e-6)
    hidden = blend(plain(0.2), plain(0.6), motion(1, 0), motion(-3, 0.5), 0.25)
    np.testing.assert_allclose(hidden.images.content, 0.6, atol=1e-6)
    np.testing.assert_allclose(hidden.reliability, 0.5)


def test_keyframes_are_moved_in_pixels_of_their_own_size():
    edge = np.zeros((48, 64, 3), np.float32)
    edge[:, 40:] = 1
    moved = KeyframeImages(edge, edge).warped(motion(4)).painted
    np.testing.assert_array_equal(moved[:, :50], np.roll(edge, -8, axis=1)[:, :50])


def test_drift_is_taken_away_evenly_where_it_is_known():
    drift = drift_of(motion(8), motion(9))
    halfway = without_drift(motion(4), drift, motion(-4), 0.5)
    np.testing.assert_allclose(halfway.flow[..., 0], 4.5, atol=1e-3)
    assert drift_of(motion(8), motion(12)).max() == 0  # too far to be drift
    assert drift_of(motion(8), motion(9, reliability=0)).max() == 0
