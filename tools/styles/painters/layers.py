"""Made things: a woven kilim, cut paper in layers, and a coral reef in relief."""

import cv2
import numpy as np

from .canvas import (
    Image,
    Plane,
    Rng,
    W,
    blur,
    flat,
    grid,
    moved,
    noise,
    over,
    palette,
    paper,
    ramp,
    relief,
    shade,
    smoothstep,
    unit,
)  # fmt: skip
from .cells import voronoi
from .flow import scatter

WOOL = palette("8f1d21 1c2b52 d79a2b efe1c4 2b1a17 2a6b68 c4512d")
MAP = palette("0a2540 0f4c5c 16838a 5fb8a5 cfe0b0 f6e7c1 f2b872 e2724c a83250 5a1846")
CORAL = palette("5a1f7a b32a86 f0436b ff7a4a ffb347 ffd98a")
WATERS = palette("021a30 06465f 12938f")


def _kilim(cells: int) -> np.ndarray:
    """Give the color number of every knot of the pattern: stepped diamonds between borders."""
    row, column = np.mgrid[:cells, :cells]
    pattern = np.zeros((cells, cells), np.intp)
    band, inside = np.divmod(row, 32)
    u = np.abs((column + 16 * (band % 2)) % 32 - 16)
    v = np.abs(inside - 16)
    step = (u // 2 + v // 2).astype(int)
    order = np.array([3, 4, 2, 2, 1, 1, 3, 0, 0, 5, 5, 4, 6, 6, 3, 1, 0])
    pattern[:] = order[np.minimum(step, len(order) - 1)]
    swap = (band % 2 == 1) & (pattern == 0)
    pattern[swap] = 1
    hook = (np.abs(u - 13) < 2) & (v % 6 < 3)
    pattern[hook] = 3
    zig = np.abs(((column + 2) % 8) - 4)
    edge = inside < 7
    teeth = np.where(inside < zig + 1, 4, np.where(inside < zig + 3, 2, 0))
    pattern[edge] = teeth[edge]
    return pattern


def kilim(rng: Rng) -> Image:
    """A kilim of stepped diamonds in madder, indigo and saffron, every thread to be seen."""
    x, y = grid()
    cells = 96
    x = x + 0.0025 * noise(rng, 300, 3)
    y = y + 0.0025 * noise(rng, 300, 3)
    column = np.clip(x * cells, 0, cells - 1).astype(np.intp)
    row = np.clip(y * cells, 0, cells - 1).astype(np.intp)
    image = WOOL[_kilim(cells)[row, column]]
    dye = rng.normal(0, 0.06, (cells, 1)) + rng.normal(0, 0.05, (cells, cells))
    image = shade(image, dye.astype(np.float32)[row, column] + 0.05 * noise(rng, 350, 2))
    over_under = np.sin(np.pi * (x * cells + row)) ** 2
    weft = np.abs(np.sin(np.pi * y * cells))
    height = weft**0.6 * (0.5 + 0.5 * over_under)
    twist = np.sin(2 * np.pi * (x * cells * 1.5 + y * cells * 1.0))
    lit = 0.52 * relief(blur(height.astype(np.float32), 1.2), 1.0) + 0.10 * twist * height
    shadow = 0.62 * (height - 0.75)
    fuzz = 0.05 * noise(rng, 5, 2, stretch=3)
    return shade(image, np.asarray(lit + shadow + fuzz, np.float32))


def contour(rng: Rng) -> Image:
    """An island map cut from twenty sheets of paper, from deep sea to volcano."""
    x, y = grid()
    warp = 0.14 * noise(rng, 700, 2)
    height = 1.25 * np.exp(-(((x - 0.62 + warp) ** 2 + (y - 0.40) ** 2) / 0.055))
    height += 0.95 * np.exp(-(((x - 0.22) ** 2 + (y - 0.76 + warp) ** 2) / 0.05))
    height += 0.16 * noise(rng, 460, 2) + 0.10 * noise(rng, 210, 2)
    level = unit(height) * 19.999
    image = flat(MAP[0])
    for n in range(20):
        cut = level + 0.10 * noise(rng, 60, 2)
        sheet = smoothstep(n - 0.02, n + 0.02, cut)
        shifted = moved(blur(sheet, 9), 9, 12)
        image = image * (1 - 0.75 * shifted * (1 - sheet))[..., None]
        tone = ramp(MAP, (n + 0.5) / 20)
        tone = tone * (1 + 0.17 * (-1) ** n)
        grain = 0.05 * relief(noise(rng, 9, 2), 0.4)
        image = over(image, shade(flat(tone), grain), sheet)
    fraction = np.abs(level * 3 - np.round(level * 3))
    speed = np.hypot(cv2.Sobel(level, cv2.CV_32F, 1, 0), cv2.Sobel(level, cv2.CV_32F, 0, 1)) / 8
    hair = smoothstep(2.2, 1.0, fraction / np.maximum(3 * speed, 1e-4))
    image = over(image, palette("fff6e0")[0], 0.55 * hair * (speed > 1e-3))
    return paper(image, rng, 0.03)


def _turing(rng: Rng, rounds: int) -> Plane:
    """Grow a labyrinth: every spot copies its neighbors and opposes those farther away."""
    side = W // 4
    field = rng.standard_normal((side, side)).astype(np.float32)
    axis = np.linspace(0, 1, side, dtype=np.float32)
    coarse = np.clip(0.5 + 0.5 * np.sin(5 * axis[None] + 4 * axis[:, None]), 0, 1)
    for _ in range(rounds):
        fine = cv2.GaussianBlur(field, (0, 0), 2.4) - cv2.GaussianBlur(field, (0, 0), 4.4)
        wide = cv2.GaussianBlur(field, (0, 0), 4.6) - cv2.GaussianBlur(field, (0, 0), 8.4)
        field = np.tanh(field * 0.5 + 9 * (fine * (1 - coarse) + 1.15 * wide * coarse))
    return np.asarray(cv2.resize(field, (W, W), interpolation=cv2.INTER_CUBIC), np.float32)


def _polyps(rng: Rng) -> Plane:
    """Give round bumps crowded together, each 0 at its foot and 1 on top."""
    _, distance = voronoi(scatter(rng, 17, 0.7).clip(0, W - 1))
    return np.sqrt(np.clip(1 - (distance / 9) ** 2, 0, 1))


def reef(rng: Rng) -> Image:
    """Brain corals in violet, rose, orange and gold rising from turquoise water."""
    maze = blur(_turing(rng, 70), 3)
    x, y = grid()
    depth = 0.25 * np.sin(6 * x + 3 * y) + 0.30 * noise(rng, 420, 2)
    top = smoothstep(-0.25, 0.25, maze)
    water = ramp(WATERS, unit(maze * 0.5 + depth))
    colony = unit(noise(rng, 520, 2) + 0.10 * noise(rng, 60, 2))
    flesh = shade(ramp(CORAL, colony), 0.40 * (maze - 0.55) + 0.12 * depth)
    shadow = moved(blur(top, 10), 10, 14) * (1 - top)
    bumps = _polyps(rng)
    image: Image = over(water, flesh, top) * (1 - 0.6 * shadow)[..., None]
    image = shade(image, 0.50 * relief(maze, 1.6) + 0.30 * relief(bumps, 0.5) * top)
    image = over(image, palette("fff3d6")[0], 0.65 * smoothstep(0.82, 0.98, bumps) * top)
    rim = np.exp(-((maze / 0.22) ** 2)) * 0.6
    return over(image, palette("2a0f3c")[0], rim)
