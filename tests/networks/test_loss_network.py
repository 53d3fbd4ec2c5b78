"""The loss network: its shape, its lessons, and what the packaged one sees."""

import json

import keras
import numpy as np
import pytest
from keras import ops
from typer.testing import CliRunner

from nst_video.cli.app import app
from nst_video.errors import UsageError
from nst_video.image.files import load_picture, save_picture
from nst_video.image.resize import center_square
from nst_video.networks.builtin import LOSS_LAYERS, LOSS_TRUNK, build_loss_trunk
from nst_video.networks.vgg import LossNetwork, load_loss_network
from nst_video.optimization.losses import gram, gram_distance
from nst_video.training import dataset, layerwise, loss_network, recipe, runs
from nst_video.training.loop import Task, Trainer
from nst_video.training.optimization_trajectories import LIFE, Trajectories
from nst_video.training.vgg import TAPS, Vgg


def pictures(count, seed=0, side=96):
    rng = np.random.default_rng(seed)
    return [dataset.procedural(side, rng) for _ in range(count)]


@pytest.fixture
def vgg_path(assets):
    return assets / "models" / "vgg19" / "vgg19_normalised_conv1_1-conv4_1.npz"


@pytest.fixture
def vgg(vgg_path):
    return Vgg(vgg_path)


