"""Pictures set from pieces: stained glass and mosaic."""

import cv2
import numpy as np

from .brushes import fill
from .canvas import (
    Bytes, Image, Plane, Points, Rng, W, as_floats, blank, blur, grid, ink, noise, over,
    palette, ramp, relief, shade, smoothstep,
)  # fmt: skip
from .cells import border_distance, lay, rows_of_tiles, voronoi
from .flow import sample, scatter

GLASS = palette("7a0c1e d4142a f2541b ffb81c 1d8a4e 0a4d8c 1f86d1 4b1d7a 0c2a5e e8d9a0")
SEA = palette("0d3b4f 14586b 1f7f8c 45a9a5 9fd0bd")
SUN = palette("8e1f14 c8401c ea7a24 f5b23d fbe3a1")
LAND = palette("3d2a1c 6b4426 96613a 56702f 2f4f2a c29b5a")


def _rose_sites(rng: Rng) -> tuple[Points, np.ndarray]:
    sites, rings = [np.array([[0.5, 0.42]]) * W], [np.zeros(1, np.intp)]
    for ring, (radius, count) in enumerate(
        ((0.075, 8), (0.15, 12), (0.225, 12), (0.30, 24), (0.36, 24)), 1
    ):
        angle = (np.arange(count) + 0.5 * (ring % 2)) * 2 * np.pi / count
        ring_sites = np.stack([0.5 + radius * np.cos(angle), 0.42 + radius * np.sin(angle)], 1)
        sites.append(ring_sites * W)
        rings.append(np.full(count, ring))
    wild = scatter(rng, 105, 0.9)
    wild = wild[np.hypot(wild[:, 0] - 0.5 * W, wild[:, 1] - 0.42 * W) > 0.42 * W]
    wild = wild[((wild > 3) & (wild < W - 3)).all(1)]
    sites.append(wild)
    rings.append(np.full(len(wild), 9))
    return np.concatenate(sites).astype(np.float32), np.concatenate(rings)


def _glass_colors(sites: Points, rings: np.ndarray, rng: Rng) -> Image:
    by_ring = {0: (3,), 1: (1, 2), 2: (6, 3), 3: (5, 7), 4: (1, 6), 5: (3, 4)}
    colors = np.zeros((len(sites), 3), np.float32)
    for n, ring in enumerate(rings):
        if ring in by_ring:
            choice = by_ring[int(ring)]
            colors[n] = GLASS[choice[n % len(choice)]]
            continue
        height = sites[n, 1] / W + rng.normal(0, 0.09)
        row = (5, 8, 6, 7, 0) if height < 0.55 else (1, 2, 3, 0, 9) if height < 0.78 else (4, 5, 4)
        colors[n] = GLASS[rng.choice(row)]
    return colors * rng.uniform(0.72, 1.25, (len(sites), 1)).astype(np.float32)


def stained_glass(rng: Rng) -> Image:
    """A rose window: jewel colors between bars of lead."""
    sites, rings = _rose_sites(rng)
    labels, _ = voronoi(sites)
    x, y = grid()
    middle = np.hypot(x - 0.5, y - 0.42)
    labels = labels + len(sites) * (middle < 0.393) + 2 * len(sites) * (middle < 0.037)
    color = _glass_colors(sites, rings, rng)[labels % len(sites)]
    edge = border_distance(labels)
    lean = rng.uniform(-1, 1, (len(sites), 2)).astype(np.float32)[labels % len(sites)]
    across = sites[labels % len(sites)]
    slope = (lean[..., 0] * (x * W - across[..., 0]) + lean[..., 1] * (y * W - across[..., 1])) / 90
    ripples = relief(noise(rng, 26, 3, 0.55, stretch=2), 0.5)
    glow = 0.36 * smoothstep(4, 46, edge) - 0.16
    image = shade(color, glow + 0.16 * np.tanh(slope) + 0.17 * ripples)
    halo = blur(np.maximum(image - 0.45, 0), 22)
    image = image + 0.5 * halo
    width = 6.5 + 5 * np.exp(-(((middle - 0.393) / 0.01) ** 2))
    lead = smoothstep(width + 1.5, width - 1.5, edge)
    rounded = relief(np.sqrt(np.clip(1 - (edge / width) ** 2, 0, 1)), 1.1)
    metal = shade(np.full_like(image, 0.075), 0.36 * rounded + 0.02)
    return over(image, metal, lead)


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
        shapes.append((_band(top), SEA[k : k + 3], 27))
    hill = (
        0.72
        - 0.20 * np.exp(-(((t - 0.12) / 0.17) ** 2))
        - 0.13 * np.exp(-(((t - 0.88) / 0.2) ** 2))
    )
    shapes.append((_band(hill), LAND, 28))
    shapes.append((_wobbly(0.56, 0.40, 0.125, rng), SUN[3:], 22))
    shapes.append((_wobbly(0.56, 0.40, 0.205, rng), SUN[1:4], 26))
    shapes.append((_wobbly(0.56, 0.40, 0.31, rng), SUN[:3], 28))
    shapes.append((_wobbly(0.56, 0.40, 0.43, rng, 0.05), palette("e9b9a0 d98c78 f0d4b4"), 29))
    shapes.append((_band(np.full(300, -0.1)), palette("2c4a8a 4c74b8 8fb0d9 e7dcc3"), 30))
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
        tiles = lay(rows_of_tiles(padded, size, rng), taken, 5, size)
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
