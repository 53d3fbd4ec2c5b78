"""Halos: what a painting does beside the strong edges of its content."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Floats
from nst_video.training.texture import LUMA

EDGE_SLOPE = 0.04
"""Change of a content's luminance, 0..1, from pixel to pixel, above which an edge is strong."""

NEAR_PX, FAR_PX = 5.0, 15.0
"""Where a halo is, and where it is over, from the edge."""

CONTENT_STEP = 0.03
"""Difference of the content's luminance between these, up to which a side of an edge is flat."""

MIN_PLACES = 50
"""Fewer flat places beside edges tell nothing."""

DRAWN_PLACES = 400
"""Places for which a training step measures halos, for each side."""

_EDGE_BLUR, _PAINTING_BLUR = 1.5, 2.0


@dataclass(frozen=True, slots=True)
class EdgePlaces:
    """Places beside strong edges where the content is flat, rows and columns, each (2, n).

    Attributes:
        near: where a halo is.
        far: where it is over, on the same side of the edge.
    """

    near: NDArray[np.intp]
    far: NDArray[np.intp]

    def __len__(self) -> int:
        return int(self.near.shape[1])


def edge_places(content: Floats) -> tuple[EdgePlaces, EdgePlaces]:
    """Return the places on the bright side of the edges of a content, and on the dark side.

    Args:
        content: RGB (h, w, 3), 0..1.
    """
    gray = cv2.GaussianBlur(content @ LUMA, (0, 0), _EDGE_BLUR)
    down, right = np.gradient(gray)
    slope = np.hypot(down, right)
    at = np.stack(np.nonzero(slope > EDGE_SLOPE))
    normal = np.stack([down[*at], right[*at]]) / slope[*at]
    last = np.array(gray.shape)[:, None] - 1

    def beside(side: int) -> EdgePlaces:
        near, far = (
            np.clip(np.rint(at + side * distance * normal).astype(int), 0, last)
            for distance in (NEAR_PX, FAR_PX)
        )
        flat = np.abs(gray[*near] - gray[*far]) < CONTENT_STEP
        return EdgePlaces(near[:, flat], far[:, flat])

    return beside(1), beside(-1)


def halo(content: Floats, painting: Floats) -> float:
    """Return the mean step in luminance beside strong edges, where the content has none.

    Steps of texture cancel out over the edges; what remains is a rim lighter or darker than the
    area that it belongs to.

    Args:
        content: RGB (h, w, 3), 0..1.
        painting: likewise.

    Returns:
        The step, 0..1, the mean of bright and dark sides; NaN without flat places beside edges.
    """
    smooth = cv2.GaussianBlur(painting @ LUMA, (0, 0), _PAINTING_BLUR)
    steps = [
        abs(float(np.mean(smooth[*side.near] - smooth[*side.far])))
        for side in edge_places(content)
        if len(side) >= MIN_PLACES
    ]
    return float(np.mean(steps)) if steps else float("nan")


def draw_halo_weights(contents: Floats, rng: np.random.Generator) -> Floats:
    """Return maps whose product with a painting's luminance sums up to its halos.

    Args:
        contents: RGB (n, h, w, 3), 0..1.
        rng: draws up to `DRAWN_PLACES` for each side of the edges.

    Returns:
        (n, h, w, 2), for bright and dark sides; 0 where there are too few places.
    """
    maps = np.zeros((*contents.shape[:3], 2), np.float32)
    for index, content in enumerate(contents):
        for side, places in enumerate(edge_places(content)):
            if len(places) < MIN_PLACES:
                continue
            drawn = rng.integers(len(places), size=DRAWN_PLACES)
            target = maps[index, :, :, side]
            np.add.at(target, tuple(places.near[:, drawn]), 1 / DRAWN_PLACES)
            np.add.at(target, tuple(places.far[:, drawn]), -1 / DRAWN_PLACES)
    return maps
