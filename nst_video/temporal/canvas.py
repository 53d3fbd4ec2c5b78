"""The canvas: what was shown before, moved along with the picture, and mixed with new paintings."""

from dataclasses import dataclass

import cv2
import numpy as np

from nst_video.frames import Floats, Size
from nst_video.image.optical_flow import Flow, warp
from nst_video.image.resize import resize
from nst_video.temporal import deformation, plane_loops
from nst_video.temporal.carrying import carry
from nst_video.temporal.contrast import Contrast, FloatPlanes, between
from nst_video.temporal.mixing import Weights, field_of, mix_color, mix_luma
from nst_video.temporal.motion import Motion
from nst_video.temporal.planes import Plane, Planes

NEW_BELOW = 0.1
"""Where trust is below, what was painted after some frames that were not begins to show at once;
elsewhere it comes in as many frames. Every third frame painted, 0.2 here, the warp error of four
clips is 0.71 to 0.88 of that without. Every fourth: 0.1 is 5 % better than 0.2."""


@dataclass(frozen=True, slots=True)
class MixRates:
    """How quickly a canvas follows new paintings.

    Attributes:
        texture: 0..1, weight of the new painting's texture where the flow can be relied on.
        tone: 0..1, weight of its tone there.
    """

    texture: float
    tone: float

    def after(self, frames: int) -> "MixRates":
        """Return the rates of one painting after `frames` frames, equal to one in each frame."""
        return MixRates(1 - (1 - self.texture) ** frames, 1 - (1 - self.tone) ** frames)


