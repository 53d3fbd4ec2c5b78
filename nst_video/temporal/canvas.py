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
from nst_video.image.optical_flow import Flow
from nst_video.image.resize import resize, resize_area, resize_linear
from nst_video.temporal import deformation
from nst_video.temporal.motion import Motion
from nst_video.temporal.path import Path
from nst_video.temporal.planes import Plane, Planes

TONE_SHRINK, TONE_BLUR = 4, 1.5
"""Tone is the plane shrunk so many times and blurred by this sigma: 6 pixels in all."""

CONTRAST_BLUR, FINE_BLUR = 3.0, 1.5
"""Sigmas, in shrunk pixels, of the local contrast of all texture and of its fine part."""

FINE_SIGMA = 0.8
"""Fine structure is what a blur of this sigma removes: what repeated interpolation loses. Across
rows and across columns it has gains of its own: a vertical pan blurs only rows, and one gain for
both would turn the picture into a comb of vertical lines."""

CONTRAST_RANGE, FINE_RANGE = (1.0, 1.6), (0.85, 3.0)
"""Limits of the gain for each frame, which is measured at every second pixel of every second row.
Fine structure may be weakened too, or flat areas get dirty."""

_FINE_KERNEL = np.array([[0.0], [1.0], [0.0]]) - cv2.getGaussianKernel(3, FINE_SIGMA)

COLOR_RANGE = (1.0, 1.6)
"""Of color, which fades where strokes of several colors are mixed: blue and orange become gray."""

NEW_BELOW = 0.1
"""Where trust is below, what was painted after some frames that were not begins to show at once;
elsewhere it comes in as many frames. Every third frame painted, 0.2 here, the warp error of four
clips is 0.71 to 0.88 of that without. Every fourth: 0.1 is 5 % better than 0.2."""

