"""What keeps a film from darkening: every keyframe takes over the tones of the one before."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nst_video.frames import fit_within, size_of
from nst_video.image.optical_flow import Floats
from nst_video.image.resize import resize_area

MAX_GAIN = 1.25
"""Bound on what one keyframe's contrast is multiplied or divided by."""

PASSES = 3
"""Clipping to 0..1 moves mean and variance a little, so that they are set again."""

COARSE_PX = 16
"""Long side at which a painting is compared with its content: tones, not brush strokes."""

LEAST_TRUST = 0.05
"""Share of the picture that must be known from before, for tones to be taken over at all."""

_Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tones:
    """Mean and variance of a picture's channels, each (3,), of pixels in 0..1."""

    mean: _Vector
    variance: _Vector

    @classmethod
    def of(cls, picture: Floats, weights: Floats | None = None) -> "Tones":
        """Measure a picture (height, width, 3), where weights (height, width) say."""
        pixels = picture.reshape(-1, picture.shape[-1]).astype(np.float64)
        shares = None if weights is None else weights.ravel()
        mean = np.average(pixels, axis=0, weights=shares)
        return cls(mean, np.average((pixels - mean) ** 2, axis=0, weights=shares))


@dataclass(frozen=True, slots=True)
class ToneMatcher:
    """Holds a keyframe to the tones of the one before it, where that is still to be seen.

    Each optimization moves the tones a little toward those of the style, and each starts from the
    one before: without an anchor that adds up. What newly comes into the picture has tones of its
    own and does not count. Where the content itself has become lighter or richer in contrast since,
    so may the painting, as far as the one before follows its content.

    Attributes:
        content, painted: the keyframe before, moved along the flow: (height, width, 3), 0..1.
        trust: (height, width), 0..1: where it can be relied on.
    """

    content: Floats
    painted: Floats
    trust: Floats

    def __call__(self, painted: Floats, content: Floats) -> Floats:
        """Return a painting of `content`, both (height, width, 3), 0..1, in the tones wanted."""
        if self.trust.mean() < LEAST_TRUST:
            return painted
        aim = self.aim(content)
        for _ in range(PASSES):
            tones = Tones.of(painted, self.trust)
            gain = np.sqrt(aim.variance / np.maximum(tones.variance, 1e-8))
            gain = np.clip(gain, 1 / MAX_GAIN, MAX_GAIN)
            moved = (painted - tones.mean) * gain + aim.mean
            painted = np.clip(moved, 0, 1).astype(np.float32)
        return painted

    def aim(self, content: Floats) -> Tones:
        """Return the tones that a painting of this content should have, where it is trusted."""
        before, now = Tones.of(self.content, self.trust), Tones.of(content, self.trust)
        painted, slope = Tones.of(self.painted, self.trust), _slope(self.painted, self.content)
        mean = painted.mean + slope * (now.mean - before.mean)
        variance = painted.variance + slope**2 * (now.variance - before.variance)
        return Tones(np.clip(mean, 0, 1), np.maximum(variance, painted.variance / 4))


def _slope(painted: Floats, content: Floats) -> _Vector:
    """Return how much each channel of the painting follows that of the content, (3,), 0..1.

    It is the slope of the regression of one over the other, both without their details.
    """
    size = fit_within(size_of(content), (COARSE_PX, COARSE_PX))
    x, y = (
        resize_area(each, size).reshape(-1, 3).astype(np.float64) for each in (content, painted)
    )
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    return np.asarray(np.clip((x * y).mean(axis=0) / ((x * x).mean(axis=0) + 1e-6), 0, 1))
