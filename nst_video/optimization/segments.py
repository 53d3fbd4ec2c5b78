"""Splits a video into segments between keyframes and computes the optical flow within each."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from nst_video.frames import Floats, Frame, fit_short_side, size_of
from nst_video.image.optical_flow import Flow, compose, dis_flow, reliability
from nst_video.image.resize import resize_area
from nst_video.optimization.keyframes import ChangeSinceKeyframe, CutDetector, is_keyframe_due
from nst_video.optimization.video_settings import KeyframeInterval


@dataclass(frozen=True, slots=True)
class FlowPair:
    """Forward and backward optical flow between two frames.

    Attributes:
        forward: float32 (h, w, 2), in pixels, see `nst_video.image.optical_flow`.
        backward: the same in the other direction.
        reliability: float32 (h, w): 1 where `forward` can be trusted, 0 where it fails the
            forward-backward check, as at occlusions.
    """

    forward: Flow
    backward: Flow
    reliability: Floats

    @classmethod
    def estimate(cls, a: Frame, b: Frame) -> "FlowPair":
        """Estimate the flow between `a` and `b`, RGB uint8 (h, w, 3), with DIS."""
        return cls.of(dis_flow(a, b), dis_flow(b, a))

    @classmethod
    def of(cls, forward: Flow, backward: Flow) -> "FlowPair":
        """Return the pair, with the reliability that the forward-backward check gives."""
        return cls(forward, backward, reliability(forward, backward))

    @classmethod
    def zero(cls, frame: Frame) -> "FlowPair":
        """Return the flow from a frame to itself: zero, and reliable everywhere."""
        height, width = frame.shape[:2]
        none = np.zeros((height, width, 2), np.float32)
        return cls(none, none, np.ones((height, width), np.float32))

    def reversed(self) -> "FlowPair":
        """Return the flow in the other direction."""
        return FlowPair.of(self.backward, self.forward)

    def prepend(self, first: "FlowPair", a: Frame, c: Frame) -> "FlowPair":
        """Return the flow from `a` to `c`, where `first` is a to b, and this is b to c.

        DIS runs between `a` and `c`, initialized with the composed flow. Composing alone adds up
        errors, and DIS alone misses large motion. Measured on video, 2 to 10 frames apart: a third
        less error than composing alone, and up to 30 % more reliable pixels than DIS alone.
        """
        forward = dis_flow(a, c, compose(first.forward, self.forward))
        backward = dis_flow(c, a, compose(self.backward, first.backward))
        return FlowPair.of(forward, backward)


@dataclass(frozen=True, slots=True)
class SegmentFrame:
    """One frame of a segment.

    Attributes:
        index: of the frame in the video, from 0.
        frame: RGB uint8 (height, width, 3).
        small: the same at the working size, (h, w, 3).
        to_previous: flow to the frame before it; to itself for the first of a segment.
        to_first: flow to the first frame of the segment.
    """

    index: int
    frame: Frame
    small: Frame
    to_previous: FlowPair
    to_first: FlowPair


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive frames; the first and the last are keyframes.

    Attributes:
        frames: at least one; the last is also the first of the scene's next segment.
        starts_scene: whether the first keyframe is the first of its scene.
    """

    frames: tuple[SegmentFrame, ...]
    starts_scene: bool

    def to_last(self) -> list[FlowPair]:
        """Return the flow from every frame to the last one, in order."""
        last = self.frames[-1]
        flows = [FlowPair.zero(last.small)]
        for current, following in zip(self.frames[-2::-1], self.frames[:0:-1], strict=True):
            flow = following.to_previous.reversed()
            if following is not last:
                flow = flows[-1].prepend(flow, current.small, last.small)
            flows.append(flow)
        return flows[::-1]


@dataclass(slots=True)
class _SegmentBuilder:
    """Collects the frames of one segment."""

    frames: list[SegmentFrame] = field(default_factory=list)
    starts_scene: bool = True

    def add(self, index: int, frame: Frame, small: Frame) -> None:
        if not self.frames:
            zero = FlowPair.zero(small)
            self.frames.append(SegmentFrame(index, frame, small, zero, zero))
            return
        first, previous = self.frames[0], self.frames[-1]
        to_previous = FlowPair.estimate(small, previous.small)
        to_first = to_previous
        if previous is not first:
            to_first = previous.to_first.prepend(to_previous, small, first.small)
        self.frames.append(SegmentFrame(index, frame, small, to_previous, to_first))

    def change(self) -> ChangeSinceKeyframe:
        """Compare the newest frame with the first."""
        newest = self.frames[-1]
        flow, weights = newest.to_first.forward, newest.to_first.reliability
        motion = float((np.linalg.norm(flow, axis=-1) * weights).sum() / max(weights.sum(), 1))
        height, width = weights.shape
        return ChangeSinceKeyframe(
            frames=newest.index - self.frames[0].index,
            motion=motion / math.hypot(width, height),
            occluded=1 - float(weights.mean()),
        )

    def build(self) -> Segment:
        return Segment(tuple(self.frames), self.starts_scene)


def split_segments(
    frames: Iterable[Frame], fps: Fraction, interval: KeyframeInterval, work_size: int | None = None
) -> Iterator[Segment]:
    """Split a video into segments, lazily: one segment is in memory at a time.

    The last frame of a scene is a keyframe too, so that every other frame has one on either side.

    Args:
        frames: RGB uint8 (height, width, 3), all of one size.
        fps: of the video.
        interval: when a keyframe is due.
        work_size: short side, in pixels, at which flow is computed and keyframes are painted; None
            for the video's own.

    Yields:
        Segments in order; neighbors within a scene share a keyframe.
    """
    is_cut = CutDetector(fps)
    builder = _SegmentBuilder()
    for index, frame in enumerate(frames):
        small = _to_work_size(frame, work_size)
        if is_cut(small):
            if len(builder.frames) > 1 or builder.starts_scene:
                yield builder.build()
            builder = _SegmentBuilder()
        builder.add(index, frame, small)
        if len(builder.frames) > 1 and is_keyframe_due(interval, builder.change()):
            yield builder.build()
            builder = _SegmentBuilder(starts_scene=False)
            builder.add(index, frame, small)
    if len(builder.frames) > 1 or (builder.frames and builder.starts_scene):
        yield builder.build()


def _to_work_size(frame: Frame, work_size: int | None) -> Frame:
    """Return the frame with a short side of at most `work_size` pixels."""
    size = size_of(frame)
    return resize_area(frame, size if work_size is None else fit_short_side(size, work_size))
