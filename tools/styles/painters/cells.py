"""Cells: Voronoi panes, and tiles laid along the outline of a shape."""

import cv2
import numpy as np

from .brushes import fill
from .canvas import Bytes, Plane, Points, Rng, W
from .flow import Flow, flow, pixels


def voronoi(sites: Points) -> tuple[np.ndarray, Plane]:
    """Divide the canvas among sites (n, 2).

    Returns:
        The index of the nearest site for every pixel, and the distance to it in canvas pixels.
    """
    empty = np.full((W, W), 255, np.uint8)
    column, row = pixels(sites)
    empty[row, column] = 0
    distance, labels = cv2.distanceTransformWithLabels(
        empty, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    order = np.zeros(labels.max() + 1, np.intp)
    order[labels[row, column]] = np.arange(len(sites))
    return order[labels], np.asarray(distance, np.float32)


def border_distance(labels: np.ndarray) -> Plane:
    """Give the distance of every pixel to the nearest change of label, in canvas pixels."""
    inside = np.full(labels.shape, 255, np.uint8)
    inside[:, 1:][labels[:, 1:] != labels[:, :-1]] = 0
    inside[1:][labels[1:] != labels[:-1]] = 0
    return np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, 5), np.float32)


def inward(shape: Bytes) -> Plane:
    """Give the distance to the edge inside a shape (255) and 0 outside."""
    return np.asarray(cv2.distanceTransform(shape, cv2.DIST_L2, 5), np.float32)


def rows_of_tiles(shape: Bytes, size: float, rng: Rng) -> Points:
    """Lay tiles in rows that follow the outline of a shape, as mosaicists do.

    Args:
        shape: uint8 (W, W), 255 inside.
        size: Edge of a tile with its joint in canvas pixels.
        rng: Source of randomness.

    Returns:
        Corners of the tiles, (n, 4, 2).
    """
    depth = inward(shape)
    corners = []
    level = size / 2
    while level < depth.max():
        level_set = (depth >= level).astype(np.uint8)
        rings, _ = cv2.findContours(level_set, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        for ring in rings:
            corners.append(_tiles_on(ring[:, 0].astype(np.float32), size, rng))
        level += size
    return np.concatenate([c for c in corners if len(c)])


def _tiles_on(ring: Points, size: float, rng: Rng) -> Points:
    count = round(len(ring) * 1.08 / size)
    if count < 1:
        return np.zeros((0, 4, 2), np.float32)
    reach = max(2, int(size / 2))
    at = (np.linspace(0, len(ring), count, endpoint=False) + rng.uniform(0, size)).astype(np.intp)
    tangent = ring[(at + reach) % len(ring)] - ring[at - reach]
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-6)
    return squares(ring[at % len(ring)] if count else ring, tangent, size, rng)


def squares(centers: Points, tangents: Points, size: float, rng: Rng) -> Points:
    """Give the corners (n, 4, 2) of slightly crooked squares lying along `tangents` (n, 2)."""
    normal = np.stack([-tangents[:, 1], tangents[:, 0]], 1)
    half = size / 2
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    sides = [centers + half * (u * tangents + v * normal) for u, v in signs]
    tiles = np.stack(sides, 1)
    return np.asarray(tiles + rng.normal(0, size * 0.035, tiles.shape), np.float32)


def lay(tiles: Points, taken: Bytes, joint: float, size: float) -> np.ndarray:
    """Choose the tiles that fit and mark their place.

    Args:
        tiles: Corners (n, 4, 2), laid first to last.
        taken: uint8 (W, W), 255 where a tile lies already; updated.
        joint: Width of the joint in canvas pixels.
        size: Edge of a tile with its joint.

    Returns:
        Corners of the tiles laid, shrunk by half a joint, (m, 4, 2).
    """
    centers = tiles.mean(1, keepdims=True)
    shrunk = centers + (tiles - centers) * np.float32(1 - joint / size)
    probes = centers + (shrunk - centers) * np.float32(0.72)
    laid = []
    for n in range(len(tiles)):
        column, row = pixels(np.concatenate([probes[n], centers[n]]))
        if not taken[row, column].any():
            fill(taken, shrunk[n], (255,))
            laid.append(n)
    return np.asarray(shrunk[laid])


def toward(center: tuple[float, float], x: Plane, y: Plane) -> Flow:
    """Flow from everywhere toward a center given in 0..1."""
    return flow(center[0] - x, center[1] - y)
