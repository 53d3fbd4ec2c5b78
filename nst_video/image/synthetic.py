"""A short synthetic scene: a boat crosses a bay at sunset.

It needs no file and shows styles well: soft gradients, hard edges, fine ripples, strong colors.
Positions are fractions of the frame height, x from the middle, y from the top.
"""

from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Frame, Size

SIZE: Size = (640, 360)
FPS = Fraction(24)
DURATION_S = 4.0

HORIZON = 0.62

_SKY = (
    (0.00, (36, 58, 122)),
    (0.35, (94, 98, 168)),
    (0.65, (226, 132, 128)),
    (0.85, (250, 176, 104)),
    (1.00, (255, 222, 150)),
)
"""Colors from the top (0) to the horizon (1)."""

_SEA = ((0.0, (246, 184, 128)), (0.25, (92, 128, 156)), (1.0, (14, 44, 82)))
"""Colors from the horizon (0) to the bottom (1)."""

_HILLS = (
    # color, height above the horizon, frequencies, drift per scene
    ((150, 112, 150), 0.17, (2.1, 5.3), 0.02),
    ((92, 92, 128), 0.115, (3.7, 8.9), 0.05),
    ((40, 84, 84), 0.06, (5.9, 14.3), 0.10),
)

_CLOUDS = ((-0.62, 0.14, 0.26), (-0.05, 0.09, 0.34), (0.55, 0.2, 0.22), (0.85, 0.1, 0.2))
"""Center x, y and half width."""

_BIRDS = ((-0.30, 0.22, 1.0), (-0.22, 0.26, 0.8), (-0.38, 0.27, 0.7), (0.1, 0.16, 0.6))
"""Center x, y and size."""

_FRACTION_BITS = 4
"""Fractional bits of OpenCV's coordinates, for smooth movement."""


def draw(size: Size, phase: float) -> Frame:
    """Draw one frame.

    Args:
        size: (width, height).
        phase: position in the scene, 0 to 1.

    Returns:
        RGB, uint8, shape (height, width, 3).
    """
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x = (x + 0.5 - width / 2) / height
    y = (y + 0.5) / height
    sun = (0.28, 0.40 + 0.10 * phase)
    picture = _sky(x, y, sun, phase)
    picture = _hills(picture, x, y, phase)
    picture = _sea(picture, x, y, sun, phase)
    frame = np.clip(picture, 0, 255).astype(np.uint8)
    _boat(frame, phase)
    _birds(frame, phase)
    return np.ascontiguousarray(frame)


def _ramp(
    position: NDArray[np.float32], stops: tuple[tuple[float, tuple[int, int, int]], ...]
) -> NDArray[np.float32]:
    places = [place for place, _ in stops]
    channels = [
        np.interp(position, places, [color[channel] for _, color in stops]) for channel in range(3)
    ]
    return np.stack(channels, axis=-1).astype(np.float32)


def _mix(
    below: NDArray[np.float32], color: tuple[int, int, int], cover: NDArray[np.float32]
) -> NDArray[np.float32]:
    mixed: NDArray[np.float32] = below + (np.asarray(color, np.float32) - below) * cover[..., None]
    return mixed


def _sky(
    x: NDArray[np.float32], y: NDArray[np.float32], sun: tuple[float, float], phase: float
) -> NDArray[np.float32]:
    picture = _ramp(np.clip(y / HORIZON, 0, 1), _SKY)
    distance = np.hypot(x - sun[0], y - sun[1])
    picture = _mix(picture, (255, 236, 170), 0.75 * np.exp(-((distance / 0.2) ** 2)))
    for middle, level, half_width in _CLOUDS:
        drift = x - middle - 0.12 * phase
        puff = 0.016 * np.sin(23 * drift + middle * 9) + 0.010 * np.sin(51 * drift)
        shape = (drift / half_width) ** 2 + ((y - level + puff) / (half_width / 6)) ** 2
        picture = _mix(picture, (255, 214, 206), 0.8 * np.clip(1.5 - 1.5 * shape, 0, 1))
    disc = np.clip((0.075 - distance) * 200, 0, 1).astype(np.float32)
    return _mix(picture, (255, 246, 204), disc)


