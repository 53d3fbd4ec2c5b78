"""Palette-knife oil: slabs of color laid with a broad edge."""

import numpy as np

from .brushes import Brush, cover, primed_canvas, strokes, varnish
from .canvas import Image, Plane, Points, Rng, grid, noise, over, palette, ramp, smoothstep, unit
from .flow import from_angle, spline

LEAVES = palette("4a0f16 a61b1b df4a17 f28a12 f9c22e fbe79a")
FOREST = palette("1d1a3a 5a1f4a 98242d d9541e f0a32c")
WATER = palette("151b3d 274a78 7a4a6a d9541e f4b942")
BARK = palette("efe6d8 c9bfc4 8d86a3 34263c f7d9b0")
TRUNKS = (
    (0.08, 46, 0.02), (0.21, 30, -0.02), (0.34, 58, 0.03), (0.52, 26, -0.01), (0.68, 40, 0.02),
    (0.80, 24, 0.0), (0.93, 62, -0.03),
)  # fmt: skip
"""The birches: foot 0..1, width in canvas pixels, lean 0..1."""


def _ground(rng: Rng) -> tuple[Image, Plane]:
    x, y = grid()
    canopy = unit(noise(rng, 240, 3) + 0.8 * np.sin(5 * x + 2) - 1.6 * (y - 0.35))
    image = ramp(LEAVES, canopy)
    far = smoothstep(0.42, 0.62, y + 0.03 * noise(rng, 160, 2))
    image = over(image, ramp(FOREST, unit(noise(rng, 120, 3, stretch=0.4))), far)
    pond = smoothstep(0.735, 0.75, y + 0.012 * np.sin(11 * x))
    image = over(image, ramp(WATER, unit(noise(rng, 130, 3, stretch=3) + 1.2 * (0.9 - y))), pond)
    light = smoothstep(0.17, 0.0, np.hypot(x - 0.6, (y - 0.36) * 1.3))
    return over(image, palette("fff1b8")[0], 0.9 * light), pond


def _trunks(rng: Rng) -> tuple[Points, Image]:
    """Give the slabs that build the birches: short paths across each trunk, with colors."""
    paths, colors = [], []
    for foot, width, lean in TRUNKS:
        middle = spline([(foot + lean, -0.03), (foot + 0.4 * lean, 0.4), (foot, 0.86)], 90)
        for point in middle:
            across = np.linspace(-0.62, 0.62, 12)[:, None] * width
            tilt = rng.normal(0.12, 0.16)
            paths.append(point + across * np.array([np.cos(tilt), np.sin(tilt)]))
            dark = rng.random() < 0.2
            colors.append(BARK[3] if dark else BARK[rng.choice((0, 0, 1, 2, 4))])
    return np.asarray(paths, np.float32), np.asarray(colors, np.float32)


def autumn(rng: Rng) -> Image:
    """Birches before a burning autumn wood, laid on with a palette knife."""
    ground, pond = _ground(rng)
    slant = 0.9 * noise(rng, 260, 2) - 0.7
    field = from_angle(np.asarray(slant * (1 - pond), np.float32))
    canvas = primed_canvas(ground)
    slab = Brush(64, 110, 44, bristles=11, color_jitter=0.11, streak=0.035, ragged=0.12, taper=0.1)
    chip = Brush(34, 62, 40, bristles=8, color_jitter=0.15, streak=0.03, ragged=0.12, taper=0.1)
    cover(canvas, ground, field, slab, rng)
    cover(canvas, ground, field.turned(0.6), chip, rng, 0.85 - 0.5 * pond)
    paths, colors = _trunks(rng)
    widths = np.full(len(paths), 27, np.float32)
    bark = Brush(27, 60, 20, bristles=7, streak=0.04, ragged=0.2, taper=0.1)
    strokes(canvas, paths, colors, widths, bark, rng)
    leaf = Brush(24, 34, 46, bristles=5, color_jitter=0.12, streak=0.05, ragged=0.1, taper=0.35)
    _, y = grid()
    glow = ramp(LEAVES[1:], unit(noise(rng, 90, 3)))
    leafy = smoothstep(0.1, 0.7, noise(rng, 200, 2)) * smoothstep(0.75, 0.35, y)
    cover(canvas, glow, field.turned(-0.5), leaf, rng, leafy + 0.06)
    return varnish(canvas, 1.5, 1.5)
