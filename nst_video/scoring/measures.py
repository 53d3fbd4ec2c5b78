"""What is measured in frames: warp error and sharpness."""

import cv2
import numpy as np

from nst_video.frames import Frame
from nst_video.image.optical_flow import warp
from nst_video.scoring.flow import Correspondence

WARP_ERROR_UNIT = 1e-4
"""Unit of warp errors: 1 is a mean squared difference of 1e-4 of 1.0, or 2.55 of 255 levels."""

_MEAN = np.full((1, 3), 1 / 3, np.float32)
"""Turns three channels into their mean."""

MIN_VISIBLE = 0.05
"""Share of the picture that two frames must have in common to be compared."""


def warp_error(frame: Frame, earlier: Frame, where: Correspondence) -> float | None:
    """Return how much a video changes where nothing in its source does.

    The mean squared difference between a frame and the earlier one, warped to it along the flow of
    the *source*, over what is visible in both; Lai et al. 2018 (arXiv 1808.00449) section 4.1.

    Args:
        frame: RGB uint8 (height, width, 3).
        earlier: an earlier frame of the same video.
        where: the correspondence of the source's frames.

    Returns:
        The error in units of `WARP_ERROR_UNIT`, None where hardly anything is visible in both.
    """
    total = float(where.visible.sum())
    if total < MIN_VISIBLE * where.visible.size:
        return None
    difference = warp(earlier.astype(np.float32), where.flow)
    difference -= frame
    difference *= difference
    squares = np.asarray(
        cv2.transform(difference, _MEAN), np.float32
    )  # NumPy's takes 5 times as long
    return float(np.vdot(squares, where.visible)) / total / 255**2 / WARP_ERROR_UNIT


def sharpness(frame: Frame) -> float:
    """Return the variance of the Laplacian of the gray frame, in squared levels of 0..255."""
    gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    return float(np.var(cv2.Laplacian(gray, cv2.CV_32F)))
