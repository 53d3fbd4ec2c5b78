"""What keeps a film from darkening: every keyframe gets the tones of the scene's first."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.flow import Floats
from nst_video.frames import Frame
from nst_video.painter.painting import to_unit

MAX_GAIN = 1.25
"""Bound on what one keyframe's contrast is multiplied or divided by."""

PASSES = 3
"""Clipping to 0..1 moves mean and variance a little, so that they are set again."""

COARSE_PX = 16
"""Long side at which a painting is compared with its content: tones, not brush strokes."""

_Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tones:
    """Mean and variance of a picture's channels, each (3,), of pixels in 0..1."""

    mean: _Vector
    variance: _Vector

    @classmethod
    def of(cls, picture: Floats) -> "Tones":
        """Measure a picture (height, width, 3)."""
        pixels = picture.reshape(-1, picture.shape[-1]).astype(np.float64)
        return cls(pixels.mean(axis=0), pixels.var(axis=0))


class Anchor:
    """Sets mean and variance of a scene's keyframes by its first.

    Each optimization moves the tones a little toward those of the style, and each starts from the
    one before: without an anchor that adds up. Where the content itself has become lighter or
    richer in contrast since, so may the painting, as far as the first one follows its content.
    """

    def __init__(self, content: Frame, painted: Floats) -> None:
        """Remember the first keyframe.

        Args:
            content: RGB uint8 (height, width, 3).
            painted: RGB float32 (height, width, 3), 0..1.
        """
        unit = to_unit(content)
        self._content = Tones.of(unit)
        self._painted = Tones.of(painted)
        self._slope = _slope(painted, unit)

    def __call__(self, painted: Floats, content: Frame) -> Floats:
        """Return a later keyframe of the scene with the tones that it should have."""
        aim = self.aim(content)
        for _ in range(PASSES):
            tones = Tones.of(painted)
            gain = np.sqrt(aim.variance / np.maximum(tones.variance, 1e-8))
            gain = np.clip(gain, 1 / MAX_GAIN, MAX_GAIN)
            moved = (painted - tones.mean) * gain + aim.mean
            painted = np.clip(moved, 0, 1).astype(np.float32)
        return painted

    def aim(self, content: Frame) -> Tones:
        """Return the tones that a painting of this content should have."""
        now = Tones.of(to_unit(content))
        mean = self._painted.mean + self._slope * (now.mean - self._content.mean)
        variance = self._painted.variance + self._slope**2 * (now.variance - self._content.variance)
        return Tones(np.clip(mean, 0, 1), np.maximum(variance, self._painted.variance / 4))


def _slope(painted: Floats, content: Floats) -> _Vector:
    """Return how much each channel of the painting follows that of the content, (3,), 0..1.

    It is the slope of the regression of one over the other, both without their details.
    """
    height, width = content.shape[:2]
    scale = min(1.0, COARSE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    x, y = (
        cv2.resize(each, size, interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.float64)
        for each in (content, painted)
    )
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    return np.asarray(np.clip((x * y).mean(axis=0) / ((x * x).mean(axis=0) + 1e-6), 0, 1))