FADED = 0.7
"""Below this ratio of the painting's contrast to the canvas's, the canvas loses contrast at once:
what fades to one color leaves no ghost."""

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
        light: float32 (hf, wf), 1 where brightness is as in the last painting, see `Motion`.
        deformation: of the texture, see `temporal.deformation`.
        age: frames since the last painting.
        shown: the planes on their way to a new painting; None where they are `planes`.
        remaining: steps of that way.
    """

    def __init__(self, painted: Planes, flow_size: Size) -> None:
        """Begin with a painting; flows will have `flow_size` (width, height)."""
        luma, first, second = painted
        self.planes: FloatPlanes = (_floats(luma), _floats(first), _floats(second))
        self.trust = np.ones((flow_size[1], flow_size[0]), np.float32)
        self.light = np.ones_like(self.trust)
        self.deformation = deformation.none_yet(flow_size)
        self.age = self.remaining = 0
        self.shown: FloatPlanes | None = None

    def carry(self, motion: Motion) -> None:
        """Move the canvas to the next frame."""
        self.age += 1
        if motion.at_rest:
            return
        self.light = self.light * motion.light
        flow = motion.flow
        paths = _paths(flow, self.planes)
        self.planes = _move(self.planes, paths, cv2.INTER_CUBIC)  # linear would blur it
        if self.shown is not None:
            self.shown = _move(self.shown, paths, cv2.INTER_LINEAR)  # for some frames only
        trust_path = Path.along(flow, _size(self.trust))
        self.trust = trust_path.move(self.trust, cv2.INTER_LINEAR) * motion.reliability
        self.deformation = deformation.advance(self.deformation, flow)

    def fit(self, size: Size) -> None:
        """Bring the canvas to `size` (width, height) if it has another."""
        luma, first, second = self.planes
        if _size(luma) != size:
            self.shown, self.remaining = None, 0
            half = ((size[0] + 1) // 2, (size[1] + 1) // 2)
            self.planes = (
                resize(luma, size, enlarge="cubic"),
                resize(first, half, enlarge="linear"),
                resize(second, half, enlarge="linear"),
            )

    def mix(self, painted: Planes, rates: MixRates, since: Motion | None = None) -> None:
        """Mix a painting of this frame, or of an earlier one, into the canvas.

        Args:
            painted: of the same sizes.
            rates: how much of it, in one frame.
            since: the motion since the frame that was painted, if it was an earlier one. The
                painting is moved along with it.
        """
        seen = np.ones_like(self.trust) if since is None else since.reliability
        if since is not None and not since.at_rest:
            painted = _move_painting(painted, since.flow)
        now, renewal = rates.after(self.age), 1 - (1 - deformation.RATE) ** self.age
        size = (self.trust.shape[1], self.trust.shape[0])
        stale = deformation.enlarge(deformation.staleness(self.deformation), size)
        kept = self.trust * (1 - np.maximum(np.float32(now.texture), np.float32(renewal) * stale))
        kept = 1 - seen * (1 - kept)
        low = _tone_size(_size(self.planes[0]))
        tone = seen * np.maximum(np.float32(now.tone), 1 - self.trust * self.light)
        weights = _Weights(resize_linear(kept, low), resize_linear(tone, low))
        before, (luma, first, second) = self.shown or self.planes, self.planes
        self.planes = (
            _mix_luma(luma, painted[0], weights),
            _mix_color(first, painted[1], weights),
            _mix_color(second, painted[2], weights),
        )
        self.deformation = deformation.renew(self.deformation, kept)
        self.shown, self.remaining = None, 0
        if self.age > 1 and since is None:
            now_shown = np.maximum(np.float32(now.texture), 1 - self.trust / np.float32(NEW_BELOW))
            self.shown, self.remaining = _toward(before, self.planes, now_shown), self.age
        self.trust = np.maximum(self.trust, seen)
        self.light = np.ones_like(self.light) if since is None else since.light
        self.age = 0

    def state(self) -> dict[str, NDArray[Any]]:
        """Return everything about the canvas as arrays."""
        luma, first, second = self.planes
        state = {
            "luma": luma,
            "first": first,
            "second": second,
            "trust": self.trust,
            "light": self.light,
            "deformation": self.deformation,
            "age": np.array(self.age),
            "remaining": np.array(self.remaining),
        }
        names = ("shown_luma", "shown_first", "shown_second")
        return state | dict(zip(names, self.shown or (), strict=False))

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """Return the canvas that `state` was made from."""
        canvas = cls.__new__(cls)
        canvas.planes = (state["luma"], state["first"], state["second"])
        canvas.trust, canvas.light = state["trust"], state["light"]
        canvas.deformation = state["deformation"]
        canvas.age, canvas.remaining = int(state["age"]), int(state["remaining"])
        canvas.shown = None
        if canvas.remaining:
            canvas.shown = (state["shown_luma"], state["shown_first"], state["shown_second"])
        return canvas

    def show(self) -> Planes:
        """Return what to show of this frame, uint8; call it once for each."""
        if self.remaining > 1 and self.shown is not None:
            self.shown = _toward(self.shown, self.planes, 1 / self.remaining)
            self.remaining -= 1
        else:
            self.shown, self.remaining = None, 0
        luma, first, second = (_round(each) for each in self.shown or self.planes)
        return luma, first, second


@dataclass(frozen=True, slots=True)
class _Weights:
    """How a painting is mixed in, each (h, w) at the size of tone.

    Attributes:
        kept: 0..1, share of the canvas that stays.
        tone: 0..1, share of the painting's tone.
    """

    kept: Floats
    tone: Floats

    @property
    def size(self) -> Size:
        """(width, height)."""
        return _size(self.kept)


@dataclass(frozen=True, slots=True)
class _Blend:
    """A plane after mixing, at full size; its local mean, the painting's, and the tone to show.

    The last three are at the size of tone.
    """

    plane: Floats
    mean: Floats
    painted_mean: Floats
    tone: Floats

    def assemble(self, gain: Floats) -> Floats:
        """Return the tone and the texture times `gain`, at full size. Changes `plane`."""
        size, result = _size(self.plane), self.plane
        result *= resize_linear(gain, size)
        result += resize_linear(self.tone - gain * self.mean, size)
        return result


def _toward(mine: FloatPlanes, other: FloatPlanes, share: Floats | float) -> FloatPlanes:
    """Return planes that have gone `share` of the way to others; the share may be (h, w), 0..1."""

    def go(a: Floats, b: Floats) -> Floats:
        if isinstance(share, float):
            return np.asarray(cv2.addWeighted(a, 1 - share, b, share, 0), np.float32)
        return a + (b - a) * resize_linear(share, _size(a))

    (a, b, c), (x, y, z) = mine, other
    return go(a, x), go(b, y), go(c, z)


def _mix_luma(mine: Floats, painted: Plane, weights: _Weights) -> Floats:
    """Mix the plane of brightness."""
    new = _floats(painted)
    blend = _blend(mine, new, weights)
    gain = _contrast_gain(blend, new, CONTRAST_RANGE)
    fine = [_fine(blend.plane, axis) for axis in (0, 1)]
    fine_gains = [
        _gain(_sample(mine), _sample(_fine(new, axis)), weights.size, FINE_BLUR, FINE_RANGE)
        for axis, mine in enumerate(fine)
    ]
    shown = blend.assemble(gain)
    for each, fine_gain in zip(fine, fine_gains, strict=True):
        each *= resize_linear(fine_gain - gain, _size(each))
        shown += each
    return shown


def _mix_color(mine: Floats, painted: Plane, weights: _Weights) -> Floats:
    """Mix a plane of color with a gain of its own."""
    new = _floats(painted)
    blend = _blend(mine, new, weights)
    return blend.assemble(_contrast_gain(blend, new, COLOR_RANGE))


def _contrast_gain(blend: _Blend, new: Floats, limits: tuple[float, float]) -> Floats:
    """Return what the texture of a mixed plane lacks of the painting's, at the size of tone."""
    mine, theirs = _texture(blend.plane, blend.mean), _texture(new, blend.painted_mean)
    return _gain(mine, theirs, _size(blend.mean), CONTRAST_BLUR, limits)


