"""What is shown where nothing has been painted yet: the source in the colors of the painting.

New things come into view while the next painting is not there. What the flow moves to their place
is a smear. Instead, tones of the source are mapped to those that the last painting gave to such
tones, and its texture gets the contrast of brush strokes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Floats, Size
from nst_video.image.resize import resize_area, resize_linear
from nst_video.temporal.contrast import FloatPlanes
from nst_video.temporal.planes import Plane, Planes

FIT_SIZE = (80, 45)
"""(width, height) at which tones of source and painting are compared."""

BINS, LUMA_STEP, COLOR_BASE, COLOR_STEP = 16, 16, 64, 8
"""Of the table of tones: bins in each direction, and where they lie for brightness and color."""

PRIOR = 0.02
"""Weight, in samples, of the affine map where a tone is rare."""

RIDGE = 25.0
"""Variance (of 255 squared) added for each color to the fit of the affine map."""

TONE_SHRINK = 4
"""Times that the source is shrunk for its tones."""

MAX_CONTRAST = 3.0
"""Highest gain of the source's texture, so that noise is not amplified much."""

SOURCE_SHARE, STROKE_SHARE = 0.5, 1.0
"""Of the textures of the source and of strokes: without strokes the place is a hole in the
painting, and without the source its things have no edges."""

HIDDEN, SHOWN = 0.3, 0.05
"""Trust in the canvas from which on nothing of the source is shown, and below which only that."""

FEATHER_PX, THIN_PX, FEATHER_GAIN = 15, 3, 1.3
"""Sides, in pixels of the flow, of the boxes across which what is shown changes from the canvas to
the source: wide at the edges of large areas, where a seam would be seen for some frames, and
narrow for thin ones, which must be covered all the same."""

MARGIN = 2
"""Pixels of the flow around the place to fill that are computed, too: for the blurs."""


@dataclass(frozen=True, slots=True)
class ToneMap:
    """A map from tones of a source to tones of its painting.

    Attributes:
        table: float32 (BINS, BINS, BINS, 3): brightness and colors of the painting for those of the
            source.
        contrast: ratio of the contrast of their textures, negative where light and dark are
            swapped.
    """

    table: Floats
    contrast: float

    @classmethod
    def fit(cls, source: Planes, painted: Planes) -> Self:
        """Return the map from a source to its painting, of the same sizes and order of colors."""
        x, y = (_tones(planes, FIT_SIZE).reshape(-1, 3) for planes in (source, painted))
        places = np.ravel_multi_index(_bins(x), (BINS, BINS, BINS))
        each = [*y.T, np.ones(len(y), np.float32)]
        counted = [np.bincount(places, weights, minlength=BINS**3) for weights in each]
        sums = np.stack(counted, -1).reshape(BINS, BINS, BINS, 4).astype(np.float32)
        for axis in (0, 1, 2, 0, 1, 2):
            sums = 0.5 * sums + 0.25 * (np.roll(sums, 1, axis) + np.roll(sums, -1, axis))
        totals, counts = sums[..., :3], sums[..., 3:]
        table = (totals + PRIOR * _affine(x, y)) / (counts + PRIOR)
        return cls(np.asarray(table, np.float32), _contrast(source[0], painted[0]))

    def map(self, tones: Floats) -> Floats:
        """Return the tones of the painting for those of a source, both float32 (h, w, 3)."""
        mapped = self.table[_bins(tones.reshape(-1, 3))].reshape(tones.shape)
        return np.asarray(cv2.GaussianBlur(mapped, (0, 0), 1), np.float32)


def _tones(planes: Planes, size: Size) -> Floats:
    """Return the tones of planes at a smaller size (width, height), float32 (h, w, 3), 0..255."""
    few = [np.ascontiguousarray(planes[0][::4, ::4]), *(plane[::2, ::2] for plane in planes[1:])]
    small = [resize_area(np.ascontiguousarray(plane), size) for plane in few]
    return np.stack(small, -1).astype(np.float32)


