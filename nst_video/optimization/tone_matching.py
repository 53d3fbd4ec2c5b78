"""Tone matching between keyframes, so that a video does not drift in brightness and contrast."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Floats, fit_within, size_of
from nst_video.image.resize import resize_area

MAX_GAIN = 1.25
"""Largest factor by which the contrast of a keyframe is multiplied or divided."""

PASSES = 3
"""Passes of matching: clipping to 0..1 shifts mean and variance slightly."""

COARSE_PX = 16
"""Long side at which a painting is compared with its content, so that strokes do not count."""

MIN_RELIABLE_SHARE = 0.05
"""Share of reliable pixels below which tones are not matched."""

_Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ToneStatistics:
    """Mean and variance of each channel, (3,), of pixels in 0..1."""

    mean: _Vector
    variance: _Vector

    @classmethod
    def of(cls, picture: Floats, weights: Floats | None = None) -> "ToneStatistics":
        """Measure a picture (h, w, 3), 0..1, weighted by `weights` (h, w) where given."""
        pixels = picture.reshape(-1, picture.shape[-1]).astype(np.float64)
        shares = None if weights is None else weights.ravel()
        mean = np.average(pixels, axis=0, weights=shares)
        return cls(mean, np.average((pixels - mean) ** 2, axis=0, weights=shares))


@dataclass(frozen=True, slots=True)
class ToneMatcher:
    """Gives a keyframe the mean and variance of the previous one, where both show the same scene.

    Each optimization shifts the tones slightly toward those of the style, and each keyframe starts
    from the previous one, so that the shifts would add up. Only reliable pixels are measured: new
    parts of the scene keep their own tones. A change of the content's brightness or contrast is
    applied to the painting in the proportion in which the previous painting follows its content.

    Attributes:
        content: the previous keyframe, warped to the new one, RGB float32 (h, w, 3), 0..1.
        painted: its painting, warped likewise.
        reliability: (h, w), 0..1, of the warp.
    """

    content: Floats
    painted: Floats
    reliability: Floats

    def __call__(self, painted: Floats, content: Floats) -> Floats:
        """Return a painting with matched tones.

        Args:
            painted: the new keyframe's painting, RGB float32 (h, w, 3), 0..1.
            content: the new keyframe itself, likewise.
        """
        if self.reliability.mean() < MIN_RELIABLE_SHARE:
            return painted
        target = self.target(content)
        for _ in range(PASSES):
            tones = ToneStatistics.of(painted, self.reliability)
            gain = np.sqrt(target.variance / np.maximum(tones.variance, 1e-8))
            gain = np.clip(gain, 1 / MAX_GAIN, MAX_GAIN)
            matched = (painted - tones.mean) * gain + target.mean
            painted = np.clip(matched, 0, 1).astype(np.float32)
        return painted

    def target(self, content: Floats) -> ToneStatistics:
        """Return the tones that a painting of `content` (h, w, 3) should have where reliable."""
        before = ToneStatistics.of(self.content, self.reliability)
        now = ToneStatistics.of(content, self.reliability)
        painted = ToneStatistics.of(self.painted, self.reliability)
        slope = _regression_slope(self.painted, self.content)
        mean = painted.mean + slope * (now.mean - before.mean)
        variance = painted.variance + slope**2 * (now.variance - before.variance)
        return ToneStatistics(np.clip(mean, 0, 1), np.maximum(variance, painted.variance / 4))


def _regression_slope(painted: Floats, content: Floats) -> _Vector:
    """Return the slope of the regression of painting on content by channel, (3,), 0..1.

    Both are shrunk to `COARSE_PX` first.
    """
    size = fit_within(size_of(content), (COARSE_PX, COARSE_PX))
    x, y = (
        resize_area(each, size).reshape(-1, 3).astype(np.float64) for each in (content, painted)
    )
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    return np.asarray(np.clip((x * y).mean(axis=0) / ((x * x).mean(axis=0) + 1e-6), 0, 1))
