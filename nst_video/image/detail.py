"""Enlarging a painted frame from the working size, with the fine detail of the content."""

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from nst_video.frames import Frame, size_of
from nst_video.image.resize import resize_cubic, resize_linear

WINDOW_PX = 5
"""Side of the window, at the working size, in which painting and content are compared."""

FLATNESS = 4.0**2
"""Variance of content luminance (of 255) below which a window counts as flat."""

MAX_GAIN = 1.2
"""Highest gain of the content's detail, so that noise is not amplified much."""


def restore_detail(painted: Frame, content: Frame, content_small: Frame) -> Frame:
    """Enlarge `painted` to the size of `content` and restore detail.

    The detail of the content's luminance that the working size lost is added back. It is scaled
    locally by how much the painting follows the content: the regression slope of the painting's
    luminance over the content's in a small window, as in the guided filter (He and Sun 2015, arXiv
    1505.00996). Flat areas stay flat, and where tones are inverted the detail is inverted too.

    Args:
        painted: the painted frame at the working size, RGB uint8 (h, w, 3).
        content: the frame at full size, RGB uint8 (height, width, 3).
        content_small: the frame at the working size, RGB uint8 (h, w, 3).

    Returns:
        RGB uint8 (height, width, 3).
    """
    size = size_of(content)
    enlarged = resize_cubic(painted, size)
    luminance = np.asarray(cv2.cvtColor(content_small, cv2.COLOR_RGB2GRAY), np.uint8)
    gain = _slope(cv2.cvtColor(painted, cv2.COLOR_RGB2GRAY), luminance)
    blurred = resize_cubic(luminance, size)
    missing = cv2.subtract(cv2.cvtColor(content, cv2.COLOR_RGB2GRAY), blurred, dtype=cv2.CV_32F)
    missing = cv2.multiply(missing, resize_linear(gain, size))
    restored = cv2.add(enlarged, cv2.merge((missing, missing, missing)), dtype=cv2.CV_8U)
    return np.asarray(restored, np.uint8)


def _slope(painted: MatLike, content: MatLike) -> NDArray[np.float32]:
    """Return the local regression slope of `painted` over `content`, both (h, w), bounded."""
    window = (WINDOW_PX, WINDOW_PX)
    x, y = content.astype(np.float32), painted.astype(np.float32)
    mean_x, mean_y = cv2.blur(x, window), cv2.blur(y, window)
    covariance = cv2.blur(x * y, window) - mean_x * mean_y
    variance = cv2.blur(x * x, window) - mean_x * mean_x
    slope = np.clip(covariance / (variance + FLATNESS), -MAX_GAIN, MAX_GAIN)
    return np.asarray(cv2.blur(slope, window), np.float32)
