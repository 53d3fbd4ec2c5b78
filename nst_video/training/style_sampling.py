"""Samples training styles: augmented style images, and mixes of style bottlenecks."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from nst_video.frames import Floats, Frame
from nst_video.image.resize import center_square
from nst_video.training.dataset import jitter, pick, procedural, random_crop

Predict = Callable[[Frame], Floats]

SIDE = 256
"""Side of the style predictor's input, in pixels."""


def draw_style_picture(
    pictures: Sequence[Frame], rng: np.random.Generator, side: int = SIDE
) -> Frame:
    """Draw an augmented style image, RGB uint8 (side, side, 3).

    It is whole or cropped, recolored, blurred, rotated, mixed with another one, or procedural.
    """
    if rng.random() < 0.25:
        return procedural(side, rng)
    picture = pick(pictures, rng)
    style = center_square(picture, side) if rng.random() < 0.2 else random_crop(picture, side, rng)
    if rng.random() < 0.5:
        style = jitter(style, rng, rng.uniform(0.2, 1))
    if rng.random() < 0.15:
        style = np.asarray(cv2.GaussianBlur(style, (0, 0), rng.uniform(0.5, 4)), np.uint8)
    if rng.random() < 0.3:
        style = np.ascontiguousarray(np.rot90(style, int(rng.integers(4))))
    if rng.random() < 0.2:
        style = _patch(style, draw_style_picture(pictures, rng, side), rng)
    return style


def _patch(style: Frame, other: Frame, rng: np.random.Generator) -> Frame:
    """Return `style` blended with `other`, or with a window of it."""
    if rng.random() < 0.5:
        weight = rng.uniform(0.2, 0.8)
        return np.asarray(cv2.addWeighted(style, weight, other, 1 - weight, 0), np.uint8)
    side = len(style)
    edge = int(rng.integers(side // 4, side))
    top, left = rng.integers(side - edge, size=2)
    patched = style.copy()
    patched[top : top + edge, left : left + edge] = other[top : top + edge, left : left + edge]
    return patched


def draw_styles(bottlenecks: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Draw style bottlenecks (count, d), half of them mixes of two or three.

    A quarter is extrapolated away from the mean, for styles stronger than those given.

    Args:
        bottlenecks: (n, d).
        count: how many to draw.
        rng: draws them.
    """
    picks = bottlenecks[rng.integers(len(bottlenecks), size=(count, 3))]
    weights = rng.dirichlet((0.6, 0.6, 0.6), size=count)
    weights[rng.random(count) < 0.5] = (1, 0, 0)
    mixes = np.einsum("nk,nkd->nd", weights, picks)
    stretch = np.where(rng.random((count, 1)) < 0.25, rng.uniform(1, 1.4, (count, 1)), 1)
    mean = bottlenecks.mean(axis=0)
    return np.asarray(mean + (mixes - mean) * stretch, np.float32)