def _bins(tones: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return the place of tones (n, 3) in the table."""
    scaled = (tones - (0, COLOR_BASE, COLOR_BASE)) / (LUMA_STEP, COLOR_STEP, COLOR_STEP)
    places = np.clip(scaled, 0, BINS - 1).astype(np.intp)
    return places[:, 0], places[:, 1], places[:, 2]


def _affine(x: Floats, y: Floats) -> Floats:
    """Return the tones (BINS, BINS, BINS, 3) of the affine map that fits x to y, both (n, 3)."""
    mean_x, mean_y = x.mean(0), y.mean(0)
    around = x - mean_x
    squares = around.T @ around / len(x) + RIDGE * np.eye(3)
    matrix = np.linalg.solve(squares, around.T @ (y - mean_y) / len(x))
    luma = (np.arange(BINS) + 0.5) * LUMA_STEP
    color = COLOR_BASE + (np.arange(BINS) + 0.5) * COLOR_STEP
    tones = np.stack(np.meshgrid(luma, color, color, indexing="ij"), -1)
    return np.asarray(np.clip((tones - mean_x) @ matrix + mean_y, 0, 255), np.float32)


def _contrast(source: Plane, painted: Plane) -> float:
    x, y = (_texture(luma) for luma in (source, painted))
    ratio = float(np.clip(y.std() / max(1.0, float(x.std())), 1, MAX_CONTRAST))
    return ratio if (x * y).mean() >= 0 else -ratio


def _texture(luma: Plane) -> Floats:
    """Return the texture of the middle of a picture."""
    height, width = luma.shape
    middle = luma[height // 4 : height - height // 4 : 2, width // 4 : width - width // 4 : 2]
    few = middle.astype(np.float32)
    return np.asarray(few - cv2.blur(few, (9, 9)), np.float32)


def fill(
    planes: FloatPlanes,
    trust: Floats,
    source: Callable[[], Planes],
    tones: ToneMap,
    strokes: Callable[[Floats], Floats],
) -> FloatPlanes:
    """Return planes of a canvas that show the source where they cannot be trusted.

    Args:
        planes: what the canvas shows of this frame.
        trust: float32 (hf, wf), 0..1, how far it can be relied on.
        source: returns the planes of the frame, of the same sizes; called where they are needed.
        tones: of an earlier frame and its painting.
        strokes: returns, for the brightness of `planes`, one of the same size whose texture is
            shown there; called where it is needed.
    """
    lacking = np.clip((HIDDEN - trust) / np.float32(HIDDEN - SHOWN), 0, 1)
    if not lacking.any():
        return planes
    lacking = _feathered(np.asarray(lacking, np.float32))
    left, top, width, height = cv2.boundingRect((lacking > 0).astype(np.uint8))
    size = planes[0].shape
    rows = _even(top, top + height, lacking.shape[0], size[0])
    columns = _even(left, left + width, lacking.shape[1], size[1])
    weight = resize_linear(lacking, (size[1], size[0]))[rows, columns]
    luma, first, second = (
        plane[_halved(rows, step), _halved(columns, step)]
        for plane, step in zip(source(), (1, 2, 2), strict=True)
    )
    new = _wash((luma, first, second), tones, strokes(planes[0])[rows, columns])
    one, two, three = (plane.copy() for plane in planes)
    for plane, wanted, step in zip((one, two, three), new, (1, 2, 2), strict=True):
        part = plane[_halved(rows, step), _halved(columns, step)]
        share = resize_linear(np.ascontiguousarray(weight), (part.shape[1], part.shape[0]))
        part += share * (wanted - part)
    return one, two, three


def _halved(pixels: slice, step: int) -> slice:
    """Return what pixels from an even number on are in a plane `step` times as small."""
    return slice(pixels.start // step, -(-pixels.stop // step))


def _feathered(lacking: Floats) -> Floats:
    """Return weights (h, w) that rise across the edges of what is lacking, and cover thin parts."""
    wide, narrow = (cv2.blur(lacking, (side, side)) for side in (FEATHER_PX, THIN_PX))
    return np.asarray(np.maximum(np.minimum(FEATHER_GAIN * wide, 1), narrow), np.float32)


def _even(begin: int, end: int, count: int, size: int) -> slice:
    """Return what pixels `begin` to `end` of `count` are of `size`, from an even number on."""
    scale = size / count
    first = 2 * int(max(0, begin - MARGIN) * scale / 2)
    return slice(first, min(size, round((end + MARGIN) * scale)))


def _wash(source: Planes, tones: ToneMap, strokes: Floats) -> FloatPlanes:
    """Return planes of a source in the tones of the painting, with some of the strokes there."""
    luma, *colors = source
    height, width = luma.shape
    half = (colors[0].shape[1], colors[0].shape[0])
    low: Size = (max(1, width // TONE_SHRINK), max(1, height // TONE_SHRINK))
    few = resize_area(np.ascontiguousarray(luma), low)
    each = [few, *(resize_linear(np.ascontiguousarray(plane), low) for plane in colors)]
    found = tones.map(np.stack(each, -1).astype(np.float32))
    mapped = [np.ascontiguousarray(plane) for plane in np.moveaxis(found, -1, 0)]
    strokes = np.ascontiguousarray(strokes)
    texture = SOURCE_SHARE * tones.contrast * luma + STROKE_SHARE * strokes
    brushed = SOURCE_SHARE * tones.contrast * few + STROKE_SHARE * resize_area(strokes, low)
    smooth = cv2.GaussianBlur(brushed.astype(np.float32), (0, 0), 1.5)
    offset = mapped[0] - np.asarray(smooth, np.float32)
    texture = texture.astype(np.float32) + resize_linear(offset, (width, height))
    return texture, resize_linear(mapped[1], half), resize_linear(mapped[2], half)
