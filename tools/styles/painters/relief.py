"""Relief prints: a black woodcut and a linocut in several colors."""

import numpy as np

from .brushes import fill, line, tapered
from .canvas import (
    Bytes,
    Image,
    Plane,
    Points,
    Rng,
    W,
    as_bytes,
    as_floats,
    flat,
    grid,
    ink,
    noise,
    over,
    palette,
    paper,
    unit,
)
from .flow import scatter

INK, SHEET = palette("16130f efe3c8")
LEAF = palette("0c2f27 145a41 2f8a4c 8fbf3f d8de72")
BLOOM = palette("f2617a ffb3a7 f59e2f fff2d6 c4254f")


def carve(phase: Plane, tone: Plane) -> Plane:
    """Cut grooves: where `tone` is light (1) they are wide, where it is dark (0) they vanish.

    Args:
        phase: Number of the groove; whole numbers are middles of grooves.
        tone: Brightness wanted, 0..1.

    Returns:
        1 where wood was cut away, the paper stays white; 0 where it prints.
    """
    slope = np.abs(phase - np.round(phase)) * 2
    return np.asarray(slope < np.clip(tone, 0, 1), np.float32)


def _pine(x: float, foot: float, height: float, rng: Rng) -> list[Points]:
    """Give the sloping boughs of a fir as outlines."""
    boughs = [np.array([[x - 0.006, foot], [x, foot - height], [x + 0.006, foot]])]
    for t in np.linspace(0.04, 0.93, max(7, int(height * 44))):
        reach = 0.27 * height * t**0.85 * rng.uniform(0.8, 1.15)
        y = foot - height * (1 - t)
        drop = 0.055 * height * rng.uniform(0.8, 1.4)
        for side in (-1, 1):
            tip = [x + side * reach, y + drop + 0.25 * reach]
            inner = [x + side * reach * 0.5, y + drop * 0.9 + 0.05 * reach]
            boughs.append(np.array([[x, y - drop], tip, inner, [x, y + drop * 0.8]]))
    return [np.asarray(b * W, np.float32) for b in boughs]


def _mountain_tone(x: Plane, y: Plane, top: Plane, rng: Rng) -> Plane:
    """Lit right flanks and dark left ones, broken by ridges running down."""
    slope = np.gradient(top, axis=1) * W
    depth = y - top
    ribs = noise(rng, 170, 3, 0.6, stretch=0.35) + 0.9 * np.sin(70 * x + 25 * depth)
    return np.asarray(0.36 + 0.30 * np.tanh(1.3 * slope) + 0.24 * ribs - 0.35 * depth, np.float32)


def woodcut(rng: Rng) -> Image:
    """A rayed sun over peaks, firs and a lake, cut in black with tapering grooves."""
    x, y = grid()
    wobble = 0.10 * noise(rng, 90, 3)
    dx, dy = x - 0.58, y - 0.27
    radius, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
    rays = carve(angle * 84 / (2 * np.pi) + 0.15 * wobble, 1.02 - 1.15 * radius + 0.25 * wobble)
    rings = carve(radius * 52 + wobble, 0.30 + 0.9 * (radius - 0.12) + 0.2 * wobble)
    picture = np.where(radius < 0.25, rings, rays)
    picture = np.where((radius < 0.128) & (radius > 0.118), 0.0, picture)
    picture = np.where(radius < 0.118, 1.0, picture)
    for level, rough, lines in ((0.50, 0.17, 95), (0.60, 0.13, 80)):
        bumps = np.abs(np.sin(5.2 * x[0] + 9 * level) + 0.45 * np.sin(13.7 * x[0] + level))
        top = np.broadcast_to(level - rough * bumps + 0.008 * noise(rng, 70, 4)[0], x.shape)
        tone = _mountain_tone(x, y, top, rng)
        groove = carve(lines * (x - 0.9 * (y - top)) + wobble * 2, tone)
        picture = np.where(y > top, groove, picture)
        picture = np.where(np.abs(y - top - 0.004) < 0.005, 0.0, picture)
    lake = y > 0.70 + 0.006 * np.sin(17 * x)
    near = np.maximum(y - 0.66, 0.02)
    glint = (
        0.62 * np.exp(-((dx / (0.10 + 0.3 * near)) ** 2))
        + 0.20
        + 0.25 * np.sin(5 * x + 3 * np.log(near))
    )
    ripple = carve(17 * np.log(near) + 0.22 * np.sin(16 * x) + 2.5 * wobble, glint)
    canvas = as_bytes(np.where(lake, ripple, picture)[..., None].repeat(3, -1))
    _firs(canvas, rng)
    image = flat(INK) + (SHEET - INK) * as_floats(canvas)
    grain = unit(noise(rng, 40, 4, 0.7, stretch=0.06))
    image = over(image, SHEET, 0.30 * (grain > 0.9).astype(np.float32))
    return paper(image, rng, 0.05)


