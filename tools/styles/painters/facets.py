"""Geometry: cubist facets and art deco."""

import cv2
import numpy as np

from .brushes import Brush, cover, primed_canvas, varnish
from .canvas import (
    Bytes,
    Image,
    Plane,
    Rng,
    W,
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
)
from .cells import border_distance
from .flow import from_angle

EARTH = palette("221a1a 6b3a2a a8623a d29a4e e8c98a f6ead0 6f8a80 35566e a9b9b4")
GLAZES = np.array(
    [
        [7, 6, 8, 1], [1, 2, 0, 3], [3, 4, 2, 3], [0, 1, 2, 1], [0, 0, 1, 0], [6, 7, 0, 6],
        [4, 5, 3, 4],
    ]
)  # fmt: skip
"""Colors of each thing of the still life, by facet: wall, table, guitar, neck, ..."""
BLACK, EMERALD, TEAL, IVORY, CORAL = palette("0b0d10 0d4a3f 147a74 f2e6c9 d9593d")
BRASS = palette("6b4a12 b98a2b f7e3a0 c99a3a 7d5a18")


def _still_life(x: Plane, y: Plane) -> np.ndarray:
    """Number the things on the table (guitar, bottle, fruit) at shifted coordinates."""
    scene = np.zeros(x.shape, np.intp)
    scene[y > 0.72] = 1
    u, v = (x - 0.46) * 0.82 - (y - 0.55) * 0.57, (x - 0.46) * 0.57 + (y - 0.55) * 0.82
    body = np.minimum(np.hypot(u, v - 0.16) / 0.21, np.hypot(u, v + 0.10) / 0.155) < 1
    neck = (np.abs(u) < 0.034) & (v < -0.1) & (v > -0.60)
    scene[body] = 2
    scene[neck] = 3
    scene[np.hypot(u, v + 0.005) < 0.066] = 4
    bottle = (np.abs(x - 0.80) < np.where(y > 0.42, 0.085, 0.034)) & (y > 0.15) & (y < 0.84)
    scene[bottle] = 5
    scene[np.hypot(x - 0.17, y - 0.77) < 0.105] = 6
    return scene


def _facets(x: Plane, y: Plane, rng: Rng) -> tuple[np.ndarray, Plane]:
    """Cut the canvas along lines and arcs.

    Returns:
        The number of the facet under every pixel, and a shading that fades away from each cut.
    """
    code = np.zeros(x.shape, np.int64)
    fade: Plane = np.zeros(x.shape, np.float32)
    for n in range(16):
        angle = rng.choice((0.35, 1.0, 1.9, 2.6)) + rng.normal(0, 0.16)
        px, py = rng.uniform(0.08, 0.92, 2)
        side = (x - px) * np.sin(angle) - (y - py) * np.cos(angle)
        if n % 4 == 3:
            side = np.hypot(x - px, y - py) - rng.uniform(0.12, 0.34)
        sign = 1 if rng.random() < 0.5 else -1
        code = code * 2 + (side > 0)
        fade += np.where(side * sign > 0, -1, 0.55) * np.exp(-np.abs(side) / 0.045)
    _, facet = np.unique(code.ravel(), return_inverse=True)
    return facet.reshape(x.shape), fade


def cubist(rng: Rng) -> Image:
    """A guitar and a bottle broken into facets of ochre, umber and slate."""
    x, y = grid()
    facet, fade = _facets(x, y, rng)
    count = int(facet.max()) + 1
    shift = rng.normal(0, 0.030, (count, 2)).astype(np.float32)[facet]
    scene = _still_life(x + shift[..., 0], y + shift[..., 1])
    pick = rng.integers(0, 4, count)[facet]
    image = EARTH[GLAZES[scene, pick]]
    pale = rng.random(count)[facet] < 0.16
    image = np.where(pale[..., None], EARTH[5], image).astype(np.float32)
    lightness = rng.normal(0, 0.16, count).astype(np.float32)[facet]
    image = shade(image, 0.72 * np.tanh(0.95 * fade) + 0.08 + lightness)
    edge = border_distance(facet * 7 + scene)
    turn = rng.uniform(0, np.pi, count).astype(np.float32)[facet]
    canvas = primed_canvas(image)
    dab = Brush(20, 44, 15, bristles=6, color_jitter=0.03, streak=0.04, ragged=0.15, taper=0.2)
    cover(canvas, image, from_angle(turn), dab, rng)
    image = 0.4 * image + 0.6 * varnish(canvas, 1.0)
    hatch_phase = (x * np.cos(turn) + y * np.sin(turn)) * 70
    hatched = (rng.random(count) < 0.09)[facet] & (np.abs(hatch_phase % 1 - 0.5) < 0.16)
    image = over(image, EARTH[0], 0.65 * hatched)
    strings = np.abs(((x - 0.46) * 0.82 - (y - 0.55) * 0.57 + shift[..., 0]) * 90 % 1 - 0.5) < 0.10
    image = over(image, EARTH[5], 0.7 * (strings & (scene == 3)))
    line_width = 2.4 + 1.6 * noise(rng, 200, 2)
    return over(image, EARTH[0] * 0.6, 0.85 * smoothstep(line_width + 1.5, line_width - 1, edge))


