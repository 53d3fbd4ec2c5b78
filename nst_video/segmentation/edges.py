"""Mask edges that follow the picture: a guided filter, and how wide the transition is."""

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Floats, Luma
from nst_video.image.resize import resize_area, resize_linear

RADIUS = 0.03
"""Of the filter, relative to the height. A pixel of a mask of 144 lines is 0.007 of it.

A disk whose mask is 3 of 180 lines off: error 0.0105 before, 0.0064 with 0.02, 0.0056 with 0.03,
0.0042 with 0.045; larger ones follow edges inside of people, too.
"""

CONTRAST = 2e-3
"""Variance of brightness, of 0..1, from which an edge of the picture counts as one."""

COARSE_LINES = 180
"""Height at which the filter finds its coefficients; they are smooth, and applied at full size."""

SHARPEST = 8.0
"""Slope of the transition at softness 0; at 1 it is as wide as the mask says."""

MASK_LEVELS = 255


def follow_edges(mask: Floats, luma: Luma, softness: float = 1.0) -> NDArray[np.uint8]:
    """Return a mask at the size of the picture, with edges where the picture has them.

    He et al. 2013, "Guided image filtering", in the fast form (arXiv 1505.00996).

    Args:
        mask: 0..1, of any size.
        luma: brightness of the picture, uint8 (height, width).
        softness: 0..1, see `to_bytes`.

    Returns:
        uint8 (height, width).
    """
    height, width = luma.shape
    scale = min(1.0, COARSE_LINES / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    guide = resize_area(luma, size).astype(np.float32) * np.float32(1 / 255)
    wanted = resize_linear(mask, size)
    slope, base = _coefficients(guide, wanted, max(1, round(RADIUS * size[1])))
    # The transition is narrowed here, where there are few pixels.
    steep = MASK_LEVELS * _steepness(softness)
    slope, base = slope * (steep / 255), (base - np.float32(0.5)) * steep + MASK_LEVELS / 2
    filtered = cv2.multiply(resize_linear(slope, (width, height)), luma, dtype=cv2.CV_32F)
    offset = resize_linear(np.asarray(base, np.float32), (width, height))
    return np.asarray(cv2.add(filtered, offset, dtype=cv2.CV_8U), np.uint8)


def _coefficients(guide: Floats, mask: Floats, radius: int) -> tuple[Floats, Floats]:
    """Return slope and base: the mask is locally a linear function of the guide."""
    mean_guide, mean_mask = _box(guide, radius), _box(mask, radius)
    covariance = _box(guide * mask, radius) - mean_guide * mean_mask
    variance = _box(guide * guide, radius) - mean_guide * mean_guide
    ratio = covariance / (np.maximum(variance, 0) + np.float32(CONTRAST))
    slope = np.asarray(ratio, np.float32)
    return _box(slope, radius), _box(mean_mask - slope * mean_guide, radius)


def _box(image: Floats, radius: int) -> Floats:
    side = 2 * radius + 1
    return np.asarray(cv2.blur(image, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)


def to_bytes(mask: Floats, softness: float) -> NDArray[np.uint8]:
    """Return a mask of 0..1 as 0..255, its transition narrower for a softness below 1."""
    steep = (mask - np.float32(0.5)) * _steepness(softness) + np.float32(0.5)
    return np.asarray(np.clip(steep, 0, 1) * MASK_LEVELS + 0.5, np.uint8)


def _steepness(softness: float) -> np.float32:
    return np.float32(SHARPEST ** (1 - softness))
