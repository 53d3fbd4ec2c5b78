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

COARSE_LINES = 270
"""Height at which the filter finds its coefficients; they are smooth, and applied at full size."""

SHARPEST = 8.0
"""Slope of the transition at softness 0; at 1 it is as wide as the mask says."""

MASK_LEVELS = 255


def follow_edges(mask: Floats, luma: Luma) -> Floats:
    """Return a mask at the size of the picture, with edges where the picture has them.

    He et al. 2013, "Guided image filtering", in the fast form (arXiv 1505.00996).

    Args:
        mask: 0..1, of any size.
        luma: brightness of the picture, uint8 (height, width).

    Returns:
        float32 (height, width), 0..1.
    """
    height, width = luma.shape
    scale = min(1.0, COARSE_LINES / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    guide = resize_area(luma, size).astype(np.float32) * np.float32(1 / 255)
    wanted = resize_linear(mask, size)
    slope, base = _coefficients(guide, wanted, max(1, round(RADIUS * size[1])))
    full = luma.astype(np.float32) * np.float32(1 / 255)
    filtered = resize_linear(slope, (width, height)) * full + resize_linear(base, (width, height))
    return np.asarray(np.clip(filtered, 0, 1), np.float32)


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
    slope = np.float32(SHARPEST ** (1 - softness))
    steep = (mask - np.float32(0.5)) * slope + np.float32(0.5)
    return np.asarray(np.clip(steep, 0, 1) * MASK_LEVELS + 0.5, np.uint8)
