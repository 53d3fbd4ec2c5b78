"""Changes of all of the light: fades from and to black or white, and flashes.

They change every pixel by more than noise does, so without allowance for them a fade would be taken
for a cut, again and again.
"""

import cv2
import numpy as np

from nst_video.frames import Floats, Luma
from nst_video.image.resize import resize_area

CHANGE = (3.0, 64.0)
"""Change of the mean from frame to frame, of 255 levels, that is looked at: less matters little,
and more is a cut."""

CONTRAST_CHANGE = (0.5, 2.0)
"""Limits of the ratio of contrasts."""

SHRINK, LIKENESS, FLAT = 16, 0.9, 2.0
"""Both frames, shrunk so many times, must correlate so much, or be flat: have a standard deviation
of less than so many levels."""


def match_light(before: Luma, now: Luma) -> Luma | None:
    """Return a frame with the mean and the contrast of the next one, if both show the same.

    Args:
        before: brightness of a frame, uint8 (height, width).
        now: of the next, of the same size.

    Returns:
        None where the light has not changed, or more than the light has.
    """
    (old_mean, old_contrast), (mean, contrast) = (
        _mean_and_contrast(each) for each in (before, now)
    )
    if not CHANGE[0] <= abs(mean - old_mean) <= CHANGE[1] or not _is_alike(before, now):
        return None
    # In flat frames contrasts are those of rounding.
    gain = np.clip((contrast + FLAT) / (old_contrast + FLAT), *CONTRAST_CHANGE)
    levels = gain * (np.arange(256) - old_mean) + mean
    return np.asarray(cv2.LUT(before, np.clip(np.rint(levels), 0, 255).astype(np.uint8)), np.uint8)


def _is_alike(a: Luma, b: Luma) -> bool:
    """Return whether two frames have the same large shapes, or none."""
    height, width = a.shape
    size = (max(2, width // SHRINK), max(2, height // SHRINK))
    first, second = (resize_area(each, size).astype(np.float32) for each in (a, b))
    deviations = float(first.std()), float(second.std())
    if min(deviations) < FLAT:
        return max(deviations) < 2 * FLAT
    return bool(_covariance(first, second) >= LIKENESS * deviations[0] * deviations[1])


def _covariance(a: Floats, b: Floats) -> float:
    return float(((a - a.mean()) * (b - b.mean())).mean())


def _mean_and_contrast(luma: Luma) -> tuple[float, float]:
    mean, deviation = cv2.meanStdDev(luma)
    return float(mean[0, 0]), float(deviation[0, 0])
