"""What a transformer learns from its teacher: what each layer does, paintings, steadiness."""

from collections.abc import Sequence

import numpy as np
from keras import ops

from nst_video.frames import Floats, Frame
from nst_video.networks.transformer import StyleTransformer, Tensor
from nst_video.optimization.losses import gram
from nst_video.training.consistency import draw_views, move, trim
from nst_video.training.dataset import content_batch
from nst_video.training.features import layerwise_loss, trace
from nst_video.training.loop import Batch, Loss
from nst_video.training.recipe import Stage
from nst_video.training.style_bank import draw_styles
from nst_video.training.vgg import TAPS, Vgg

FLAT = 2e-5
"""A temporal error too small to be seen."""


def draw_batch(
    stage: Stage, pictures: Sequence[Frame], bank: Floats, rng: np.random.Generator
) -> Batch:
    """Draw what one step of `stage` learns from, in the order in which its loss takes it."""
    bottlenecks = draw_styles(bank, stage.batch, rng)
    if not stage.is_steady:
        return content_batch(pictures, stage.batch, stage.side, rng), bottlenecks
    moving = bool(rng.random() < 0.5)
    views = draw_views(pictures, stage.batch, stage.side, rng, moving=moving)
    clean = np.concatenate([views.first, views.second])
    noisy = np.concatenate([views.noisy_first, views.noisy_second])
    weight = np.array(stage.pan if moving else stage.still, np.float32)
    return clean, noisy, views.kernel, weight, bottlenecks


def stage_loss(
    stage: Stage, teacher: StyleTransformer, student: StyleTransformer, vgg: Vgg | None
) -> Loss:
    """Return the loss of `stage`, a function of the tensors of a batch that `draw_batch` drew."""

    def plain(content: Tensor, bottlenecks: Tensor) -> Tensor:
        traces = trace(teacher, content, teacher.style_parameters(bottlenecks))
        style = student.style_parameters(bottlenecks)
        loss = stage.layers * layerwise_loss(student, traces, style) if stage.layers else 0.0
        if stage.picture:
            target = ops.sigmoid(traces["expand3"].result)
            loss += picture_loss(student(content, style), target, stage, vgg)
        return loss

    def steady(
        clean: Tensor, noisy: Tensor, kernel: Tensor, weight: Tensor, bottlenecks: Tensor
    ) -> Tensor:
        twice = ops.concatenate([bottlenecks, bottlenecks])
        style = teacher.style_parameters(twice)
        target = teacher(clean, style)
        painted = student(noisy, student.style_parameters(twice))
        ours, theirs = flicker(painted, kernel), flicker(teacher(noisy, style), kernel)
        unsteady = excess_flicker(ours, theirs, stage)
        return picture_loss(painted, target, stage, vgg) + weight * unsteady

    return steady if stage.is_steady else plain


def flicker(paintings: Tensor, kernel: Tensor) -> Tensor:
    """Return the mean squared differences (n,) of paintings (2n, h, w, 3) of two views each.

    The first n are moved onto the second n by `kernel`, see `steady.move`.
    """
    before, after = ops.split(paintings, 2)
    return ops.mean(ops.square(move(before, kernel) - trim(after)), axis=(1, 2, 3))


def excess_flicker(ours: Tensor, theirs: Tensor, stage: Stage) -> Tensor:
    """Return by how much temporal errors (n,) exceed the share of the teacher's that is allowed.

    Scenes in which the teacher hardly flickers, such as flat ones, are not let run away with it.
    """
    if not stage.each:
        ours, theirs = ops.mean(ours), ops.mean(theirs)
    excess = ops.relu(ours / (theirs + FLAT) - stage.flicker)
    return ops.mean(ops.minimum(excess, 1.0))


def picture_loss(painted: Tensor, target: Tensor, stage: Stage, vgg: Vgg | None) -> Tensor:
    """Return how far `painted` is from `target`, both (n, h, w, 3), as `stage` weighs it."""
    loss = stage.picture * ops.mean(ops.abs(painted - target))
    if stage.detail:
        loss += stage.detail * (
            _detail_error(painted, target, axis=1) + _detail_error(painted, target, axis=2)
        )
    if stage.strokes and vgg is not None:
        count = stage.strokes_batch
        loss += stage.strokes * stroke_loss(vgg(painted[:count]), vgg(target[:count]))
    return loss


def _detail_error(painted: Tensor, target: Tensor, axis: int) -> Tensor:
    """Return the mean absolute error of the differences of neighbors along `axis`."""
    return ops.mean(ops.abs(ops.diff(painted, axis=axis) - ops.diff(target, axis=axis)))


def stroke_loss(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> Tensor:
    """Return how far features, and their Gram matrices, are from the teacher's painting's.

    Both relative to the size of the teacher's, averaged over the layers (Johnson et al. 2016,
    arXiv 1603.08155, with the teacher's painting in place of the content and the style picture).
    """
    loss = 0.0
    for name in TAPS:
        if name not in ours:
            continue
        a, b = ours[name], theirs[name]
        loss += ops.mean(ops.square(a - b)) / (ops.mean(ops.square(b)) + 1e-6)
        target = gram(b)
        loss += ops.mean(ops.square(gram(a) - target)) / (ops.mean(ops.square(target)) + 1e-6)
    return loss / len(ours)
