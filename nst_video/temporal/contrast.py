"""The local contrast of a painting, and how what is shown gets it back.

Interpolation takes fine structure away from what is moved, and halfway between two textures there
is less contrast than in either, unless they agree.
"""

from dataclasses import dataclass
from typing import Self, TypeAlias

import cv2
import numpy as np

from nst_video.frames import Floats
from nst_video.image.optical_flow import Flow, resize_flow, warp
from nst_video.temporal import plane_loops
from nst_video.temporal.mixing import VARIANCE_FLOOR, local_mean, local_squares

FloatPlanes: TypeAlias = tuple[Floats, Floats, Floats]
"""`Planes` as float32, 0..255."""

MAX_GAIN, MAX_FINE_GAIN = np.float32(2**0.5), np.float32(2)
"""Of all texture: what textures that have nothing in common need halfway. Of fine structure: what
is moved by half a pixel needs less."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """The local contrast of brightness.

    Attributes:
        squares: of the textures of a plane, see `mixing.local_squares`: (3, rows, columns).
    """

    squares: Floats

    @classmethod
    def of(cls, luma: Floats) -> Self:
        """Return that of a plane, float32 (h, w)."""
        return cls(local_squares(luma, local_mean(luma)))

    def toward(self, other: "Contrast", share: float) -> "Contrast":
        """Return what it is after a share, 0..1, of the way to another."""
        return Contrast((1 - np.float32(share)) * self.squares + np.float32(share) * other.squares)

    def moved(self, flow: Flow) -> "Contrast":
        """Return that of a plane moved along a flow of any size."""
        rows, columns = self.squares.shape[1:]
        small = resize_flow(flow, (columns, rows))
        return Contrast(np.stack([warp(each, small) for each in self.squares]))

    def give_back(self, luma: Floats) -> Floats:
        """Return a plane, float32 (h, w), with this contrast where its own is lower."""
        mean = local_mean(luma)
        ours = local_squares(luma, mean)
        ratio = np.sqrt((self.squares + VARIANCE_FLOOR) / (ours + VARIANCE_FLOOR))
        gain = np.asarray(np.clip(ratio[0], 1, MAX_GAIN), np.float32)
        fine = np.asarray(np.clip(ratio[1:], 1, MAX_FINE_GAIN), np.float32) - gain
        result = np.empty_like(luma)
        plane_loops.assemble(luma, gain, (1 - gain) * mean, fine, True, result)
        return result


def between(before: FloatPlanes, after: FloatPlanes, share: float) -> FloatPlanes:
    """Return planes after a share, 0..1, of the way to others of the same sizes."""
    a, b, c = (
        np.asarray(cv2.addWeighted(mine, 1 - share, other, share, 0), np.float32)
        for mine, other in zip(before, after, strict=True)
    )
    return a, b, c
