"""From coarse to fine: the sizes at which a picture is painted, and from each to the next."""

import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Frame, Size, size_of
from nst_video.image.resize import resize, resize_cubic
from nst_video.optimization.painting import to_unit

MIN_SIDE = 32
"""Smallest side in pixels that a loss network's deepest block can serve."""

COARSEST_SIDE = 64
"""No scale is added whose short side would be below this: there is nothing to paint on it."""


def scale_sizes(size: Size, scales: int) -> tuple[Size, ...]:
    """Return up to `scales` sizes (width, height), each twice the one before, `size` last."""
    width, height = size
    sizes = [
        (round(width / 2**level), round(height / 2**level)) for level in reversed(range(scales))
    ]
    return (*(each for each in sizes[:-1] if min(each) >= COARSEST_SIDE), size)


def resized(picture: NDArray[np.float32], size: Size) -> NDArray[np.float32]:
    """Return a picture (h, w, 3) or a map (h, w), 0..1, at another size (width, height)."""
    if (size[1], size[0]) == picture.shape[:2]:
        return picture
    return np.clip(resize(picture, size, enlarge="cubic"), 0, 1)


def fitted(picture: Frame, long_side: float) -> NDArray[np.float32]:
    """Return a picture (h, w, 3) in 0..1 at a long side, yet no side below `MIN_SIDE`."""
    width, height = size_of(picture)
    factor = max(long_side / max(width, height), MIN_SIDE / min(width, height))
    return resized(to_unit(picture), (round(width * factor), round(height * factor)))


def carried_over(
    painted: NDArray[np.float32], started: NDArray[np.float32], start: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return where to start at a finer scale: `start` changed as the coarser picture was.

    Enlarging the change instead of the picture keeps what was fine in the start.

    Args:
        painted: result of the coarser scale, (h, w, 3).
        started: where that started, likewise.
        start: the same at the finer scale, (height, width, 3).
    """
    change = resize_cubic(painted - started, size_of(start))
    return np.asarray(np.clip(start + change, 0, 1), np.float32)
