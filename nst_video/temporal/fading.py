"""The way from what was shown to a new painting, over some frames, without a loss of contrast.

Halfway between two textures there is less contrast than in either, unless they agree.
"""

from dataclasses import dataclass
from typing import Self, TypeAlias

import cv2
import numpy as np

from nst_video.frames import Floats
from nst_video.temporal import plane_loops
from nst_video.temporal.mixing import VARIANCE_FLOOR, local_mean, local_squares

FloatPlanes: TypeAlias = tuple[Floats, Floats, Floats]
"""`Planes` as float32, 0..255."""

MAX_GAIN = np.float32(2**0.5)
"""What textures that have nothing in common need halfway."""


@dataclass(frozen=True, slots=True)
class Fade:
    """The way from some planes to others.

    Attributes:
        before: where it begins.
        after: where it ends.
        means: local means of brightness, at both ends: fields of `plane_loops`.
        squares: of its textures, at both ends and halfway, see `local_squares`.
    """

    before: FloatPlanes
    after: FloatPlanes
    means: tuple[Floats, Floats]
    squares: tuple[Floats, Floats, Floats]

    @classmethod
    def between(cls, before: FloatPlanes, after: FloatPlanes) -> Self:
        """Return the way between planes of the same sizes."""
        a, b = before[0], after[0]
        first, last = local_mean(a), local_mean(b)
        half = np.asarray(cv2.addWeighted(a, 0.5, b, 0.5, 0), np.float32)
        middle = np.asarray((first + last) / 2, np.float32)
        squares = local_squares(a, first), local_squares(b, last), local_squares(half, middle)
        return cls(before, after, (first, last), squares)

    def at(self, share: float) -> FloatPlanes:
        """Return what is shown after a share of the way, 0..1."""
        rest = 1 - share
        a, b, c = (
            np.asarray(cv2.addWeighted(mine, rest, other, share, 0), np.float32)
            for mine, other in zip(self.before, self.after, strict=True)
        )
        gain, *fine = self._gains(share)
        offset = (1 - gain) * (rest * self.means[0] + share * self.means[1])
        result = np.empty_like(a)
        plane_loops.assemble(a, gain, offset, np.stack(fine) - gain, True, result)
        return result, b, c

    def _gains(self, share: float) -> Floats:
        """Return what gives all texture and fine structure back the contrast that they lose."""
        first, last, half = self.squares
        rest = 1 - share
        common = 2 * half - (first + last) / 2
        wanted = rest * first + share * last + VARIANCE_FLOOR
        found = rest**2 * first + share**2 * last + 2 * rest * share * common + VARIANCE_FLOOR
        ratio = np.sqrt(wanted / np.maximum(found, VARIANCE_FLOOR))
        return np.asarray(np.clip(ratio, 1, MAX_GAIN), np.float32)
