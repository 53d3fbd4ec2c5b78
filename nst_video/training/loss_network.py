"""What the loss network learns from: VGG-19's features of pictures such as Gatys' method visits.

While it paints, the optimizer leaves the photos behind: what lies between photo and painting, noise
and exaggerated edges have to be seen as VGG-19 sees them, too.
"""

from collections.abc import Callable, Sequence
from functools import partial

import cv2
import keras
import numpy as np
from keras import layers, ops

from nst_video.frames import Floats, Frame
from nst_video.networks.builtin import VIEW, build_loss_trunk
from nst_video.networks.checkpoints import Arrays, collect
from nst_video.networks.config import LAYOUT
from nst_video.networks.transformer import Tensor, float32_model
from nst_video.optimization.losses import gram
from nst_video.training.dataset import content_batch, pick, random_crop, to_unit
from nst_video.training.layerwise import HEAD, channel_scales, view
from nst_video.training.loop import Batch, Judge, Loss
from nst_video.training.optimization_trajectories import Trajectories
from nst_video.training.recipe import LossStage
from nst_video.training.vgg import TAPS, Vgg

FAINT = 1.0
"""Of a layer's mean variance: about there, errors of weaker channels begin to count less."""

FRESH = 3
"""Pictures of a batch that are drawn anew where others stroll."""

MEASURED = 32
"""Pictures on which the variances of VGG-19's channels are measured."""


def build_pupil(vgg: Vgg) -> keras.Model:
    """Return the loss network with 1x1 layers at `TAPS` that lead to VGG-19's channels."""
    body = build_loss_trunk()
    shown = vgg(np.zeros((1, 32, 32, 3), np.float32))
    guesses = {
        name: layers.Conv2D(
            shown[name].shape[-1],
            1,
            data_format=LAYOUT,
            use_bias=False,
            name=name + HEAD,
            dtype="float32",
        )(body.output[name])
        for name in TAPS
    }
    return float32_model(body.input, guesses, "student")


def without_auxiliary(student: keras.Model) -> Arrays:
    """Return the weights of the loss network inside `student`, as `networks.vgg` takes them.

    Of each layer to VGG-19's channels remains how long it makes which differences, see `view`.
    """
    weights = {}
    for name, array in collect(student).items():
        layer, _, part = name.partition(".")
        if layer.endswith(HEAD):
            layer = layer.removesuffix(HEAD) + VIEW
            array = view(array, array.shape[2])
        weights[f"{layer}.{part}"] = array
    return weights


def draw_visited(
    pictures: Sequence[Frame], count: int, side: int, rng: np.random.Generator
) -> Floats:
    """Draw pictures (count, side, side, 3), 0..1: a third clean, others blended, sharp or noisy."""
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
    """Return noise (side, side, 3) of deviation 1, colored or gray, fine or a few pixels coarse."""
    noise = rng.standard_normal((side, side, int(rng.choice((1, 3)))), np.float32)
    if rng.random() < 0.5:
        blurred = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.5, 2)).reshape(noise.shape)
        noise = np.asarray(blurred / blurred.std(), np.float32)
    return np.broadcast_to(noise, (side, side, 3))


def perception_loss(student: keras.Model, vgg: Vgg, examples: Floats, gram_weight: float) -> Loss:
    """Return the loss of a batch of pictures: errors of features, and of their Gram matrices.

    Args:
        student: of `build_pupil`.
        vgg: the teacher.
        examples: pictures that tell each channel's variance, which its errors are measured in.
        gram_weight: of the errors of Gram matrices, to those of the features.
    """
    scales = channel_scales(vgg, examples, FAINT)

    def loss(pictures: Tensor) -> Tensor:
        targets, guesses = vgg(pictures), student(pictures)
        total = 0.0
        for name in TAPS:
            total += ops.mean(ops.square(guesses[name] - targets[name]) * scales[name])
            total += gram_weight * ops.mean(_gram_error(guesses[name], targets[name]))
        return total / len(TAPS)

    return loss


def _gram_error(guess: Tensor, target: Tensor) -> Tensor:
    """Return the squared error of Gram matrices (n,) relative to the target's, 1 at most or so."""
    true = gram(target)
    error = ops.sum(ops.square(gram(guess) - true), axis=(1, 2))
    return error / (error / 4 + ops.sum(ops.square(true), axis=(1, 2)))


def draw_lesson(
    stage: LossStage, pictures: Sequence[Frame], stroll: Trajectories | None
) -> Callable[[np.random.Generator], Batch]:
    """Return what draws the batches of `stage`.

    Where pictures stroll, a batch has fresh ones, one of the styles that are strolled to, and some
    of those on their way, which are led a step further.
    """

    def draw(rng: np.random.Generator) -> Batch:
        return (draw_visited(pictures, stage.batch, stage.side, rng),)

    def draw_strolling(stroll: Trajectories, rng: np.random.Generator) -> Batch:
        moving = stroll.step(rng)[rng.permutation(stage.strolling)[: stage.batch - FRESH - 1]]
        style = stroll.styles[rng.integers(stage.strolling)][None]
        fresh = draw_visited(pictures, FRESH, stage.side, rng)
        return (np.concatenate([moving, fresh, style]),)

    return partial(draw_strolling, stroll) if stroll else draw


def likeness_judge(pictures: Floats, vgg: Vgg) -> Judge:
    """Return what tells how much of the variance of VGG-19's features `pictures` leave unexplained.

    One figure for each of `TAPS`, 0 at best, 1 where the mean would do as well.
    """
    targets = {name: np.asarray(feature) for name, feature in vgg(pictures).items()}
    spreads = {name: np.mean(np.var(target, axis=(0, 1, 2))) for name, target in targets.items()}

    def judge(average: keras.Model) -> dict[str, float]:
        guesses = average.predict_on_batch(pictures)
        return {
            name: float(np.mean(np.square(guesses[name] - targets[name])) / spreads[name])
            for name in TAPS
        }

    return judge
