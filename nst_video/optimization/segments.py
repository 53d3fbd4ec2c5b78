"""Splits a video into segments between keyframes and computes the optical flow within each."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from nst_video.frames import Frame, Luma, fit_short_side, size_of
from nst_video.image.dis_flow import DisFlow
from nst_video.image.resize import resize_area, shrink
from nst_video.optimization.keyframes import ChangeSinceKeyframe, CutDetector, is_keyframe_due
from nst_video.optimization.video_settings import KeyframeInterval
from nst_video.temporal.motion import Motion, find_motion, flow_size
from nst_video.temporal.planes import luma_of


@dataclass(frozen=True, slots=True)
class SegmentFrame:
    """One frame of a segment.

    Attributes:
        index: of the frame in the video, from 0.
        frame: RGB uint8 (height, width, 3).
        small: the same at the working size, (h, w, 3).
        luma: brightness at flow size, uint8 (hf, wf).
        from_previous: motion that leads from the frame before to this one; none for the first of a
            segment.
        to_first: motion that leads from this frame to the first of the segment.
    """

    index: int
    frame: Frame
    small: Frame
    luma: Luma
    from_previous: Motion
    to_first: Motion


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive frames; the first and the last are keyframes.

    Attributes:
        frames: at least one; the last is also the first of the scene's next segment.
        starts_scene: whether the first keyframe is the first of its scene.
    """

    frames: tuple[SegmentFrame, ...]
    starts_scene: bool

    def to_last(self) -> list[Motion]:
        """Return the motion that leads from every frame to the last one, in order."""
        motions = [self.frames[0].to_first]
        for following in self.frames[:0:-1]:
            motions.append(following.from_previous.after(motions[-1]))
        return motions[::-1]


@dataclass(slots=True)
class _SegmentBuilder:
    """Collects the frames of one segment."""

    search: DisFlow
    frames: list[SegmentFrame] = field(default_factory=list)
    starts_scene: bool = True

    def add(self, index: int, frame: Frame, small: Frame) -> None:
        size = flow_size(size_of(small))
        luma = shrink(luma_of(small), size)
        if not self.frames:
            none = Motion.none(size)
            self.frames.append(SegmentFrame(index, frame, small, luma, none, none))
            return
        previous = self.frames[-1]
        # Motion is followed from frame to frame, never found anew over the whole distance: a new
        # search jumps by a fraction of a pixel with every frame, and the painting with it.
        to_first = find_motion(self.search, luma, previous.luma).after(previous.to_first)
        from_previous = find_motion(self.search, previous.luma, luma)
        self.frames.append(SegmentFrame(index, frame, small, luma, from_previous, to_first))

    def change(self) -> ChangeSinceKeyframe:
        """Compare the newest frame with the first."""
        newest = self.frames[-1]
        flow, weights = newest.to_first.flow, newest.to_first.reliability
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
        work_size: short side, in pixels, at which keyframes are painted; None for the video's own.

    Yields:
        Segments in order; neighbors within a scene share a keyframe.
    """
    is_cut, search = CutDetector(fps), DisFlow()
    builder = _SegmentBuilder(search)
    for index, frame in enumerate(frames):
        small = _to_work_size(frame, work_size)
        if is_cut(small):
            if len(builder.frames) > 1 or builder.starts_scene:
                yield builder.build()
            builder = _SegmentBuilder(search)
        builder.add(index, frame, small)
        if len(builder.frames) > 1 and is_keyframe_due(interval, builder.change()):
            yield builder.build()
            builder = _SegmentBuilder(search, starts_scene=False)
            builder.add(index, frame, small)
    if len(builder.frames) > 1 or (builder.frames and builder.starts_scene):
        yield builder.build()


def _to_work_size(frame: Frame, work_size: int | None) -> Frame:
    """Return the frame with a short side of at most `work_size` pixels."""
    size = size_of(frame)
    return resize_area(frame, size if work_size is None else fit_short_side(size, work_size))
