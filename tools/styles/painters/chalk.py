"""Dry media on toothed paper: charcoal and soft pastel."""

import numpy as np

from .brushes import Brush, cover, primed_canvas, strokes, tapered
from .canvas import (
    Bytes,
    Image,
    Plane,
    Points,
    Rng,
    W,
    as_floats,
    blank,
    blur,
    flat,
    grid,
    noise,
    over,
    palette,
    paper,
    ramp,
    smoothstep,
    unit,
)
from .flow import Flow, flow, from_angle

BUFF, COAL, CHALK, SANGUINE = palette("c99d6a 16120f fbf3e2 8f2f16")
SKY = palette("2f5fa0 86a8d8 f4c6c0 ffb27a ffe6a8")
ROWS = palette("2a1550 5b2a9c 8d52cf c98fe8 f3c6ee")
GREENS = palette("14402f 2f7a4a 8fb84a e3d86a")
TREES = (
    (0.66, 150, -0.1, 0.5),
    (0.46, 135, 0.12, 0.45),
    (0.22, 262, 0.16, 1.0),
    (0.84, 236, -0.22, 0.95),
)
VANISH = (0.60, 0.40)


def catch(density: Plane, rng: Rng, cell: float = 5) -> Plane:
    """Drag pigment over toothed paper: light pressure leaves it on the bumps only."""
    tooth = noise(rng, cell, 2, 0.8) + 0.5 * noise(rng, 3 * cell, 2)
    return smoothstep(-0.35, 0.5, 2.3 * density - 1.15 + 0.42 * tooth)


def _grow(canvas: Bytes, root: Points, angle: float, length: float, width: float, rng: Rng) -> None:
    """Draw a branch and, from it, its branches."""
    t = np.linspace(0, 1, 10)
    upright = angle + 0.16 * (-np.pi / 2 - angle)
    heading = upright + rng.normal(0, 0.25) * t + 0.20 * np.sin(6 * t + rng.uniform(0, 6))
    path = root + np.cumsum(np.stack([np.cos(heading), np.sin(heading)], 1), 0) * length / 10
    widths = np.linspace(width, width * 0.66, 10).astype(np.float32)
    tapered(canvas, path.astype(np.float32), (255.0,), widths)
    if width < 3.6:
        return
    for turn in (-1, 1, 0.2)[: 2 + int(rng.random() < 0.25)]:
        spread = turn * rng.uniform(0.25, 0.75)
        start = path[-1] if abs(turn) < 1 else path[int(rng.integers(5, 10))]
        thinner = width * rng.uniform(0.50, 0.74)
        _grow(canvas, start, heading[-1] + spread, length * rng.uniform(0.72, 0.95), thinner, rng)


def _scribble(field: Flow, brush: Brush, where: Plane, rng: Rng) -> Plane:
    """Fill an area with loose strokes; gives their density 0..1."""
    canvas = primed_canvas(flat(np.zeros(3, np.float32)))
    cover(canvas, flat(np.full(3, 0.75, np.float32)), field, brush, rng, where)
    return as_floats(canvas[..., 0])


def charcoal(rng: Rng) -> Image:
    """Storm-bent winter trees in charcoal, sanguine and white chalk on buff paper."""
    x, y = grid()
    storm = unit(noise(rng, 560, 3, 0.5, stretch=1.8) + 0.9 * np.sin(5 * x - 4 * y))
    above = smoothstep(0.86, 0.70, y)
    image = over(flat(BUFF), COAL, 0.22 * blur(storm, 12) * above)
    hatch = Brush(22, 250, 26, bristles=4, color_jitter=0.2, streak=0.25, ragged=0.5, taper=0.3)
    layers = ((SANGUINE, -0.75, 0.40, 0.62), (SANGUINE, -0.2, 0.6, 0.8), (COAL, -0.45, 0.68, 0.95))
    for color, slant, low, high in layers:
        gust = from_angle(np.asarray(slant + 0.16 * noise(rng, 600, 2), np.float32))
        sky = _scribble(gust, hatch, smoothstep(low, high, storm) * above, rng)
        image = over(image, color, 0.9 * catch(sky, rng))
    light = _scribble(gust, hatch, 0.85 * smoothstep(0.36, 0.10, storm) * above, rng)
    image = over(image, CHALK, 0.95 * catch(light, rng))
    slope = from_angle(
        np.asarray(-1.25 + 0.5 * np.sin(8 * x) + 0.3 * noise(rng, 200, 2), np.float32)
    )
    for color, chance in ((SANGUINE, 0.85), (COAL, 0.55), (CHALK, 0.16)):
        grass = Brush(12, 120, 19, bristles=3, color_jitter=0.2, streak=0.25, ragged=0.5)
        ground = smoothstep(0.70, 0.84, y + 0.05 * np.sin(7 * x)) * np.float32(chance)
        image = over(image, color, 0.9 * catch(_scribble(slope, grass, ground, rng), rng))
    for foot, size, lean, tone in TREES:
        tree = blank(1)
        root = np.array([foot * W, (0.80 + 0.17 * tone) * W])
        _grow(tree, root, -np.pi / 2 + lean, size * 1.05, size * 0.32, rng)
        wood = as_floats(tree)
        image = over(image, COAL, 0.22 * tone * blur(wood, 9))
        bark = unit(noise(rng, 30, 3, 0.7, stretch=0.25))
        image = over(image, COAL, tone * catch(wood * (0.66 + 0.34 * bark), rng))
        rim = np.clip(wood - np.roll(wood, -7, 1), 0, 1) * bark
        image = over(image, CHALK, 0.75 * tone * rim)
    return paper(image, rng, 0.07, 5)


