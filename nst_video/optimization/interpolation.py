"""Frames between two keyframes: both moved to them along the flow, blended, and mended."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np

from nst_video.frames import Frame
from nst_video.image.detail import restore_detail
from nst_video.image.optical_flow import Floats, warp
from nst_video.optimization.painting import to_unit
from nst_video.optimization.segments import Moment, Track

Fill: TypeAlias = Callable[[Frame], Frame]
"""A fast painter, RGB uint8 (h, w, 3) to the same, that remembers no earlier frame."""

SOFT_PX = 2.0
"""Standard deviation with which the border of what can be trusted is softened."""

SURROUNDINGS = 0.04
"""Radius, of the picture's long side, in which the colors around a hole are looked at."""

SHARPNESS = 0.5
"""Of `warp`. On film, 1 keeps 0.8 of the keyframes' sharpness (variance of the Laplacian) at 1.7
times the warp error of the source, 0.5 keeps 0.6 at 1.35 times, 0 keeps 0.4 at 1.3 times."""

_NEGLIGIBLE = 1e-3


@dataclass(frozen=True, slots=True)
class Pair:
    """A keyframe's content and painting, moved together.

    Attributes:
        content: RGB float32 (h, w, 3), 0..1.
        painted: likewise.
    """

    content: Floats
    painted: Floats

    def moved(self, track: Track) -> "Pair":
        """Return both as seen from where the track begins; it must end at this keyframe."""
        content, painted = (
            warp(each, track.there, sharpness=SHARPNESS) for each in (self.content, self.painted)
        )
        return Pair(content, painted)


def soft(trust: Floats) -> Floats:
    """Return trust (h, w) with soft borders that stay within what can be trusted.

    The outermost pixels are as good as their neighbors: on a still scene the slightest error of the
    flow leads beyond the picture there.
    """
    trust = np.pad(trust[1:-1, 1:-1], 1, mode="edge")
    kernel = np.ones((3, 3), np.uint8)
    inner = cv2.erode(trust, kernel, borderType=cv2.BORDER_REPLICATE)
    blurred = cv2.GaussianBlur(inner, (0, 0), SOFT_PX, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(np.minimum(blurred, trust), np.float32)


def mend(painted: Floats, trust: Floats, patch: Callable[[], Floats]) -> Floats:
    """Put `patch` where there is no trust, in the colors that are around it.

    Args:
        painted: RGB float32 (h, w, 3), 0..1, good where there is trust.
        trust: (h, w), 0..1.
        patch: makes a picture of the same shape; called only where it is needed.
    """
    missing = 1 - trust
    if float(missing.mean()) < _NEGLIGIBLE:
        return painted
    fitting = match_surroundings(patch(), painted, trust)
    share = missing[..., None]
    return np.asarray((1 - share) * painted + share * fitting, np.float32)


def match_surroundings(patch: Floats, painted: Floats, trust: Floats) -> Floats:
    """Return `patch` moved in color by as much as it differs from `painted` around each place.

    The difference, known where there is trust, is carried into the holes by normalized convolution
    (Knutsson & Westin 1993); far from all trust it fades to the mean difference.

    Args:
        patch: RGB float32 (h, w, 3), 0..1.
        painted: likewise.
        trust: (h, w), 0..1.
    """
    sigma = SURROUNDINGS * max(trust.shape)
    weight = trust[..., None]
    difference = (painted - patch) * weight
    known = cv2.GaussianBlur(trust, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)[..., None]
    spread = cv2.GaussianBlur(difference, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    mean = difference.sum(axis=(0, 1)) / max(float(trust.sum()), 1.0)
    faint = 0.01
    local = (spread + faint * mean) / (known + faint)
    return np.asarray(np.clip(patch + local, 0, 1), np.float32)


@dataclass(frozen=True, slots=True)
class Blend:
    """Two keyframes seen from a frame between them, weighted.

    Attributes:
        pair: content and painting, blended alike.
        trust: (h, w), 0..1: how far at least one of them can be trusted.
    """

    pair: Pair
    trust: Floats


def blend(before: Pair, after: Pair, moment: Moment, to_end: Track, place: float) -> Blend:
    """Move two keyframes to a moment and blend them by distance and reliability.

    Args:
        before: the keyframe that the stretch begins with.
        after: the one it ends with.
        moment: the frame between them.
        to_end: its way to the latter.
        place: 0 at the first keyframe, 1 at the last.
    """
    trusts = soft(moment.to_start.trust), soft(to_end.trust)
    weights = (1 - place) * trusts[0], place * trusts[1]
    total = weights[0] + weights[1]
    # Where neither can be trusted, distance alone decides under the patch.
    known = weights[1] / np.maximum(total, 1e-4)
    share = np.where(total > 1e-4, known, np.float32(place))[..., None]
    old, new = before.moved(moment.to_start), after.moved(to_end)
    content = old.content + share * (new.content - old.content)
    painted = old.painted + share * (new.painted - old.painted)
    return Blend(Pair(content, painted), np.maximum(*trusts))


def render(blended: Blend, moment: Moment, fill: Fill) -> Frame:
    """Return the frame painted at full size: holes mended, its fine structure restored.

    What the frame shows and its moved keyframes do not (a changed light, what is between two sizes,
    what warping has blurred) goes through `restore_detail` just like what a smaller working size
    has lost, so that a keyframe itself is left as it is.
    """
    painted = mend(blended.pair.painted, blended.trust, lambda: to_unit(fill(moment.small)))
    content = mend(blended.pair.content, blended.trust, lambda: to_unit(moment.small))
    return restore_detail(to_frame(painted), moment.frame, to_frame(content))


def to_frame(picture: Floats) -> Frame:
    """Return a picture in 0..1 as RGB uint8."""
    return np.ascontiguousarray(np.rint(np.clip(picture, 0, 1) * 255), np.uint8)
