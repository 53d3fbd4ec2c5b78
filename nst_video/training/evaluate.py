"""Evaluates a student against its teacher: the metrics of the model card."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from nst_video.frames import Floats, Frame
from nst_video.image.resize import center_square
from nst_video.networks.transformer import StyleTransformer, Tensor
from nst_video.optimization.losses import gram_distance
from nst_video.training.consistency import CAMERA_NOISE, add_noise, shift, shift_kernel, trim
from nst_video.training.dataset import to_unit
from nst_video.training.vgg import Vgg

Paint = Callable[[Floats, Floats], Floats]
"""Takes contents (n, h, w, 3), 0..1, and bottlenecks (n, d); returns paintings, as the contents."""

Predict = Callable[[Frame], Floats]
"""Takes a style image, RGB uint8 (h, w, 3); returns its bottleneck (d,)."""

SIDE = 384
"""Of the contents, in pixels."""

VIEWS = 6
"""Views of a scene for the temporal errors."""

PAN_STEP = (0.3, 0.7)
"""Pixels down and right between two views of the panned scene."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics over all pairs of contents and styles.

    Attributes:
        psnr: mean PSNR of student to teacher, with the teacher's bottleneck, in dB.
        psnr_worst: the mean over the worst tenth of the pairs.
        ssim: mean SSIM.
        own_psnr: as `psnr`, with the bottleneck of the student's own predictor.
        cosine: mean cosine similarity of the predictors' bottlenecks, centered.
        noise: mean squared difference between paintings of a static scene with camera noise,
            relative to the teacher's.
        pan: mean squared difference between aligned paintings of a slow pan, likewise.
        gram: Gram distance to the style image, likewise; NaN without VGG-19.
    """

    psnr: float
    psnr_worst: float
    ssim: float
    own_psnr: float
    cosine: float
    noise: float
    pan: float
    gram: float

    def __str__(self) -> str:
        return "  ".join(f"{field.name} {getattr(self, field.name):.3f}" for field in fields(self))


def painter(network: StyleTransformer) -> Paint:
    """Return a compiled function that paints with the current weights of `network`."""

    @tf.function(autograph=False, reduce_retracing=True)
    def run(content: Tensor, bottleneck: Tensor) -> Tensor:
        return network(content, network.style_parameters(bottleneck))

    def paint(content: Floats, bottleneck: Floats) -> Floats:
        return np.asarray(run(tf.constant(content), tf.constant(bottleneck)), np.float32)

    return paint


def psnr(a: Floats, b: Floats) -> float:
    """Return the peak signal-to-noise ratio of pictures in 0..1, in decibels."""
    return float(-10 * np.log10(max(float(np.mean(np.square(a - b))), 1e-12)))


def ssim(first: Floats, second: Floats) -> float:
    """Return the mean structural similarity (Wang et al. 2004) of two pictures (h, w, 3), 0..1."""

    def blur(x: Floats) -> Floats:
        return np.asarray(cv2.GaussianBlur(x, (11, 11), 1.5))

    a, b = blur(first), blur(second)
    variance_a, variance_b = blur(first * first) - a * a, blur(second * second) - b * b
    covariance = blur(first * second) - a * b
    luminance = (2 * a * b + 1e-4) / (a * a + b * b + 1e-4)
    structure = (2 * covariance + 9e-4) / (variance_a + variance_b + 9e-4)
    return float(np.mean(luminance * structure))


def worst_tenth(values: Sequence[float]) -> float:
    """Return the mean of the smallest tenth of the values."""
    return float(np.mean(sorted(values)[: max(1, len(values) // 10)]))


def noise_error(paint: Paint, content: Floats, bottleneck: Floats, seed: int) -> float:
    """Return the mean squared difference between successive paintings of a static, noisy scene."""
    rng = np.random.default_rng(seed)
    views = add_noise(np.repeat(content[None], VIEWS, axis=0), CAMERA_NOISE, rng)
    painted = _paint_each(paint, views, bottleneck)
    return float(np.mean(np.square(painted[1:] - painted[:-1])))


def pan_error(paint: Paint, content: Floats, bottleneck: Floats) -> float:
    """Return the mean squared difference between successive, aligned paintings of a slow pan."""
    size = content.shape[1::-1]
    steps = (np.array(((1, 0, -PAN_STEP[1] * i), (0, 1, -PAN_STEP[0] * i))) for i in range(VIEWS))
    views = [
        cv2.warpAffine(
            content, step, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
        )
        for step in steps
    ]
    painted = _paint_each(paint, np.clip(np.stack(views), 0, 1).astype(np.float32), bottleneck)
    aligned = np.asarray(shift(painted[:-1], shift_kernel(-PAN_STEP[0], -PAN_STEP[1])))
    inner = slice(VIEWS + 8, -VIEWS - 8)
    return float(np.mean(np.square(aligned - trim(painted[1:]))[:, inner, inner]))


def _paint_each(paint: Paint, contents: Floats, bottleneck: Floats) -> Floats:
    return np.concatenate([paint(content[None], bottleneck[None]) for content in contents])


def evaluate(
    teacher: Paint,
    student: Paint,
    predictors: tuple[Predict, Predict],
    pictures: tuple[Sequence[Frame], Sequence[Frame]],
    vgg: Path | None = None,
) -> Evaluation:
    """Compare a student with its teacher on all pairs of held-out contents and styles.

    Args:
        teacher: the style transformer that was distilled.
        student: the one that was trained.
        predictors: the teacher's and the student's style predictor.
        pictures: contents and styles, RGB uint8, that were not trained on.
        vgg: weights of VGG-19 for the Gram distance.
    """
    teacher_styles, student_styles = (
        np.stack([predict(each) for each in pictures[1]]) for predict in predictors
    )
    gram_distances = _gram_distance_to(vgg, pictures[1])
    rows: list[tuple[float, ...]] = []
    for index, picture in enumerate(pictures[0]):
        content = to_unit(center_square(picture, SIDE))
        for which, (bottleneck, own) in enumerate(zip(teacher_styles, student_styles, strict=True)):
            target, painted, with_own = (
                paint(content[None], style[None])
                for paint, style in ((teacher, bottleneck), (student, bottleneck), (student, own))
            )
            measured = (index + which) % len(pictures[0]) == 0
            rows.append(
                (
                    psnr(painted, target),
                    ssim(painted[0], target[0]),
                    psnr(with_own, target),
                    *_temporal_errors(teacher, content, bottleneck, measured),
                    *_temporal_errors(student, content, bottleneck, measured),
                    gram_distances(target, which),
                    gram_distances(painted, which),
                )
            )
    return _evaluation(np.array(rows), centered_cosine(student_styles, teacher_styles))


def _evaluation(rows: NDArray[np.float64], cosine: float) -> Evaluation:
    """Average the metrics of all pairs, in the order of `evaluate`."""
    means = [_mean_of_known(column) for column in rows.T]
    return Evaluation(
        psnr=means[0],
        psnr_worst=worst_tenth(list(rows[:, 0])),
        ssim=means[1],
        own_psnr=means[2],
        cosine=cosine,
        noise=means[5] / means[3],
        pan=means[6] / means[4],
        gram=means[8] / means[7],
    )


def _mean_of_known(values: NDArray[np.float64]) -> float:
    """Return the mean of the finite values; NaN if there is none."""
    known = values[np.isfinite(values)]
    return float(np.mean(known)) if len(known) else float("nan")


def centered_cosine(predicted: Floats, target: Floats) -> float:
    """Return the mean cosine of bottlenecks (n, d), both centered by the mean of `target`."""
    a, b = predicted - target.mean(0), target - target.mean(0)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(np.mean(np.sum(a * b, axis=1) / lengths))


def _temporal_errors(
    paint: Paint, content: Floats, bottleneck: Floats, measured: bool
) -> tuple[float, float]:
    """Return noise and pan error, or NaN where not `measured`: they take twelve paintings."""
    if not measured:
        return float("nan"), float("nan")
    return noise_error(paint, content, bottleneck, 0), pan_error(paint, content, bottleneck)


def _gram_distance_to(vgg: Path | None, styles: Sequence[Frame]) -> Callable[[Floats, int], float]:
    """Return a function of a painting and the index of its style: their Gram distance."""
    if vgg is None:
        return lambda _painted, _which: float("nan")
    network = Vgg(vgg)
    features = [network(to_unit(center_square(style, SIDE))[None]) for style in styles]
    return lambda painted, which: float(gram_distance(network(painted), features[which])[0])
