"""Moving planes along a flow, by cubic interpolation: bilinear would blur them."""

import cv2
import numpy as np

from nst_video.frames import Floats
from nst_video.image.optical_flow import Flow
from nst_video.system.compiled import compiled


def carry(planes: tuple[Floats, ...], flow: Flow) -> tuple[Floats, ...]:
    """Return planes moved along a flow; what comes from outside is mirrored: no streaks.

    Before version 5, OpenCV rounds the flow to a 32nd of a pixel.

    Args:
        planes: float32 (height, width), all of one size, to which the flow leads.
        flow: float32 (hf, wf, 2), in pixels of its own size.
    """
    x, y = np.empty((2, *planes[0].shape), np.float32)
    _find_origins(np.ascontiguousarray(flow), x, y)
    moved = (
        cv2.remap(plane, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        for plane in planes
    )
    return tuple(np.asarray(plane, np.float32) for plane in moved)


@compiled
def _find_origins(flow: Flow, across: Floats, down: Floats) -> None:
    """Set the coordinates from which a flow, enlarged linearly, brings the pixels of a plane."""
    height, width = across.shape
    wide = _widened(flow, height, width)
    rows = wide.shape[1]
    for y in range(height):
        position = min(max((y + 0.5) * rows / height - 0.5, 0.0), rows - 1.0)
        top = int(position)
        bottom, share = min(top + 1, rows - 1), np.float32(position - top)
        u_above, u_below = wide[0, top], wide[0, bottom]
        v_above, v_below = wide[1, top], wide[1, bottom]
        columns, lines, line = across[y], down[y], np.float32(y)
        for x in range(width):
            u = u_above[x] + share * (u_below[x] - u_above[x])
            v = v_above[x] + share * (v_below[x] - v_above[x])
            columns[x], lines[x] = np.float32(x) + u, line + v


@compiled
def _widened(flow: Flow, height: int, width: int) -> Floats:
    """Return the flow as wide as a plane (height, width), in pixels of that: (2, hf, width)."""
    rows, columns = flow.shape[:2]
    wide = np.empty((2, rows, width), np.float32)
    left, right = np.empty(width, np.uint32), np.empty(width, np.uint32)
    share = np.empty(width, np.float32)
    scales = (np.float32(width / columns), np.float32(height / rows))
    for x in range(width):
        position = min(max((x + 0.5) * columns / width - 0.5, 0.0), columns - 1.0)
        left[x], right[x] = np.uint32(position), np.uint32(min(position + 1, columns - 1))
        share[x] = np.float32(position - left[x])
    for y in range(rows):
        for axis in range(2):
            narrow, full, scale = flow[y, :, axis], wide[axis, y], scales[axis]
            for x in range(width):
                at_left = narrow[left[x]]
                full[x] = scale * (at_left + share[x] * (narrow[right[x]] - at_left))
    return wide
