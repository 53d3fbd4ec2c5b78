"""What goes into a painting by optimization, and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Frame


@dataclass(frozen=True, slots=True)
class StylePicture:
    """A style and where it is to be painted.

    Attributes:
        picture: RGB uint8 (height, width, 3), of any size.
        weight: share of this style among those of the same region.
        mask: (height, width), 0..1, stretched to the content: where the style is painted; None for
            everywhere that no other style has a mask for.
    """

    picture: Frame
    weight: float = 1.0
    mask: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class TemporalTarget:
    """What a painting should stay close to, such as the one before, warped.

    Attributes:
        picture: RGB float32 (h, w, 3), 0..1, of the content's size.
        reliability: float32 (h, w), 0..1: how far each pixel of it may be trusted.
        weight: of this target, multiplied with the settings' weight of the temporal loss.
    """

    picture: NDArray[np.float32]
    reliability: NDArray[np.float32]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class PaintStep:
    """Where an optimization stands.

    Attributes:
        scale: from 1, the coarsest.
        scales: how many there are.
        step: from 1, at this scale.
        steps: at most, at this scale.
        losses: "content", "style", "tv" and "temporal" as they enter the "total", weights included,
            of the picture before the step.
    """

    scale: int
    scales: int
    step: int
    steps: int
    losses: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Painting:
    """A finished painting.

    Attributes:
        picture: RGB float32 (h, w, 3), 0..1.
        history: every step that led to it.
    """

    picture: NDArray[np.float32]
    history: tuple[PaintStep, ...]

    @property
    def frame(self) -> Frame:
        """The picture as RGB uint8."""
        return to_frame(self.picture)


def to_unit(picture: Frame) -> NDArray[np.float32]:
    """Return a picture as float32, 0..1."""
    return picture.astype(np.float32) / np.float32(255)


def to_frame(picture: NDArray[np.float32]) -> Frame:
    """Return a picture in 0..1 as uint8."""
    return np.rint(picture * 255).astype(np.uint8)
