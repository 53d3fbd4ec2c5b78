"""Color woodblock print: the wave."""

import numpy as np

from .brushes import disc, fill, line, tapered
from .canvas import (
    Bytes,
    Image,
    Points,
    Rng,
    W,
    as_bytes,
    as_floats,
    flat,
    grid,
    ink,
    multiply,
    noise,
    over,
    palette,
    paper,
    ramp,
    smoothstep,
    unit,
)  # fmt: skip
from .flow import normals, spline

OUTLINE, DEEP, MID, PALE, FOAM, SKY, SUN = palette(
    "10213f 173f73 3f7fb0 9cc4cc f3ead2 e6d3a8 d9482b"
)
Finger = tuple[Points, float]
"""A finger of foam: its path and its width at the root."""
STRIPES = np.stack([DEEP, MID, DEEP, PALE, DEEP, FOAM, MID, DEEP, PALE, MID])
BIG = (
    [(-0.08, 0.30), (0.06, 0.16), (0.24, 0.075), (0.43, 0.10), (0.56, 0.20), (0.615, 0.33)],
    [(-0.08, 0.98), (0.12, 0.86), (0.27, 0.66), (0.36, 0.45), (0.46, 0.335), (0.575, 0.345)],
)
SMALL = (
    [(1.08, 0.50), (0.95, 0.445), (0.83, 0.455), (0.745, 0.515), (0.72, 0.585)],
    [(1.08, 0.93), (0.97, 0.82), (0.88, 0.70), (0.80, 0.605), (0.735, 0.60)],
)
FAR = (
    [(-0.05, 0.60), (0.2, 0.57), (0.45, 0.60), (0.62, 0.52), (0.78, 0.57), (1.05, 0.53)],
    [(-0.05, 0.70), (0.3, 0.70), (0.48, 0.63), (0.66, 0.66), (0.85, 0.62), (1.05, 0.64)],
)
SWELLS = (
    [(-0.05, 0.80), (0.15, 0.87), (0.34, 0.83), (0.52, 0.71), (0.64, 0.68), (0.80, 0.78),
     (1.05, 0.90)],
    [(-0.05, 0.90), (0.20, 0.96), (0.45, 0.88), (0.70, 0.84), (1.05, 0.97)],
)  # fmt: skip


def _sky(rng: Rng) -> Image:
    x, y = grid()
    image = ramp(np.stack([MID, PALE, SKY, SKY, FOAM]), np.clip(y * 1.25, 0, 1))
    for k in range(9):
        level = 0.05 + 0.065 * k
        edge = y - level - 0.014 * np.sin(7 * x + 1.9 * k) - 0.006 * np.sin(19 * x + k)
        band = smoothstep(0.0, 0.004, edge) * smoothstep(0.030, 0.004, edge)
        lit = smoothstep(-0.2, 0.5, np.sin(5 * x + 2.7 * k))
        image = over(image, PALE if k % 2 else FOAM, 0.75 * band * lit)
    canvas = as_bytes(image)
    disc(canvas, np.array([0.815, 0.215]) * W, 0.115 * W, ink(SUN))
    for k in range(30):
        level = 0.02 + 0.0052 * k * (1 + 0.05 * k)
        t = np.linspace(-0.02, 1.02, 60)
        row = np.stack([t, level + 0.008 * np.sin(6 * t + 0.25 * k)], 1) * W
        line(canvas, row.astype(np.float32), ink(OUTLINE * 0.55 + 0.45 * PALE), 1.6)
    return as_floats(canvas)


def _body(canvas: Bytes, crest: Points, belly: Points) -> None:
    """Fill a wave between two curves with stripes that narrow toward its tip."""
    fill(canvas, np.concatenate([crest, belly[::-1]]), ink(DEEP))
    edges = np.linspace(0, 1, 27)
    for k in range(26):
        low = crest + (belly - crest) * edges[k]
        high = crest + (belly - crest) * (edges[k] * 0.35 + edges[k + 1] * 0.65)
        fill(canvas, np.concatenate([low, high[::-1]]), ink(STRIPES[k % len(STRIPES)]))
        line(canvas, high, ink(OUTLINE), 3)
    for curve in (crest, belly):
        line(canvas, curve, ink(OUTLINE), 8)


def _hook(root: Points, angle: float, size: float, turn: float) -> Points:
    """Give a finger of foam that curls up, from its root."""
    t = np.linspace(0, 1, 14)
    heading = angle + turn * t**1.3
    steps = np.stack([np.cos(heading), np.sin(heading)], 1) * size / len(t)
    return np.asarray(root + np.cumsum(steps, 0), np.float32)


