"""Optical flow: where every pixel went, pictures moved along it, and how far it can be trusted.

A flow from `a` to `b` is float32 (height, width, 2), right and down in pixels: what is at x in `a`
is at x + flow(x) in `b`. It therefore fetches `b` into the place of `a` (`warp`).
"""

from typing import TypeAlias

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from nst_video.frames import Floats, Frame

Flow: TypeAlias = NDArray[np.float32]

REFINEMENTS = 10
"""Variational refinements of DIS, twice the preset's: error 0.113 instead of 0.120 px on film."""

REST_GAIN, REST_FLOOR = 1.1, 0.5
"""What rests may explain a place worse than the flow found by this factor and as many levels of
255: flat areas under noise or a changing light have flow of pixels though nothing moves."""

MIN_SIDE_PX = 16
"""DIS fails on smaller pictures; nothing is taken to move in them."""


def dis_flow(a: Frame, b: Frame, initial: Flow | None = None) -> Flow:
    """Return the flow from `a` to `b` by Dense Inverse Search (Kroeger et al. 2016, 1603.03590).

    Args:
        a: RGB uint8 (height, width, 3).
        b: likewise.
        initial: a guess to begin with, such as the flow by way of frames between the two: it finds
            what has gone far.
    """
    height, width = a.shape[:2]
    if min(height, width) < MIN_SIDE_PX:
        return np.zeros((height, width, 2), np.float32)
    gray = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (a, b)]
    guess = None if initial is None else initial.copy()
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setVariationalRefinementIterations(REFINEMENTS)
    found = search.calc(gray[0], gray[1], guess)  # type: ignore[arg-type]  # None is its default
    # Where a guess leads out of the picture DIS may diverge; such places are never trusted.
    limit = float(2 * max(height, width))
    found = np.clip(np.nan_to_num(found, nan=limit), -limit, limit)
    return _settled(np.asarray(found, np.float32), *(_without_light(each) for each in gray))


def _settled(flow: Flow, a: Floats, b: Floats) -> Flow:
    """Return the flow without what no better explains the pictures than rest does.

    On a still road whose light changes, 0.85 of the picture is reliable so instead of 0.35; on film
    with movement everywhere the error grows from 0.11 to 0.13 px.
    """
    rest = _residual(a, b) <= REST_GAIN * _residual(a, warp(b, flow)) + REST_FLOOR
    share = cv2.GaussianBlur(rest.astype(np.float32), (0, 0), 4)
    return np.asarray(flow * (1 - share)[..., None], np.float32)


def _without_light(gray: MatLike) -> Floats:
    """Return a gray picture less what it is around each place."""
    levels = gray.astype(np.float32)
    return np.asarray(levels - cv2.GaussianBlur(levels, (0, 0), 12), np.float32)


def _residual(a: Floats, b: Floats) -> Floats:
    return np.asarray(cv2.GaussianBlur(np.abs(a - b), (0, 0), 8), np.float32)


def warp(picture: Floats, flow: Flow, *, sharpness: float = 0.0) -> Floats:
    """Fetch every pixel from where the flow says it is, the edge repeated beyond it.

    Args:
        picture: float32 (height, width) or (height, width, channels), what the flow leads to; in
            0..1 where it is to be sharp.
        flow: (height, width, 2); zero is the identity.
        sharpness: 0 is bilinear, 1 Lanczos, which keeps brush strokes as crisp as they were.
    """
    x, y = _places(flow)
    plain = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if sharpness == 0:
        return np.asarray(plain, np.float32)
    crisp = cv2.remap(picture, x, y, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(np.clip(plain + np.float32(sharpness) * (crisp - plain), 0, 1), np.float32)


def compose(first: Flow, then: Flow) -> Flow:
    """Return the flow from a to c, of the flows from a to b and from b to c."""
    return first + warp(then, first)


def reliability(flow: Flow, back: Flow) -> Floats:
    """Return 1 where the flow from `a` to `b` can be trusted, 0 elsewhere, float32 (height, width).

    Not trusted is what the flow back does not confirm (disoccluded, or not found), motion
    boundaries (both after Sundaram et al. 2010, in the form of Ruder et al. 2016, arXiv 1604.08610,
    section 4.3) and what comes from beyond the picture.

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
    x, y = _places(flow)
    inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
    return np.asarray(confirmed & smooth & inside, np.float32)


def _square(vectors: Floats) -> Floats:
    return np.square(vectors[..., 0]) + np.square(vectors[..., 1])


def _places(flow: Flow) -> tuple[Floats, Floats]:
    """Return where the flow leads: x and y, each (height, width)."""
    height, width = flow.shape[:2]
    return (
        np.add(flow[..., 0], np.arange(width, dtype=np.float32)),
        np.add(flow[..., 1], np.arange(height, dtype=np.float32)[:, None]),
    )
