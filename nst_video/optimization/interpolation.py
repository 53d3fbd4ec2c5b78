"""Renders the frames between two keyframes: both keyframes are warped, blended and completed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np

from nst_video.frames import Floats, Frame, Size, size_of
from nst_video.image.detail import restore_detail
from nst_video.image.optical_flow import Flow, resize_flow, warp
from nst_video.image.resize import resize_linear
from nst_video.optimization.painting import to_frame, to_unit
from nst_video.temporal.motion import Motion

FillFrame: TypeAlias = Callable[[Frame], Frame]
"""A fast, stateless painter for occluded areas: RGB uint8 (h, w, 3) to the same."""

SURROUNDING_SIGMA = 0.04
"""Standard deviation of the blur that reads the colors around a hole, as a share of the picture's
long side."""

MAX_DRIFT_PX, DRIFT_SIGMA_PX = 3.0, 4.0
"""Longest drift that is believed, and the blur of the drift, so that its limits leave no seams."""

_NEGLIGIBLE = 1e-3
"""Share of unreliable pixels below which nothing is filled."""


@dataclass(frozen=True, slots=True)
class KeyframeImages:
    """The content and the painting of a keyframe, which are warped together.

    Attributes:
        content: RGB float32 (h, w, 3), 0..1.
        painted: likewise.
    """

    content: Floats
    painted: Floats

    def warped(self, motion: Motion) -> "KeyframeImages":
        """Return both, warped to the frame from which `motion` leads to this keyframe."""
        flow = resize_flow(motion.flow, size_of(self.painted))
        return KeyframeImages(
            warp(self.content, flow, is_sharp=True), warp(self.painted, flow, is_sharp=True)
        )


def reliability_at(motion: Motion, size: Size) -> Floats:
    """Return the reliability of a motion, (h, w), at `size` (width, height)."""
    return resize_linear(motion.reliability, size)


def drift_of(followed: Motion, found: Motion) -> Flow:
    """Return by how much a motion that was followed from frame to frame has drifted.

    Between the frames of a moving camera two keyframes that have drifted apart show double strokes:
    the distance of Gram matrices to the style is 0.017, 0.012 without the drift.

    Args:
        followed: the motion between two keyframes.
        found: the same, found over the whole distance.

    Returns:
        float32 (hf, wf, 2), what `followed` lacks; 0 where one of them cannot be relied on.
    """
    difference = found.flow - followed.flow
    is_small = np.square(difference).sum(axis=-1) < MAX_DRIFT_PX**2
    trusted = difference * (followed.reliability * found.reliability * is_small)[..., None]
    return np.asarray(cv2.GaussianBlur(trusted, (0, 0), DRIFT_SIGMA_PX), np.float32)


def without_drift(motion: Motion, drift: Flow, onward: Motion, share: float) -> Motion:
    """Return the motion from a frame to a keyframe, corrected by its share of the drift.

    The share grows evenly with every frame, so that nothing jumps.

    Args:
        motion: from the frame to the keyframe.
        drift: of the motion from the other keyframe of the segment to this one.
        onward: motion from the frame to that other keyframe.
        share: 0 at the keyframe, 1 at the other one.
    """
    correction = np.float32(share) * warp(drift, onward.flow)
    return Motion(motion.flow + correction, motion.reliability, motion.light)


def fill_occlusions(
    painted: Floats, reliability: Floats, make_patch: Callable[[], Floats]
) -> Floats:
    """Replace unreliable pixels by a patch in the colors around them.

    Args:
        painted: RGB float32 (h, w, 3), 0..1, valid where it is reliable.
        reliability: (h, w), 0..1.
        make_patch: returns a picture of the same shape; called only where pixels are missing.

    Returns:
        A picture like `painted`.
    """
    missing = 1 - reliability
    if float(missing.mean()) < _NEGLIGIBLE:
        return painted
    patch = match_surrounding_color(make_patch(), painted, reliability)
    share = missing[..., None]
    return np.asarray((1 - share) * painted + share * patch, np.float32)


def match_surrounding_color(patch: Floats, painted: Floats, reliability: Floats) -> Floats:
    """Return `patch`, shifted in color so that it fits what surrounds each hole of `painted`.

    The color difference is known where `painted` is reliable. Normalized convolution (Knutsson &
    Westin 1993) extends it into the holes; far from all reliable pixels it is the mean difference.

    Args:
        patch: RGB float32 (h, w, 3), 0..1.
        painted: likewise.
        reliability: (h, w), 0..1.
    """
    sigma = SURROUNDING_SIGMA * max(reliability.shape)
    weight = reliability[..., None]
    difference = (painted - patch) * weight
    known = cv2.GaussianBlur(reliability, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    spread = cv2.GaussianBlur(difference, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    mean = difference.sum(axis=(0, 1)) / max(float(reliability.sum()), 1.0)
    prior = 0.01
    local = (spread + prior * mean) / (known[..., None] + prior)
    return np.asarray(np.clip(patch + local, 0, 1), np.float32)


@dataclass(frozen=True, slots=True)
class BlendedKeyframes:
    """Two keyframes, warped to a frame between them and blended.

    Attributes:
        images: content and painting, blended with the same weights.
        reliability: (h, w), 0..1: that of the more reliable keyframe.
    """

    images: KeyframeImages
    reliability: Floats


def blend(
    before: KeyframeImages,
    after: KeyframeImages,
    to_first: Motion,
    to_last: Motion,
    position: float,
) -> BlendedKeyframes:
    """Warp both keyframes of a segment to a frame; blend them by distance and reliability.

    Args:
        before: the first keyframe of the segment.
        after: the last one.
        to_first: motion that leads from the frame to the first keyframe.
        to_last: motion that leads from the frame to the last keyframe.
        position: of the frame, 0 at the first keyframe, 1 at the last.
    """
    size = size_of(before.painted)
    reliabilities = reliability_at(to_first, size), reliability_at(to_last, size)
    weights = (1 - position) * reliabilities[0], position * reliabilities[1]
    total = weights[0] + weights[1]
    # Where neither is reliable, the position alone decides; the patch covers it.
    known = weights[1] / np.maximum(total, 1e-4)
    share = np.where(total > 1e-4, known, np.float32(position))[..., None]
    first, last = before.warped(to_first), after.warped(to_last)
    content = first.content + share * (last.content - first.content)
    painted = first.painted + share * (last.painted - first.painted)
    return BlendedKeyframes(KeyframeImages(content, painted), np.maximum(*reliabilities))


def complete(blended: BlendedKeyframes, content: Frame, fill: FillFrame) -> Frame:
    """Return the painted frame at the working size: occlusions filled, changes restored.

    The warped content lacks what the frame itself has: changed light, and what warping blurs.
    `restore_detail` adds that difference to the painting.

    Args:
        blended: of the keyframes.
        content: the frame, RGB uint8 (h, w, 3).
        fill: paints what no keyframe shows.

    Returns:
        RGB uint8 (h, w, 3).
    """
    painted = fill_occlusions(
        blended.images.painted, blended.reliability, lambda: to_unit(fill(content))
    )
    warped = fill_occlusions(blended.images.content, blended.reliability, lambda: to_unit(content))
    return restore_detail(to_frame(painted), content, to_frame(warped))
