"""Optical flow by Dense Inverse Search: Kroeger et al. 2016 (arXiv 1603.03590)."""

import cv2
import numpy as np

from nst_video.frames import Luma
from nst_video.image.flow_refinement import refine
from nst_video.image.optical_flow import Flow, resize_flow
from nst_video.image.resize import resize_area

DESCENT_STEPS, PATCH_STRIDE = 6, 4
"""Of the search (presets: 25, 3): the refinement makes more of them needless. With a stride of 5 it
takes two thirds of the time, and the warp error of close, fast motion is 1.07 times as large."""

SEAM_BLUR = 1.0
"""Sigma in pixels of the blur of what the search found. Where patches meet, it has steps, which the
refinement would need more time for: without the blur the warp error is 1.03 times as large."""

MIN_SIDE_PX = 16
"""The search fails on smaller images; they get zero flow."""


class DisFlow:
    """Finds flow: a search for patches from coarse to fine, then one variational refinement.

    Both are done at half size. Differs from the paper: no refinement after each scale, which takes
    half of the time and gains nothing.

    Reuse it for frames of one size: it keeps its buffers. One thread at a time.
    """

    def __init__(self) -> None:
        """Set up the search."""
        self._search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._search.setFinestScale(0)
        self._search.setVariationalRefinementIterations(0)
        self._search.setGradientDescentIterations(DESCENT_STEPS)
        self._search.setPatchStride(PATCH_STRIDE)

    def __call__(self, a: Luma, b: Luma, initial: Flow | None = None) -> Flow:
        """Return the flow from `a` to `b`.

        Args:
            a: brightness, uint8 (height, width).
            b: likewise, of the same shape.
            initial: initial flow, such as one composed over frames in between, for large motion.

        Returns:
            float32 (height, width, 2).
        """
        height, width = a.shape
        if min(a.shape) < 2 * MIN_SIDE_PX:
            return np.zeros((height, width, 2), np.float32)
        half = (width // 2, height // 2)
        a, b = (resize_area(np.ascontiguousarray(each), half) for each in (a, b))
        guess = None if initial is None else resize_flow(initial, half)
        found = self._search.calc(a, b, guess)  # type: ignore[arg-type]  # None is its default
        # The search can diverge; fmax turns NaN into numbers.
        limit = np.float32(max(width, height))
        finite = np.asarray(np.fmin(np.fmax(found, -limit), limit), np.float32)
        smooth = np.asarray(cv2.GaussianBlur(finite, (0, 0), SEAM_BLUR), np.float32)
        return resize_flow(refine(smooth, a, b), (width, height))
