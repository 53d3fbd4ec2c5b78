"""Mixing a plane of a new painting into the canvas.

Tone (the local mean) and texture (the rest) are mixed at their own rates: colors follow each new
painting quickly, strokes stay. Mixing two textures lowers their contrast, so the local contrast of
the new painting is given back, for coarse and fine structure apart.
"""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from nst_video.frames import Floats, Size
from nst_video.image.resize import resize_area, resize_linear, shrink
from nst_video.temporal import plane_loops
from nst_video.temporal.plane_loops import BLOCK
from nst_video.temporal.planes import Plane

TONE_BLUR, CONTRAST_BLUR, FINE_BLUR = 1.5, 3.0, 1.5
"""Sigmas, in blocks of brightness, of tone, of the local contrast of all texture, and of its fine
part. Tone is what is larger than 6 pixels."""

CONTRAST_RANGE, FINE_RANGE = (1.0, 1.6), (0.85, 3.0)
"""Limits of the gain for each frame. Fine structure may be weakened too, or flat areas get dirty.
"""

COLOR_RANGE = (1.0, 1.6)
"""Of color, which fades where strokes of several colors are mixed: blue and orange become gray."""

FADED = 0.7
"""Below this ratio of the painting's contrast to the canvas's, the canvas loses contrast at once:
what fades to one color leaves no ghost."""

VARIANCE_FLOOR = 1.0
"""Added to variances (of 255 squared), so that flat areas keep their gain near 1."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How a painting is mixed in: fields of `plane_loops`.

    Attributes:
        kept: 0..1, share of the canvas that stays.
        tone: 0..1, share of the painting's tone.
    """

    kept: Floats
    tone: Floats

    @classmethod
    def at(cls, size: Size, kept: Floats, tone: Floats) -> Self:
        """Return those of a plane of `size`, from images of any size."""
        return cls(field_of(kept, size), field_of(tone, size))


def field_of(values: Floats, size: Size) -> Floats:
    """Return an image as a field of a plane of `size` (width, height)."""
    width, height = (-(-side // BLOCK) for side in size)
    narrower = width < values.shape[1] and height < values.shape[0]
    return (shrink if narrower else resize_linear)(values, (width, height))


def mix_luma(canvas: Floats, painted: Plane, weights: Weights) -> Floats:
    """Return the canvas' brightness, float32 (h, w), with that of a painting mixed in."""
    mixture = _Mixture.of(canvas, painted, weights, 1.0, has_fine=True)
    gain = mixture.gain(0, CONTRAST_BLUR, CONTRAST_RANGE)
    fine = [mixture.gain(index, FINE_BLUR, FINE_RANGE) - gain for index in (1, 2)]
    return mixture.assemble(gain, np.stack(fine))


def mix_color(canvas: Floats, painted: Plane, weights: Weights, scale: float) -> Floats:
    """Return the same for a plane of color, `scale` times as wide as brightness."""
    mixture = _Mixture.of(canvas, painted, weights, scale, has_fine=False)
    return mixture.assemble(mixture.gain(0, CONTRAST_BLUR, COLOR_RANGE))


@dataclass(frozen=True, slots=True)
class _Mixture:
    """A canvas and a painting mixed, with the fields that are needed to give contrast back.

    Attributes:
        plane: float32 (h, w), their mixture.
        mean: its local mean.
        tone: the local mean to show.
        squares: of its textures, and of the painting's.
        scale: of sigmas.
    """

    plane: Floats
    mean: Floats
    tone: Floats
    squares: tuple[Floats, Floats]
    scale: float

    @classmethod
    def of(
        cls, canvas: Floats, painted: Plane, weights: Weights, scale: float, *, has_fine: bool
    ) -> Self:
        shape = weights.kept.shape
        mixed, means = np.empty_like(canvas), np.empty((2, *shape), np.float32)
        plane_loops.blend(canvas, painted, weights.kept, mixed, means)
        mine, theirs = (blur_field(each, TONE_BLUR * scale) for each in means)
        mean = theirs + weights.kept * (mine - theirs)
        ours, new = np.empty((3, *shape), np.float32), np.empty((3, *shape), np.float32)
        plane_loops.square_textures(mixed, mean, ours, has_fine)
        plane_loops.square_textures(painted, theirs, new, has_fine)
        tone = mine + weights.tone * (theirs - mine)
        return cls(mixed, mean, tone, (ours, new), scale)

    def gain(self, index: int, sigma: float, limits: tuple[float, float]) -> Floats:
        """Return the ratio of the local standard deviations of textures number `index`."""
        ours, theirs = (blur_field(each[index], sigma * self.scale) for each in self.squares)
        ratio = np.sqrt((theirs + VARIANCE_FLOOR) / (ours + VARIANCE_FLOOR))
        return np.asarray(np.clip(ratio, *limits) * np.minimum(ratio / FADED, 1), np.float32)

    def assemble(self, gain: Floats, fine: Floats | None = None) -> Floats:
        """Return the tone and the texture times `gain`, and fine structure times its own."""
        result = np.empty_like(self.plane)
        offset = self.tone - gain * self.mean
        has_fine = fine is not None
        fine = np.empty((2, 1, 1), np.float32) if fine is None else fine
        plane_loops.assemble(self.plane, gain, offset, fine, has_fine, result)
        return result


def blur_field(field: Floats, sigma: float) -> Floats:
    """Return a field, blurred by a Gaussian of `sigma` blocks."""
    return np.asarray(cv2.GaussianBlur(field, (0, 0), sigma), np.float32)


def local_mean(plane: Floats) -> Floats:
    """Return the mean of each block of a plane, blurred: a field."""
    height, width = plane.shape
    rows, columns = -(-height // BLOCK), -(-width // BLOCK)
    if (height, width) != (rows * BLOCK, columns * BLOCK):
        bottom, right = rows * BLOCK - height, columns * BLOCK - width
        whole = cv2.copyMakeBorder(plane, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
        plane = np.asarray(whole, np.float32)
    return blur_field(resize_area(plane, (columns, rows)), TONE_BLUR)


def local_squares(plane: Floats, mean: Floats) -> Floats:
    """Return fields of local squares, blurred.

    Args:
        plane: float32 (h, w).
        mean: its local mean, a field.

    Returns:
        Of what differs from the mean, and of fine structure across rows and across columns:
        float32 (3, rows, columns).
    """
    squares = np.empty((3, *mean.shape), np.float32)
    plane_loops.square_textures(plane, mean, squares, True)
    sigmas = (CONTRAST_BLUR, FINE_BLUR, FINE_BLUR)
    return np.stack([blur_field(each, sigma) for each, sigma in zip(squares, sigmas, strict=True)])
