"""The image pyramid: a picture is painted coarse to fine, each scale from the result before it."""

import numpy as np

from nst_video.frames import Floats, Frame, Size, size_of
from nst_video.image.resize import resize, resize_cubic
from nst_video.optimization.painting import to_unit

MIN_SIDE = 32
"""Shortest side, in pixels, that the deepest block of a loss network accepts."""

COARSEST_SIDE = 64
"""Short side, in pixels, below which no scale is added."""


def scale_sizes(size: Size, scales: int) -> tuple[Size, ...]:
    """Return up to `scales` sizes (width, height), coarse to fine; each doubles the one before.

    The last is `size`.
    """
    width, height = size
    sizes = [
        (round(width / 2**level), round(height / 2**level)) for level in reversed(range(scales))
    ]
    return (*(each for each in sizes[:-1] if min(each) >= COARSEST_SIDE), size)


def resize_picture(picture: Floats, size: Size) -> Floats:
    """Return a picture (h, w, 3) or a map (h, w), float32, 0..1, resized to (width, height)."""
    if (size[1], size[0]) == picture.shape[:2]:
        return picture
    return np.clip(resize(picture, size, enlarge="cubic"), 0, 1)


def resize_long_side(picture: Frame, long_side: float) -> Floats:
    """Return a uint8 picture as float32 (h, w, 3), 0..1, resized to a long side in pixels.

    No side becomes shorter than `MIN_SIDE`.
    """
    width, height = size_of(picture)
    factor = max(long_side / max(width, height), MIN_SIDE / min(width, height))
    return resize_picture(to_unit(picture), (round(width * factor), round(height * factor)))


def add_upsampled_change(painted: Floats, coarse_start: Floats, start: Floats) -> Floats:
    """Return the initial picture of a finer scale: `start` plus the upsampled change.

    Upsampling the change rather than the picture keeps the fine detail of `start`.

    Args:
        painted: result of the coarser scale, RGB float32 (h, w, 3), 0..1.
        coarse_start: initial picture of the coarser scale, likewise.
        start: the same picture at the finer scale, (height, width, 3).
    """
    change = resize_cubic(painted - coarse_start, size_of(start))
    return np.asarray(np.clip(start + change, 0, 1), np.float32)
