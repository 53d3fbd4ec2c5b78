"""Distillation of the loss network from VGG-19: student, training pictures and losses.

Gatys' method evaluates the loss network on unfinished paintings, which are not photos. So it is
also trained on blends of pictures, on noise and on exaggerated edges.
"""

from collections.abc import Callable, Sequence
from functools import partial

import cv2
import keras
import numpy as np
from keras import layers, ops

from nst_video.frames import Floats, Frame
from nst_video.networks.builtin import LOSS_LAYERS, VIEW, build_loss_trunk
from nst_video.networks.checkpoints import Arrays, collect
from nst_video.networks.config import LAYOUT
from nst_video.networks.transformer import Tensor, float32_model
from nst_video.optimization.losses import gram
from nst_video.training.config import LossStage
from nst_video.training.dataset import content_batch, pick, random_crop, to_unit
from nst_video.training.loop import Batch, Evaluate, Loss
from nst_video.training.loss_network_layers import AUXILIARY, channel_scales, square_kernel
from nst_video.training.optimization_trajectories import Trajectories
from nst_video.training.vgg import Vgg

VARIANCE_FLOOR = 1.0
"""See `channel_scales`: channels of much less variance than this share of the mean count less."""

FRESH_PICTURES = 3
"""New pictures in a batch that also has pictures of trajectories."""

SCALE_SAMPLES = 32
"""Pictures on which VGG-19's channel variances are measured, and the student is evaluated."""


def build_student(vgg: Vgg) -> keras.Model:
    """Return the loss network with 1x1 layers at `LOSS_LAYERS` that predict VGG-19's channels."""
    body = build_loss_trunk()
    targets = vgg(np.zeros((1, 32, 32, 3), np.float32))
    outputs = {
        name: layers.Conv2D(
            targets[name].shape[-1],
            1,
            data_format=LAYOUT,
            use_bias=False,
            name=name + AUXILIARY,
            dtype="float32",
        )(body.output[name])
        for name in LOSS_LAYERS
    }
    return float32_model(body.input, outputs, "student")


def without_auxiliary(student: keras.Model) -> Arrays:
    """Return the weights of the loss network inside `student`, in the format of `networks.vgg`.

    The 1x1 layers become square ones, see `square_kernel`.
    """
    weights = {}
    for name, array in collect(student).items():
        layer, _, part = name.partition(".")
        if layer.endswith(AUXILIARY):
            layer = layer.removesuffix(AUXILIARY) + VIEW
            array = square_kernel(array, array.shape[2])
        weights[f"{layer}.{part}"] = array
    return weights


def draw_degraded(
    pictures: Sequence[Frame], count: int, side: int, rng: np.random.Generator
) -> Floats:
    """Draw pictures (count, side, side, 3), 0..1: clean, blended, sharpened or noisy."""
    batch = content_batch(pictures, count, side, rng)
    for picture in batch:
        if rng.random() < 0.35:
            continue
        if rng.random() < 0.5:
            other = to_unit(random_crop(pick(pictures, rng), side, rng))
            share = np.float32(rng.uniform(0.1, 0.6))
            picture += share * (other - picture)
        if rng.random() < 0.5:
            blurred = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, 3))
            picture += np.float32(rng.uniform(0.2, 2)) * (picture - blurred)
        if rng.random() < 0.6:
            picture += _grain(side, rng) * np.float32(rng.uniform(0.01, 0.2))
    return np.clip(batch, 0, 1)


def _grain(side: int, rng: np.random.Generator) -> Floats:
    """Return noise (side, side, 3) of standard deviation 1, colored or gray, fine or blurred."""
    noise = rng.standard_normal((side, side, int(rng.choice((1, 3)))), np.float32)
    if rng.random() < 0.5:
        blurred = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.5, 2)).reshape(noise.shape)
        noise = np.asarray(blurred / blurred.std(), np.float32)
    return np.broadcast_to(noise, (side, side, 3))


def feature_loss(student: keras.Model, vgg: Vgg, examples: Floats, gram_weight: float) -> Loss:
    """Return the loss of a batch of pictures: errors of features and of their Gram matrices.

    Args:
        student: of `build_student`.
        vgg: the teacher.
        examples: pictures (n, h, w, 3), 0..1, on which channel variances are measured.
        gram_weight: of the errors of Gram matrices, relative to those of the features.
    """
    scales = channel_scales(vgg, examples, VARIANCE_FLOOR)

    def loss(pictures: Tensor) -> Tensor:
        targets, outputs = vgg(pictures), student(pictures)
        total = 0.0
        for name in LOSS_LAYERS:
            total += ops.mean(ops.square(outputs[name] - targets[name]) * scales[name])
            total += gram_weight * ops.mean(_gram_error(outputs[name], targets[name]))
        return total / len(LOSS_LAYERS)

    return loss


def _gram_error(features: Tensor, target: Tensor) -> Tensor:
    """Return the squared error of Gram matrices (n,), relative to the target's and at most 4."""
    target_gram = gram(target)
    error = ops.sum(ops.square(gram(features) - target_gram), axis=(1, 2))
    return error / (error / 4 + ops.sum(ops.square(target_gram), axis=(1, 2)))


def batch_drawer(
    stage: LossStage, pictures: Sequence[Frame], trajectories: Trajectories | None
) -> Callable[[np.random.Generator], Batch]:
    """Return a function that draws the batches of `stage`.

    With trajectories, each batch advances them by one step, and has some of their pictures, one of
    their styles, and `FRESH_PICTURES` new pictures.
    """

    def draw(rng: np.random.Generator) -> Batch:
        return (draw_degraded(pictures, stage.batch, stage.side, rng),)

    def draw_with_trajectories(trajectories: Trajectories, rng: np.random.Generator) -> Batch:
        moving = trajectories.step(rng)[
            rng.permutation(stage.trajectories)[: stage.batch - FRESH_PICTURES - 1]
        ]
        style = trajectories.styles[rng.integers(stage.trajectories)][None]
        fresh = draw_degraded(pictures, FRESH_PICTURES, stage.side, rng)
        return (np.concatenate([moving, fresh, style]),)

    return partial(draw_with_trajectories, trajectories) if trajectories else draw


def feature_evaluation(pictures: Floats, vgg: Vgg) -> Evaluate:
    """Return a function that computes the unexplained share of the variance of VGG-19's features.

    It has one value for each of `LOSS_LAYERS`: 0 is best, 1 is as good as the mean.
    """
    targets = {name: np.asarray(feature) for name, feature in vgg(pictures).items()}
    spreads = {name: np.mean(np.var(target, axis=(0, 1, 2))) for name, target in targets.items()}

    def evaluate(average: keras.Model) -> dict[str, float]:
        outputs = average.predict_on_batch(pictures)
        return {
            name: float(np.mean(np.square(outputs[name] - targets[name])) / spreads[name])
            for name in LOSS_LAYERS
        }

    return evaluate