def test_layers_are_vggs_half_as_wide(vgg):
    picture = np.random.default_rng(0).random((2, 64, 48, 3), np.float32)
    ours, theirs = build_loss_trunk()(picture), vgg(picture)
    assert tuple(ours) == LOSS_TRUNK
    assert LOSS_LAYERS == TAPS == tuple(theirs)
    for name in TAPS:
        assert ours[name].shape == (*theirs[name].shape[:3], theirs[name].shape[3] // 2)
        assert float(ops.min(ours[name])) == 0


def test_without_its_auxiliary_layers_a_pupil_measures_as_with_them(vgg):
    student = loss_network.build_pupil(vgg)
    network = LossNetwork("builtin", loss_network.without_auxiliary(student))
    pair = np.random.default_rng(0).random((2, 2, 32, 32, 3), np.float32)
    for name in TAPS:
        one, other = (np.asarray(student(pictures)[name]) for pictures in pair)
        narrow_one, narrow_other = (np.asarray(network(pictures, TAPS)[name]) for pictures in pair)
        share = narrow_one.shape[-1] / one.shape[-1]
        mean = np.mean((one - other) ** 2)
        assert np.mean((narrow_one - narrow_other) ** 2) == pytest.approx(mean, rel=1e-3)
        style = np.sum(np.square(gram(one) - gram(other)))
        narrow_style = np.sum(np.square(gram(narrow_one) - gram(narrow_other)))
        assert narrow_style == pytest.approx(style * share**2, rel=1e-3)


def test_telling_channels_explain_the_others():
    rng = np.random.default_rng(0)
    sources = rng.standard_normal((1000, 3)) * (3, 2, 1)
    mixed = sources @ rng.standard_normal((3, 2)) * 0.3
    features = np.concatenate([mixed[:, :1], sources, mixed[:, 1:]], axis=1)
    assert set(layerwise.telling_channels(features, 5)[:3]) <= set(range(5))
    chosen = layerwise.telling_channels(features, 3)
    rest = features - features[:, chosen] @ np.linalg.lstsq(features[:, chosen], features)[0]
    assert np.abs(rest).max() < 1e-6


def test_learning_layer_by_layer_also_brings_the_whole_pupil_nearer(vgg_path, vgg, tmp_path):
    keras.utils.set_random_seed(0)
    student, average = loss_network.build_pupil(vgg), loss_network.build_pupil(vgg)
    shown = loss_network.draw_visited(pictures(3), 4, 32, np.random.default_rng(0))
    loss = layerwise.channels_loss(student, Vgg(vgg_path, LOSS_TRUNK), shown, 1.0)
    judge = loss_network.likeness_judge(shown, vgg)
    before, before_whole = float(loss(shown)), judge(student)
    Trainer(student, average, tmp_path, 0).run(
        Task("loss", 80, 3e-3, lambda _: (shown,), loss, judge), lambda _: None
    )
    assert float(loss(shown)) < 0.5 * before
    assert all(judge(student)[name] < before_whole[name] for name in TAPS)


def test_visited_pictures_are_drawn_alike_and_often_changed():
    flat = [np.full((96, 96, 3), level, np.uint8) for level in (60, 200)]
    drawn = [loss_network.draw_visited(flat, 40, 32, np.random.default_rng(0)) for _ in range(2)]
    assert np.array_equal(*drawn)
    assert drawn[0].min() >= 0
    assert drawn[0].max() <= 1
    rough = (drawn[0].std(axis=(1, 2)).max(axis=-1) > 1e-3).mean()
    assert 0.3 < rough < 0.7


def test_the_loss_is_nothing_for_what_vgg_sees_itself(vgg):
    shown = dataset.content_batch(pictures(3), 2, 32, np.random.default_rng(0))
    same = loss_network.perception_loss(vgg, vgg, shown, 1.0)
    assert float(same(shown)) == 0
    keras.utils.set_random_seed(0)
    assert (
        float(loss_network.perception_loss(loss_network.build_pupil(vgg), vgg, shown, 1.0)(shown))
        > 0.5
    )


def test_lessons_bring_the_pupil_nearer_to_vgg(vgg, tmp_path):
    keras.utils.set_random_seed(0)
    student, average = loss_network.build_pupil(vgg), loss_network.build_pupil(vgg)
    shown = loss_network.draw_visited(pictures(3), 4, 32, np.random.default_rng(0))
    loss = loss_network.perception_loss(student, vgg, shown, 0.5)
    before = float(loss(shown))
    judge = loss_network.likeness_judge(shown, vgg)
    task = Task("loss", 80, 3e-3, lambda _: (shown,), loss, judge)
    entries = []
    Trainer(student, average, tmp_path, 0).run(task, entries.append)
    assert float(loss(shown)) < 0.8 * before
    assert set(TAPS) < set(entries[-1])


def test_a_stroll_leads_pictures_to_their_styles(vgg):
    keras.utils.set_random_seed(0)
    student = loss_network.build_pupil(vgg)
    stroll = Trajectories(student, pictures(4), 2, 32)
    rng = np.random.default_rng(0)
    stroll.step(rng)
    begun, aims = stroll.pictures.copy(), student(stroll.styles.copy())
    for _ in range(LIFE // 2 - 1):
        stroll.step(rng)
    before, after = (float(gram_distance(student(x), aims)[1]) for x in (begun, stroll.pictures))
    assert after < 0.7 * before
    style = stroll.styles.copy()
    stroll.step(rng)
    assert not np.array_equal(stroll.styles[0], style[0])  # the first life is a short one
    assert np.array_equal(stroll.styles[1], style[1])


def test_a_strolling_batch_has_pictures_on_their_way_fresh_ones_and_a_style(vgg):
    student, stage = loss_network.build_pupil(vgg), recipe.BUILTIN.lessons[-1]
    stroll = Trajectories(student, pictures(4), stage.strolling, stage.side)
    (batch,) = loss_network.draw_lesson(stage, pictures(4), stroll)(np.random.default_rng(0))
    assert batch.shape == (stage.batch, stage.side, stage.side, 3)
    assert all(any(np.array_equal(x, own) for own in stroll.pictures) for x in batch[:3])
    assert any(np.array_equal(batch[-1], style) for style in stroll.styles)


def test_there_is_nothing_to_learn_without_vgg(tmp_path):
    course = runs.TrainingRun(None, None, None, tmp_path)
    with pytest.raises(UsageError, match="--vgg"):
        runs.teach_loss(course, recipe.BUILTIN, print)


def test_train_makes_a_loss_network(tmp_path, assets, vgg_path):
    for index, picture in enumerate(pictures(20)):
        save_picture(tmp_path / "pictures" / f"{index}.png", picture)
    folder, out = str(tmp_path / "pictures"), tmp_path / "run"
    arguments = ["train", str(out), "--photos", folder, "--artworks", folder, "--part", "loss"]
    arguments += ["--vgg", str(vgg_path), "--models-dir", str(assets / "models"), "--offline"]
    made = CliRunner().invoke(app, [*arguments, "--shorten", "2000"], catch_exceptions=False)
    assert made.stdout.split() == [str(out / "loss.npz")]
    steps = [json.loads(line)["task"] for line in (out / "log.jsonl").read_text().splitlines()]
    assert steps == ["loss-layers", "loss-stroll", "loss-larger"]
    network = load_loss_network("builtin", out / "loss.npz")
    assert network.layers == LOSS_TRUNK
    assert set(network(np.zeros((1, 16, 16, 3), np.float32), TAPS)) == set(TAPS)


def test_the_packaged_network_sees_held_out_pictures_nearly_as_vgg_does(assets, vgg):
    network = load_loss_network("builtin")
    assert not network.is_random
    painting = load_picture(assets / "paintings" / "great-wave.jpg")
    photo = load_picture(assets / "photos" / "tubingen.jpg")
    pair = np.stack([dataset.to_unit(center_square(each, 128)) for each in (painting, photo)])
    theirs, ours = vgg(pair), network(pair, TAPS)
    for name in TAPS:
        true, guess = (distances_within(np.asarray(seen[name])) for seen in (theirs, ours))
        assert np.corrcoef(true, guess)[0, 1] > 0.9
        assert guess.mean() / true.mean() == pytest.approx(1, abs=0.25)
    true, guess = (
        gram_distance(
            *({name: seen[name][which] for name in TAPS} for which in (slice(1), slice(1, 2)))
        )
        for seen in (theirs, ours)
    )
    assert float(guess[0]) == pytest.approx(float(true[0]), rel=0.1)


def distances_within(features):
    """Return mean squared distances (4096,) between the features at random pairs of positions."""
    flat = features.reshape(-1, features.shape[-1])
    pairs = np.random.default_rng(0).integers(len(flat), size=(2, 4096))
    return np.mean((flat[pairs[0]] - flat[pairs[1]]) ** 2, axis=-1)
