"""Pictures made by code that have the statistics of photos: the dead leaves model.

Opaque shapes of all sizes occlude each other, as things in the world do, which gives a picture the
edges, the flat areas and the spectrum of a photo (Lee, Mumford and Huang 2001, doi
10.1023/A:1011109015675). They need no file and no license.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Floats, Frame, Size

SMALLEST, LARGEST = 0.02, 0.6
"""Radii of the shapes as shares of the short side."""

MIN_LEAVES, MAX_LEAVES = 12, 220
"""Shapes in the calmest and in the busiest picture."""

TEXTURE = 0.16
"""Largest standard deviation of a shape's texture, of the range of pixels."""

_FRACTION_BITS = 4


def draw(size: Size, seed: int) -> Frame:
    """Draw a picture.

    Args:
        size: (width, height).
        seed: pictures differ in colors, in light and in how busy they are.

    Returns:
        RGB uint8 (height, width, 3).
    """
    rng = np.random.default_rng(seed)
    palette = _palette(rng)
    picture = _sky(size, palette, rng)
    width, height = size
    count = int(rng.integers(MIN_LEAVES, MAX_LEAVES))
    # Where the ground begins: above it most of the sky stays free.
    horizon = rng.uniform(-0.3, 0.7) * height
    texture = _texture(size, rng)
    for radius in -np.sort(-_radii(count, rng)):
        middle = (rng.uniform(0, width), rng.uniform(horizon, height))
        outline = _outline(middle, radius * min(size), rng)
        cover = np.zeros((height, width), np.float32)
        cv2.fillPoly(cover, [outline], 1.0, cv2.LINE_AA, _FRACTION_BITS)
        _paint(picture, cover, outline, palette[rng.integers(len(palette))], texture, rng)
    return _develop(picture, rng)


def _palette(rng: np.random.Generator) -> Floats:
    """Return colors (n, 3), 0..1: a few muted hues, dark and light."""
    count = 12
    hue = rng.uniform(0, 180) + rng.normal(0, rng.uniform(8, 60), count)
    saturation = rng.beta(2, 5, count) * 255
    value = rng.beta(1.3, 1.3, count) * 235 + 15
    hsv = np.stack([hue % 180, saturation, value], -1).astype(np.uint8)
    return np.asarray(cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0] / 255, np.float32)


def _radii(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return radii with density r^-2 between the smallest and the largest, as shares of a side."""
    return np.asarray(1 / rng.uniform(1 / LARGEST, 1 / SMALLEST, count))


def _sky(size: Size, palette: Floats, rng: np.random.Generator) -> Floats:
    """Return a soft gradient between two colors, with clouds."""
    width, height = size
    first, second = palette[rng.choice(len(palette), 2, replace=False)]
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    clouds = np.clip(_texture(size, rng, slope=1.6), -2, 2)[..., None] * rng.uniform(0, 0.08)
    ramp = first + (second - first) * down + np.zeros((1, width, 1), np.float32)
    return np.asarray(ramp * 0.6 + 0.35 + clouds, np.float32)


def _texture(size: Size, rng: np.random.Generator, slope: float = 0.9) -> Floats:
    """Return noise (height, width) with amplitudes 1 / f^slope, mean 0 and variance 1."""
    width, height = size
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((height, width))) / frequency**slope
    noise = np.fft.irfft2(spectrum, (height, width))
    return np.asarray(noise / noise.std(), np.float32)


def _outline(
    middle: tuple[float, float], radius: float, rng: np.random.Generator
) -> NDArray[np.int32]:
    """Return the corners of a polygon or the points of a wavy oval, for OpenCV."""
    count = int(rng.choice([3, 4, 4, 5, 24, 24]))
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False) + rng.uniform(0, 2 * np.pi)
    waves = 1 + rng.uniform(0, 0.2) * np.sin(angles * rng.integers(2, 6) + rng.uniform(0, 6))
    stretch = np.exp(rng.normal(0, 0.5, 2))
    points = np.stack([np.cos(angles), np.sin(angles)], -1) * waves[:, None] * radius * stretch
    turn = rng.uniform(0, np.pi)
    turned = points @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.asarray(np.round((turned + middle) * (1 << _FRACTION_BITS)), np.int32)


def _paint(
    picture: Floats,
    cover: Floats,
    outline: NDArray[np.int32],
    color: Floats,
    texture: Floats,
    rng: np.random.Generator,
) -> None:
    """Lay a shape with light and texture on the picture, in place."""
    left, top, width, height = cv2.boundingRect(outline >> _FRACTION_BITS)
    rows = slice(max(0, top - 1), max(0, top + height + 1))
    columns = slice(max(0, left - 1), max(0, left + width + 1))
    here = cover[rows, columns, None]
    if not here.size:
        return
    y, x = np.mgrid[0 : here.shape[0], 0 : here.shape[1]].astype(np.float32)
    slope = rng.normal(0, 0.25, 2) / max(here.shape[:2])
    light = 1 + slope[0] * (y - y.mean()) + slope[1] * (x - x.mean())
    shift = tuple(int(n) for n in rng.integers(0, texture.shape))
    grain = np.roll(texture, shift, (0, 1))[rows, columns] * rng.uniform(0, 1) ** 2 * TEXTURE
    leaf = color * light[..., None] + grain[..., None]
    picture[rows, columns] += (leaf - picture[rows, columns]) * here


def _develop(picture: Floats, rng: np.random.Generator) -> Frame:
    """Return the picture as a camera would show it: slightly soft, with tone and a little noise."""
    soft = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.2))
    noisy = soft + rng.normal(0, 0.008, soft.shape)
    return np.asarray(np.clip(noisy, 0, 1) ** rng.uniform(0.8, 1.3) * 255 + 0.5, np.uint8)
