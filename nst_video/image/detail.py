"""Enlarging a painted frame from the working size, with the fine detail of the content."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Frame, Luma, size_of
from nst_video.image.resize import resize_cubic, resize_linear

WINDOW_PX = 3
"""Side of the window, at half the working size, in which painting and content are compared."""

FLATNESS = 4.0**2
"""Variance of content luminance (of 255) below which a window counts as flat."""

MAX_GAIN = 1.2
"""Highest gain of the content's detail, so that noise is not amplified much."""

MAX_DETAIL = 255
"""Highest luminance (of 255) that detail adds or takes, divided by the square of the enlargement.

Enlarged twice (limit 64), a painting shows what was filmed in strokes of nearly the same size. Five
times (limit 10), lettering of the content would float over the strokes as it was filmed.
"""


def restore_detail(painted: Frame, content: Frame, content_small: Frame) -> Frame:
    """Enlarge `painted` to the size of `content` and restore detail.

    Args:
        painted: the painted frame at the working size, RGB uint8 (h, w, 3).
        content: the frame at full size, RGB uint8 (height, width, 3).
        content_small: the frame at the working size, RGB uint8 (h, w, 3).

    Returns:
        RGB uint8 (height, width, 3).
    """
    detail = _lost_detail(_luminance(painted), _luminance(content), _luminance(content_small))
    enlarged = resize_cubic(painted, size_of(content))
    return np.asarray(cv2.add(enlarged, cv2.merge((detail,) * 3), dtype=cv2.CV_8U), np.uint8)


def restore_luma(painted: Luma, content: Luma, content_small: Luma) -> Luma:
    """Enlarge the brightness of a painted frame and restore detail, as `restore_detail` does.

    Args:
        painted: brightness of the painted frame at the working size, uint8 (h, w).
        content: brightness of the frame at full size, uint8 (height, width).
        content_small: the same at the working size, uint8 (h, w).

    Returns:
        uint8 (height, width).
    """
    detail = _lost_detail(painted, content, content_small)
    enlarged = resize_cubic(painted, size_of(content[..., None]))
    return np.asarray(cv2.add(enlarged, detail, dtype=cv2.CV_8U), np.uint8)


def _lost_detail(painted: Luma, content: Luma, content_small: Luma) -> NDArray[np.int16]:
    """Return what a painting lacks of the content's detail, int16 (height, width).

    That is the detail of the content's luminance that the working size lost. It is scaled
    locally by how much the painting follows the content: the regression slope of the painting's
    luminance over the content's in a small window, as in the guided filter (He and Sun 2015, arXiv
    1505.00996), times the share of the painting's variance that this explains: among strokes of
    the painting's own there is none. Flat areas stay flat, and where tones are inverted the
    detail is inverted too.

    Args:
        painted: brightness of the painted frame at the working size, uint8 (h, w).
        content: brightness of the frame at full size, uint8 (height, width).
        content_small: the same at the working size, uint8 (h, w).
    """
    size = size_of(content[..., None])
    gain = resize_linear(_slope(painted, content_small), size)
    # Of one channel and two bytes for each pixel: what takes the time is memory.
    missing = cv2.subtract(content, resize_cubic(content_small, size), dtype=cv2.CV_16S)
    limit = round(MAX_DETAIL * content_small.size / content.size)
    detail = cv2.multiply(missing, gain, dtype=cv2.CV_16S)
    return np.asarray(np.clip(detail, -limit, limit, out=detail), np.int16)


def _luminance(frame: Frame) -> Luma:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)


def _slope(painted: Luma, content: Luma) -> NDArray[np.float32]:
    """Return the local regression slope of `painted` over `content`, both (h, w), as a gain.

    It is bounded, and multiplied by the coefficient of determination. It is computed at half the
    size, as in the fast guided filter: 1.0 instead of 3.5 ms.
    """
    height, width = content.shape
    half = (max(1, width // 2), max(1, height // 2))
    painted, content = resize_linear(painted, half), resize_linear(content, half)
    mean_x, mean_y = _mean(content), _mean(painted)
    covariance = _mean(np.asarray(cv2.multiply(content, painted, dtype=cv2.CV_32F)))
    covariance -= mean_x * mean_y
    slope = covariance / _variance(content, mean_x)
    explained = slope * covariance / _variance(painted, mean_y)
    return _mean(np.clip(slope, -MAX_GAIN, MAX_GAIN, out=slope) * np.minimum(explained, 1))


def _variance(values: Luma, mean: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the local variance of values (h, w), plus `FLATNESS`."""
    squares = np.asarray(cv2.sqrBoxFilter(values, cv2.CV_32F, (WINDOW_PX, WINDOW_PX)), np.float32)
    return squares - np.square(mean) + FLATNESS


def _mean(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return the local mean of values (h, w)."""
    return np.asarray(cv2.boxFilter(values, cv2.CV_32F, (WINDOW_PX, WINDOW_PX)), np.float32)
