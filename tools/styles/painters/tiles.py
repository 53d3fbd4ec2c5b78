"""Pictures set from pieces: stained glass and mosaic."""

import cv2
import numpy as np

from .brushes import fill
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
    grid,
    ink,
    noise,
    over,
    palette,
    ramp,
    relief,
    shade,
    smoothstep,
)  # fmt: skip
from .cells import border_distance, lay, rows_of_tiles, voronoi
from .flow import sample, scatter
from .relief import leaf_outline

GLASS = (
    palette("fff3b0 ffd95a"),
    palette("ffe27a ffb52e"),
    palette("ffb347 f2762e"),
    palette("f2803c d8424e"),
    palette("c23a6a 7a3a8c"),
    palette("5a3f9c 1f3f8f"),
    palette("3f7fa8 2a5f9a 6aa0a8"),
    palette("2f8a6a 1f6a5a 7ab05a"),
    palette("1f5a34 3f7a2e 9ab53a"),
    palette("9ad8e0 2f9ac8 e8f4e4 1f6aa8"),
    palette("0f6a3a 4f9a3a"),
    palette("5a2a9a 8f5ad0"),
    palette("c9a0f0 3a2a8a"),
)
"""Sheets of glass: the sun, five rings of sky, three hills, river, blades, two kinds of petal."""
SUN_AT = (0.60, 0.29)
SEA = palette("0d3b4f 14586b 1f7f8c 45a9a5 9fd0bd")
SUN = palette("8e1f14 c8401c ea7a24 f5b23d fbe3a1")
LAND = palette("3d2a1c 6b4426 96613a 56702f 2f4f2a c29b5a")


