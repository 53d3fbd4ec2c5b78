"""Steadiness: the same scene seen twice, as a camera sees it, for two paintings that agree."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from keras import ops
from numpy.typing import NDArray

from nst_video.frames import Floats, Frame
from nst_video.networks.transformer import Tensor
from nst_video.training.dataset import content_batch

CAMERA_NOISE = 4 / 255
"""Standard deviation of the noise of an ordinary webcam, of pixels in 0..1."""

REACH = 3
"""Largest shift in pixels between the two views."""

MARGIN = REACH + 1
"""Pixels at every edge that have no counterpart in the other view."""


@dataclass(frozen=True, slots=True)
class Views:
    """Two views of the same scenes.

    Attributes:
        first, second: clean contents (n, side, side, 3), 0..1.
        noisy_first, noisy_second: the same as a camera delivers them.
        kernel: (2 * MARGIN + 1, 2 * MARGIN + 1, 3, 1) moves what is painted on `first` to where it
            is in `second`, see `move`.
    """

    first: Floats
    second: Floats
    noisy_first: Floats
    noisy_second: Floats
    kernel: Floats


def shift_kernel(down: float, right: float) -> Floats:
    """Return the depthwise kernel that moves a picture by so many pixels, bilinearly."""
    offsets = np.arange(-MARGIN, MARGIN + 1)
    rows = np.maximum(0, 1 - np.abs(offsets + down))
    columns = np.maximum(0, 1 - np.abs(offsets + right))
    kernel = np.outer(rows, columns).astype(np.float32)
    return np.repeat(kernel[:, :, None, None], 3, axis=2)


def move(pictures: Tensor, kernel: Tensor) -> Tensor:
    """Shift pictures (n, h, w, 3) by a `shift_kernel`; `MARGIN` pixels fall off at every edge."""
    return ops.depthwise_conv(pictures, kernel, padding="valid")


def trim(pictures: Tensor) -> Tensor:
    """Cut off the edges that `move` cuts off."""
    return pictures[:, MARGIN:-MARGIN, MARGIN:-MARGIN]


def draw_views(
    pictures: Sequence[Frame], count: int, side: int, rng: np.random.Generator, *, moving: bool
) -> Views:
    """Draw scenes, seen twice.

    Moving ones are shifted by up to `REACH` pixels and clean, so that nothing but the shift is
    left to tell the paintings apart; still ones have fresh noise, and the second other exposure.
    """
    first = content_batch(pictures, count, side, rng)
    if moving:
        down, right = rng.uniform(-REACH, REACH, 2)
        second = np.stack([_shifted(picture, down, right) for picture in first])
        second = np.clip(second, 0, 1)
        return Views(first, second, first, second, shift_kernel(down, right))
    exposure = rng.uniform(0.92, 1.08, (count, 1, 1, 1))
    second = np.clip(first * exposure, 0, 1).astype(np.float32)
    sigma = CAMERA_NOISE * rng.uniform(0.25, 1.5, (count, 1, 1, 1))
    noisy = add_noise(first, sigma, rng), add_noise(second, sigma, rng)
    return Views(first, second, *noisy, shift_kernel(0, 0))


def add_noise(
    pictures: Floats, sigma: float | NDArray[np.float64], rng: np.random.Generator
) -> Floats:
    """Return pictures with fresh camera noise, within 0..1."""
    noise = rng.standard_normal(pictures.shape, np.float32) * sigma
    return np.clip(pictures + noise, 0, 1).astype(np.float32)


def _shifted(picture: Floats, down: float, right: float) -> Floats:
    """Shift one picture (h, w, 3) by parts of pixels, reflected at the edges."""
    matrix = np.array(((1, 0, right), (0, 1, down)), np.float32)
    size = picture.shape[1::-1]
    shifted = cv2.warpAffine(
        picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(shifted, np.float32)
