"""How far a texture that is carried along a flow has been stretched, shrunk or sheared.

The deformation at a point is a matrix (2, 2) from a step in the frame to the step in the texture as
it was painted: the identity when painted. It is kept at a quarter of the flow's size, as float32
(h, w, 4) in rows.
"""

import cv2
import numpy as np

from nst_video.frames import Floats, Size
from nst_video.image.optical_flow import Flow, warp
from nst_video.image.resize import resize_area, resize_linear

SHRINK = 4
"""Times that the flow is shrunk: deformations vary slowly."""

FROM, TO, RATE = 1.1, 1.6, 0.15
"""A texture stretched or shrunk by `FROM` begins to be replaced; from `TO` on, by this share each
frame. Without it, brush strokes on what comes close become blurred swirls."""

IDENTITY = np.array([1, 0, 0, 1], np.float32)


def none_yet(flow_size: Size) -> Floats:
    """Return the deformation of a new painting, for flows of `flow_size` (width, height)."""
    width, height = _coarse(flow_size)
    return np.broadcast_to(IDENTITY, (height, width, 4)).copy()


def advance(deformation: Floats, flow: Flow) -> Floats:
    """Return the deformation after the texture has been carried along `flow`."""
    size = (flow.shape[1], flow.shape[0])
    coarse = resize_area(flow, _coarse(size)) / np.float32(SHRINK)
    carried = warp(deformation, coarse)
    smooth = cv2.GaussianBlur(coarse, (0, 0), 1)
    (ux, vx), (uy, vy) = (np.moveaxis(np.gradient(smooth, axis=a), -1, 0) for a in (1, 0))
    a, b, c, d = np.moveaxis(carried, -1, 0)
    rows = [
        a * (1 + ux) + b * vx,
        a * uy + b * (1 + vy),
        c * (1 + ux) + d * vx,
        c * uy + d * (1 + vy),
    ]
    return np.stack(rows, -1).astype(np.float32)


def staleness(deformation: Floats) -> Floats:
    """Return 0..1, float32 (h, w): 0 below `FROM`, 1 from `TO` on.

    What counts is the larger of the greatest singular value and the inverse of the least.
    """
    a, b, c, d = np.moveaxis(deformation, -1, 0)
    squares = np.square(deformation).sum(-1)
    area = np.abs(a * d - b * c)
    largest = np.sqrt((squares + np.sqrt(np.maximum(squares**2 - 4 * area**2, 0))) / 2)
    stretch = np.maximum(largest, largest / np.maximum(area, np.float32(1e-3)))
    return np.asarray(np.clip((stretch - FROM) / np.float32(TO - FROM), 0, 1), np.float32)


def renew(deformation: Floats, kept: Floats) -> Floats:
    """Return the deformation after a painting that kept `kept`, 0..1 (hf, wf), of the texture."""
    height, width = deformation.shape[:2]
    share = resize_area(kept, (width, height))[..., None]
    return np.asarray(IDENTITY + share * (deformation - IDENTITY), np.float32)


def enlarge(field: Floats, flow_size: Size) -> Floats:
    """Return a field (h, w) at the flow's size (width, height)."""
    return resize_linear(field, flow_size)


def _coarse(flow_size: Size) -> Size:
    width, height = flow_size
    return max(2, width // SHRINK), max(2, height // SHRINK)
