"""Moving planes along a flow."""

import math
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from nst_video.frames import Floats, Size
from nst_video.image.optical_flow import Flow
from nst_video.image.resize import resize_linear


@dataclass(frozen=True, slots=True)
class Path:
    """Where the pixels of the part of a plane that moves come from.

    Attributes:
        x: float32 (h, w), column of each pixel's origin.
        y: its row.
        part: the rows and columns of the part.
    """

    x: Floats
    y: Floats
    part: tuple[slice, slice]

    @classmethod
    def along(cls, flow: Flow, size: Size) -> Self:
        """Return the path along a flow for a plane of `size` (width, height)."""
        u, v = cv2.split(flow)
        left, top, width, height = cv2.boundingRect(((u != 0) | (v != 0)).astype(np.uint8))
        rows = _enlarged(top, top + height, u.shape[0], size[1])
        columns = _enlarged(left, left + width, u.shape[1], size[0])
        across, down = size[0] / u.shape[1], size[1] / u.shape[0]
        x = resize_linear(u * np.float32(across), size)[rows, columns]
        y = resize_linear(v * np.float32(down), size)[rows, columns]
        x += np.arange(columns.start, columns.stop, dtype=np.float32)
        y += np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
        return cls(x, y, (rows, columns))

    def move(self, plane: Floats, interpolation: int) -> Floats:
        """Return a plane with the part moved; what comes from outside is mirrored: no streaks."""
        moved = plane.copy()
        moved[self.part] = cv2.remap(
            plane, self.x, self.y, interpolation, borderMode=cv2.BORDER_REFLECT_101
        )
        return moved


def _enlarged(begin: int, end: int, count: int, size: int) -> slice:
    """Return what pixels `begin` to `end` of `count` reach when they are enlarged to `size`."""
    scale = size / count
    return slice(max(0, math.floor((begin - 1) * scale)), min(size, math.ceil((end + 1) * scale)))
