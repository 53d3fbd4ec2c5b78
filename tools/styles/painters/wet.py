"""Wet media: ink wash, watercolor, marbled paper."""

import cv2
import numpy as np

from .brushes import tapered
from .canvas import (
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
    multiply,
    noise,
    palette,
    paper,
    ramp,
    relief,
    shade,
    smoothstep,
    unit,
)
from .relief import leaf_outline

RICE, SEAL = palette("ece4d2 b3261e")
SUMI = palette("8d948f 4a5254 14171a")
WASHES = palette("e83f6f f2a0b5 f7c548 2aa198 1b6ca8 6c3fa0 f4774b 7bb661 233a7a")
MARBLE = palette("7a1f5c 17408c f8e3d6 e0567a 10122b f4b4a4 3f8fa0 f2a63a")

ORDER = np.array([0, 2, 1, 3, 4, 5, 6, 7, 2, 1, 0, 3, 5, 4, 6, 2, 7])
"""The order in which the marbler dropped the colors."""

CURLS = (
    (0.27, 0.30, 3.2, 0.14), (0.74, 0.62, -3.4, 0.16), (0.66, 0.14, 2.6, 0.09),
    (0.22, 0.80, -2.8, 0.12),
)  # fmt: skip
"""Where the marbler turned the comb: center 0..1, radians, radius."""
PAIRS = ((0, 1), (2, 6), (5, 0), (6, 2), (1, 0))
BOUQUET = (
    (0.25, 0.26, 270), (0.74, 0.20, 240), (0.55, 0.57, 310), (0.13, 0.70, 240), (0.88, 0.80, 265),
    (0.40, 0.92, 215), (0.96, 0.46, 190), (0.48, 0.05, 180), (0.04, 0.06, 170),
)  # fmt: skip


