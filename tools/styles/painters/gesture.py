"""Expressive painting: a burning dusk, poured paint, and gilded ornament."""

import numpy as np

from .brushes import Brush, cover, disc, fill, line, primed_canvas, tapered, varnish
from .canvas import (
    Bytes,
    Image,
    Points,
    Rng,
    W,
    as_bytes,
    as_floats,
    blank,
    blur,
    flat,
    grid,
    ink,
    noise,
    over,
    palette,
    paper,
    ramp,
    relief,
    shade,
    smoothstep,
    unit,
)
from .flow import along, spline

FIRE = palette("7a1020 c8261b ee5a1c f8992a fbd35a ee5a1c 8f1d2c f2b13c")
FJORD = palette("081a2e 123f56 2a7a7c 0c2438 5aa08c e0793a")
EARTH = palette("1a1412 4a2418 8a4a1e 2a3a2a b8842e")
ENAMEL = palette("0f0f11 f4efe2 b9b3a8 c8881f 8f2a1c 2d6f73")
JEWELS = palette("0d0b0a f6ecd0 0f5a4a 8f1430 1d3f8f d8652a 5f2a6a")
GILT = palette("8a4f10 d99a2b ffe9a0 e8b43c 9a5a14")
RAW = palette("cbb590")[0]


def dusk(rng: Rng) -> Image:
    """A sky of flame winding over a dark fjord, in long nervous strokes."""
    x, y = grid()
    sway = 0.06 * np.sin(5 * x + 1.2) + 0.035 * np.sin(11 * x - 9 * y) + 0.03 * noise(rng, 500, 2)
    bands = y + sway
    sky = ramp(FIRE, (bands * 3.1 + 0.05 * noise(rng, 130, 3, stretch=4)) % 1)
    shore = 0.50 + 0.07 * np.sin(4 * x + 0.4) + 0.04 * np.sin(9 * x)
    eddy = np.hypot(x - 0.32, (y - 0.68) * 1.5) + 0.05 * noise(rng, 300, 2)
    whirl = smoothstep(0.34, 0.22, eddy)
    deep = (y * 1.6 + 0.5 * x + 0.5 * sway) * (1 - whirl) + 2.4 * eddy * whirl
    water = ramp(FJORD, (deep * 2.6) % 1)
    image = over(sky, water, smoothstep(0, 0.012, y - shore))
    bank = 1.16 - 0.62 * x + 0.05 * np.sin(13 * x)
    ground = ramp(EARTH, ((y * 1.5 + x) * 3 + 0.15 * noise(rng, 200, 2)) % 1)
    land = smoothstep(0, 0.012, y - bank)
    image = over(image, ground, land)
    sea = smoothstep(0, 0.02, y - shore)
    height = bands * (1 - sea) + deep * 0.8 * sea
    height = height * (1 - land) + (y * 0.9 + 0.62 * x) * land
    field = along(blur(np.asarray(height, np.float32), 5))
    canvas = primed_canvas(image)
    for brush in (
        Brush(34, 330, 24, bristles=9, color_jitter=0.05, streak=0.07, taper=0.4),
        Brush(15, 240, 22, bristles=5, color_jitter=0.11, streak=0.07, taper=0.8),
    ):
        cover(canvas, image, field, brush, rng)
    return varnish(canvas, 0.9)


def _pour(rng: Rng, steps: int) -> tuple[Points, np.ndarray]:
    """Swing a can of paint: a looping path and how wide the thread is along it."""
    t = np.linspace(0, rng.uniform(7, 13), steps)
    path = np.stack([rng.uniform(-0.2, 1.2) + rng.normal(0, 0.09) * t for _ in range(2)], 1)
    for _ in range(4):
        pitch, swing = rng.uniform(0.4, 2.6), rng.uniform(0.06, 0.22)
        path += swing * np.sin(pitch * t[:, None] + rng.uniform(0, 6.3, 2))
    speed = np.linalg.norm(np.gradient(path, axis=0), axis=1)
    slow = speed.mean() / (speed + 0.35 * speed.mean())
    return path * W, slow * rng.uniform(0.6, 1.4)


def drip(rng: Rng) -> Image:
    """Threads, pools and splashes of enamel flung over raw canvas."""
    x, y = grid()
    weave = 0.10 * np.sin(2 * np.pi * x * 190) * np.sin(2 * np.pi * y * 190)
    stain = 0.10 * noise(rng, 330, 3)
    canvas = primed_canvas(shade(flat(RAW), np.asarray(weave + stain, np.float32)))
    order = (5, 3, 0, 2, 4, 1, 0, 3, 2, 1, 0, 5, 4, 0, 1, 2, 0, 3, 1, 0)
    for layer, index in enumerate(order):
        color = (*ink(ENAMEL[index]), 70.0 + 9 * layer)
        for _ in range(6 if layer > 5 else 3):
            path, slow = _pour(rng, 420)
            widths = rng.choice((8.0, 13.0, 22.0) if layer > 5 else (40.0, 60.0)) * slow
            tapered(canvas, path, color, np.maximum(widths, 2.5).astype(np.float32))
            for at in path[rng.integers(0, 420, 26)]:
                drop = at + rng.normal(0, 45, 2)
                disc(canvas, drop, 2.5 + rng.gamma(1.4, 5.0), color)
        for _ in range(3):
            _splash(canvas, rng.uniform(0, W, 2), color, rng)
    return varnish(canvas, 1.8, 2.4)