def _claws(crest: Points, first: float, reach: float, side: float, rng: Rng) -> list[Finger]:
    """Give fingers along a crest: (path, width) from `first` (0..1) of its length to its tip."""
    normal = normals(crest) * side
    fingers: list[Finger] = []
    for at in np.linspace(first, 0.995, int(46 * (1.05 - first))):
        n = int(at * (len(crest) - 1))
        out = float(np.arctan2(normal[n, 1], normal[n, 0]))
        for _ in range(4):
            size = reach * rng.uniform(0.45, 1.15) * (0.5 + 0.6 * at)
            root = crest[n] + rng.normal(0, 0.010 * W, 2) - normal[n] * rng.uniform(0, 0.5) * reach
            angle = out + rng.normal(0.35 * side, 0.45)
            turn = side * rng.uniform(1.6, 3.4)
            fingers.append((_hook(root, angle, size, turn), size * rng.uniform(0.20, 0.34)))
    order = rng.permutation(len(fingers))
    return [fingers[k] for k in order]


def _foam(canvas: Bytes, fingers: list[Finger]) -> None:
    """Draw fingers in groups: outline first, then foam, so that a group melts together."""
    for start in range(0, len(fingers), 9):
        group = fingers[start : start + 9]
        for color, extra in ((OUTLINE, 9.0), (FOAM, 0.0)):
            for path, width in group:
                widths = np.linspace(1, 0.35, len(path)) * width + extra
                tapered(canvas, path, ink(color), widths.astype(np.float32))
                disc(canvas, path[0], widths[0] / 2, ink(color))
                disc(canvas, path[-1], widths[-1] * 0.8, ink(color))
        for path, width in group:
            line(canvas, path[3:10] + 0.15 * width, ink(PALE), 0.14 * width)


def _spray(canvas: Bytes, crest: Points, side: float, rng: Rng) -> None:
    normal = normals(crest) * side
    for _ in range(240):
        n = int(rng.uniform(0.25, 1) * (len(crest) - 1))
        drop = crest[n] + normal[n] * rng.gamma(2.0, 0.035 * W) + rng.normal(0, 0.02 * W, 2)
        radius = rng.uniform(2.5, 8)
        disc(canvas, drop, radius + 2.5, ink(OUTLINE))
        disc(canvas, drop, radius, ink(FOAM))


def _swell(canvas: Bytes, top: Points, rng: Rng) -> None:
    below = np.array([[1.1 * W, 1.1 * W], [-0.1 * W, 1.1 * W]], np.float32)
    fill(canvas, np.concatenate([top, below]), ink(MID))
    for k in range(16):
        sag = np.linspace(0, 2 * np.pi, len(top)) * 2 + k * 0.35
        row = top + np.stack([0 * sag, 15 + 17.0 * k + 7 * np.sin(sag)], 1).astype(np.float32)
        widths = 13 * (0.35 + np.abs(np.sin(sag * 0.75 + k)))
        tapered(canvas, row, ink(STRIPES[(k * 3) % len(STRIPES)]), widths.astype(np.float32))
        line(canvas, row + np.float32(8), ink(OUTLINE), 2.5)
    line(canvas, top, ink(OUTLINE), 8)
    fingers = []
    for n in np.arange(6, len(top) - 6, 5):
        for _ in range(2):
            root = top[n] + rng.normal(0, 6, 2)
            path = _hook(root, -1.2 + rng.normal(0, 0.4), rng.uniform(26, 60), rng.uniform(1.5, 3))
            fingers.append((path, rng.uniform(9, 17)))
    _foam(canvas, fingers)


def wave(rng: Rng) -> Image:
    """Two breaking waves with claws of foam under a red sun, printed in indigo on cream."""
    canvas = as_bytes(_sky(rng))
    for knots in FAR:
        _swell(canvas, spline(knots, 240), rng)
    for (crest_knots, belly_knots), side, reach in ((SMALL, 1.0, 52.0), (BIG, -1.0, 104.0)):
        crest, belly = spline(crest_knots), spline(belly_knots)
        _body(canvas, crest, belly)
        _spray(canvas, crest, side, rng)
        _foam(canvas, _claws(crest, 0.12, reach, side, rng))
        _foam(canvas, _claws(belly, 0.72, reach * 0.7, side * -0.2 - side, rng))
    for knots in SWELLS:
        _swell(canvas, spline(knots, 240), rng)
    image = as_floats(canvas)
    wood = unit(noise(rng, 60, 4, 0.6, stretch=14))
    image = multiply(image, palette("cfd6d8")[0], 0.55 * wood)
    return paper(np.minimum(image, flat(FOAM) + 0.03), rng, 0.06)
