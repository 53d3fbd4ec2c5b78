"""Transitions between styles, and averages within a scene."""

import numpy as np
import pytest

from nst_video.image.easing import EasedVector, SceneAverage
from nst_video.settings import ModelOptions, StylizeSettings
from nst_video.stylizer import Stylizer

A, B = np.zeros(3, np.float32), np.full(3, 8, np.float32)


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_eased_vector_jumps_to_its_first_target() -> None:
    assert np.array_equal(EasedVector(1, Clock()).toward(B), B)


def test_eased_vector_eases_from_one_target_to_the_next() -> None:
    clock = Clock()
    vector = EasedVector(2, clock)
    vector.toward(A)
    positions = []
    for clock.now_s in np.linspace(1, 3, 21):
        positions.append(float(vector.toward(B)[0]))
    assert positions[0] == 0
    assert positions[10] == pytest.approx(4)
    assert positions[-1] == 8
    steps = np.diff(positions)
    assert (steps > 0).all()
    assert steps[0] < steps[9] > steps[-1]
    assert not vector.is_moving


def test_eased_vector_turns_around_where_it_is() -> None:
    clock = Clock()
    vector = EasedVector(2, clock)
    vector.toward(A)
    vector.toward(B)
    clock.now_s = 1
    midway = vector.toward(B)
    assert np.array_equal(vector.toward(A), midway)
    assert vector.is_moving
    clock.now_s = 3
    assert np.array_equal(vector.toward(A), A)


def test_eased_vector_without_duration_jumps() -> None:
    vector = EasedVector(0, Clock())
    vector.toward(A)
    assert np.array_equal(vector.toward(B), B)
    assert not vector.is_moving


def test_stylizer_fades_between_the_bottlenecks_of_two_styles() -> None:
    clock = Clock()
    alone, options = StylizeSettings(steady=0), ModelOptions("builtin")
    stylizer = Stylizer("wave", alone, options, fade_s=1, clock=clock)
    frame = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    wave = stylizer(frame)
    stylizer.set_style("comic")
    assert np.array_equal(stylizer(frame), wave)  # begins where it was
    assert stylizer.is_fading
    clock.now_s = 0.5
    between = stylizer(frame)
    clock.now_s = 1
    comic = stylizer(frame)
    assert not stylizer.is_fading
    assert np.array_equal(comic, Stylizer("comic", alone, options)(frame))
    mixed = Stylizer(["wave", "comic"], alone, options, mix=[0.5, 0.5])(frame)
    assert np.abs(between.astype(int) - mixed).max() <= 1


def test_stylizer_knows_what_it_has_loaded() -> None:
    stylizer = Stylizer(options=ModelOptions("builtin", "identity"))
    style = stylizer.library.get("neon")
    assert not stylizer.has_loaded(style)
    stylizer.load_style(style)
    assert stylizer.has_loaded(style)
    stylizer.forget_styles()
    assert not stylizer.has_loaded(style)


def test_stylizer_describes_itself_without_loading_anything() -> None:
    stylizer = Stylizer(options=ModelOptions("builtin", "identity"))
    assert stylizer.describe() == "builtin"
    stylizer.prepare()
    assert stylizer.describe() == "builtin, identity on none"


def test_scene_average_follows_slowly_and_begins_again_at_a_jump_or_on_reset() -> None:
    average = SceneAverage(rate=0.25, jump=0.5)
    assert np.array_equal(average.update(B), B)
    np.testing.assert_allclose(average.update(B + 1), B + 0.25)
    assert np.array_equal(average.update(10 * B), 10 * B)
    average.reset()
    assert np.array_equal(average.update(9 * B), 9 * B)
