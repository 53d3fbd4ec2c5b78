"""What is shown where nothing has been painted yet: the source in the colors of the painting.

New things come into view while the next painting is not there. What the flow moves to their place
is a smear. Instead, tones of the source are mapped to those that the last painting gave to such
tones, and its texture gets the contrast of brush strokes.
"""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from nst_video.frames import Floats, Frame, Size
from nst_video.image.resize import resize_area, resize_linear
from nst_video.temporal.canvas import Canvas
from nst_video.temporal.planes import Planes, planes_of_rgb

FIT_SIZE = (80, 45)
"""(width, height) at which tones of source and painting are compared."""

BINS, LUMA_STEP, COLOR_BASE, COLOR_STEP = 16, 16, 64, 8
"""Of the table of tones: bins in each direction, and where they lie for brightness and color."""

PRIOR = 0.02
"""Weight, in samples, of the affine map where a tone is rare."""

TONE_SHRINK = 4
"""Times that the source is shrunk for its tones."""

MAX_CONTRAST = 3.0
"""Highest gain of the source's texture, so that noise is not amplified much."""

HIDDEN, SHOWN = 0.3, 0.05
"""Trust in the canvas from which on nothing of the source is shown, and below which only that."""


@dataclass(frozen=True, slots=True)
class ToneMap:
    """A map from tones of a source to tones of its painting.

    Attributes:
        table: float32 (BINS, BINS, BINS, 3): Y, Cr, Cb of the painting for those of the source.
        contrast: ratio of the contrast of their textures, negative where light and dark are
            swapped.
    """

    table: Floats
    contrast: float

    @classmethod
    def fit(cls, source: Planes, painted: Planes) -> Self:
        """Return the map from a source to its painting; planes of the same sizes."""
        x, y = _tones(source, FIT_SIZE).reshape(-1, 3), _tones(painted, FIT_SIZE).reshape(-1, 3)
        sums = np.zeros((BINS, BINS, BINS, 4), np.float32)
        np.add.at(sums, _bins(x), np.concatenate([y, np.ones_like(y[:, :1])], 1))
        for axis in (0, 1, 2, 0, 1, 2):
            before, after = np.roll(sums, 1, axis), np.roll(sums, -1, axis)
            sums = 0.5 * sums + 0.25 * (before + after)
        totals, counts = sums[..., :3], sums[..., 3:]
        table = (totals + PRIOR * _affine(x, y)) / (counts + PRIOR)
        return cls(np.asarray(table, np.float32), _contrast(source, painted))

    def tones(self, source: Planes) -> Floats:
        """Return the tones of the painting for a source, (h, w, 3) at a quarter of its size."""
        height, width = source[0].shape
        low = (max(1, width // TONE_SHRINK), max(1, height // TONE_SHRINK))
        found = _tones(source, low)
        mapped = self.table[_bins(found.reshape(-1, 3))].reshape(found.shape)
        return np.asarray(cv2.GaussianBlur(mapped, (0, 0), 1), np.float32)


def _bins(tones: Floats) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the place of tones (n, 3) in the table."""
    scaled = (tones - (0, COLOR_BASE, COLOR_BASE)) / (LUMA_STEP, COLOR_STEP, COLOR_STEP)
    places = np.clip(scaled, 0, BINS - 1).astype(np.intp)
    return places[:, 0], places[:, 1], places[:, 2]


def _affine(x: Floats, y: Floats) -> Floats:
    """Return the tones (BINS, BINS, BINS, 3) of the affine map that fits x to y, both (n, 3)."""
    mean_x, mean_y = x.mean(0), y.mean(0)
    around = x - mean_x
    squares = around.T @ around / len(x) + 25 * np.eye(3)
    matrix = np.linalg.solve(squares, around.T @ (y - mean_y) / len(x))
    luma = (np.arange(BINS) + 0.5) * LUMA_STEP
    color = COLOR_BASE + (np.arange(BINS) + 0.5) * COLOR_STEP
    tones = np.stack(np.meshgrid(luma, color, color, indexing="ij"), -1)
    return np.asarray(np.clip((tones - mean_x) @ matrix + mean_y, 0, 255), np.float32)


def _tones(planes: Planes, size: Size) -> Floats:
    """Return the planes at `size` as tones, float32 (height, width, 3)."""
    return np.stack([resize_area(plane, size) for plane in planes], -1).astype(np.float32)


def _contrast(source: Planes, painted: Planes) -> float:
    x, y = (_texture(planes) for planes in (source, painted))
    ratio = float(np.clip(y.std() / max(1.0, float(x.std())), 1, MAX_CONTRAST))
    return ratio if (x * y).mean() >= 0 else -ratio


def _texture(planes: Planes) -> Floats:
    luma = planes[0][::2, ::2].astype(np.float32)
    return np.asarray(luma - cv2.blur(luma, (9, 9)), np.float32)


def fill(canvas: Canvas, source: Frame, tones: ToneMap) -> None:
    """Show the source where the canvas cannot be trusted. Changes the canvas.

    Args:
        canvas: carried to the frame.
        source: the frame at the canvas' size, RGB uint8 (h, w, 3).
        tones: of an earlier frame and its painting.
    """
    lacking = np.clip((HIDDEN - canvas.trust) / np.float32(HIDDEN - SHOWN), 0, 1)
    if not lacking.any():
        return
    luma, *colors = planes = planes_of_rgb(source)
    size, half = (luma.shape[1], luma.shape[0]), (colors[0].shape[1], colors[0].shape[0])
    mapped = tones.tones(planes)
    low = resize_area(luma, (mapped.shape[1], mapped.shape[0]))
    smooth = np.asarray(cv2.GaussianBlur(low, (0, 0), 1.5), np.uint8)
    texture = luma - resize_linear(smooth, size).astype(np.float32)
    wanted = [
        resize_linear(np.ascontiguousarray(mapped[..., 0]), size) + tones.contrast * texture,
        *(resize_linear(np.ascontiguousarray(mapped[..., n]), half) for n in (1, 2)),
    ]
    for plane, new in zip(canvas.planes, wanted, strict=True):
        share = resize_linear(np.asarray(lacking, np.float32), (plane.shape[1], plane.shape[0]))
        plane += share * (new - plane)