def _splash(canvas: Bytes, center: Points, color: tuple[float, ...], rng: Rng) -> None:
    disc(canvas, center, rng.uniform(12, 34), color)
    for _ in range(26):
        angle, reach = rng.uniform(0, 6.3), rng.gamma(2, 42)
        direction = np.array([np.cos(angle), np.sin(angle)])
        size = rng.uniform(2, 9)
        disc(canvas, center + direction * reach, size, color)
        if rng.random() < 0.35:
            thread = np.stack([center, center + direction * reach])
            line(canvas, thread, color, size * 0.6)


def _spiral(center: Points, radius: float, start: float, turn: int) -> Points:
    """Give a scroll that winds from its outer end to the center."""
    t = np.linspace(0, 1, 90)
    angle = start + turn * t * 4.6 * np.pi
    reach = radius * (1 - t) ** 0.85
    return center + np.stack([np.cos(angle), np.sin(angle)], 1) * reach[:, None]


def _ornament(canvas: Bytes, center: Points, size: float, rng: Rng) -> None:
    """Set one jewel: an eye of rings, a framed square, or a triangle."""
    colors = JEWELS[rng.permutation(len(JEWELS))]
    kind = rng.integers(3)
    for k, part in enumerate((1.0, 0.72, 0.42)):
        if kind == 0:
            disc(canvas, center, size * part * 0.5, ink(colors[k]))
            continue
        sides = 4 if kind == 1 else 3
        angle = np.linspace(0, 2 * np.pi, sides, endpoint=False) + (
            np.pi / 4 if kind == 1 else -np.pi / 2
        )
        corners = np.stack([np.cos(angle), np.sin(angle)], 1) * size * part * 0.66
        fill(canvas, center + corners, ink(colors[k]))


def _leaf_gold(rng: Rng) -> Image:
    """Lay gold leaf, sheet by sheet, each with its own luster."""
    x, y = grid()
    sheet = np.floor(x * 9).astype(int) * 31 + np.floor(y * 9 + 0.4 * np.sin(3 * x)).astype(int)
    tone = rng.normal(0, 0.10, 1000).astype(np.float32)[sheet * 17 % 1000]
    luster = unit(noise(rng, 300, 4, 0.6) + 0.6 * np.sin(9 * x + 6 * y))
    return shade(ramp(GILT, luster), tone + 0.10 * noise(rng, 14, 2, stretch=5))


def _robe(canvas: Bytes, rng: Rng) -> None:
    """Set jewels close together in drifts that thicken toward the ground."""
    drift = unit(noise(rng, 330, 2))
    axis = np.arange(40, W, 74)
    places = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    for place in places + rng.normal(0, 4, places.shape):
        column, row = np.clip(place, 0, W - 1).astype(int)
        if drift[row, column] + 1.1 * (row / W) ** 2 > 0.66:
            _ornament(canvas, place, rng.uniform(54, 74), rng)


def _tree_of_scrolls(rng: Rng) -> Bytes:
    """Draw a trunk whose limbs all end in scrolls."""
    canvas = blank(1)
    fork = np.array([0.5, 0.86])
    trunk = spline([(0.5, 1.1), (0.485, 0.95), (0.505, 0.8), (0.5, 0.55)], 60)
    tapered(canvas, trunk, (255.0,), np.linspace(200, 50, 60).astype(np.float32))
    taken: list[tuple[float, float, float]] = []
    for size, tries in ((190.0, 160), (135.0, 260), (92.0, 400), (62.0, 700)):
        for _ in range(tries):
            u, v = rng.uniform(-0.02, 1.02) * W, rng.uniform(-0.02, 0.74) * W
            crowded = any(np.hypot(u - a, v - b) < (size + r) * 0.94 for a, b, r in taken)
            if crowded or abs(u - 0.5 * W) < 0.5 * size:
                continue
            taken.append((u, v, size))
            side = 1 if u > 0.5 * W else -1
            scroll = _spiral(np.array([u, v]), size, np.pi / 2 - side * 0.5, -side)
            widths = np.linspace(0.24, 0.09, len(scroll)).astype(np.float32) * size
            tapered(canvas, scroll, (255.0,), widths)
            disc(canvas, scroll[-1], size * 0.12, (255.0,))
            if size > 100:
                elbow = fork * 0.35 + (scroll[0] / W + (0, 0.10)) * 0.65
                tip = scroll[0] / W
                limb = spline([tuple(fork), tuple(elbow), tuple(tip)], 40)
                tapered(canvas, limb, (255.0,), np.linspace(40, 0.20 * size, 40).astype(np.float32))
    return canvas


def gilded(rng: Rng) -> Image:
    """Scrolls of a golden tree over gold leaf, set with eyes, squares and triangles of enamel."""
    patches = as_bytes(_leaf_gold(rng))
    _robe(patches, rng)
    image = as_floats(patches)
    wood = as_floats(_tree_of_scrolls(rng))
    height = blur(wood, 4)
    image = over(image, palette("1c0f08")[0], smoothstep(0.02, 0.25, blur(wood, 5)))
    bark = ramp(palette("2a1208 5f2c10 a8641c f0c860"), unit(noise(rng, 40, 3) + 1.6 * height))
    image = over(image, bark, wood)
    image = shade(image, 0.45 * relief(height, 2.0) + 0.14 * relief(blur(image.mean(-1), 1.5), 0.9))
    return paper(image, rng, 0.05)
