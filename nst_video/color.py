"""Color arithmetic on whole frames; RGB uint8 in, RGB uint8 out."""

import cv2
import numpy as np

from nst_video.frames import Frame


def keep_colors(painted: Frame, content: Frame) -> Frame:
    """Return the luminance of `painted` with the chrominance of `content`, shape (h, w, 3).

    Luminance-only transfer, Gatys et al. 2016 (arXiv 1606.05897) section 4, in BT.601 YCbCr.
    """
    luminance = cv2.cvtColor(painted, cv2.COLOR_RGB2YCrCb)
    chrominance = cv2.cvtColor(content, cv2.COLOR_RGB2YCrCb)
    chrominance[..., 0] = luminance[..., 0]
    return np.asarray(cv2.cvtColor(chrominance, cv2.COLOR_YCrCb2RGB), np.uint8)


def cross_fade(content: Frame, painted: Frame, intensity: float) -> Frame:
    """Return (1 - intensity) * content + intensity * painted; exactly the ends at 0 and 1."""
    return np.asarray(cv2.addWeighted(content, 1 - intensity, painted, intensity, 0), np.uint8)
