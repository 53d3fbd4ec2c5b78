"""The loss network: its architecture, its distillation, and the packaged weights."""

import json

import keras
import numpy as np
import pytest
from keras import ops
from training_samples import on_small_pictures
from typer.testing import CliRunner

from nst_video.cli.app import app
from nst_video.errors import UsageError
from nst_video.image.files import load_picture, save_picture
from nst_video.image.resize import center_square
from nst_video.networks.builtin import LOSS_LAYERS, LOSS_TRUNK, build_loss_trunk
from nst_video.networks.vgg import LossNetwork, load_loss_network
from nst_video.optimization.losses import gram, gram_distance
from nst_video.training import config, dataset, loss_network, loss_network_layers, runs
from nst_video.training.loop import Trainer, TrainingStage
from nst_video.training.optimization_trajectories import MAX_STEPS, Trajectories
from nst_video.training.vgg import Vgg


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
    assert tuple(theirs) == LOSS_LAYERS
    for name in LOSS_LAYERS:
        assert ours[name].shape == (*theirs[name].shape[:3], theirs[name].shape[3] // 2)
        assert float(ops.min(ours[name])) == 0


def test_without_its_auxiliary_layers_the_student_gives_the_same_distances(vgg):
    student = loss_network.build_student(vgg)
    network = LossNetwork("builtin", loss_network.without_auxiliary(student))
    pair = np.random.default_rng(0).random((2, 2, 32, 32, 3), np.float32)
    for name in LOSS_LAYERS:
        one, other = (np.asarray(student(pictures)[name]) for pictures in pair)
        narrow_one, narrow_other = (
            np.asarray(network(pictures, LOSS_LAYERS)[name]) for pictures in pair
        )
        share = narrow_one.shape[-1] / one.shape[-1]
        mean = np.mean((one - other) ** 2)
        assert np.mean((narrow_one - narrow_other) ** 2) == pytest.approx(mean, rel=1e-3)
        style = np.sum(np.square(gram(one) - gram(other)))
        narrow_style = np.sum(np.square(gram(narrow_one) - gram(narrow_other)))
        assert narrow_style == pytest.approx(style * share**2, rel=1e-3)


def test_selected_channels_predict_the_others():
    rng = np.random.default_rng(0)
    sources = rng.standard_normal((1000, 3)) * (3, 2, 1)
    mixed = sources @ rng.standard_normal((3, 2)) * 0.3
    features = np.concatenate([mixed[:, :1], sources, mixed[:, 1:]], axis=1)
    assert set(loss_network_layers.select_channels(features, 5)[:3]) <= set(range(5))
    chosen = loss_network_layers.select_channels(features, 3)
    rest = features - features[:, chosen] @ np.linalg.lstsq(features[:, chosen], features)[0]
    assert np.abs(rest).max() < 1e-6


def test_layerwise_training_also_lowers_the_error_of_the_whole_network(vgg_path, vgg, tmp_path):
    keras.utils.set_random_seed(0)
    student, average = loss_network.build_student(vgg), loss_network.build_student(vgg)
    examples = loss_network.draw_degraded(pictures(3), 4, 32, np.random.default_rng(0))
    loss = loss_network_layers.channels_loss(student, Vgg(vgg_path, LOSS_TRUNK), examples, 1.0)
    evaluate = loss_network.feature_evaluation(examples, vgg)
    before, before_whole = float(loss(examples)), evaluate(student)
    Trainer(student, average, tmp_path, 0).run(
        TrainingStage("loss", 18, 8e-3, lambda _: (examples,), loss, evaluate), lambda _: None
    )
    assert float(loss(examples)) < 0.5 * before
    assert all(evaluate(student)[name] < before_whole[name] for name in LOSS_LAYERS)


def test_degraded_pictures_are_reproducible_and_often_changed():
    flat = [np.full((96, 96, 3), level, np.uint8) for level in (60, 200)]
    drawn = [loss_network.draw_degraded(flat, 40, 32, np.random.default_rng(0)) for _ in range(2)]
    assert np.array_equal(*drawn)
    assert drawn[0].min() >= 0
    assert drawn[0].max() <= 1
    rough = (drawn[0].std(axis=(1, 2)).max(axis=-1) > 1e-3).mean()
    assert 0.3 < rough < 0.7


def test_the_loss_of_vgg_itself_is_zero(vgg):
    examples = dataset.content_batch(pictures(3), 2, 32, np.random.default_rng(0))
    same = loss_network.feature_loss(vgg, vgg, examples, 1.0)
    assert float(same(examples)) == 0
    keras.utils.set_random_seed(0)
    assert (
        float(
            loss_network.feature_loss(loss_network.build_student(vgg), vgg, examples, 1.0)(examples)
        )
        > 0.5
    )


def test_training_lowers_the_loss(vgg, tmp_path):
    keras.utils.set_random_seed(0)
    student, average = loss_network.build_student(vgg), loss_network.build_student(vgg)
    examples = loss_network.draw_degraded(pictures(3), 4, 32, np.random.default_rng(0))
    loss = loss_network.feature_loss(student, vgg, examples, 0.5)
    before = float(loss(examples))
    evaluate = loss_network.feature_evaluation(examples, vgg)
    training_stage = TrainingStage("loss", 30, 6e-3, lambda _: (examples,), loss, evaluate)
    entries = []
    Trainer(student, average, tmp_path, 0).run(training_stage, entries.append)
    assert float(loss(examples)) < 0.8 * before
    assert set(LOSS_LAYERS) < set(entries[-1])


def test_trajectories_approach_their_styles(vgg):
    keras.utils.set_random_seed(0)
    student = loss_network.build_student(vgg)
    trajectories = Trajectories(student, pictures(4), 2, 32)
    rng = np.random.default_rng(0)
    trajectories.step(rng)
    first, targets = trajectories.pictures.copy(), student(trajectories.styles.copy())
    for _ in range(MAX_STEPS // 2 - 1):
        trajectories.step(rng)
    before, after = (
        float(gram_distance(student(x), targets)[1]) for x in (first, trajectories.pictures)
    )
    assert after < 0.7 * before
    style = trajectories.styles.copy()
    trajectories.step(rng)
    assert not np.array_equal(trajectories.styles[0], style[0])  # the first one was replaced early
    assert np.array_equal(trajectories.styles[1], style[1])


def test_a_batch_has_pictures_of_trajectories_new_ones_and_a_style(vgg):
    student, stage = loss_network.build_student(vgg), config.BUILTIN.loss_stages[-1]
    trajectories = Trajectories(student, pictures(4), stage.trajectories, stage.side)
    (batch,) = loss_network.batch_drawer(stage, pictures(4), trajectories)(np.random.default_rng(0))
    assert batch.shape == (stage.batch, stage.side, stage.side, 3)
    assert all(any(np.array_equal(x, own) for own in trajectories.pictures) for x in batch[:3])
    assert any(np.array_equal(batch[-1], style) for style in trajectories.styles)


def test_training_the_loss_network_needs_vgg(tmp_path):
    run = runs.TrainingRun(None, None, None, tmp_path)
    with pytest.raises(UsageError, match="--vgg"):
        runs.train_loss_network(run, config.BUILTIN, print)


def test_train_makes_a_loss_network(tmp_path, assets, vgg_path, monkeypatch):
    monkeypatch.setattr(config, "BUILTIN", on_small_pictures(config.BUILTIN))
    monkeypatch.setattr(runs, "SCALE_SAMPLES", 4)
    for index, picture in enumerate(pictures(20)):
        save_picture(tmp_path / "pictures" / f"{index}.png", picture)
    folder, out = str(tmp_path / "pictures"), tmp_path / "run"
    arguments = ["train", str(out), "--photos", folder, "--artworks", folder, "--part", "loss"]
    arguments += ["--vgg", str(vgg_path), "--models-dir", str(assets / "models"), "--offline"]
    made = CliRunner().invoke(app, [*arguments, "--shorten", "10000"], catch_exceptions=False)
    assert made.stdout.split() == [str(out / "loss.npz")]
    steps = [json.loads(line)["stage"] for line in (out / "log.jsonl").read_text().splitlines()]
    assert steps == ["loss-layers", "loss-trajectories"]
    network = load_loss_network("builtin", out / "loss.npz")
    assert network.layers == LOSS_TRUNK
    assert set(network(np.zeros((1, 16, 16, 3), np.float32), LOSS_LAYERS)) == set(LOSS_LAYERS)


def test_distances_of_the_packaged_network_are_close_to_those_of_vgg(assets, vgg):
    network = load_loss_network("builtin")
    assert not network.is_random
    painting = load_picture(assets / "paintings" / "great-wave.jpg")
    photo = load_picture(assets / "photos" / "tubingen.jpg")
    pair = np.stack([dataset.to_unit(center_square(each, 128)) for each in (painting, photo)])
    theirs, ours = vgg(pair), network(pair, LOSS_LAYERS)
    for name in LOSS_LAYERS:
        true, guess = (distances_within(np.asarray(seen[name])) for seen in (theirs, ours))
        assert np.corrcoef(true, guess)[0, 1] > 0.9
        assert guess.mean() / true.mean() == pytest.approx(1, abs=0.25)
    true, guess = (
        gram_distance(
            *(
                {name: seen[name][which] for name in LOSS_LAYERS}
                for which in (slice(1), slice(1, 2))
            )
        )
        for seen in (theirs, ours)
    )
    assert float(guess[0]) == pytest.approx(float(true[0]), rel=0.1)


def distances_within(features):
    """Return mean squared distances (4096,) between the features at random pairs of positions."""
    flat = features.reshape(-1, features.shape[-1])
    pairs = np.random.default_rng(0).integers(len(flat), size=(2, 4096))
    return np.mean((flat[pairs[0]] - flat[pairs[1]]) ** 2, axis=-1)
