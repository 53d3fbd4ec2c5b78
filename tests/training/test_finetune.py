"""Fine-tuning of the style transformer on styles, without a teacher."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from training_samples import pictures, tiny

from nst_video.networks.builtin import LOSS_LAYERS
from nst_video.networks.checkpoints import collect
from nst_video.networks.fused import keras_backend
from nst_video.networks.fused.convolutions import fuse_transformer
from nst_video.training import dataset, finetune, finetune_run, style_targets
from nst_video.training.config import FinetuneConfig, FinetuneStage

STAGE = FinetuneStage(
    "all",
    steps=12,
    batch=1,
    side=64,
    learning_rate=0.02,
    weights={name: 1.0 for name in finetune.Terms._fields},
)


class TinyLossNetwork:
    """Four channels in every layer, of pictures half as large each time."""

    def __init__(self):
        self._mix = np.random.default_rng(7).standard_normal((3, 4)).astype("f")

    def channels(self, layer):
        return 4

    def __call__(self, pictures, layers):
        features = {}
        x = ops.relu(ops.matmul(pictures - 0.5, self._mix))
        for layer in LOSS_LAYERS:
            features[layer], x = x, ops.average_pool(x, 2, data_format="channels_last")
        return {layer: features[layer] for layer in layers}


@pytest.fixture(scope="module")
def network():
    return TinyLossNetwork()


@pytest.fixture(scope="module")
def styles(network, tmp_path_factory):
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("styles") / "styles.npz"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style_targets, "SIDE", 64)
        return style_targets.build_style_targets(
            path, network, lambda _: rng.standard_normal(5).astype("f"), pictures(2), 3, rng
        )


def draw(styles, seed=0):
    return finetune.draw_finetune_batch(STAGE, pictures(3), styles, np.random.default_rng(seed))


def test_the_targets_are_kept_and_read_again(network, styles, tmp_path):
    path = tmp_path / "styles.npz"
    np.savez(path, **{str(index): each for index, each in enumerate(styles.arrays())})
    again = style_targets.build_style_targets(path, network, None, (), 0, np.random.default_rng(0))
    assert len(again) == 3
    for array, other in zip(styles.arrays(), again.arrays(), strict=True):
        np.testing.assert_array_equal(array, other)


def test_a_mix_of_styles_lies_between_them(styles):
    mixed = style_targets.mix(styles, 0, 1, 0.25)
    for array, both in zip(mixed.arrays(), styles.arrays(), strict=True):
        np.testing.assert_allclose(array[0], 0.25 * both[0] + 0.75 * both[1], rtol=1e-4, atol=1e-6)


def test_a_style_image_is_nearest_to_its_own_targets(network, styles):
    picture = pictures(2)[0][None] / np.float32(255)
    features = network(picture, LOSS_LAYERS)
    positions = style_targets.draw_positions(np.random.default_rng(0))
    _, quantiles = style_targets.statistics(network, picture, features, positions)

    def distance(index):
        pairs = zip(quantiles, styles.quantiles, strict=True)
        return sum(float(np.mean((ours[0] - theirs[index]) ** 2)) for ours, theirs in pairs)

    assert distance(0) < 0.5 * distance(1)


def test_the_fused_convolutions_are_those_of_the_engines():
    student = tiny(0)
    arrays = collect(student)
    expected = fuse_transformer(student.config, arrays)
    for name, convolution in finetune.fused_convolutions(student).items():
        np.testing.assert_allclose(convolution.kernel, expected[name].kernel, atol=1e-6)
        assert convolution.strides == expected[name].strides
        assert (convolution.bias is None) == (expected[name].bias is None)


def test_change_counts_relative_to_the_contrast_painted(network, styles, monkeypatch):
    loss = finetune.FinetuneLoss(STAGE, tiny(0), network)
    batch = tuple(map(tf.constant, draw(styles)))
    paint = keras_backend.paint
    full = loss.terms(*batch)

    def faint(*args):
        return 0.5 + 0.5 * (paint(*args) - 0.5)

    monkeypatch.setattr(keras_backend, "paint", faint)
    half = finetune.FinetuneLoss(STAGE, tiny(0), network).terms(*batch)
    assert float(half.change) == pytest.approx(float(full.change), rel=0.05)


def test_a_step_down_the_gradient_lowers_the_loss(network, styles):
    student = tiny(0)
    loss = finetune.FinetuneLoss(STAGE, student, network)
    batch = tuple(map(tf.constant, draw(styles)))
    variables = student.trainable_variables
    with tf.GradientTape() as tape:
        before = loss(*batch)
    gradients, norm = tf.clip_by_global_norm(tape.gradient(before, variables), 0.02)
    for variable, gradient in zip(variables, gradients, strict=True):
        variable.assign_sub(gradient)
    assert float(norm) > 0
    assert float(loss(*batch)) < float(before)


def test_a_run_measures_styles_and_writes_the_weights(network, monkeypatch, tmp_path):
    monkeypatch.setattr(style_targets, "SIDE", 64)
    arrays = collect(tiny(0))
    model = SimpleNamespace(
        config=tiny(0).config, arrays=arrays, predictor=lambda _: np.zeros(5, np.float32)
    )
    both = dataset.Pictures(tuple(pictures(2)), tuple(pictures(1)))
    config = FinetuneConfig(stages=(), styles=3)
    path = finetune_run.finetune_transformer(model, both, both, network, tmp_path, config, len)
    saved = np.load(path)
    for name, array in arrays.items():
        np.testing.assert_allclose(saved[name], array, atol=1e-3)
    counts = [len(np.load(tmp_path / name)["0"]) for name in ("styles.npz", "held-out-styles.npz")]
    assert counts == [3, 1]
