"""Losses against values computed by hand, and their gradients against finite differences."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from nst_video.optimization import losses


def noise(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


def test_gram_is_the_mean_outer_product_over_positions():
    features = noise(2, 3, 5, 4)
    expected = np.einsum("nhwc,nhwd->ncd", features, features) / 15
    assert np.allclose(losses.gram(features), expected, rtol=1e-5)


def test_gram_with_weights_counts_positions_by_them():
    features = noise(1, 2, 2, 3)
    weights = np.array([[[0.75, 0], [0, 0.25]]], np.float32)
    a, b = features[0, 0, 0], features[0, 1, 1]
    expected = 0.75 * np.outer(a, a) + 0.25 * np.outer(b, b)
    assert np.allclose(losses.gram(features, weights)[0], expected, rtol=1e-5)
    even = np.full((1, 2, 2), 0.25, np.float32)
    assert np.allclose(losses.gram(features, even), losses.gram(features), rtol=1e-5)


def test_content_loss_is_half_the_sum_of_squares():
    features = np.array([[[[1.0, 2.0], [3.0, 4.0]]]], np.float32)
    assert float(losses.content_loss(features, np.zeros_like(features))) == 15


def test_style_loss_is_the_squared_error_of_gram_matrices_over_four_n_squared():
    ours = np.array([[[1.0, 2.0], [2.0, 5.0]]], np.float32)
    style = np.array([[[0.0, 0.0], [0.0, 1.0]]], np.float32)
    assert float(losses.style_loss(ours, style)) == pytest.approx((1 + 4 + 4 + 16) / 16)


def test_relative_error_does_not_depend_on_the_scale_of_features():
    ours, target = noise(1, 4, 4, 3), noise(1, 4, 4, 3, seed=1)
    error = float(losses.relative_error(ours, target))
    assert float(losses.relative_error(7 * ours, 7 * target)) == pytest.approx(error, rel=1e-4)
    assert float(losses.relative_error(np.zeros_like(target), target)) == pytest.approx(1)


def test_gram_distance_averages_over_layers():
    one, other = ({"a": noise(2, 4, 4, 3, seed=s), "b": noise(2, 2, 2, 5, seed=s)} for s in (1, 2))
    each = [
        float(losses.relative_error(losses.gram(one[k][:1]), losses.gram(other[k][:1])))
        for k in one
    ]
    distance = losses.gram_distance(one, other)
    assert distance.shape == (2,)
    assert float(distance[0]) == pytest.approx(np.mean(each), rel=1e-4)


def test_total_variation_is_the_mean_squared_difference_of_neighbors():
    picture = np.zeros((1, 2, 3, 1), np.float32)
    picture[0, :, :, 0] = [[0, 1, 1], [0, 0, 1]]
    assert float(losses.total_variation(picture)) == pytest.approx(1 / 3 + 2 / 4)


def test_temporal_loss_counts_only_what_is_reliable():
    picture, warped = np.zeros((1, 2, 2, 3), np.float32), np.zeros((1, 2, 2, 3), np.float32)
    warped[0, 0, 0] = 0.5
    warped[0, 1, 1] = 1.0
    reliability = np.array([[[0.5, 1], [1, 0]]], np.float32)
    assert float(losses.temporal_loss(picture, warped, reliability)) == pytest.approx(0.125 / 4)
    assert float(losses.temporal_loss(warped, warped, reliability)) == 0


FEATURES = noise(1, 6, 5, 4, seed=3)
TARGET = noise(1, 6, 5, 4, seed=4)
GRAM = np.asarray(losses.gram(TARGET))
LOSSES = {
    "content": lambda x: losses.content_loss(x, TARGET),
    "style": lambda x: losses.style_loss(losses.gram(x), GRAM),
    "guided style": lambda x: losses.style_loss(losses.gram(x, FEATURES[..., 0] / 15), GRAM),
    "relative style": lambda x: losses.relative_error(losses.gram(x), GRAM),
    "total variation": losses.total_variation,
    "temporal": lambda x: losses.temporal_loss(x, TARGET, FEATURES[..., 0]),
}


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_agree_with_finite_differences(name):
    loss = LOSSES[name]
    x = tf.constant(noise(1, 6, 5, 4, seed=5), tf.float64)
    direction = tf.constant(np.random.default_rng(6).standard_normal(x.shape))
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = loss(ops.cast(x, "float32"))
    slope = float(tf.reduce_sum(tape.gradient(value, x) * direction))
    step = 1e-2
    ahead, behind = (
        float(loss(tf.cast(x + sign * step * direction, tf.float32))) for sign in (1, -1)
    )
    assert slope == pytest.approx((ahead - behind) / (2 * step), rel=2e-2, abs=1e-4)