def _blend(mine: Floats, new: Floats, weights: _Weights) -> _Blend:
    low = weights.size
    mine_low, new_low = _blur(resize_area(mine, low)), _blur(resize_area(new, low))
    plane = mine - new
    plane *= resize_linear(weights.kept, _size(mine))
    plane += new
    return _Blend(
        plane=plane,
        mean=new_low + weights.kept * (mine_low - new_low),
        painted_mean=new_low,
        tone=mine_low + weights.tone * (new_low - mine_low),
    )


def _texture(plane: Floats, mean: Floats) -> Floats:
    """Return every second pixel of a plane minus its local mean, given at the size of tone."""
    few = _sample(plane)
    few -= resize_linear(mean, _size(few))
    return few


def _sample(plane: Floats) -> Floats:
    """Return every second pixel of every second row."""
    return plane[::2, ::2].copy()


def _fine(plane: Floats, axis: int) -> Floats:
    """Return the fine structure of a plane across rows (axis 0) or columns (axis 1)."""
    return np.asarray(
        cv2.filter2D(plane, -1, _FINE_KERNEL if axis == 0 else _FINE_KERNEL.T), np.float32
    )


def _blur(plane: Floats) -> Floats:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), TONE_BLUR), np.float32)


def _gain(
    mine: Floats, new: Floats, low: Size, sigma: float, limits: tuple[float, float]
) -> Floats:
    """Return the ratio of the local standard deviations of two textures, at size `low`."""
    ours, theirs = (
        cv2.GaussianBlur(resize_area(np.square(each), low), (0, 0), sigma) for each in (mine, new)
    )
    ratio = np.sqrt((theirs + VARIANCE_FLOOR) / (ours + VARIANCE_FLOOR))
    return np.asarray(np.clip(ratio, *limits) * np.minimum(ratio / FADED, 1), np.float32)


def _paths(flow: Flow, planes: FloatPlanes) -> tuple[Path, Path]:
    return Path.along(flow, _size(planes[0])), Path.along(flow, _size(planes[1]))


def _move(planes: FloatPlanes, paths: tuple[Path, Path], of_luma: int) -> FloatPlanes:
    (luma, first, second), (path, color_path) = planes, paths
    return (
        path.move(luma, of_luma),
        color_path.move(first, cv2.INTER_LINEAR),
        color_path.move(second, cv2.INTER_LINEAR),
    )


def _move_painting(planes: Planes, flow: Flow) -> Planes:
    floats = (_floats(planes[0]), _floats(planes[1]), _floats(planes[2]))
    moved = _move(floats, _paths(flow, floats), cv2.INTER_CUBIC)
    return _round(moved[0]), _round(moved[1]), _round(moved[2])


def _tone_size(size: Size) -> Size:
    return max(1, round(size[0] / TONE_SHRINK)), max(1, round(size[1] / TONE_SHRINK))


def _size(plane: Floats) -> Size:
    return plane.shape[1], plane.shape[0]


def _floats(plane: Plane) -> Floats:
    return plane.astype(np.float32)


def _round(plane: Floats) -> Plane:
    return np.asarray(cv2.add(plane, np.zeros(1), dtype=cv2.CV_8U))  # rounds and clips
