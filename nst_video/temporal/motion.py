"""Motion between consecutive frames of a source, and where it can be relied on."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Floats, Luma, Size
from nst_video.image.optical_flow import MIN_SIDE_PX, DisFlow, Flow, compose, warp
from nst_video.image.resize import shrink

FLOW_SIDE = 512
"""Longer side in pixels at which flow is computed: larger frames are shrunk. With 384 the warp
error of close, fast motion is 1.3 times as large; 512x288 takes 10 ms on two cores."""

REST_FLOOR, REST_LIMIT_PX = 0.3, 2.0
"""Zero flow is taken where its residual exceeds that of the flow by less than the floor (of 255)
and the flow is shorter than the limit: noise must not move what rests."""

RESIDUAL_BOX, RESIDUAL = 7, 10.0
"""The residual is averaged in a box of so many pixels; where it exceeds 1.25 times `RESIDUAL` (of
255), nothing is relied on, from 0.75 down everything. Ghosts of fast hands appear at 20."""

BOUNDARY_SHARE, BOUNDARY_FLOOR = 0.02, 0.03
"""Motion boundaries: the squared gradient of the flow exceeds share times its squared length plus
floor (Sundaram et al. 2010, with higher limits). Without it, strokes beside hands are torn."""

LIGHT_BOX, LIGHT_FLOOR, LIGHT_RATE, DARK = 15, 0.5, 0.15, 32.0
"""Brightness is compared in boxes of so many pixels. A change by more than the floor (of 255)
lowers `Motion.light` by `exp(-LIGHT_RATE)` for each level, and several times as much below `DARK`,
where a level is seen better: in a fade, tone must follow at once."""

CUT_SHARE = 0.6
"""Share of the frame that cannot be relied on, from which a frame begins a new shot."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Motion from a frame to the one before, at flow size (hf, wf).

    Attributes:
        flow: float32 (hf, wf, 2): what is at x was at x + flow(x), in pixels of the flow size.
        reliability: float32 (hf, wf), 1 where the flow can be relied on, 0 where it cannot.
        light: float32 (hf, wf), 1 where brightness is as it was, toward 0 where it has changed.
        at_rest: nothing moves, and everything can be relied on.
    """

    flow: Flow
    reliability: Floats
    light: Floats
    at_rest: bool = False

    @classmethod
    def none(cls, size: Size) -> Self:
        """Return the motion of a picture at rest; flows have `size` (width, height)."""
        width, height = size
        ones = np.ones((height, width), np.float32)
        return cls(np.zeros((height, width, 2), np.float32), ones, ones, True)

    def after(self, earlier: "Motion") -> "Motion":
        """Return the motion over both: this one follows `earlier`, to the frame that it led to."""
        if self.at_rest:
            return earlier
        if earlier.at_rest:
            return self
        return Motion(
            compose(self.flow, earlier.flow),
            self.reliability * warp(earlier.reliability, self.flow),
            self.light * earlier.light,
        )


class MotionEstimator:
    """Estimates the motion of each frame of a source against the frame before.

    Attributes:
        previous: the last frame at flow size, uint8; None before the first.
    """

    def __init__(self, side: int = FLOW_SIDE) -> None:
        """Begin; `side` is the longer side at which flow is computed, in pixels."""
        self.previous: Luma | None = None
        self._side = side
        self._search = DisFlow()

    def update(self, luma: Luma) -> Motion | None:
        """Return the motion of the next frame.

        Args:
            luma: its brightness, uint8 (height, width).

        Returns:
            None at the first frame, at a cut, and where the frame is too small or of another size.
        """
        height, width = luma.shape
        now = shrink(luma, flow_size((width, height), self._side))
        before, self.previous = self.previous, now
        if before is None or before.shape != now.shape or min(now.shape) < MIN_SIDE_PX:
            return None
        motion = find_motion(self._search, now, before)
        return None if motion.reliability.mean() < 1 - CUT_SHARE else motion

    def reset(self) -> None:
        """Forget the last frame."""
        self.previous = None


def flow_size(size: Size, side: int = FLOW_SIDE) -> Size:
    """Return the (width, height) of the flow for frames of `size`, at most `side` long."""
    share = min(1.0, side / max(size))
    width, height = size
    return max(1, round(width * share)), max(1, round(height * share))


def find_motion(search: DisFlow, now: Luma, before: Luma, initial: Flow | None = None) -> Motion:
    """Return the motion from a frame to another.

    Args:
        search: finds the flow.
        now: a frame, uint8 (hf, wf).
        before: another one.
        initial: flow between them as far as it is known.
    """
    if np.array_equal(now, before):
        return Motion.none((now.shape[1], now.shape[0]))
    return rely(now, before, search(now, before, initial))


def rely(now: Luma, before: Luma, flow: Flow) -> Motion:
    """Set the flow to zero where nothing moves, and measure where it can be relied on.

    Args:
        now: a frame, uint8 (hf, wf).
        before: the frame before.
        flow: from `now` to `before`, (hf, wf, 2).
    """
    u, v = cv2.split(flow)
    columns, rows = _grid(*now.shape)
    warped = cv2.remap(
        before, u + columns, v + rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    at_rest, moved = _residual(now, before), _residual(now, np.asarray(warped, np.uint8))
    still = (at_rest < moved + REST_FLOOR) & (u * u + v * v < REST_LIMIT_PX**2)
    residual = np.where(still, at_rest, moved)
    same = np.where(still, before, warped)
    moving = (~still).astype(np.float32)
    u, v = u * moving, v * moving
    reliable = _fall(residual, 0.75 * RESIDUAL, 1.25 * RESIDUAL)
    reliable *= _fall(_bend(u, v), 0.5, 1.5)
    reliable[~_inside(u + columns, v + rows)] = 0
    blurred = cv2.GaussianBlur(reliable, (0, 0), 2.5)
    flow = np.asarray(cv2.merge((u, v)), np.float32)
    return Motion(flow, np.asarray(blurred, np.float32), _light(now, same))


def _light(now: Luma, before: Luma) -> Floats:
    """Return 1 where the local mean of two frames is the same, toward 0 where it is not."""
    a, b = (
        np.asarray(cv2.boxFilter(each, cv2.CV_32F, (LIGHT_BOX, LIGHT_BOX)), np.float32)
        for each in (now, before)
    )
    weight = LIGHT_RATE * (1 + DARK / (np.minimum(a, b) + DARK / 4))
    return np.asarray(np.exp(-weight * np.maximum(np.abs(a - b) - LIGHT_FLOOR, 0)), np.float32)


def _bend(u: Floats, v: Floats) -> Floats:
    """Return the squared gradient of a flow over the limit for it, (hf, wf)."""
    smooth = [np.asarray(cv2.GaussianBlur(each, (5, 5), 1), np.float32) for each in (u, v)]
    slopes = [_slope(each, *axis) for each in smooth for axis in ((1, 0), (0, 1))]
    limit = np.float32(BOUNDARY_SHARE) * sum(map(np.square, smooth)) + np.float32(BOUNDARY_FLOOR)
    return np.asarray(sum(map(np.square, slopes)) / limit, np.float32)


def _slope(field: Floats, x: int, y: int) -> Floats:
    """Return the central difference of a field along one axis."""
    return np.asarray(cv2.Sobel(field, cv2.CV_32F, x, y, ksize=1, scale=0.5), np.float32)


def _residual(a: Luma, b: Luma) -> Floats:
    box = (RESIDUAL_BOX, RESIDUAL_BOX)
    total = cv2.boxFilter(cv2.absdiff(a, b), cv2.CV_32F, box, normalize=False)
    return np.asarray(total, np.float32) / np.float32(RESIDUAL_BOX**2)


def _fall(value: Floats, begin: float, end: float) -> Floats:
    """Return 1 up to `begin`, 0 from `end` on, and a line between them."""
    falling = (np.float32(end) - value) * np.float32(1 / (end - begin))
    return np.asarray(np.clip(falling, 0, 1, out=falling), np.float32)


def _inside(x: Floats, y: Floats) -> NDArray[np.bool_]:
    """Return where coordinates (h, w) are inside the frame."""
    height, width = x.shape
    return np.asarray((x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1))


@lru_cache(maxsize=4)
def _grid(height: int, width: int) -> tuple[Floats, Floats]:
    """Return the coordinates of every pixel: x and y, each (height, width)."""
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    columns, rows = np.meshgrid(x, y)
    return columns, rows
