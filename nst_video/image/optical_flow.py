"""Optical flow, backward warping, and the reliability of a flow.

A flow from `a` to `b` is float32 (height, width, 2): displacements right and down in pixels. What
is at x in `a` is at x + flow(x) in `b`, so the flow warps `b` to `a` (`warp`).
"""

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Floats, Size
from nst_video.image.resize import resize_linear

Flow: TypeAlias = NDArray[np.float32]


def warp(picture: Floats, flow: Flow, *, is_sharp: bool = False) -> Floats:
    """Warp an image backward along a flow; the border is replicated.

    Args:
        picture: the image that the flow leads to, float32 (height, width) or (height, width,
            channels); in 0..1 where it `is_sharp`.
        flow: (height, width, 2).
        is_sharp: by Lanczos instead of bilinear interpolation, which keeps brush strokes sharp.
    """
    x, y = _coordinates(flow)
    if not is_sharp:
        return np.asarray(
            cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
        )
    crisp = cv2.remap(picture, x, y, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(np.clip(crisp, 0, 1), np.float32)


def resize_flow(flow: Flow, size: Size) -> Flow:
    """Return a flow for frames of `size` (width, height), in pixels of these, as a new array."""
    height, width = flow.shape[:2]
    return resize_linear(flow * np.array((size[0] / width, size[1] / height), np.float32), size)


def compose(first: Flow, then: Flow) -> Flow:
    """Return the flow from a to c, composed of the flows from a to b and from b to c."""
    return first + warp(then, first)


def reliability(flow: Flow, back: Flow) -> Floats:
    """Return 1 where the flow from `a` to `b` is reliable, else 0, float32 (height, width).

    Unreliable are disocclusions (forward-backward consistency) and motion boundaries, both after
    Sundaram et al. 2010 as in Ruder et al. 2016 (arXiv 1604.08610, section 4.3), and everything
    that comes from outside the image.

    Args:
        flow: from `a` to `b`.
        back: from `b` to `a`.
    """
    returned = warp(back, flow)
    length = _square(flow)
    confirmed = _square(flow + returned) <= 0.01 * (length + _square(returned)) + 0.5
    down, right = (np.asarray(each) for each in np.gradient(flow, axis=(0, 1)))
    smooth = _square(down) + _square(right) <= 0.01 * length + 0.002
    height, width = flow.shape[:2]
    x, y = _coordinates(flow)
    inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
    return np.asarray(confirmed & smooth & inside, np.float32)


def _square(vectors: Floats) -> Floats:
    return np.square(vectors[..., 0]) + np.square(vectors[..., 1])


def _coordinates(flow: Flow) -> tuple[Floats, Floats]:
    """Return the target coordinates of the flow: x and y, each (height, width)."""
    height, width = flow.shape[:2]
    return (
        np.add(flow[..., 0], np.arange(width, dtype=np.float32)),
        np.add(flow[..., 1], np.arange(height, dtype=np.float32)[:, None]),
    )
