"""Paints video by optimization: keyframes in sequence, and the frames between them along flow."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, TypeAlias

import numpy as np

from nst_video.frames import Floats, Frame, VideoInfo, size_of
from nst_video.image.detail import restore_detail
from nst_video.image.dis_flow import DisFlow
from nst_video.optimization.interpolation import (
    FillFrame,
    KeyframeImages,
    blend,
    complete,
    drift_of,
    fill_occlusions,
    reliability_at,
    without_drift,
)
from nst_video.optimization.keyframe_store import KeyframeStore, quantized
from nst_video.optimization.painting import Painting, PaintStep, TemporalTarget, to_frame, to_unit
from nst_video.optimization.progress import OnKeyframe, VideoProgress
from nst_video.optimization.segments import Segment, SegmentFrame, split_segments
from nst_video.optimization.tone_matching import ToneMatcher
from nst_video.optimization.video_settings import VideoSettings
from nst_video.temporal import Steadiness
from nst_video.temporal.motion import Motion, find_motion
from nst_video.temporal.planes import full_planes_of_rgb, luma_of, rgb_of_planes

PREVIOUS_KEYFRAMES = 2
"""Keyframes in the temporal loss of the next: the last, and the one before it where only that one
is reliable (long-term loss; Ruder et al. 2016, arXiv 1604.08610, section 4.3)."""

STEADINESS = 0.2
"""Strength of `Steadiness` over the finished film: each frame gets a third of its new strokes. Warp
error relative to the source, of a cartoon and of a person who moves fast: 0.97 and 1.54 at 0, 0.74
and 1.28 at 0.2, 0.64 and 1.22 at 0.4. At 0.4 the cartoon's style suffers: the distance of Gram
matrices is 0.024 instead of 0.017, from 0.016 at 0. All are from before drift was taken away."""


class KeyframePainter(Protocol):
    """Paints one picture by optimization; `GatysOptimizer` is one."""

    def __call__(
        self,
        content: Frame,
        *,
        start: Floats | None = None,
        targets: Sequence[TemporalTarget] = (),
        steps: int | None = None,
        learning_rate: float | None = None,
        on_step: Callable[[PaintStep], None] | None = None,
    ) -> Painting:
        """Paint one picture.

        Args:
            content: RGB uint8 (h, w, 3).
            start: RGB float32 (h, w, 3), 0..1: initial picture; None for the painter's default.
            targets: pictures that the painting should stay close to.
            steps: maximum number of steps; None for the painter's default.
            learning_rate: None for the painter's default.
            on_step: called after every step.

        Returns:
            The painting, of the size of `content`.
        """
        ...

    def set_color_reference(self, content: Frame) -> None:
        """Set the picture whose colors the styles get, if the painter transfers colors to them.

        Args:
            content: RGB uint8 (h, w, 3).
        """
        ...


@dataclass(frozen=True, slots=True)
class _Keyframe:
    """A painted keyframe: the frame, and its painting, RGB float32 (h, w, 3), 0..1."""

    frame: SegmentFrame
    painted: Floats

    def images(self) -> KeyframeImages:
        return KeyframeImages(to_unit(self.frame.small), self.painted)


class VideoPainter:
    """Paints a video in order, one segment between two keyframes at a time.

    Each keyframe starts from the previous one, warped along the optical flow, and a temporal loss
    keeps it close to that where the flow is reliable (Ruder et al. 2016, arXiv 1604.08610). Newly
    visible areas start from a fast painting.

    Attributes:
        paints: "video", as in `transcode.StreamPainter`: it reads ahead.
        settings: how keyframes are chosen and joined.
    """

    paints: ClassVar[Literal["video"]] = "video"

    def __init__(
        self,
        optimizer: KeyframePainter,
        settings: VideoSettings | None = None,
        *,
        fill: FillFrame | None = None,
        store: KeyframeStore | None = None,
        on_keyframe: OnKeyframe | None = None,
    ) -> None:
        """Take the components.

        Args:
            optimizer: paints the keyframes.
            settings: see `VideoSettings`.
            fill: paints areas that no keyframe shows; by default they stay as they are.
            store: keeps finished keyframes on disk; those that it already has are not painted.
            on_keyframe: called after every step of every keyframe.
        """
        self.settings = settings or VideoSettings()
        self._optimizer = optimizer
        self._fill: FillFrame = fill or _unpainted
        self._store = store
        self._on_keyframe = on_keyframe
        self._search = DisFlow()

    def stream(self, frames: Iterable[Frame], info: VideoInfo) -> Iterator[Frame]:
        """Paint a video.

        Args:
            frames: RGB uint8 (height, width, 3); read one segment ahead.
            info: their rate, and their number where known.

        Yields:
            As many frames of the same shape and type.
        """
        interval, work_size = self.settings.keyframe_interval, self.settings.work_size
        progress = VideoProgress(info.frame_count, interval)
        steadiness = Steadiness(STEADINESS)
        history: deque[_Keyframe] = deque(maxlen=PREVIOUS_KEYFRAMES)
        for segment in split_segments(frames, info.fps, interval, work_size):
            first, last = segment.frames[0], segment.frames[-1]
            if not history:
                # Set before any keyframe, since a resumed video does not paint its first.
                self._optimizer.set_color_reference(first.small)
            if segment.starts_scene or not history:
                history.clear()
                history.append(self._keyframe(first, progress, self._paint_first))
                steadiness.reset()
                yield self._steady(steadiness, first, to_frame(history[-1].painted))
            if len(segment.frames) > 1:
                paint = self._next_painter(tuple(history), last)
                history.append(self._keyframe(last, progress, paint))
                for frame, painted in self._interpolate(segment, history[-2], history[-1]):
                    yield self._steady(steadiness, frame, painted)
                yield self._steady(steadiness, last, to_frame(history[-1].painted))

    def _keyframe(
        self, frame: SegmentFrame, progress: VideoProgress, paint: "_PaintKeyframe"
    ) -> _Keyframe:
        """Load a keyframe from the store, or paint and store it."""

        def on_step(step: PaintStep) -> None:
            if self._on_keyframe is not None:
                self._on_keyframe(progress.after_step(frame.index, step))

        progress.start_keyframe()
        painted = None if self._store is None else self._store.load(frame.index)
        restored = painted is not None and painted.shape == frame.small.shape
        if painted is None or not restored:
            painted = quantized(paint(frame.small, on_step))
            if self._store is not None:
                self._store.save(frame.index, painted)
        progress.finish_keyframe(restored=restored)
        return _Keyframe(frame, painted)

    def _paint_first(self, content: Frame, on_step: Callable[[PaintStep], None]) -> Floats:
        """Paint the first keyframe of a scene."""
        start = to_unit(self._fill(content)) if self.settings.scene_start == "fill" else None
        return self._optimizer(content, start=start, on_step=on_step).picture

    def _next_painter(self, history: Sequence[_Keyframe], frame: SegmentFrame) -> "_PaintKeyframe":
        """Return a function that paints a keyframe from the previous ones."""

        def paint(content: Frame, on_step: Callable[[PaintStep], None]) -> Floats:
            size = size_of(content)
            motion = self._motion(frame, history[-1].frame, frame.to_first)
            reliability = reliability_at(motion, size)
            previous = history[-1].images().warped(motion)
            start = fill_occlusions(
                previous.painted, reliability, lambda: to_unit(self._fill(content))
            )
            targets = [TemporalTarget(previous.painted, reliability)]
            if len(history) > 1 and self.settings.long_term_weight > 0:
                targets.append(self._long_term_target(history, frame, reliability))
            painting = self._optimizer(
                content,
                start=start,
                targets=targets,
                steps=self.settings.next_steps,
                learning_rate=self.settings.next_learning_rate,
                on_step=on_step,
            )
            match_tones = ToneMatcher(previous.content, previous.painted, reliability)
            return match_tones(painting.picture, to_unit(content))

        return paint

    def _long_term_target(
        self, history: Sequence[_Keyframe], frame: SegmentFrame, reliability: Floats
    ) -> TemporalTarget:
        """Return the keyframe before the last as a target where the last is not reliable."""
        earlier, last = history
        followed = frame.to_first.after(last.frame.to_first)
        motion = self._motion(frame, earlier.frame, followed)
        only_earlier = np.maximum(reliability_at(motion, size_of(frame.small)) - reliability, 0)
        warped = earlier.images().warped(motion)
        return TemporalTarget(warped.painted, only_earlier, weight=self.settings.long_term_weight)

    def _motion(self, now: SegmentFrame, before: SegmentFrame, followed: Motion) -> Motion:
        """Return the motion from a keyframe to an earlier one, found over the whole distance.

        Motion that is followed from frame to frame drifts: over 5 frames of video its error is 0.27
        to 0.47 pixels, 0.25 to 0.41 when it only begins a new search.
        """
        return find_motion(self._search, now.luma, before.luma, followed.flow)

    def _interpolate(
        self, segment: Segment, before: _Keyframe, after: _Keyframe
    ) -> Iterator[tuple[SegmentFrame, Frame]]:
        """Paint all frames of a segment except its keyframes, at the working size."""
        keyframes = before.images(), after.images()
        to_last = segment.to_last()
        length = len(segment.frames) - 1
        to_first = [frame.to_first for frame in segment.frames]
        first, last = segment.frames[0], segment.frames[-1]
        first_drift = drift_of(to_first[-1], self._motion(last, first, to_first[-1]))
        last_drift = drift_of(to_last[0], self._motion(first, last, to_last[0]))
        for index, frame in enumerate(segment.frames[1:-1], 1):
            back, ahead, share = to_first[index], to_last[index], index / length
            blended = blend(
                *keyframes,
                without_drift(back, first_drift, ahead, share),
                without_drift(ahead, last_drift, back, 1 - share),
                share,
            )
            yield frame, complete(blended, frame.small, self._fill)

    def _steady(self, steadiness: Steadiness, frame: SegmentFrame, painted: Frame) -> Frame:
        """Return a painted frame at full size, carried on from the frame before."""
        step = steadiness.follow(luma_of(frame.small))
        shown = rgb_of_planes(steadiness.show(step, full_planes_of_rgb(painted)))
        return restore_detail(shown, frame.frame, frame.small)


_PaintKeyframe: TypeAlias = Callable[[Frame, Callable[[PaintStep], None]], Floats]


def _unpainted(frame: Frame) -> Frame:
    return frame
