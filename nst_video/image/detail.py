"""From the working size back to full size without losing the picture's fine structure."""

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from nst_video.frames import Frame, size_of
from nst_video.image.resize import resize_cubic, resize_linear

WINDOW_PX = 5
"""Side of the window, at the working size, in which painting and content are compared."""

FLATNESS = 4.0**2
"""Variance of content luminance (of 255) under which a window counts as flat: nothing to learn."""

MAX_GAIN = 1.2
"""Bound on how much the content's detail may be amplified, so that noise never is much."""


def restore_detail(painted: Frame, content: Frame, content_small: Frame) -> Frame:
    """Enlarge `painted`, made from `content_small`, to the size of `content`, details restored.

    What the working size could not hold of the content's luminance is added back, locally scaled
    by how much the painting follows the content there: the slope of the painting's luminance over
    the content's in a small window, as in the guided filter (He and Sun 2015, arXiv 1505.00996).
    Flat paint stays flat, inverted tones invert the detail too, and brushwork is left alone.

    Args:
        painted: (h, w, 3), what the network made of `content_small`.
        content: (height, width, 3), the frame at full size.
        content_small: (h, w, 3), the frame at the working size.
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
