"""The canvas: what was shown before, moved along with the picture, and mixed with new paintings.

Tone (the local mean) and texture (the rest) are mixed at their own rates: colors follow each new
painting quickly, strokes stay. Mixing two textures lowers their contrast, so the local contrast of
the new painting is given back, for coarse and fine structure apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Floats, Size
from nst_video.image.optical_flow import Flow, warp
from nst_video.image.resize import resize_area, resize_linear
from nst_video.temporal import deformation
from nst_video.temporal.motion import Motion
from nst_video.temporal.planes import Plane, Planes

TONE_SHRINK, TONE_BLUR = 4, 1.5
"""Tone is the plane shrunk so many times and blurred by this sigma: 6 pixels in all."""

CONTRAST_BLUR, FINE_BLUR = 3.0, 1.5
"""Sigmas, in shrunk pixels, of the local contrast of all texture and of its fine part."""

FINE_SIGMA = 0.8
"""Fine structure is what a blur of this sigma removes: what repeated interpolation loses."""

CONTRAST_RANGE, FINE_RANGE = (1.0, 1.6), (0.9, 3.0)
"""Limits of the gain for each frame. Fine structure may be weakened, or flat areas get dirty."""

VARIANCE_FLOOR = 1.0
"""Added to variances (of 255 squared), so that flat areas keep their gain near 1."""


FloatPlanes: TypeAlias = tuple[Floats, Floats, Floats]
"""`Planes` as float32, 0..255."""


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

    Attributes:
        planes: float32, 0..255: brightness (height, width), and two of color at half size.
        trust: float32 (hf, wf) at flow size, 1 where everything since the last painting could be
            relied on.
        deformation: of the texture, see `temporal.deformation`.
        age: frames since the last painting.
    """

    def __init__(self, painted: Planes, flow_size: Size) -> None:
        """Begin with a painting; flows will have `flow_size` (width, height)."""
        luma, first, second = painted
        self.planes: FloatPlanes = (_floats(luma), _floats(first), _floats(second))
        self.trust = np.ones((flow_size[1], flow_size[0]), np.float32)
        self.deformation = deformation.none_yet(flow_size)
        self.age = 0

    def carry(self, motion: Motion) -> None:
        """Move the canvas to the next frame."""
        self.age += 1
        if motion.at_rest:
            return
        flow = motion.flow
        luma, first, second = self.planes
        self.planes = (_move(luma, flow), _move(first, flow), _move(second, flow))
        self.trust = warp(self.trust, flow) * motion.reliability
        self.deformation = deformation.advance(self.deformation, flow)

    def mix(self, painted: Planes, rates: MixRates) -> None:
        """Mix a painting of the current frame into the canvas.

        Args:
            painted: of the same sizes.
            rates: how much of it, in one frame.
        """
        now, renewal = rates.after(self.age), 1 - (1 - deformation.RATE) ** self.age
        size = (self.trust.shape[1], self.trust.shape[0])
        stale = deformation.enlarge(deformation.staleness(self.deformation), size)
        kept = self.trust * (1 - np.maximum(np.float32(now.texture), np.float32(renewal) * stale))
        tone = np.maximum(np.float32(now.tone), 1 - self.trust)
        luma, gain = _mix_luma(self.planes[0], painted[0], kept, tone)
        self.planes = (
            luma,
            _mix_color(self.planes[1], painted[1], kept, tone, gain),
            _mix_color(self.planes[2], painted[2], kept, tone, gain),
        )
        self.deformation = deformation.renew(self.deformation, kept)
        self.trust = np.ones_like(self.trust)
        self.age = 0

    def state(self) -> dict[str, NDArray[Any]]:
        """Return everything about the canvas as arrays."""
        luma, first, second = self.planes
        return {
            "luma": luma,
            "first": first,
            "second": second,
            "trust": self.trust,
            "deformation": self.deformation,
            "age": np.array(self.age),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """Return the canvas that `state` was made from."""
        canvas = cls.__new__(cls)
        canvas.planes = (state["luma"], state["first"], state["second"])
        canvas.trust, canvas.deformation = state["trust"], state["deformation"]
        canvas.age = int(state["age"])
        return canvas

    def show(self) -> Planes:
        """Return the canvas rounded to uint8."""
        luma, first, second = (_round(each) for each in self.planes)
        return luma, first, second


@dataclass(frozen=True, slots=True)
class _Mixed:
    """A plane taken apart after mixing: `tone` at low size, `texture` at full size."""

    tone: Floats
    texture: Floats
    new_texture: Floats


def _mix_luma(mine: Floats, painted: Plane, kept: Floats, tone: Floats) -> tuple[Floats, Floats]:
    """Mix the plane of brightness; return it, and the gain of contrast at low size."""
    mixed = _mix_plane(mine, painted, kept, tone)
    size = (mine.shape[1], mine.shape[0])
    low = (mixed.tone.shape[1], mixed.tone.shape[0])
    fine, new_fine = _fine(mixed.texture), _fine(mixed.new_texture)
    gain = _gain(mixed.texture, mixed.new_texture, low, CONTRAST_BLUR, CONTRAST_RANGE)
    fine_gain = _gain(fine, new_fine, low, FINE_BLUR, FINE_RANGE)
    return _assemble(mixed, gain, size) + resize_linear(fine_gain - gain, size) * fine, gain


def _mix_color(mine: Floats, painted: Plane, kept: Floats, tone: Floats, gain: Floats) -> Floats:
    """Mix a plane of color with the gain of brightness."""
    mixed = _mix_plane(mine, painted, kept, tone)
    low = (mixed.tone.shape[1], mixed.tone.shape[0])
    return _assemble(mixed, resize_linear(gain, low), (mine.shape[1], mine.shape[0]))


def _mix_plane(mine: Floats, painted: Plane, kept: Floats, tone_rate: Floats) -> _Mixed:
    new = _floats(painted)
    size = (mine.shape[1], mine.shape[0])
    mine_low, new_low = _low(mine), _low(new)
    low = (mine_low.shape[1], mine_low.shape[0])
    share, rate = resize_linear(kept, low), resize_linear(tone_rate, low)
    full_share = resize_linear(kept, size)
    blend = cv2.blendLinear(mine, new, full_share, 1 - full_share)
    blend_low = new_low + share * (mine_low - new_low)
    return _Mixed(
        tone=mine_low + rate * (new_low - mine_low),
        texture=np.asarray(blend, np.float32) - resize_linear(blend_low, size),
        new_texture=new - resize_linear(new_low, size),
    )


def _assemble(mixed: _Mixed, gain: Floats, size: Size) -> Floats:
    return resize_linear(mixed.tone, size) + resize_linear(gain, size) * mixed.texture


def _low(plane: Floats) -> Floats:
    height, width = plane.shape
    size = (max(1, round(width / TONE_SHRINK)), max(1, round(height / TONE_SHRINK)))
    return np.asarray(cv2.GaussianBlur(resize_area(plane, size), (0, 0), TONE_BLUR), np.float32)


def _fine(texture: Floats) -> Floats:
    return texture - cv2.GaussianBlur(texture, (5, 5), FINE_SIGMA)


def _gain(
    mine: Floats, new: Floats, low: Size, sigma: float, limits: tuple[float, float]
) -> Floats:
    """Return the ratio of the local standard deviations of two textures, at low size."""
    ours, theirs = (
        cv2.GaussianBlur(resize_area(np.square(each), low), (0, 0), sigma) + VARIANCE_FLOOR
        for each in (mine, new)
    )
    return np.clip(np.sqrt(theirs / ours), *limits).astype(np.float32)


def _move(plane: Floats, flow: Flow) -> Floats:
    """Warp a plane along a flow of another size; cubic, since linear blurs at every step."""
    height, width = plane.shape
    rows, columns = flow.shape[:2]
    scale = np.array([width / columns, height / rows], np.float32)
    path = resize_linear(flow, (width, height)) * scale
    path[..., 0] += np.arange(width, dtype=np.float32)
    path[..., 1] += np.arange(height, dtype=np.float32)[:, None]
    moved = cv2.remap(plane, path, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(moved, np.float32)


def _floats(plane: Plane) -> Floats:
    return plane.astype(np.float32)


def _round(plane: Floats) -> Plane:
    return np.asarray(np.rint(np.clip(plane, 0, 255)), np.uint8)
