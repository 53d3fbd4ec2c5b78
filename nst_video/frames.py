"""Frames: their type, checks and sizes, and the description of a stream of them."""

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nst_video.errors import UsageError

Frame: TypeAlias = NDArray[np.uint8]
"""C-contiguous RGB, uint8, shape (height, width, 3)."""

Frames: TypeAlias = NDArray[np.uint8]
"""A batch of equally large frames: C-contiguous RGB, uint8, shape (n, height, width, 3)."""

Luma: TypeAlias = NDArray[np.uint8]
"""Brightness, uint8 (height, width)."""

Floats: TypeAlias = NDArray[np.float32]
"""A float32 array; its shape and range stand where it is used."""

Size: TypeAlias = tuple[int, int]
"""(width, height) in pixels."""


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """Size, rate and length of a stream of frames.

    Attributes:
        size: (width, height) of the frames as delivered: upright, with square pixels.
        fps: exact constant frame rate, in frames per second.
        frame_count: number of frames to expect, None if unknown.
    """

    size: Size
    fps: Fraction
    frame_count: int | None = None

    @property
    def duration_s(self) -> float | None:
        """Seconds from the start of the first frame to the end of the last, None if unknown."""
        return None if self.frame_count is None else float(self.frame_count / self.fps)


def size_of(frame: NDArray[np.uint8] | NDArray[np.float32]) -> Size:
    """Return (width, height) of a frame, of the frames of a batch, or of any (..., h, w, c)."""
    return int(frame.shape[-2]), int(frame.shape[-3])


def check_frames(frames: Frame | Frames, axes: tuple[int, ...]) -> None:
    """Check type and shape of frames.

    Args:
        frames: any object.
        axes: the allowed numbers of axes: 3 for one frame, 4 for a batch.

    Raises:
        UsageError: not an array, not uint8, or not of shape (..., height, width, 3).
    """
    if not isinstance(frames, np.ndarray):
        raise UsageError(f"A frame is a numpy array, not {type(frames).__name__}.")
    if frames.dtype != np.uint8 or frames.ndim not in axes or frames.shape[-1] != 3:
        raise UsageError(
            "A frame is RGB uint8 of shape (height, width, 3), a batch has one axis more; "
            f"got {frames.dtype} of shape {frames.shape}."
        )


def fit_short_side(size: Size, short_side: int) -> Size:
    """Return `size` scaled down so that its short side is at most `short_side`, aspect kept."""
    width, height = size
    scale = min(1.0, short_side / min(size))
    return max(1, round(width * scale)), max(1, round(height * scale))


def fit_within(size: Size, limit: Size) -> Size:
    """Return `size` scaled down so that it does not exceed `limit`, aspect kept."""
    scale = min(1.0, limit[0] / size[0], limit[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
