"""The canvas: its size, colors, noise, paper, light and blending.

Painters work on a canvas of ``W`` x ``W`` pixels, twice the size of the finished picture, and
`finish` halves it; so hard-edged drawing comes out smooth. Lengths are in canvas pixels unless a
name says otherwise. Images are RGB floats in 0..1, ``(W, W, 3)``; masks and fields are floats
``(W, W)``.
"""

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.floating]
Plane = npt.NDArray[np.floating]
Bytes = npt.NDArray[np.uint8]
Points = npt.NDArray[np.floating]
Rng = np.random.Generator

SIZE = 768
W = 2 * SIZE


def palette(codes: str) -> Image:
    """Turn ``"0b1d51 f2c14e"`` into an array of colors, float32 0..1 of shape (n, 3)."""
    rows = [[int(code[i : i + 2], 16) for i in (0, 2, 4)] for code in codes.split()]
    return (np.array(rows) / 255).astype(np.float32)


def flat(color: Image) -> Image:
    """Give a canvas filled with one color of shape (3,)."""
    return np.full((W, W, 3), color, np.float32)


def grid() -> tuple[Plane, Plane]:
    """Give the x and y coordinate of every pixel, both 0..1 over the canvas."""
    axis = ((np.arange(W) + 0.5) / W).astype(np.float32)
    x, y = np.meshgrid(axis, axis)
    return x, y


def noise(rng: Rng, cell: float, octaves: int = 4, gain: float = 0.5, stretch: float = 1) -> Plane:
    """Smooth fractal noise of mean 0 and standard deviation 1.

    Args:
        rng: Source of randomness.
        cell: Size of the largest blobs in canvas pixels.
        octaves: Number of layers, each of half the size of the one before.
        gain: Weight of each layer relative to the one before.
        stretch: Blobs are this many times wider than high.
    """
    total = np.zeros((W, W), np.float32)
    for octave in range(octaves):
        size = max(cell / 2**octave, 1)
        rows = min(int(W / size) + 3, W)
        columns = min(int(W / (size * stretch)) + 3, W)
        coarse = rng.standard_normal((rows, columns)).astype(np.float32)
        total += gain**octave * cv2.resize(coarse, (W, W), interpolation=cv2.INTER_CUBIC)
    return np.asarray((total - total.mean()) / total.std(), np.float32)


def blur(plane: Plane, sigma: float) -> Plane:
    """Gaussian blur of a plane or an image; wide ones are done on a smaller copy."""
    factor = int(max(1, sigma // 6))
    if factor == 1:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)
    side = W // factor
    small = cv2.resize(plane, (side, side), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma * side / W)
    return np.asarray(cv2.resize(small, (W, W), interpolation=cv2.INTER_CUBIC), np.float32)


def smoothstep(low: float | Plane, high: float | Plane, value: Plane) -> Plane:
    """Rise smoothly from 0 at `low` to 1 at `high` (which may be the smaller of the two)."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def unit(plane: Plane) -> Plane:
    """Stretch a plane so that its 1st and 99th percentiles become 0 and 1, and clip."""
    low, high = np.percentile(plane[::4, ::4], (1, 99))
    return np.asarray(np.clip((plane - low) / (high - low), 0, 1), np.float32)


def ramp(colors: Image, position: float | Plane) -> Image:
    """Look positions 0..1 of any shape up in a gradient through `colors`."""
    stops = np.linspace(0, 1, len(colors))
    channels = [np.interp(position, stops, colors[:, c]) for c in range(3)]
    return np.stack(channels, -1).astype(np.float32)


def over(image: Image, color: Image, alpha: Plane) -> Image:
    """Cover `image` with a color or an image where `alpha` (0..1) says so."""
    return image + (color - image) * alpha[..., None]


def multiply(image: Image, color: Image, alpha: Plane) -> Image:
    """Glaze `image` with transparent ink `color`, as thick as `alpha` (0..1)."""
    return image * (1 + (color - 1) * alpha[..., None])


def shade(image: Image, amount: Plane) -> Image:
    """Lighten (above 0) or darken (below 0) by `amount`, about -1..1."""
    lit = image + np.maximum(amount, 0)[..., None] * (1 - image)
    return np.asarray(lit * (1 + np.minimum(amount, 0)[..., None]))


def moved(plane: Plane, dx: float, dy: float) -> Plane:
    """Shift a plane right and down; the border repeats."""
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    shifted = cv2.warpAffine(plane, matrix, (W, W), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(shifted, np.float32)


def relief(height: Plane, strength: float, angle: float = -2.2) -> Plane:
    """Light a height field from direction `angle` (radians); 0 is flat ground."""
    dx = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3)
    dy = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3)
    light = -(dx * np.cos(angle) + dy * np.sin(angle)) * strength
    return np.asarray(np.tanh(light), np.float32)


def paper(image: Image, rng: Rng, grain: float = 0.05, cell: float = 6) -> Image:
    """Press the picture into grainy paper."""
    tooth = relief(noise(rng, cell, 3, 0.7), 0.25)
    return shade(image, grain * tooth + 0.3 * grain * noise(rng, 400, 3))


def blank(channels: int = 3) -> Bytes:
    """Give an empty byte canvas for OpenCV to draw on."""
    shape = (W, W) if channels == 1 else (W, W, channels)
    return np.zeros(shape, np.uint8)


def ink(color: Image) -> tuple[float, ...]:
    """Turn a color of floats 0..1 into the byte values OpenCV draws with."""
    return tuple(float(round(255 * float(c))) for c in np.clip(color, 0, 1))


def as_bytes(image: Image) -> Bytes:
    """Floats 0..1 to bytes."""
    return np.asarray(np.clip(image * 255 + 0.5, 0, 255), np.uint8)


def as_floats(image: Bytes) -> Image:
    """Bytes to floats 0..1."""
    return np.asarray(image, np.float32) / 255


def finish(image: Image) -> Bytes:
    """Halve the canvas to the finished RGB picture, uint8 (SIZE, SIZE, 3)."""
    small = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return as_bytes(np.asarray(small, np.float32))