def _field_rows(x: Plane, y: Plane) -> tuple[Plane, Plane]:
    """Give the number of the lavender row under every pixel and how near the viewer it is."""
    near = np.maximum(y - VANISH[1], 1e-3)
    return (x - VANISH[0]) / near * 2.6, near


def lavender(rng: Rng) -> Image:
    """Rows of lavender running to an apricot evening, in soft pastel on dark paper."""
    x, y = grid()
    row, near = _field_rows(x, y)
    crest = 0.5 + 0.5 * np.cos(2 * np.pi * row)
    bushes = ramp(ROWS, np.clip(0.05 + 0.85 * crest + 0.10 * noise(rng, 60, 3), 0, 1))
    soil = ramp(GREENS, unit(noise(rng, 70, 3)))
    meadow = over(bushes, soil, smoothstep(0.26, 0.10, crest))
    cloud = noise(rng, 260, 4, 0.55, stretch=3)
    sky = ramp(SKY, np.clip(y / 0.36 + 0.13 * cloud, 0, 1))
    glow = np.exp(-(((x - VANISH[0]) ** 2 + (y - 0.31) ** 2) / 0.006))
    sky = over(sky, palette("fff7d0")[0], glow)
    image = over(sky, meadow, (y > VANISH[1]).astype(np.float32))
    for level, tone in ((0.345, "7a6fb0"), (0.375, "3f5f8a")):
        top = level - 0.035 * np.sin(9 * x + 30 * level) - 0.02 * np.sin(21 * x)
        image = over(
            image, palette(tone)[0], ((y > top) & (y <= VANISH[1] + 0.01)).astype(np.float32)
        )
    down = flow(x - VANISH[0], near + 0.03)
    sweep = from_angle(np.asarray(0.25 * np.sin(7 * x + 9 * y), np.float32))
    mask = (y > VANISH[1]).astype(np.float32)
    field = flow(sweep.x * (1 - mask) + down.x * mask, sweep.y * (1 - mask) + down.y * mask)
    canvas = primed_canvas(flat(palette("1f1a3a")[0]))
    for brush in (
        Brush(34, 90, 20, bristles=9, color_jitter=0.05, streak=0.06, ragged=0.5, taper=0.3),
        Brush(17, 52, 15, bristles=5, color_jitter=0.11, streak=0.08, ragged=0.5, taper=0.3),
    ):
        cover(canvas, image, field, brush, rng)
    _cypresses(canvas, rng)
    pigment = as_floats(canvas[..., :3])
    rubbed = 0.80 + 0.20 * unit(noise(rng, 40, 3))
    image = over(
        flat(palette("1f1a3a")[0]), pigment, catch(rubbed.astype(np.float32) * 0.92, rng, 6)
    )
    return paper(0.7 * image + 0.3 * pigment, rng, 0.06, 5)


def _cypresses(canvas: Bytes, rng: Rng) -> None:
    """Stand dark cypresses along the horizon, built from upright strokes."""
    paths, colors = [], []
    for foot, height, wide in (
        (0.12, 0.27, 26),
        (0.19, 0.19, 20),
        (0.87, 0.24, 24),
        (0.94, 0.33, 30),
    ):
        for _ in range(70):
            t = rng.uniform(0, 1)
            middle = np.array(
                [foot * W + rng.normal(0, wide * (1.05 - t)), (0.44 - height * t) * W]
            )
            rise = np.linspace(-1, 1, 12)[:, None] * np.array([rng.normal(0, 3), -32.0])
            paths.append(middle + rise)
            colors.append(GREENS[rng.choice((0, 0, 1))] * 0.9)
    brush = Brush(14, 64, 10, bristles=4, streak=0.05)
    widths = np.full(len(paths), 14, np.float32)
    strokes(canvas, np.array(paths), np.array(colors), widths, brush, rng)