def _hills(
    picture: NDArray[np.float32], x: NDArray[np.float32], y: NDArray[np.float32], phase: float
) -> NDArray[np.float32]:
    edge = len(y)  # One pixel of antialiasing.
    for color, top, (slow, fast), drift in _HILLS:
        place = x + drift * phase + top * 7
        ridge = top * (0.62 + 0.3 * np.sin(slow * place) + 0.08 * np.sin(fast * place * 2))
        cover = np.clip((y - (HORIZON - ridge)) * edge, 0, 1)
        picture = _mix(picture, color, cover)
        speckle = np.clip(np.sin(61 * place) * np.sin(83 * y + 5 * place) * 2 - 1, 0, 1)
        picture = _mix(picture, (255, 208, 150), 0.22 * cover * speckle)
    return picture


def _sea(
    picture: NDArray[np.float32],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    sun: tuple[float, float],
    phase: float,
) -> NDArray[np.float32]:
    depth = np.clip((y - HORIZON) / (1 - HORIZON), 0, 1)
    water = _ramp(depth, _SEA)
    # Waves get shorter toward the horizon, by perspective.
    lines = 26 * np.log1p(7 * depth)
    angle = 2 * np.pi * phase
    swell = np.sin(lines * 2 + 4 * x + 3 * angle) * np.sin(9 * x - 2 * angle + lines)
    water = water + (26 * swell * np.minimum(1, 4 * depth))[..., None]
    spread = 0.05 + 0.16 * depth
    glitter = np.exp(-(((x - sun[0]) / spread) ** 2)) * np.clip(swell * 1.6 + 0.25, 0, 1)
    water = _mix(water, (255, 232, 160), 0.95 * glitter.astype(np.float32))
    cover = np.clip((y - HORIZON) * len(y), 0, 1)[..., None]
    return np.asarray(picture + (water - picture) * cover, np.float32)


def _pixels(frame: Frame, points: list[tuple[float, float]]) -> NDArray[np.int32]:
    height, width = frame.shape[:2]
    scaled = np.asarray(points, np.float64) * height + (width / 2, 0)
    return np.asarray(np.round(scaled * (1 << _FRACTION_BITS)), np.int32)


def _fill(frame: Frame, points: list[tuple[float, float]], color: tuple[int, int, int]) -> None:
    cv2.fillPoly(frame, [_pixels(frame, points)], color, cv2.LINE_AA, _FRACTION_BITS)


def _boat(frame: Frame, phase: float) -> None:
    middle = -0.52 + 0.62 * phase
    level = 0.80 + 0.012 * np.sin(4 * np.pi * phase)
    tilt = 0.07 * np.sin(4 * np.pi * phase + 1)

    def place(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(middle + px - tilt * py, level + py + tilt * px) for px, py in points]

    _fill(
        frame, place([(-0.15, 0.065), (0.15, 0.065), (0.11, 0.085), (-0.11, 0.085)]), (20, 50, 80)
    )
    _fill(frame, place([(0.005, -0.36), (0.005, -0.02), (-0.15, -0.02)]), (250, 244, 230))
    _fill(frame, place([(0.02, -0.33), (0.02, -0.03), (0.14, -0.03)]), (206, 52, 44))
    _fill(
        frame, place([(0.02, -0.18), (0.02, -0.11), (0.108, -0.11), (0.08, -0.18)]), (246, 200, 70)
    )
    _fill(
        frame, place([(0.005, -0.39), (0.017, -0.39), (0.017, 0.01), (0.005, 0.01)]), (74, 46, 34)
    )
    hull = [(-0.2, 0.0), (0.22, -0.01), (0.15, 0.07), (-0.15, 0.07)]
    _fill(frame, place(hull), (120, 44, 36))
    _fill(frame, place([(-0.2, 0.0), (0.22, -0.01), (0.21, 0.012), (-0.19, 0.02)]), (238, 226, 200))
    _fill(frame, place([(0.017, -0.39), (0.017, -0.36), (0.08, -0.375)]), (40, 110, 160))


def _birds(frame: Frame, phase: float) -> None:
    thickness = max(1, round(len(frame) / 150))
    for index, (start, level, size) in enumerate(_BIRDS):
        middle = start + 0.45 * phase
        high = level - 0.05 * phase
        flap = 0.022 * size * np.sin(2 * np.pi * (6 * phase + index / 3))
        wing = 0.045 * size
        points = [
            (middle - wing, high - flap),
            (middle - wing / 2, high - 0.012 * size - flap / 2),
            (middle, high),
            (middle + wing / 2, high - 0.012 * size - flap / 2),
            (middle + wing, high - flap),
        ]
        line = _pixels(frame, points)
        cv2.polylines(frame, [line], False, (40, 36, 60), thickness, cv2.LINE_AA, _FRACTION_BITS)
