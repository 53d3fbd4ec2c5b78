"""Descent on style parameters, with a network and pictures small enough for a moment."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_network import CONFIG, random_arrays

from nst_video.errors import UsageError
from nst_video.image import dead_leaves
from nst_video.image.files import save_picture
from nst_video.networks.models import StyleModel
from nst_video.networks.vgg import LossNetwork
from nst_video.optimization import refine_loss, style_refinement
from nst_video.optimization.refine_loss import RefineLoss
from nst_video.optimization.refine_session import StyleRefinement
from nst_video.optimization.refine_settings import RefineSettings
from nst_video.optimization.refine_state import RefineState
from nst_video.optimization.style_refinement import (
    StyleToRefine,
    content_pictures,
    cut_squares,
    refine,
)
from nst_video.style_library.library import StyleLibrary

SETTINGS = RefineSettings(minutes=60, steps=8)


class Predictor:
    key = "tiny-1a2b"

    def __call__(self, picture):
        return picture.mean((0, 1), dtype=np.float32) / 255


MODEL = StyleModel("tiny", CONFIG, random_arrays(CONFIG, 0), Predictor(), "tiny-3c4d")


@pytest.fixture(scope="module", autouse=True)
def _small_pictures():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style_refinement, "SIDE", 32)
        patch.setattr(style_refinement, "PHOTO_SIDE", 40)
        patch.setattr(style_refinement, "PHOTO_COUNT", 4)
        patch.setattr(style_refinement, "HELD_OUT_COUNT", 2)
        patch.setattr(style_refinement, "LEARNING_RATE", 0.2)
        patch.setattr(refine_loss, "STYLE_SIDE", 48)
        patch.setattr(style_refinement, "RefineLoss", shared_loss)
        yield


_LOSSES: dict[tuple[object, ...], RefineLoss] = {}


def shared_loss(model, network, pictures, start, settings):
    """Return the loss of earlier refinements of the same style: making its graphs takes seconds.

    Nothing that is calculated with a loss changes it.
    """
    sizes = tuple(picture.shape for picture in pictures)
    key = (network, *sizes, *map(bytes, pictures), bytes(start), settings.bold)
    if key not in _LOSSES:
        _LOSSES[key] = RefineLoss(model, network, pictures, start, settings)
    return _LOSSES[key]


@pytest.fixture(scope="module")
def network():
    return LossNetwork.random("builtin")


@pytest.fixture(scope="module")
def painting():
    """Bold stripes: nothing like what the random network paints."""
    stripes = np.zeros((48, 64, 3), np.uint8)
    stripes[::8], stripes[1::8], stripes[4::8] = (250, 200, 20), (250, 200, 20), (20, 30, 160)
    return stripes


def start(painting):
    return MODEL.style_parameters(MODEL.predictor(painting)[None])[0]


def to_refine(painting):
    return StyleToRefine([painting], start(painting))


def run(painting, network, settings=SETTINGS, **options):
    return list(refine(MODEL, to_refine(painting), network, settings, **options))


@pytest.fixture(scope="module")
def steps(painting, network):
    """A whole run."""
    return run(painting, network)


def test_refinement_lowers_the_loss_of_pictures_that_it_has_not_seen(steps, painting):
    last = steps[-1]
    before, after = last.state.measures
    assert after < 0.99 * before
    assert last.state.is_better
    assert last.done == 1
    assert [step.state.step for step in steps] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert not np.array_equal(last.state.best, start(painting))


def test_previews_show_the_scene_painted(steps):
    shown = [step.preview for step in steps if step.preview is not None]
    assert len(shown) == style_refinement.MEASUREMENTS
    assert {picture.shape for picture in shown} == {(32, 32, 3)}


def test_refinement_repeats_itself_for_a_number_of_steps(steps, painting, network):
    again = next(refine(MODEL, to_refine(painting), network, SETTINGS))
    assert np.allclose(again.state.parameters, steps[0].state.parameters, atol=1e-4)


def test_refinement_goes_on_from_a_state(steps, painting, network):
    kept = RefineState.from_arrays(steps[3].state.to_arrays())
    rest = run(painting, network, state=kept)
    assert [step.state.step for step in rest] == [5, 6, 7, 8]
    assert rest[0].state.measures[0] == kept.measures[0]


def test_time_ends_a_refinement_and_one_step_is_always_done(painting, network):
    times = iter(np.arange(0, 1e6, 5.0))
    steps = run(painting, network, RefineSettings(minutes=1), clock=lambda: next(times))
    assert steps[-1].done == 1
    assert 1 < len(steps) < 8
    assert [round(step.remaining_s) for step in steps] == sorted(
        (round(step.remaining_s) for step in steps), reverse=True
    )
    late = iter(np.arange(0, 1e9, 1e4))
    assert len(run(painting, network, RefineSettings(minutes=1), clock=lambda: next(late))) == 1


def test_a_bold_refinement_has_more_of_the_style(steps, painting, network):
    shy = run(painting, network, replace(SETTINGS, bold=0.0))[-1].state.parameters
    bold = steps[-1].state.parameters
    loss = shared_loss(MODEL, network, [painting], start(painting), SETTINGS)
    photos = loss.encode(content_pictures(2, first=50), np.random.default_rng(0))
    shy_losses, bold_losses = (loss.measure(each, photos)[1] for each in (shy, bold))
    assert bold_losses["style"] < shy_losses["style"]
    assert bold_losses["content"] > shy_losses["content"]


def test_several_pictures_of_a_style_count_alike(painting, network, monkeypatch):
    monkeypatch.setattr(refine_loss, "compiled", lambda function: function)  # faster for one step
    other = painting[:, :, ::-1].copy()
    photos = content_pictures(1)
    rng = np.random.default_rng(0)
    losses = []
    for pictures in ([painting], [other], [painting, other]):
        loss = RefineLoss(MODEL, network, pictures, start(painting), SETTINGS)
        losses.append(loss.measure(start(painting), loss.encode(photos, rng))[1]["style"])
    assert losses[2] < max(losses[:2])


@pytest.mark.parametrize(
    "picture",
    [
        np.full((40, 40, 3), 90, np.uint8),
        np.zeros((20, 20, 3), np.uint8),
        np.random.default_rng(0).integers(0, 256, (12, 600, 3), np.uint8),
    ],
    ids=["one color", "black", "scroll"],
)
def test_odd_pictures_give_finite_numbers(picture, network, monkeypatch):
    monkeypatch.setattr(refine_loss, "compiled", lambda function: function)  # faster for one step
    (step,) = run(picture, network, RefineSettings(minutes=60, steps=1))
    state = step.state
    assert not np.array_equal(state.parameters, start(picture))
    assert np.isfinite(state.parameters).all()
    assert np.isfinite(state.measures).all()


def test_photos_of_any_size_give_squares():
    photos = [np.zeros((300, 50, 3), np.uint8), np.zeros((8, 9, 3), np.uint8)]
    squares = cut_squares(photos, 5, np.random.default_rng(0))
    assert [square.shape for square in squares] == [(32, 32, 3)] * 5
    with pytest.raises(UsageError, match="no photo"):
        cut_squares([], 5, np.random.default_rng(0))


def test_dead_leaves_differ_by_seed_and_repeat():
    first, again, other = (dead_leaves.draw((48, 32), seed) for seed in (1, 1, 2))
    assert first.shape == (32, 48, 3)
    assert np.array_equal(first, again)
    assert np.abs(first.astype(int) - other).mean() > 10
    assert first.std() > 10


@pytest.fixture
def library(tmp_path, painting):
    save_picture(tmp_path / "packaged" / "stripes.png", painting)
    return StyleLibrary(tmp_path / "packaged")


def open_refinement(library, network, settings=SETTINGS):
    return StyleRefinement(MODEL, library.get("stripes"), library, network, settings)


def test_a_finished_refinement_is_kept_with_the_style(library, network):
    refinement = open_refinement(library, network)
    with pytest.raises(UsageError, match="not been refined"):
        refinement.result()
    last = list(refinement.steps())[-1]
    found = refinement.result()
    assert found.is_kept
    assert found.after < found.before
    kept = library.refined(found.style, MODEL.transformer_key)
    assert np.array_equal(kept, last.state.best)
    assert not refinement.preview_path.with_suffix(".npz").exists()


def test_an_interrupted_refinement_keeps_the_best_and_goes_on(library, network):
    longer = RefineSettings(minutes=60, steps=12)
    first = open_refinement(library, network, longer)
    for step in first.steps():
        if step.state.step == 10:
            break
    kept = library.refined(first.style, MODEL.transformer_key)
    assert np.array_equal(kept, first.state.best)
    second = open_refinement(library, network, longer)
    assert next(second.steps()).state.step == 11
    assert open_refinement(library, network, replace(longer, bold=0.9)).preview_path != (
        second.preview_path
    )
    second.preview_path.with_suffix(".npz").write_bytes(b"PK")
    assert next(open_refinement(library, network, longer).steps()).state.step == 1


def test_the_best_is_kept_while_it_runs(library, network):
    refinement = open_refinement(library, network)
    for step in refinement.steps():
        kept = library.refined(refinement.style, MODEL.transformer_key)
        if step.preview is not None and step.state.is_better:
            assert np.array_equal(kept, step.state.best)
            break
    else:
        pytest.fail("it was never better")


def test_a_style_refined_again_is_never_worse(library, network, monkeypatch):
    first = open_refinement(library, network)
    list(first.steps())
    second = open_refinement(library, network)
    list(second.steps())
    assert second.result().before == pytest.approx(first.result().after, rel=1e-3)
    kept = library.refined(first.style, MODEL.transformer_key)
    monkeypatch.setattr(style_refinement, "LEARNING_RATE", 50.0)
    worse = open_refinement(library, network)
    list(worse.steps())
    assert not worse.result().is_kept
    assert np.array_equal(library.refined(first.style, MODEL.transformer_key), kept)


def test_other_photos_are_another_refinement(library, network, painting):
    style = library.get("stripes")
    on = [
        StyleRefinement(MODEL, style, library, network, photos=photos).preview_path
        for photos in (None, [painting], [painting[::-1].copy()], [painting])
    ]
    assert len({on[0], on[1], on[2]}) == 3
    assert on[1] == on[3]


def test_a_refinement_that_is_no_better_is_not_kept(library, network, monkeypatch):
    monkeypatch.setattr(style_refinement, "LEARNING_RATE", 50.0)
    refinement = open_refinement(library, network)
    list(refinement.steps())
    assert not refinement.result().is_kept
    assert library.refined(refinement.style, MODEL.transformer_key) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"minutes": 0}, "The minutes must be a number of minutes above 0"),
        ({"bold": 1.5}, "The boldness must be"),
        ({"steps": 0}, "The number of steps"),
    ],
)
def test_settings_out_of_range_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        RefineSettings(**options)
