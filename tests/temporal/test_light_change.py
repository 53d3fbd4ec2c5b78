"""A change of all of the light is told from a cut."""

import numpy as np
import pytest

from nst_video.frames import Luma
from nst_video.temporal import Steadiness
from nst_video.temporal.light_change import match_light
from nst_video.temporal.motion import MotionEstimator

SHAPE = (96, 128)
DARK_SCENE, OTHER_SCENE = (
    np.random.default_rng(seed).random((6, 8)).repeat(16, 0).repeat(16, 1) for seed in (1, 2)
)


def film(levels: list[float], scene: np.ndarray = DARK_SCENE) -> list[Luma]:
    """Return a scene, 0..1, with its light multiplied by some levels, 0..1."""
    noise = np.random.default_rng(3).normal(0, 1, (len(levels), *SHAPE))
    frames = [255 * level * (0.3 + 0.7 * scene) for level in levels]
    return [np.clip(f + n, 0, 255).astype(np.uint8) for f, n in zip(frames, noise, strict=True)]


def cuts(frames: list[Luma]) -> list[int]:
    """Return the numbers of the frames, from 1 on, with which a new shot begins."""
    estimator = MotionEstimator()
    motions = [estimator.update(frame) for frame in frames]
    return [number for number, motion in enumerate(motions) if number and motion is None]


@pytest.mark.parametrize(
    "levels",
    [
        pytest.param([0.05, 0.15, 0.28, 0.43, 0.6, 0.8, 1.0], id="fade-in"),
        pytest.param([1.0, 0.8, 0.6, 0.43, 0.28, 0.15, 0.05, 0.0], id="fade-out"),
        pytest.param([0.5, 0.5, 0.8, 0.5, 0.5], id="flash"),
    ],
)
def test_change_of_light_is_no_cut(levels: list[float]) -> None:
    assert cuts(film(levels)) == []


def test_flat_frames_that_fade_have_no_cuts() -> None:
    assert cuts([np.full(SHAPE, level, np.uint8) for level in range(0, 240, 14)]) == []


def test_cut_to_another_light_is_one() -> None:
    frames = film([0.4, 0.4]) + film([0.7, 0.7], OTHER_SCENE)
    assert cuts(frames) == [2]


def test_tone_follows_where_the_light_changes() -> None:
    estimator = MotionEstimator()
    motions = [estimator.update(frame) for frame in film([0.3, 0.5, 0.5])]
    light = [float(motion.light.mean()) for motion in motions if motion is not None]
    assert light[0] < 0.2
    assert light[1] > 0.8


def test_matched_frame_has_the_next_ones_mean_and_contrast() -> None:
    before, now = film([0.4, 0.6])
    matched = match_light(before, now)
    assert matched is not None
    assert matched.mean() == pytest.approx(now.mean(), abs=1)
    assert matched.std() == pytest.approx(now.std(), rel=0.05)


def test_carried_brightness_does_not_lag_behind_a_fade() -> None:
    steadiness = Steadiness(1, every=6)
    steps = [steadiness.follow(frame) for frame in film([1.0, 0.8, 0.6, 0.4, 0.2, 0.2, 0.2, 0.2])]
    assert [step.paint for step in steps] == [True] * 5 + [False] * 3


def test_same_light_needs_no_match() -> None:
    assert match_light(*film([0.4, 0.4])) is None