def _firs(canvas: Bytes, rng: Rng) -> None:
    stand = [(u, 0.735 + 0.02 * rng.random(), rng.uniform(0.10, 0.17)) for u in rng.random(26)]
    stand += [(0.06, 1.02, 0.66), (0.21, 1.05, 0.46), (0.96, 1.03, 0.72), (0.82, 1.06, 0.40)]
    for u, foot, height in stand:
        for bough in _pine(u, foot, height, rng):
            fill(canvas, bough, ink(INK * 0))
            root, tip = bough[0], bough[1]
            for s in rng.uniform(0.1, 0.95, int(2 + 12 * height)):
                start = root + (tip - root) * s + rng.normal(0, 3, 2)
                cut = np.stack([start, start + (tip - root) * 0.22 + (0, 10 * height)])
                if len(bough) == 4:
                    line(canvas, cut.astype(np.float32), (255.0,) * 3, 1 + 4 * height)


def leaf_outline(root: Points, angle: float, length: float, width: float, bend: float) -> Points:
    """Give the outline of a pointed leaf as (2 n, 2) points."""
    t = np.linspace(0, 1, 24)
    heading = angle + bend * t
    spine = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], 1), 0) * length / len(t) + root
    half = width * np.sin(np.pi * t**0.8) ** 0.9
    side = np.stack([-np.sin(heading), np.cos(heading)], 1) * half[:, None]
    return np.asarray(np.concatenate([spine + side, (spine - side)[::-1]]), np.float32)


def _carved_leaf(canvas: Bytes, outline: Points, body: Image, vein: Image, count: int) -> None:
    spine = (outline[:24] + outline[::-1][:24]) / 2
    fill(canvas, outline, ink(LEAF[0] * 0.55))
    middle = spine[:, None]
    pair = np.stack([outline[:24], outline[::-1][:24]], 1)
    inner = middle + (pair - middle) * np.float32(0.86)
    fill(canvas, np.concatenate([inner[:, 0], inner[::-1, 1]]), ink(body))
    for n in np.linspace(2, 20, count).astype(int):
        for side in (0, 1):
            tip = spine[min(n + 3, 23)] * 0.2 + pair[min(n + 3, 23), side] * 0.8
            path = np.linspace(spine[n], tip, 6).astype(np.float32)
            tapered(canvas, path, ink(vein), np.linspace(7.5, 1.5, 6).astype(np.float32))
    tapered(canvas, spine, ink(vein), np.linspace(9, 2, 24).astype(np.float32))


def _flower(canvas: Bytes, center: Points, size: float, rng: Rng) -> None:
    outer, inner, vein = BLOOM[rng.choice(((0, 1, 3), (2, 3, 4), (4, 0, 1), (3, 1, 0)))]
    for ring, (count, reach, color) in enumerate(((9, 1.0, outer), (7, 0.62, inner))):
        for k in range(count):
            angle = 2 * np.pi * (k + 0.5 * ring) / count + rng.normal(0, 0.08)
            petal = leaf_outline(center, angle, size * reach, size * reach * 0.26, 0.2)
            _carved_leaf(canvas, petal, color, vein, 4)
    for radius, color in ((0.24, LEAF[0]), (0.19, BLOOM[2]), (0.08, LEAF[0])):
        ring_points = np.linspace(0, 2 * np.pi, 26)
        dot = center + size * radius * np.stack([np.cos(ring_points), np.sin(ring_points)], 1)
        fill(canvas, dot, ink(color))


def garden(rng: Rng) -> Image:
    """A night garden of leaves and blossoms, cut in linoleum and printed in eight colors."""
    x, y = grid()
    gouges = carve(34 * (y + 0.05 * np.sin(9 * x)) + 0.6 * noise(rng, 200, 2), 0.18 + 0 * x)
    canvas = as_bytes(over(flat(LEAF[0] * 0.6), LEAF[1], gouges))
    for depth, (spacing, size) in enumerate(((150, 250), (190, 300), (270, 330))):
        for root in scatter(rng, spacing):
            angle = -np.pi / 2 + rng.normal(0, 1.0)
            width = size * rng.uniform(0.11, 0.24)
            length = size * rng.uniform(0.7, 1.2)
            tone = int(np.clip(depth + rng.integers(1, 3), 1, 4))
            outline = leaf_outline(root, angle, length, width, rng.normal(0, 0.7))
            vein = LEAF[0] if tone >= 3 else LEAF[4]
            _carved_leaf(canvas, outline, LEAF[tone], vein, int(rng.integers(5, 9)))
        for center in scatter(rng, 430 - 40 * depth, 1.0):
            _flower(canvas, center, rng.uniform(70, 150), rng)
    image = as_floats(canvas)
    worn = noise(rng, 10, 2) * 0.02 + 0.02 * noise(rng, 300, 3)
    speck = (noise(rng, 7, 2) > 2.7).astype(np.float32)
    image = over(image + worn[..., None], palette("efe6d0")[0], 0.7 * speck)
    return paper(image, rng, 0.05)