def displace(plane: Plane, dx: Plane, dy: Plane) -> Plane:
    """Take every pixel from `dx`, `dy` canvas pixels away."""
    x, y = grid()
    moved = cv2.remap(
        plane,
        (x * W - 0.5 + dx).astype(np.float32),
        (y * W - 0.5 + dy).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    return np.asarray(moved, np.float32)


def wet_edge(mask: Plane, soft: float, rim: float) -> Plane:
    """Let a wash dry: paler inside, a dark rim where the pigment gathered."""
    body = blur(mask, soft)
    inner = blur(mask, soft * 7)
    return np.asarray(body * (0.62 + rim * np.clip(1 - inner, 0, 0.6) * 2), np.float32)


def _stalk(canvas: np.ndarray, foot: float, lean: float, width: float, rng: Rng) -> list[Points]:
    """Paint one bamboo stalk, joint by joint; returns the joints."""
    joints, y = [], 1.05
    while y > -0.1:
        length = rng.uniform(0.13, 0.19)
        ends = [(foot + lean * (1 - v)) * W for v in (y, y - length)]
        t = np.linspace(0, 1, 16)
        path = np.stack([ends[0] + (ends[1] - ends[0]) * t, (y - length * 0.965 * t) * W], 1)
        widths = width * (1 + 0.20 * (2 * t - 1) ** 6)
        tapered(canvas, path.astype(np.float32), (255.0,), widths.astype(np.float32))
        joints.append(path[-1].astype(np.float32))
        y -= length
    return joints


def _bamboo(rng: Rng, stalks: list[tuple[float, float, float]], leaves: int) -> tuple[Plane, Plane]:
    """Give masks of the stalks and of the leaves of one depth of a bamboo grove."""
    stem, leaf = blank(1), blank(1)
    for foot, lean, width in stalks:
        joints = _stalk(stem, foot, lean, width, rng)
        for joint in joints:
            for _ in range(leaves):
                side = rng.choice((-1, 1))
                twig = joint + np.array([side * rng.uniform(0, 190), rng.uniform(-90, 90)])
                for k in range(int(rng.integers(3, 6))):
                    angle = np.pi / 2 + side * (-1.15 + 0.42 * k) + rng.normal(0, 0.15)
                    length = rng.uniform(190, 330) * (0.55 + width / 120)
                    outline = leaf_outline(twig, angle, length, length * 0.06, -0.5 * side)
                    cv2.fillPoly(leaf, [outline.astype(np.int32)], 255)
    return as_floats(stem), as_floats(leaf)


def _peaks(rng: Rng, image: Image) -> Image:
    x, y = grid()
    for k, level in enumerate((0.20, 0.38, 0.60)):
        row = 0.16 * np.sin(4.3 * x[0] + 2.4 * k) + 0.06 * np.sin(11 * x[0] + k)
        top = level - row + 0.03 * noise(rng, 260, 5, 0.55)[k * 90]
        body = smoothstep(0, 0.010, y - top) * smoothstep(0.30, 0.02, y - top)
        strokes = unit(noise(rng, 120, 4, 0.7, stretch=0.22))
        image = multiply(image, SUMI[1], body * (0.30 + 0.16 * k) * (0.35 + 0.9 * strokes))
    return image


def ink_wash(rng: Rng) -> Image:
    """Bamboo in three depths of ink before misty peaks, with a red seal."""
    image = _peaks(rng, flat(RICE))
    warp = 5 * noise(rng, 150, 2, 0.3), 5 * noise(rng, 150, 2, 0.3)
    groves = (
        ([(0.10, 0.1, 42.0), (0.62, -0.06, 36.0), (0.86, 0.05, 40.0)], 2, 0.42, 7.0),
        ([(0.32, -0.12, 62.0), (0.75, 0.10, 54.0)], 2, 0.72, 2.5),
        ([(0.50, 0.16, 92.0), (0.03, 0.07, 84.0)], 2, 0.97, 1.2),
    )
    for depth, (stalks, leaves, strength, soft) in enumerate(groves):
        stem, leaf = _bamboo(rng, stalks, leaves)
        dry = smoothstep(-1.5, 0.2, noise(rng, 26, 3, 0.7, stretch=0.12))
        round_stem = wet_edge(displace(stem, *warp), soft, 1.0) * (0.45 + 0.55 * dry)
        image = multiply(image, SUMI[depth], strength * np.minimum(round_stem, 1))
        wet_leaf = blur(displace(leaf, *warp), soft)
        image = multiply(image, SUMI[depth] * 0.8, strength * np.minimum(wet_leaf, 1))
    seal = blank(1)
    cv2.rectangle(seal, (1330, 1290), (1450, 1430), 255, -1)
    for bar in (1325, 1360, 1395):
        cv2.line(seal, (1350, bar), (1430, bar + 12), 0, 9)
    cv2.line(seal, (1390, 1300), (1384, 1420), 0, 9)
    image = multiply(image, SEAL, 0.95 * displace(as_floats(seal), *warp))
    bloom = relief(noise(rng, 300, 4), 0.5)
    return paper(shade(image, 0.05 * bloom), rng, 0.09, 8)


def _wash(image: Image, outline: Points, color: Image, depth: float, rng: Rng) -> Image:
    """Lay one translucent shape over its own part of the sheet."""
    low = np.clip(outline.min(0) - 60, 0, W).astype(int)
    high = np.clip(outline.max(0) + 60, 0, W).astype(int)
    width, height = high - low
    if width < 8 or height < 8:
        return image
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [(outline - low).astype(np.int32)], 255)
    cells = (max(3, width // 24), max(3, height // 24))
    rough = cv2.resize(
        rng.standard_normal(cells[::-1]).astype(np.float32), (width, height),
        interpolation=cv2.INTER_CUBIC,
    )  # fmt: skip
    body = cv2.GaussianBlur(as_floats(mask), (0, 0), 9)
    body = smoothstep(0.46, 0.56, body + 0.10 * rough)
    inner = cv2.GaussianBlur(body, (0, 0), 11)
    pool = cv2.GaussianBlur(rough, (0, 0), 16)
    pigment = body * (0.48 + 0.9 * np.clip(1 - inner, 0, 1) + 0.55 * pool)
    area = image[low[1] : high[1], low[0] : high[0]]
    alpha = np.clip(depth * pigment, 0, 1)[..., None]
    area *= 1 + (color - 1) * alpha
    return image


def _blossom(image: Image, center: Points, size: float, rng: Rng) -> None:
    first, second = WASHES[list(PAIRS[rng.integers(len(PAIRS))])]
    paper_white = leaf_outline(center - (size * 0.8, 0), 0, size * 1.6, size * 0.75, 0)
    low, high = (paper_white.min(0)).astype(int), (paper_white.max(0)).astype(int)
    area = image[max(low[1], 0) : max(high[1], 0), max(low[0], 0) : max(high[0], 0)]
    yy, xx = np.mgrid[: area.shape[0], : area.shape[1]]
    middle = center - np.maximum(low, 0)
    far = np.hypot(xx - middle[0], yy - middle[1]) / size
    area += (1 - area) * (0.8 * np.clip(1.6 - 1.7 * far, 0, 1))[..., None].astype(np.float32)
    for ring, (count, reach) in enumerate(((9, 1.0), (7, 0.66))):
        for k in range(count):
            angle = 2 * np.pi * (k + 0.5 * ring) / count + rng.normal(0, 0.10)
            length = size * reach * rng.uniform(0.85, 1.15)
            root = center + 0.13 * size * np.array([np.cos(angle), np.sin(angle)])
            petal = leaf_outline(root, angle, length, length * 0.23, rng.normal(0, 0.4))
            _wash(image, petal, second if ring else first, 0.95, rng)
    for _ in range(16):
        at = center + rng.normal(0, size * 0.08, 2)
        dot = leaf_outline(at, rng.uniform(0, 6), 34, 13, 0.3)
        _wash(image, dot, WASHES[8], 1.2, rng)


def _bed(image: Image, rng: Rng) -> None:
    """Lay the wet ground of the bouquet: blooms, then leaves over them."""
    for _ in range(70):
        center = rng.uniform(-0.1, 1.1, 2) * W
        angle = rng.uniform(0, 6.3)
        start = center - 230 * np.array([np.cos(angle), np.sin(angle)])
        blob = leaf_outline(start, angle, 460, 150, rng.normal(0, 0.6))
        _wash(image, blob, WASHES[rng.choice((3, 4, 7, 7, 3, 5))], 0.50, rng)
    for _ in range(190):
        root = rng.uniform(-0.05, 1.05, 2) * W
        length = rng.uniform(160, 400)
        leaf = leaf_outline(root, rng.uniform(0, 6.3), length, length * 0.12, rng.normal(0, 0.6))
        _wash(image, leaf, WASHES[rng.choice((3, 4, 7, 8, 8, 5))], 0.72, rng)


def watercolor(rng: Rng) -> Image:
    """Blossoms in wet washes that bleed, pool and dry with dark rims."""
    image = flat(palette("fdf9f0")[0])
    _bed(image, rng)
    for u, v, size in BOUQUET:
        _blossom(image, np.array([u, v]) * W, size, rng)
    splash = smoothstep(2.25, 2.45, noise(rng, 34, 2))
    image = multiply(image, WASHES[0], 0.75 * splash)
    granules = np.clip(noise(rng, 6, 2), -2, 2)
    image = shade(image, 0.05 * granules * (1 - image.mean(-1)))
    return paper(image, rng, 0.08, 12)


def marbled(rng: Rng) -> Image:
    """Marbled paper: floating colors drawn through with combs into feathers and curls."""
    x, y = grid()
    x, y = x + 0.012 * noise(rng, 420, 2), y + 0.012 * noise(rng, 420, 2)
    for u, v, turn, radius in CURLS:
        dx, dy = x - u, y - v
        angle = turn * np.exp(-np.hypot(dx, dy) / (radius * 0.62))
        x = u + dx * np.cos(angle) - dy * np.sin(angle)
        y = v + dx * np.sin(angle) + dy * np.cos(angle)
    x = x + 0.030 * np.sin(2 * np.pi * y * 3.0)
    tooth = (x * 19) % 2
    feather = np.abs(tooth - 1)
    y = y + 0.085 * np.sqrt(np.abs(feather - 0.5) + 0.01) * np.sign(feather - 0.5)
    y = y + 0.006 * np.sin(2 * np.pi * x * 76)
    stripe = y * 26 + 0.55 * np.sin(17 * y) + 0.5 * np.sin(7 * x + 3)
    index = np.floor(stripe).astype(int)
    image = MARBLE[ORDER[index % len(ORDER)]]
    part = stripe - index
    vein = smoothstep(0.07, 0.03, np.minimum(part, 1 - part))
    image = image + (MARBLE[4] - image) * vein[..., None] * 0.75
    image = shade(image, 0.22 * (part - 0.5) + 0.03 * noise(rng, 30, 3))
    gold = ramp(palette("b9822b f6dd8d"), unit(noise(rng, 30, 2)))
    thread = ((part > 0.46) & (part < 0.56) & (index % 4 == 1)).astype(np.float32)
    image = image + (gold - image) * thread[..., None]
    return paper(np.asarray(image, np.float32), rng, 0.05)
