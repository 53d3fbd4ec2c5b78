"""Motion between consecutive frames of a source, and where it can be relied on."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Floats, Luma, Size
from nst_video.image.dis_flow import MIN_SIDE_PX, DisFlow
from nst_video.image.optical_flow import Flow, compose, warp
from nst_video.image.resize import shrink
from nst_video.system.compiled import compiled
from nst_video.temporal.light_change import match_light

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

_0, _QUARTER, _1, _1_5 = (np.float32(each) for each in (0, 0.25, 1, 1.5))

CUT_SHARE = 0.6
"""Share of the frame that cannot be relied on, from which a frame begins a new shot."""

DOUBT_SHARE = 0.3
"""Share from which a change of all of the light is looked for."""


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
        motion = self._find(now, before)
        return None if motion.reliability.mean() < 1 - CUT_SHARE else motion

    def _find(self, now: Luma, before: Luma) -> Motion:
        """Return the motion between two frames, also where all of the light changes."""
        motion = find_motion(self._search, now, before)
        share = float(motion.reliability.mean())
        if share >= 1 - DOUBT_SHARE or (matched := match_light(before, now)) is None:
            return motion
        found = find_motion(self._search, now, matched)
        if found.reliability.mean() <= share:
            return motion
        moved = np.rint(warp(before.astype(np.float32), found.flow)).astype(np.uint8)
        return replace(found, light=_light(now, moved), at_rest=False)

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
    u, v = (np.ascontiguousarray(flow[..., axis]) for axis in (0, 1))
    columns, rows = _grid(*now.shape)
    warped = cv2.remap(
        before, u + columns, v + rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    same, reliable = np.array(warped, np.uint8), np.empty(now.shape, np.float32)
    resting, moving = _residual(now, before), _residual(now, same)
    _hold_at_rest(before, resting, moving, u, v, same, reliable)
    _doubt_boundaries(_smooth(u), _smooth(v), reliable)
    blurred = cv2.GaussianBlur(reliable, (0, 0), 2.5)
    flow = np.asarray(cv2.merge((u, v)), np.float32)
    return Motion(flow, np.asarray(blurred, np.float32), _light(now, same))


@compiled
def _hold_at_rest(
    before: Luma,
    resting: NDArray[np.int32],
    moving: NDArray[np.int32],
    u: Floats,
    v: Floats,
    same: Luma,
    reliable: Floats,
) -> None:
    """Set the flow to 0 where nothing moves, `same` to `before` there, and the reliability.

    Args:
        before: the frame before.
        resting: its difference to this frame, summed in boxes.
        moving: likewise, of the frame before when moved along the flow.
        u: the flow to the right.
        v: down.
        same: the frame before, moved along the flow.
        reliable: set to 1 where the residual is small and the flow does not lead outside.
    """
    height, width = before.shape
    floor = REST_FLOOR * RESIDUAL_BOX**2
    end, scale = np.float32(1.25 * RESIDUAL), np.float32(1 / (0.5 * RESIDUAL))
    area = np.float32(1 / RESIDUAL_BOX**2)
    limit = np.float32(REST_LIMIT_PX**2)
    last_x, last_y = np.float32(width - 1), np.float32(height - 1)
    for y in range(height):
        row = np.float32(y)
        for x in range(width):
            a, b = u[y, x], v[y, x]
            still = (resting[y, x] < moving[y, x] + floor) & (a * a + b * b < limit)
            residual = area * np.float32(resting[y, x] if still else moving[y, x])
            a, b = (_0, _0) if still else (a, b)
            u[y, x], v[y, x] = a, b
            same[y, x] = before[y, x] if still else same[y, x]
            right, down = np.float32(x) + a, row + b
            inside = (right >= _0) & (right <= last_x) & (down >= _0) & (down <= last_y)
            share = min(max((end - residual) * scale, _0), _1)
            reliable[y, x] = share if inside else _0


@compiled
def _doubt_boundaries(u: Floats, v: Floats, reliable: Floats) -> None:
    """Lower the reliability at motion boundaries, given the flow, blurred."""
    height, width = u.shape
    share, floor = np.float32(BOUNDARY_SHARE), np.float32(BOUNDARY_FLOOR)
    for y in range(height):
        above, below = max(y - 1, 0), min(y + 1, height - 1)
        for x in range(1, width - 1):
            a, b = u[y, x + 1] - u[y, x - 1], v[y, x + 1] - v[y, x - 1]
            c, d = u[below, x] - u[above, x], v[below, x] - v[above, x]
            slope = _QUARTER * (a * a + b * b + c * c + d * d)
            limit = share * (u[y, x] * u[y, x] + v[y, x] * v[y, x]) + floor
            reliable[y, x] *= min(max(_1_5 - slope / limit, _0), _1)


def _light(now: Luma, before: Luma) -> Floats:
    """Return 1 where the local mean of two frames is the same, toward 0 where it is not."""
    a, b = (
        np.asarray(cv2.boxFilter(each, cv2.CV_32F, (LIGHT_BOX, LIGHT_BOX)), np.float32)
        for each in (now, before)
    )
    weight = LIGHT_RATE * (1 + DARK / (np.minimum(a, b) + DARK / 4))
    return np.asarray(np.exp(-weight * np.maximum(np.abs(a - b) - LIGHT_FLOOR, 0)), np.float32)


def _smooth(field: Floats) -> Floats:
    return np.asarray(cv2.GaussianBlur(field, (5, 5), 1), np.float32)


def _residual(a: Luma, b: Luma) -> NDArray[np.int32]:
    """Return the absolute difference of two frames, summed in boxes."""
    box = (RESIDUAL_BOX, RESIDUAL_BOX)
    total = cv2.boxFilter(cv2.absdiff(a, b), cv2.CV_32S, box, normalize=False)
    return np.asarray(total, np.int32)


@lru_cache(maxsize=4)
def _grid(height: int, width: int) -> tuple[Floats, Floats]:
    """Return the coordinates of every pixel: x and y, each (height, width)."""
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    columns, rows = np.meshgrid(x, y)
    return columns, rows
