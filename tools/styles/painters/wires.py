"""Neon circuitry."""

import cv2
import numpy as np

from .brushes import line
from .canvas import (
    Bytes,
    Image,
    Points,
    Rng,
    W,
    as_floats,
    blank,
    blur,
    flat,
    grid,
    ink,
    noise,
    palette,
    relief,
    shade,
)  # fmt: skip

Cell = tuple[int, int]
Pin = tuple[Cell, int]
"""Where a wire may start, and its heading."""
NEON = palette("ff2bd6 19e3ff 8b5cff 39ff9e ff7a1a")
BOARD = palette("07061a 141040 1d0f3d")
CELLS = 72
STEPS = ((1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1))


def _walk(taken: np.ndarray, start: Cell, heading: int, rng: Rng) -> list[Cell]:
    """Route one wire over free cells, turning by 45 degrees now and then."""
    path = [start]
    taken[start] = True
    for _ in range(int(rng.integers(10, 46))):
        turn = int(rng.choice((-1, 0, 0, 0, 0, 1)))
        for option in (heading + turn, heading, heading + 1, heading - 1):
            dx, dy = STEPS[option % 8]
            cell = (path[-1][0] + dx, path[-1][1] + dy)
            if min(cell) >= 0 and max(cell) < CELLS and not taken[cell]:
                taken[cell] = True
                path.append(cell)
                heading = option % 8
                break
        else:
            break
    return path


def _chips(taken: np.ndarray, canvas: Bytes, glow: Bytes, rng: Rng) -> list[Pin]:
    """Place chips; returns where wires may start, with their headings."""
    pins = []
    for cx, cy, half in (
        (20, 19, 7),
        (53, 28, 5),
        (30, 53, 6),
        (60, 60, 6),
        (8, 45, 3),
        (46, 8, 3),
    ):
        taken[cx - half : cx + half + 1, cy - half : cy + half + 1] = True
        cell = W / CELLS
        corner = (int((cx - half + 0.7) * cell), int((cy - half + 0.7) * cell))
        opposite = (int((cx + half + 0.3) * cell), int((cy + half + 0.3) * cell))
        color = NEON[rng.integers(len(NEON))]
        cv2.rectangle(canvas, corner, opposite, ink(BOARD[1] * 0.5), -1)
        for inset in range(0, half * 12, 30):
            low = (corner[0] + inset, corner[1] + inset)
            high = (opposite[0] - inset, opposite[1] - inset)
            cv2.rectangle(glow, low, high, ink(color), 6)
        for offset in range(-half + 1, half):
            pins += [
                ((cx + half + 1, cy + offset), 0),
                ((cx - half - 1, cy + offset), 4),
                ((cx + offset, cy + half + 1), 2),
                ((cx + offset, cy - half - 1), 6),
            ]
    return pins


def neon(rng: Rng) -> Image:
    """A city of circuits glowing magenta, cyan and lime on midnight violet."""
    _, y = grid()
    canvas, glow, taken = blank(), blank(), np.zeros((CELLS, CELLS), bool)
    pins = _chips(taken, canvas, glow, rng)
    loose = [((int(a), int(b)), int(rng.integers(8))) for a, b in rng.integers(0, CELLS, (330, 2))]
    order = [pins[k] for k in rng.permutation(len(pins))] + loose
    hue = noise(rng, 600, 2)
    for start, heading in order:
        if min(start) < 0 or max(start) >= CELLS or taken[start]:
            continue
        path = (np.array(_walk(taken, start, heading, rng)) + 0.5) * W / CELLS
        place = path[0].astype(int).clip(0, W - 1)
        color = NEON[int(np.clip(2 + 1.6 * hue[place[1], place[0]] + rng.normal(0, 0.9), 0, 4))]
        _wire(glow, path.astype(np.float32), color)
    board = flat(BOARD[0]) + (BOARD[2] - BOARD[0]) * y[..., None] + as_floats(canvas)
    board = shade(board, 0.10 * relief(noise(rng, 26, 3), 0.4))
    light = as_floats(glow)
    core = (np.maximum(blur(light, 2.0).max(-1) - 0.55, 0) * 1.1)[..., None]
    halo = 0.55 * blur(light, 7) + 0.45 * blur(light, 22) + 0.30 * blur(light, 80)
    image = board + (halo + 0.75 * light) ** 1.25 + core
    light = 1 - np.exp(-1.45 * np.maximum(image, 0))
    gray = light.mean(-1, keepdims=True)
    return np.asarray(np.clip(gray + (light - gray) * 1.4 - 0.02, 0, 1), np.float32)


def _wire(glow: Bytes, path: Points, color: Image) -> None:
    if len(path) > 1:
        line(glow, path, ink(color), 8)
    for end in (path[0], path[-1]):
        center = (int(end[0]), int(end[1]))
        cv2.circle(glow, center, 9, (0.0, 0.0, 0.0), -1)
        cv2.circle(glow, center, 9, ink(color), 5)