def _pane_lines(x: Plane, y: Plane, rng: Rng) -> tuple[np.ndarray, np.ndarray]:
    """Divide the window: returns the number of every pane, and the kind of glass it is cut from."""
    dx, dy = x - SUN_AT[0], y - SUN_AT[1]
    radius = np.hypot(dx, dy) * (1 + 0.03 * np.sin(9 * x))
    sector = (np.arctan2(dy, dx) / (2 * np.pi) + 0.5) * 26
    ray = np.floor(sector + 0.22 * np.sin(14 * radius)).astype(np.intp) % 26
    ring = np.floor((radius - 0.12) / 0.13 + 0.5 * (ray % 2)).astype(np.intp) + 1
    ring = np.where(radius < 0.12, 0, np.clip(ring, 1, 8))
    pane = np.where(ring == 0, (50 + ray // 4) * (radius > 0.055), 100 + ray * 10 + ring)
    kind = np.where(ring == 0, 0, np.minimum(ring, 5))
    cuts, _ = voronoi(scatter(rng, 128, 0.9).clip(0, W - 1))
    for n, (level, swing, pitch) in enumerate(((0.50, 0.055, 5), (0.60, 0.05, 7), (0.70, 0.04, 6))):
        top = level + swing * np.sin(pitch * x + 2.2 * n) + 0.05 * (x - 0.5) * (-1) ** n
        strata = np.floor((y - top) / 0.055).astype(np.intp)
        pane = np.where(y > top, 1000 * (n + 1) + 150 * np.minimum(strata, 3) + cuts % 149, pane)
        kind = np.where(y > top, 6 + n, kind)
    bend = 0.50 + 0.16 * np.sin(9 * (y - 0.2)) * (y - 0.3)
    river = (np.abs(x - bend) < 0.35 * (y - 0.52)) & (y > 0.56)
    flow_lines = np.floor((x - bend) / np.maximum(y - 0.52, 0.02) * 7).astype(np.intp) + 9
    pane = np.where(river, 5000 + 40 * flow_lines + (y * 9 + flow_lines * 0.37).astype(int), pane)
    kind = np.where(river, 9, kind)
    return pane, kind


def _flowers(pane: np.ndarray, kind: np.ndarray, rng: Rng) -> None:
    """Cut irises and their blades into the lower corners, over all other panes."""
    numbers, kinds = pane.astype(np.int32), kind.astype(np.int32)
    count = 20000
    for u in (0.02, 0.07, 0.13, 0.19, 0.26, 0.33, 0.70, 0.76, 0.83, 0.90, 0.95, 0.99):
        root = np.array([u, 1.03]) * W
        lean = -np.pi / 2 + rng.normal(0, 0.16)
        blade = leaf_outline(root, lean, rng.uniform(330, 640), 26, rng.normal(0, 0.35))
        count += 1
        cv2.fillPoly(numbers, [blade.astype(np.int32)], count)
        cv2.fillPoly(kinds, [blade.astype(np.int32)], 10)
    for u, v, size in ((0.10, 0.66, 150), (0.27, 0.80, 130), (0.90, 0.64, 150), (0.74, 0.82, 130),
                       (0.05, 0.88, 110), (0.93, 0.90, 115)):  # fmt: skip
        center = np.array([u, v]) * W
        for k, angle in enumerate((-0.5, 0.45, 1.57, 2.7, 3.64, -1.2, -1.95)):
            petal = leaf_outline(center, angle, size, size * 0.27, 0.25 * (-1) ** k)
            count += 1
            cv2.fillPoly(numbers, [petal.astype(np.int32)], count)
            cv2.fillPoly(kinds, [petal.astype(np.int32)], 11 + k % 2)
        count += 1
        cv2.circle(numbers, (int(center[0]), int(center[1])), int(size * 0.17), count, -1)
        cv2.circle(kinds, (int(center[0]), int(center[1])), int(size * 0.17), 0, -1)
    pane[:], kind[:] = numbers, kinds


def stained_glass(rng: Rng) -> Image:
    """A sunrise over hills, a river and irises: opalescent panes between bars of lead."""
    x, y = grid()
    pane, kind = _pane_lines(x, y, rng)
    _flowers(pane, kind, rng)
    _, first, labels = np.unique(pane.ravel(), return_index=True, return_inverse=True)
    labels = labels.reshape(pane.shape)
    choice = rng.random(len(first))
    colors = np.stack(
        [ramp(GLASS[k], float(t)) for k, t in zip(kind.ravel()[first], choice, strict=True)]
    )
    tint = colors[labels] * rng.uniform(0.85, 1.15, len(first)).astype(np.float32)[labels, None]
    edge = border_distance(labels)
    turn = rng.uniform(0, np.pi, len(first)).astype(np.float32)[labels]
    swirl = noise(rng, 170, 4, 0.6) + 0.8 * np.sin(
        30 * (x * np.cos(turn) + y * np.sin(turn)) + 2 * noise(rng, 200, 2)
    )
    ripples = relief(noise(rng, 26, 3, 0.55, stretch=2), 0.5)
    image = shade(tint, 0.13 * swirl + 0.16 * ripples + 0.24 * smoothstep(4, 40, edge) - 0.12)
    image = image + 0.45 * blur(np.maximum(image - 0.5, 0), 20)
    width = 6.0 + 1.2 * noise(rng, 200, 2)
    rounded = relief(np.sqrt(np.clip(1 - (edge / width) ** 2, 0, 1)), 1.1)
    metal = shade(np.full_like(image, 0.07), 0.34 * rounded + 0.02)
    return over(image, metal, smoothstep(width + 1.5, width - 1.5, edge))


def _wobbly(cx: float, cy: float, radius: float, rng: Rng, rough: float = 0.0) -> Points:
    angle = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    bumps = 1 + rough * sum(np.sin(k * angle + rng.uniform(0, 6)) / k for k in (2, 3, 5))
    outline = [cx + radius * bumps * np.cos(angle), cy + radius * bumps * np.sin(angle)]
    return np.asarray(np.stack(outline, 1) * W, np.float32)


def _band(top: Plane) -> Points:
    x = np.linspace(-0.05, 1.05, len(top))
    outline = np.concatenate([np.stack([x, top], 1), [[1.1, 1.2], [-0.1, 1.2]]])
    return np.asarray(outline * W, np.float32)


def _mosaic_shapes(rng: Rng) -> list[tuple[Points, Image, float]]:
    """Shapes from front to back: outline, colors, size of their tiles."""
    t = np.linspace(-0.05, 1.05, 300)
    shapes: list[tuple[Points, Image, float]] = []
    for k, (level, swing) in enumerate(((0.93, 0.02), (0.83, 0.03), (0.74, 0.025))):
        top = level + swing * np.sin(9 * t + 2.1 * k)
        shapes.append((_band(top), SEA[k : k + 3], 34))
    hill = (
        0.72
        - 0.20 * np.exp(-(((t - 0.12) / 0.17) ** 2))
        - 0.13 * np.exp(-(((t - 0.88) / 0.2) ** 2))
    )
    shapes.append((_band(hill), LAND, 34))
    shapes.append((_wobbly(0.56, 0.40, 0.125, rng), SUN[3:], 29))
    shapes.append((_wobbly(0.56, 0.40, 0.205, rng), SUN[1:4], 34))
    shapes.append((_wobbly(0.56, 0.40, 0.31, rng), SUN[:3], 36))
    shapes.append((_wobbly(0.56, 0.40, 0.43, rng, 0.05), palette("e9b9a0 d98c78 f0d4b4"), 37))
    shapes.append((_band(np.full(300, -0.1)), palette("2c4a8a 4c74b8 8fb0d9 e7dcc3"), 38))
    return shapes


def _set_tiles(canvas: Bytes, tiles: Points, colors: Image, rng: Rng) -> None:
    position = np.clip(rng.beta(0.9, 0.9, len(tiles)), 0, 1)
    tone = ramp(colors, position) + rng.normal(0, 0.045, (len(tiles), 3))
    for tile, color in zip(tiles, tone, strict=True):
        fill(canvas, tile, ink(color))


def mosaic(rng: Rng) -> Image:
    """A low sun over the sea, set in glass and stone along the shapes' own lines."""
    canvas, taken, front = blank(), blank(1), blank(1)
    for outline, colors, size in _mosaic_shapes(rng):
        shape = blank(1)
        fill(shape, outline, (255,))
        shape[front > 0] = 0
        front |= shape
        padded = cv2.morphologyEx(shape, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
        tiles = lay(rows_of_tiles(np.asarray(padded, np.uint8), size, rng), taken, 6, size)
        _set_tiles(canvas, tiles, colors, rng)
    gaps = (cv2.dilate(taken, np.ones((7, 7), np.uint8)) == 0) & (front > 0)
    chips = scatter(rng, 15)
    chips = chips[sample(gaps[..., None].astype(np.float32), chips)[:, 0] > 0]
    for chip in chips:
        angle = rng.uniform(0, 6.3) + np.array([0, 2.1, 4.2])
        outline = chip + 8 * np.stack([np.cos(angle), np.sin(angle)], 1)
        fill(canvas, outline, ink(palette("b58a5a 8a5a3c d9c19a")[rng.integers(3)]))
        fill(taken, outline, (255,))
    solid = as_floats(taken)
    grout = shade(np.full((W, W, 3), 0.16, np.float32), 0.1 * relief(noise(rng, 8, 2), 0.5))
    face = shade(as_floats(canvas), 0.10 * noise(rng, 9, 3) + 0.05 * noise(rng, 200, 2))
    lit = shade(over(grout, face, solid), 0.42 * relief(blur(solid, 2.2), 0.9))
    return lit
