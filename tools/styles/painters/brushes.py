"""Brushes: bristled oil strokes with relief, and plain drawn lines."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .canvas import (
    Bytes,
    Image,
    Plane,
    Points,
    Rng,
    W,
    as_bytes,
    as_floats,
    blur,
    ink,
    relief,
    shade,
)
from .flow import Flow, normals, sample, scatter, trace

SHIFT = 3
"""Fractional bits of the coordinates OpenCV gets."""


@dataclass(frozen=True)
class Brush:
    """How one layer of strokes looks; lengths in canvas pixels."""

    width: float
    length: float
    spacing: float
    """Distance between strokes: smaller than the width covers, larger lets the ground shine."""
    bristles: int = 7
    color_jitter: float = 0.06
    """How far whole strokes stray from the color below them."""
    streak: float = 0.05
    """How far single bristles stray from the stroke's color."""
    ragged: float = 0.25
    """How uneven the ends are: 0 cut square, 1 torn."""
    taper: float = 0.5
    """0 is a flat knife, 1 a pointed brush."""


def fixed(points: Points) -> np.ndarray:
    """Turn points to OpenCV's fixed-point integers."""
    return np.round(points * (1 << SHIFT)).astype(np.int32)


def line(
    canvas: Bytes, path: Points, color: tuple[float, ...], width: float, closed: bool = False
) -> None:
    """Draw one polyline (k, 2) on a byte canvas."""
    thickness = max(1, round(width))
    cv2.polylines(canvas, [fixed(path)], closed, color, thickness, cv2.LINE_8, SHIFT)


def fill(canvas: Bytes, outline: Points, color: tuple[float, ...]) -> None:
    """Fill one closed outline (k, 2) on a byte canvas."""
    cv2.fillPoly(canvas, [fixed(outline)], color, cv2.LINE_8, SHIFT)


def disc(canvas: Bytes, center: Points, radius: float, color: tuple[float, ...]) -> None:
    """Fill one circle on a byte canvas."""
    x, y = fixed(center)
    scaled = max(1, round(radius * (1 << SHIFT)))
    cv2.circle(canvas, (int(x), int(y)), scaled, color, -1, cv2.LINE_8, SHIFT)


def tapered(canvas: Bytes, path: Points, color: tuple[float, ...], widths: Plane) -> None:
    """Fill a stroke whose width varies along its path: one width for each of the k points."""
    side = normals(path) * (widths / 2)[:, None]
    fill(canvas, np.concatenate([path + side, (path - side)[::-1]]), color)


def bristle_paths(paths: Points, widths: Plane, brush: Brush, rng: Rng) -> Points:
    """Split strokes (n, k, 2) into bristles (n, bristles, k, 2) that fan out and close again."""
    steps = paths.shape[1]
    offset = np.linspace(-0.5, 0.5, brush.bristles)[None, :, None]
    offset = offset + rng.normal(0, 0.25 / brush.bristles, (len(paths), brush.bristles, 1))
    profile = np.sin(np.linspace(0.12, np.pi - 0.12, steps)) ** brush.taper
    spread = offset * widths[:, None, None] * profile[None, None, :]
    return paths[:, None] + spread[..., None] * normals(paths)[:, None]


def strokes(
    canvas: Bytes, paths: Points, colors: Image, widths: Plane, brush: Brush, rng: Rng
) -> None:
    """Paint bristled strokes; the fourth channel of the canvas takes the height of the paint.

    Args:
        canvas: uint8 (W, W, 4), painted on in place.
        paths: (n, k, 2) canvas pixels.
        colors: (n, 3) in 0..1.
        widths: (n,) canvas pixels.
        brush: The look of the strokes.
        rng: Source of randomness.
    """
    count, steps = paths.shape[:2]
    bristles = bristle_paths(paths, widths, brush, rng)
    shape = (count, brush.bristles, 1)
    tone = colors[:, None] + rng.normal(0, brush.streak, shape)
    ridge = 0.55 + 0.3 * np.abs(np.linspace(-1, 1, brush.bristles))[None, :, None]
    paint = as_bytes(np.concatenate([tone, ridge + rng.normal(0, 0.16, shape)], -1)).astype(float)
    cut = rng.uniform(0, brush.ragged * steps / 2, (count, brush.bristles, 2)).astype(np.intp)
    thickness = np.maximum(1, np.round(widths / brush.bristles * 1.25)).astype(int)
    points = fixed(bristles)
    for n in range(count):
        for b in rng.permutation(brush.bristles):
            first, last = cut[n, b]
            piece = points[n, b, first : steps - last]
            color = tuple(paint[n, b])
            cv2.polylines(canvas, [piece], False, color, int(thickness[n]), cv2.LINE_8, SHIFT)


def cover(
    canvas: Bytes, below: Image, field: Flow, brush: Brush, rng: Rng, where: Plane | None = None
) -> None:
    """Paint one layer of strokes over the canvas, colored by the picture `below`.

    Args:
        canvas: uint8 (W, W, 4), painted on in place.
        below: The picture to paint, seen through the brush.
        field: Direction of the strokes.
        brush: The look of the strokes.
        rng: Source of randomness.
        where: Chance 0..1 of a stroke to be painted, by place.
    """
    starts = scatter(rng, brush.spacing)
    if where is not None:
        chance = sample(where[..., None], starts)[:, 0]
        starts = starts[rng.random(len(starts)) < chance]
    colors = sample(below, starts)
    value = rng.normal(0, brush.color_jitter, (len(starts), 1))
    hue = rng.normal(0, brush.color_jitter / 2, (len(starts), 3))
    widths = (brush.width * rng.uniform(0.7, 1.2, len(starts))).astype(np.float32)
    paths = trace(field, starts, brush.length)
    strokes(canvas, paths, (colors + value + hue).astype(np.float32), widths, brush, rng)


def primed_canvas(ground: Image) -> Bytes:
    """Give a byte canvas with a height channel, primed with a picture."""
    primed = np.zeros((W, W, 4), np.uint8)
    primed[..., :3] = as_bytes(ground)
    return primed


def oil(ground: Image, field: Flow, brushes: Sequence[Brush], rng: Rng) -> Bytes:
    """Paint a picture in layers of strokes, coarse to fine; returns the canvas with heights."""
    canvas = primed_canvas(ground)
    for brush in brushes:
        cover(canvas, ground, field, brush, rng)
    return canvas


def varnish(canvas: Bytes, strength: float = 1.0, soft: float = 1.2) -> Image:
    """Light the paint's relief from the upper left and give the picture."""
    height = blur(as_floats(canvas[..., 3]), soft)
    return shade(as_floats(canvas[..., :3]), 0.32 * relief(height, 1.1 * strength))


def mark(paths: Sequence[Points], width: float) -> Plane:
    """Draw lines into a mask 0..1."""
    canvas = np.zeros((W, W), np.uint8)
    for path in paths:
        line(canvas, path, (255,), width)
    return as_floats(canvas)


def pen(canvas: Bytes, path: Points, color: Image, width: float) -> None:
    """Draw one line of a float color on an RGB byte canvas."""
    line(canvas, path, ink(color), width)