class Canvas:
    """A painting in three planes that moves with the picture.

    It is moved from where it was last painted in one step, along the motion since then: repeated
    interpolation would blur it, and would take more time.

    Attributes:
        planes: float32, 0..255: brightness (height, width), and two of color at half size, where
            things were at the last painting.
        before: what was shown there; None where `planes` are shown at once.
        contrast: of `planes`; None where it is not needed: frames are shown as they are painted.
        steps: frames that the way from `before` to `planes` takes.
        trust: float32 (hf, wf) at flow size, 1 where everything up to the last painting could be
            relied on.
        light: float32 (hf, wf), 1 where brightness is as in the last painting, see `Motion`.
        deformation: of the texture, see `temporal.deformation`.
        age: frames since the last painting.
        moved: the motion since then; None where there is none.
    """

    def __init__(self, painted: Planes, flow_size: Size) -> None:
        """Begin with a painting; flows will have `flow_size` (width, height)."""
        self.planes = to_floats(painted)
        self.before: FloatPlanes | None = None
        self.contrast: Contrast | None = None
        self.trust = np.ones((flow_size[1], flow_size[0]), np.float32)
        self.light = np.ones_like(self.trust)
        self.deformation = deformation.none_yet(flow_size)
        self.age = self.steps = 0
        self.moved: Motion | None = None

    @property
    def is_settled(self) -> bool:
        """Whether the last painting is shown in full."""
        return self.before is None or self.age + 1 >= self.steps

    def carry(self, motion: Motion) -> None:
        """Move the canvas to the next frame."""
        self.age += 1
        if not motion.at_rest:
            self.moved = motion if self.moved is None else motion.after(self.moved)

    def fit(self, size: Size) -> None:
        """Bring the canvas to `size` (width, height) if it has another."""
        luma, first, second = self.planes
        if _size(luma) != size:
            self.before = self.contrast = None
            half = ((size[0] + 1) // 2, (size[1] + 1) // 2)
            self.planes = (
                resize(luma, size, enlarge="cubic"),
                resize(first, half, enlarge="linear"),
                resize(second, half, enlarge="linear"),
            )

    def trust_now(self) -> Floats:
        """Return `trust` of this frame: 1 where everything up to it could be relied on."""
        if self.moved is None:
            return self.trust
        return warp(self.trust, self.moved.flow) * self.moved.reliability

    def mix(self, painted: Planes, rates: MixRates, since: Motion | None = None) -> None:
        """Mix a painting of this frame, or of an earlier one, into the canvas.

        Args:
            painted: of the same sizes.
            rates: how much of it, in one frame.
            since: the motion since the frame that was painted, if it was an earlier one. The
                painting is moved along with it.
        """
        shown = None if self.is_settled else self.picture()
        self._settle()
        seen = np.ones_like(self.trust) if since is None else since.reliability
        if since is not None and not since.at_rest:
            painted = _move_painting(painted, since.flow)
        now, renewal = rates.after(self.age), 1 - (1 - deformation.RATE) ** self.age
        size = (self.trust.shape[1], self.trust.shape[0])
        stale = deformation.enlarge(deformation.staleness(self.deformation), size)
        kept = self.trust * (1 - np.maximum(np.float32(now.texture), np.float32(renewal) * stale))
        kept = 1 - seen * (1 - kept)
        tone = seen * np.maximum(np.float32(now.tone), 1 - self.trust * self.light)
        before = shown or self.planes
        self.planes = _mix(self.planes, painted, kept, tone)
        self.deformation = deformation.renew(self.deformation, kept)
        self.before, self.contrast, self.steps = None, None, self.age
        if self.age > 1:
            now_shown = np.maximum(np.float32(now.texture), 1 - self.trust / np.float32(NEW_BELOW))
            self.before = _toward(before, self.planes, now_shown)
        self.trust = np.maximum(self.trust, seen)
        self.light = np.ones_like(self.light) if since is None else since.light
        self.age = 0

    def _settle(self) -> None:
        """Move everything to where things are in this frame."""
        if self.moved is not None:
            self.trust = self.trust_now()
            self.light = self.light * self.moved.light
            self.planes = _move(self.planes, self.moved.flow)
            self.deformation = deformation.advance(self.deformation, self.moved.flow)
            self.moved = None

    def picture(self) -> FloatPlanes:
        """Return what to show of this frame, not to be changed."""
        planes = self.planes
        if self.before is not None and not self.is_settled:
            planes = between(self.before, planes, (self.age + 1) / self.steps)
        elif self.moved is None:
            return planes
        contrast = self.contrast = self.contrast or Contrast.of(self.planes[0])
        if self.moved is not None:
            flow = self.moved.flow
            planes, contrast = _move(planes, flow), contrast.moved(flow)
        return contrast.give_back(planes[0]), planes[1], planes[2]

    def strokes(self, shown: Floats) -> Floats:
        """Return brightness whose texture can stand for what was not painted.

        That is what is shown, but where the flow has torn it apart or squeezed it, what was painted
        at the same place: smeared strokes look like combs.

        Args:
            shown: of `picture`.
        """
        if self.moved is None:
            return shown
        painted = self.planes[0]
        if self.before is not None and not self.is_settled:
            share = (self.age + 1) / self.steps
            mixed = cv2.addWeighted(self.before[0], 1 - share, painted, share, 0)
            painted = np.asarray(mixed, np.float32)
        size = (self.trust.shape[1], self.trust.shape[0])
        torn = deformation.advance(deformation.none_yet(size), self.moved.flow)
        strokes = np.empty_like(shown)
        much = np.maximum(2 * deformation.staleness(torn) - 1, 0)
        field = field_of(np.asarray(much, np.float32), _size(shown))
        plane_loops.approach(shown, painted, field, strokes)
        return strokes

    def show(self) -> Planes:
        """Return what to show of this frame, uint8."""
        return rounded(self.picture())


def to_floats(planes: Planes) -> FloatPlanes:
    """Return planes as float32, 0..255."""
    luma, first, second = (each.astype(np.float32) for each in planes)
    return luma, first, second


def rounded(planes: FloatPlanes) -> Planes:
    """Return planes as uint8."""
    luma, first, second = (_round(each) for each in planes)
    return luma, first, second


def _mix(planes: FloatPlanes, painted: Planes, kept: Floats, tone: Floats) -> FloatPlanes:
    """Return planes with a painting mixed in, see `mixing.Weights`."""
    luma, first, second = planes
    color_weights = Weights.at(_size(first), kept, tone)
    scale = first.shape[1] / luma.shape[1]
    return (
        mix_luma(luma, painted[0], Weights.at(_size(luma), kept, tone)),
        mix_color(first, painted[1], color_weights, scale),
        mix_color(second, painted[2], color_weights, scale),
    )


def _toward(mine: FloatPlanes, other: FloatPlanes, share: Floats) -> FloatPlanes:
    """Return planes that have gone `share`, 0..1 (h, w), of the way to others."""

    def go(a: Floats, b: Floats) -> Floats:
        result = np.empty_like(a)
        plane_loops.approach(a, b, field_of(share, _size(a)), result)
        return result

    (a, b, c), (x, y, z) = mine, other
    return go(a, x), go(b, y), go(c, z)


def _move(planes: FloatPlanes, flow: Flow) -> FloatPlanes:
    luma, *colors = planes
    (moved,), (first, second) = carry((luma,), flow), carry(tuple(colors), flow)
    return moved, first, second


def _move_painting(planes: Planes, flow: Flow) -> Planes:
    return rounded(_move(to_floats(planes), flow))


def _size(plane: Floats) -> Size:
    return plane.shape[1], plane.shape[0]


def _round(plane: Floats) -> Plane:
    rounded = np.empty(plane.shape, np.uint8)
    plane_loops.quantize(plane, rounded)
    return rounded
