"""Directions over the canvas, and the paths a brush takes along them."""

from dataclasses import dataclass

import cv2
import numpy as np

from .canvas import Image, Plane, Points, Rng, W


@dataclass(frozen=True)
class Flow:
    """A unit vector for every pixel of the canvas."""

    x: Plane
    y: Plane

    def at(self, points: Points) -> Points:
        """Look up the vectors under points (..., 2)."""
        column, row = pixels(points)
        return np.stack([self.x[row, column], self.y[row, column]], -1)

    def turned(self, angle: float) -> "Flow":
        """Turn every vector by `angle` radians."""
        c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        return Flow(self.x * c - self.y * s, self.x * s + self.y * c)


def flow(x: Plane, y: Plane) -> Flow:
    """Make a flow of any vector field by scaling each vector to length 1."""
    length = np.maximum(np.hypot(x, y), 1e-6)
    return Flow((x / length).astype(np.float32), (y / length).astype(np.float32))


def from_angle(angle: Plane) -> Flow:
    """Make a flow from directions in radians."""
    return Flow(np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32))


def along(height: Plane) -> Flow:
    """Flow along the contour lines of a height field."""
    dx = np.asarray(cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=5), np.float32)
    dy = np.asarray(cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=5), np.float32)
    return flow(-dy, dx)


def vortex(x: Plane, y: Plane, center: tuple[float, float], radius: float) -> tuple[Plane, Plane]:
    """Give the velocity of a whirl that fades with distance; a negative radius turns it around."""
    dx, dy = x - center[0], y - center[1]
    pull = np.exp(-(dx * dx + dy * dy) / (2 * radius * radius)) / abs(radius) * np.sign(radius)
    return (-dy * pull).astype(np.float32), (dx * pull).astype(np.float32)


def pixels(points: Points) -> tuple[np.ndarray, np.ndarray]:
    """Give column and row of the pixel under each point, kept inside the canvas."""
    index = np.clip(points, 0, W - 1).astype(np.intp)
    return index[..., 0], index[..., 1]


def sample(image: Image, points: Points) -> Image:
    """Look up the color under each point (n, 2)."""
    column, row = pixels(points)
    return np.asarray(image[row, column], np.float32)


def scatter(rng: Rng, spacing: float, jitter: float = 1.0) -> Points:
    """Spread points over the canvas and a little beyond, about `spacing` apart, in random order."""
    axis = np.arange(-spacing, W + spacing, spacing)
    points = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    points = points + rng.uniform(-0.5, 0.5, points.shape) * spacing * jitter
    return np.asarray(rng.permutation(points), np.float32)


def trace(field: Flow, starts: Points, length: float, steps: int = 12) -> Points:
    """Follow the flow from every start, half backward and half forward.

    Args:
        field: Where to go.
        starts: Middle of each path, (n, 2).
        length: Length of a path in canvas pixels.
        steps: Number of points of a path, even.

    Returns:
        Paths of shape (n, steps, 2).
    """
    pace = np.float32(length / steps)
    halves = []
    for sign in (-1, 1):
        point = starts.astype(np.float32)
        half = []
        for _ in range(steps // 2):
            point = point + sign * pace * field.at(point)
            half.append(point)
        halves.append(half)
    return np.stack(halves[0][::-1] + halves[1], 1)


def spline(knots: list[tuple[float, float]], count: int = 200) -> Points:
    """Draw a smooth curve (Catmull-Rom) through knots given in 0..1; (count, 2) canvas pixels."""
    k = np.array([knots[0], *knots, knots[-1]], np.float64) * W
    t = np.linspace(0, len(knots) - 1 - 1e-6, count)
    i = t.astype(np.intp)
    f = (t - i)[:, None]
    a, b, c, d = k[i], k[i + 1], k[i + 2], k[i + 3]
    curve = 2 * b + (c - a) * f + (2 * a - 5 * b + 4 * c - d) * f**2
    curve = curve + (3 * b - a - 3 * c + d) * f**3
    return np.asarray(curve / 2, np.float32)


def normals(path: Points) -> Points:
    """Give the unit normals of paths (..., k, 2)."""
    tangent = np.gradient(path, axis=-2)
    normal = np.stack([-tangent[..., 1], tangent[..., 0]], -1)
    length = np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)
    return np.asarray(normal / length)
