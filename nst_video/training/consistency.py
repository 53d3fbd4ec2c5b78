"""Temporal consistency: pairs of views of a scene, whose paintings should agree."""

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
"""Standard deviation of the noise of an ordinary webcam, for pixels in 0..1."""

MAX_SHIFT_PX = 3
"""Largest shift in pixels between the two views."""

MARGIN_PX = MAX_SHIFT_PX + 1
"""Pixels at every edge that may be outside the other view."""


@dataclass(frozen=True, slots=True)
class Views:
    """Two views of the same scenes.

    Attributes:
        first: clean contents, RGB float32 (n, side, side, 3), 0..1.
        second: the second views, likewise.
        noisy_first: `first` with camera noise.
        noisy_second: `second` with other camera noise.
        kernel: (2 * MARGIN_PX + 1, 2 * MARGIN_PX + 1, 3, 1), shifts a painting of `first` to its
            place in `second`, see `shift`.
    """

    first: Floats
    second: Floats
    noisy_first: Floats
    noisy_second: Floats
    kernel: Floats


def shift_kernel(down: float, right: float) -> Floats:
    """Return the depthwise kernel that shifts a picture down and right in pixels, bilinearly."""
    offsets = np.arange(-MARGIN_PX, MARGIN_PX + 1)
    rows = np.maximum(0, 1 - np.abs(offsets + down))
    columns = np.maximum(0, 1 - np.abs(offsets + right))
    kernel = np.outer(rows, columns).astype(np.float32)
    return np.repeat(kernel[:, :, None, None], 3, axis=2)


def shift(pictures: Tensor, kernel: Tensor) -> Tensor:
    """Return pictures (n, h, w, 3) shifted by a `shift_kernel`, without the `MARGIN_PX` edges."""
    return ops.depthwise_conv(pictures, kernel, padding="valid")


def trim(pictures: Tensor) -> Tensor:
    """Return pictures (n, h, w, 3) without the edges that `shift` removes."""
    return pictures[:, MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]


def draw_views(
    pictures: Sequence[Frame], count: int, side: int, rng: np.random.Generator, *, moving: bool
) -> Views:
    """Draw pairs of views.

    Args:
        pictures: RGB uint8, to take crops from.
        count: number of pairs.
        side: of the views, in pixels.
        rng: draws everything.
        moving: whether the second view is shifted, by up to `MAX_SHIFT_PX`. Shifted views have no
            noise, so that the paintings differ only by the shift; static ones have different noise
            and exposure.
    """
    first = content_batch(pictures, count, side, rng)
    if moving:
        down, right = rng.uniform(-MAX_SHIFT_PX, MAX_SHIFT_PX, 2)
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
    """Return pictures (n, h, w, 3) with new camera noise of deviation `sigma`, clipped to 0..1."""
    noise = rng.standard_normal(pictures.shape, np.float32) * sigma
    return np.clip(pictures + noise, 0, 1).astype(np.float32)


def _shifted(picture: Floats, down: float, right: float) -> Floats:
    """Return a picture (h, w, 3) shifted by subpixel offsets, reflected at the edges."""
    matrix = np.array(((1, 0, right), (0, 1, down)), np.float32)
    size = picture.shape[1::-1]
    shifted = cv2.warpAffine(
        picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(shifted, np.float32)
