"""Distillation losses of the style transformer: layers, paintings, temporal consistency."""

from collections.abc import Sequence

import numpy as np
from keras import ops

from nst_video.frames import Floats, Frame
from nst_video.networks.builtin import LOSS_LAYERS
from nst_video.networks.transformer import StyleTransformer, Tensor
from nst_video.optimization.losses import gram
from nst_video.training.config import TransformerStage
from nst_video.training.consistency import draw_views, shift, trim
from nst_video.training.dataset import content_batch
from nst_video.training.layer_distillation import layerwise_loss, trace
from nst_video.training.loop import Batch, Loss
from nst_video.training.style_sampling import draw_styles
from nst_video.training.vgg import Vgg

MIN_FLICKER = 2e-5
"""A temporal error too small to be visible, added to the teacher's as a floor."""


def draw_batch(
    stage: TransformerStage,
    pictures: Sequence[Frame],
    bottlenecks: Floats,
    rng: np.random.Generator,
) -> Batch:
    """Draw the batch of one step of `stage`, in the order of the arguments of its `stage_loss`.

    Args:
        stage: the stage.
        pictures: RGB uint8, to take crops from.
        bottlenecks: of the style dataset, (n, d).
        rng: draws everything.
    """
    bottlenecks = draw_styles(bottlenecks, stage.batch, rng)
    if not stage.is_temporal:
        return content_batch(pictures, stage.batch, stage.side, rng), bottlenecks
    moving = bool(rng.random() < 0.5)
    views = draw_views(pictures, stage.batch, stage.side, rng, moving=moving)
    clean = np.concatenate([views.first, views.second])
    noisy = np.concatenate([views.noisy_first, views.noisy_second])
    weight = np.array(stage.shift_weight if moving else stage.noise_weight, np.float32)
    return clean, noisy, views.kernel, weight, bottlenecks


def stage_loss(
    stage: TransformerStage, teacher: StyleTransformer, student: StyleTransformer, vgg: Vgg | None
) -> Loss:
    """Return the loss of `stage`, a function of the tensors of a batch of `draw_batch`."""

    def single_view_loss(content: Tensor, bottlenecks: Tensor) -> Tensor:
        traces = trace(teacher, content, teacher.style_parameters(bottlenecks))
        style = student.style_parameters(bottlenecks)
        loss = (
            stage.layer_weight * layerwise_loss(student, traces, style)
            if stage.layer_weight
            else 0.0
        )
        if stage.pixel_weight:
            target = ops.sigmoid(traces["expand3"].output)
            loss += picture_loss(student(content, style), target, stage, vgg)
        return loss

    def temporal_loss(
        clean: Tensor, noisy: Tensor, kernel: Tensor, weight: Tensor, bottlenecks: Tensor
    ) -> Tensor:
        twice = ops.concatenate([bottlenecks, bottlenecks])
        style = teacher.style_parameters(twice)
        target = teacher(clean, style)
        painted = student(noisy, student.style_parameters(twice))
        student_flicker = flicker(painted, kernel)
        teacher_flicker = flicker(teacher(noisy, style), kernel)
        excess = excess_flicker(student_flicker, teacher_flicker, stage)
        return picture_loss(painted, target, stage, vgg) + weight * excess

    return temporal_loss if stage.is_temporal else single_view_loss


def flicker(paintings: Tensor, kernel: Tensor) -> Tensor:
    """Return the temporal errors (n,): mean squared differences between paintings of two views.

    Args:
        paintings: (2n, h, w, 3), 0..1: of the first views, then of the second views.
        kernel: aligns the first with the second, see `consistency.shift`.
    """
    before, after = ops.split(paintings, 2)
    return ops.mean(ops.square(shift(before, kernel) - trim(after)), axis=(1, 2, 3))


def excess_flicker(student: Tensor, teacher: Tensor, stage: TransformerStage) -> Tensor:
    """Return by how much temporal errors (n,) exceed `stage.max_flicker_ratio` of the teacher's.

    It is limited to 1, so that scenes in which the teacher hardly flickers do not dominate.
    """
    if not stage.per_scene:
        student, teacher = ops.mean(student), ops.mean(teacher)
    excess = ops.relu(student / (teacher + MIN_FLICKER) - stage.max_flicker_ratio)
    return ops.mean(ops.minimum(excess, 1.0))


def picture_loss(
    painted: Tensor, target: Tensor, stage: TransformerStage, vgg: Vgg | None
) -> Tensor:
    """Return pixel, gradient and perceptual loss of `painted` to `target`, both (n, h, w, 3)."""
    loss = stage.pixel_weight * ops.mean(ops.abs(painted - target))
    if stage.gradient_weight:
        loss += stage.gradient_weight * (
            _gradient_error(painted, target, axis=1) + _gradient_error(painted, target, axis=2)
        )
    if stage.perceptual_weight and vgg is not None:
        count = stage.perceptual_batch
        loss += stage.perceptual_weight * perceptual_loss(vgg(painted[:count]), vgg(target[:count]))
    return loss


def _gradient_error(painted: Tensor, target: Tensor, axis: int) -> Tensor:
    """Return the mean absolute error of the finite differences along `axis`."""
    return ops.mean(ops.abs(ops.diff(painted, axis=axis) - ops.diff(target, axis=axis)))


def perceptual_loss(features: dict[str, Tensor], targets: dict[str, Tensor]) -> Tensor:
    """Return the relative squared errors of VGG-19 features and Gram matrices, a mean over layers.

    Johnson et al. 2016 (arXiv 1603.08155). Differs: the target of both is the teacher's painting.

    Args:
        features: of the student's paintings, (n, h, w, c), by layer.
        targets: of the teacher's, likewise.
    """
    loss = 0.0
    for name in LOSS_LAYERS:
        if name not in features:
            continue
        a, b = features[name], targets[name]
        loss += ops.mean(ops.square(a - b)) / (ops.mean(ops.square(b)) + 1e-6)
        target = gram(b)
        loss += ops.mean(ops.square(gram(a) - target)) / (ops.mean(ops.square(target)) + 1e-6)
    return loss / len(features)
