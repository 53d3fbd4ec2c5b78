"""Inputs and results of painting by optimization."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from nst_video.frames import Floats, Frame


class FindMask(Protocol):
    """Finds the region of a style in each picture that is painted."""

    @property
    def key(self) -> str:
        """What the masks depend on besides the picture."""
        ...

    def __call__(self, content: Frame, /) -> Floats:
        """Return the mask of a picture (height, width, 3), float32 (height, width), 0..1."""
        ...


@dataclass(frozen=True, slots=True)
class StylePicture:
    """A style image, its weight and its region.

    Attributes:
        picture: RGB uint8 (height, width, 3), of any size.
        weight: share of this style among those of the same region, above 0.
        mask: float32 (height, width), 0..1, of any size: where the style is painted; it is resized
            to the content. It may also be found in each content. None for the area that no mask
            covers.
    """

    picture: Frame
    weight: float = 1.0
    mask: Floats | FindMask | None = None

    def on(self, content: Frame) -> "StylePicture":
        """Return the style with the mask of a picture, RGB uint8 (height, width, 3).

        What is found is never empty and never everything, so that a film in which nobody is to be
        seen for a while goes on.
        """
        if self.mask is None or isinstance(self.mask, np.ndarray):
            return self
        return replace(self, mask=np.clip(self.mask(content), 1 / 255, 254 / 255))


@dataclass(frozen=True, slots=True)
class TemporalTarget:
    """A picture that a painting should stay close to, such as the previous keyframe, warped.

    Attributes:
        picture: RGB float32 (h, w, 3), 0..1, of the content's size.
        reliability: float32 (h, w), 0..1: weight of each pixel.
        weight: of this target, multiplied by `PaintSettings.temporal_weight`.
    """

    picture: Floats
    reliability: Floats
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class PaintStep:
    """One step of an optimization.

    Attributes:
        scale: number of the scale, from 1, the coarsest.
        scales: number of scales.
        step: number of the step at this scale, from 1.
        steps: maximum number of steps at this scale.
        losses: weighted losses of the picture before the step: "content", "style", "tv", "temporal"
            and their sum, "total".
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
        history: all steps, in order.
    """

    picture: Floats
    history: tuple[PaintStep, ...]

    @property
    def frame(self) -> Frame:
        """The picture as RGB uint8."""
        return to_frame(self.picture)


def to_unit(picture: Frame) -> Floats:
    """Return a uint8 picture as float32, 0..1."""
    return picture.astype(np.float32) / np.float32(255)


def to_frame(picture: Floats) -> Frame:
    """Return a picture in 0..1 as uint8, rounded, with values beyond clipped."""
    return np.ascontiguousarray(np.rint(np.clip(picture, 0, 1) * 255), np.uint8)