def brass(x: Plane, y: Plane, rng: Rng) -> Image:
    """Give a sheet of brushed brass with slanting light."""
    sheen = 0.5 + 0.5 * np.sin(9 * x + 6 * y)
    return shade(ramp(BRASS, sheen), 0.10 * noise(rng, 10, 2, stretch=8))


def _rays(x: Plane, y: Plane, rng: Rng) -> tuple[Image, Plane]:
    angle = np.arctan2(0.70 - y, x - 0.5)
    radius = np.hypot(x - 0.5, y - 0.70)
    sector = angle / np.pi * 26
    index = np.floor(sector).astype(int)
    image = np.stack([BLACK, TEAL, IVORY, EMERALD])[(index + 2 * (radius > 0.42)) % 4]
    image = shade(image, 0.25 * (0.5 - (sector - index)) + 0.03 * noise(rng, 200, 2))
    gap = np.minimum(sector - index, 1 - sector + index) * np.pi / 26 * radius * W
    ring = np.abs(radius[..., None] * W - np.array([0.42, 0.435, 0.26, 0.64, 0.655]) * W).min(-1)
    return image, np.minimum(gap, ring)


def _tower(
    canvas: Bytes, gold: Bytes, center: float, width: float, top: float, tone: Image
) -> None:
    """Draw a stepped tower with window bands; gold takes its outlines."""
    for step in range(5):
        half = width * (1 - 0.19 * step) / 2
        crown = 0.95 - (0.95 - top) * (0.62 + 0.095 * step)
        corner = (int((center - half) * W), int(crown * W))
        opposite = (int((center + half) * W), int(0.80 * W))
        cv2.rectangle(canvas, corner, opposite, ink(tone * (0.8 + 0.12 * step)), -1)
        cv2.rectangle(gold, corner, opposite, 255, 5)
    for bar in np.linspace(-0.34, 0.34, 7):
        column = int((center + bar * width * 0.62) * W)
        cv2.line(gold, (column, int((top + 0.16) * W)), (column, int(0.80 * W)), 255, 5)
    spire = [int(center * W), int((top - 0.07) * W)], [int(center * W), int((top + 0.1) * W)]
    cv2.line(gold, spire[0], spire[1], 255, 8)


def _scales(x: Plane, y: Plane) -> tuple[Plane, Plane, np.ndarray]:
    """Give overlapping fans: distance from each fan's rim, its angle, and its number."""
    size = 1 / 8
    best = np.full(x.shape, -1.0, np.float32)
    angle = np.zeros_like(best)
    number = np.zeros(x.shape, np.intp)
    for row in range(-1, 10):
        cy = 0.735 + (row + 1.6) * size * 0.38
        cx = (np.floor(x / size - 0.5 * (row % 2)) + 0.5 + 0.5 * (row % 2)) * size
        radius = np.hypot(x - cx, y - cy) / (size / 2)
        inside = (radius < 1.02) & (y < cy + 0.2)
        best = np.where(inside, radius, best)
        angle = np.where(inside, np.arctan2(cy - y, x - cx), angle)
        number = np.where(inside, row * 31 + np.floor(cx / size).astype(int), number)
    return best, angle, number


def deco(rng: Rng) -> Image:
    """Stepped towers in a sunburst over a sea of fans: black, emerald, ivory and brass."""
    x, y = grid()
    image, seam = _rays(x, y, rng)
    canvas = np.asarray(np.clip(image * 255, 0, 255), np.uint8)
    gold = blank(1)
    towers = ((0.16, 0.15, 0.36, TEAL), (0.84, 0.15, 0.36, TEAL), (0.31, 0.17, 0.22, EMERALD),
              (0.69, 0.17, 0.22, EMERALD), (0.5, 0.23, 0.10, BLACK))  # fmt: skip
    body = blank(1)
    for center, width, top, tone in towers:
        _tower(canvas, gold, center, width, top, tone)
        cv2.rectangle(body, (int((center - width / 2) * W), int((top + 0.02) * W)),
                      (int((center + width / 2) * W), W), 255, -1)  # fmt: skip
    image = as_floats(canvas)
    metal = brass(x, y, rng)
    seam_line = smoothstep(4.2, 2.8, seam) * (as_floats(body) < 0.5)
    line = np.maximum(as_floats(gold), seam_line)
    radius, angle, number = _scales(x, y)
    sea = (radius >= 0) & (y > 0.735)
    tones = np.stack([EMERALD, BLACK, TEAL, IVORY, CORAL, BLACK])[number % 6]
    tones = shade(tones, 0.35 * (radius - 0.6))
    image = np.where(sea[..., None], tones, image)
    ring = np.abs(radius[..., None] - np.array([0.98, 0.74, 0.50, 0.26])).min(-1) < 0.035
    spoke = (np.abs((angle / np.pi * 14) % 1 - 0.5) < 0.10) & (radius > 0.5) & (radius < 0.98)
    line = np.where(sea, (ring | spoke).astype(np.float32), line)
    raised = relief(blur(line, 1.5), 0.7)
    image = over(image, shade(metal, 0.45 * raised), line)
    border = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y)) * W
    image = over(image, flat(BLACK), smoothstep(30, 28, border))
    return paper(over(image, metal, (np.abs(border - 34) < 6).astype(np.float32)), rng, 0.03)
