"""A film painted by optimization: keyframes one from the other, and what lies between them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

from nst_video.frames import Frame, VideoInfo
from nst_video.image.optical_flow import Floats, warp
from nst_video.optimization.interpolation import Blend, Fill, Pair, blend, mend, render, soft
from nst_video.optimization.keyframe_store import KeyframeStore, quantized
from nst_video.optimization.painting import Painting, PaintStep, TemporalTarget, to_unit
from nst_video.optimization.progress import OnKeyframe, Pace
from nst_video.optimization.segments import Moment, Segment, Track, stretches
from nst_video.optimization.tone_matching import ToneMatcher
from nst_video.optimization.video_settings import VideoSettings

SEEN_BEFORE = 2
"""Keyframes that the next one is kept close to: the last, and the one before for what it alone has
(Ruder et al. 2016, arXiv 1604.08610, section 4.2)."""


class PicturePainter(Protocol):
    """Paints one picture by optimization; `GatysOptimizer` is one."""

    def __call__(
        self,
        content: Frame,
        *,
        start: Floats | None = None,
        targets: Sequence[TemporalTarget] = (),
        steps: int | None = None,
        rate: float | None = None,
        on_step: Callable[[PaintStep], None] | None = None,
    ) -> Painting:
        """Paint `content`, see `GatysOptimizer`."""
        ...

    def adopt_colors(self, content: Frame) -> None:
        """Take the colors of `content` where styles are to be given the content's."""
        ...


@dataclass(frozen=True, slots=True)
class _Keyframe:
    """A finished keyframe: the frame at the working size and its painting."""

    small: Frame
    painted: Floats

    def pair(self) -> Pair:
        return Pair(to_unit(self.small), self.painted)


class VideoPainter:
    """Paints films frame by frame in order, a stretch between two keyframes at a time.

    Each keyframe starts from the one before, moved along the flow, and is kept close to it where
    the flow can be trusted; what was hidden is painted by `fill` first.
    """

    def __init__(
        self,
        optimizer: PicturePainter,
        settings: VideoSettings | None = None,
        *,
        fill: Fill | None = None,
        store: KeyframeStore | None = None,
        on_keyframe: OnKeyframe | None = None,
    ) -> None:
        """Take what paints.

        Args:
            optimizer: paints keyframes.
            settings: see `VideoSettings`.
            fill: paints what neither keyframe shows; by default the frame stays as it is there.
            store: where finished keyframes are kept and looked for.
            on_keyframe: called after every step of every keyframe.
        """
        self.settings = settings or VideoSettings()
        self._optimizer = optimizer
        self._fill: Fill = fill or _unpainted
        self._store = store
        self._on_keyframe = on_keyframe

    def stream(self, frames: Iterable[Frame], info: VideoInfo) -> Iterator[Frame]:
        """Paint a film.

        Args:
            frames: RGB uint8 (height, width, 3), read one stretch ahead.
            info: what they are like.

        Yields:
            As many frames of the same shape.
        """
        pace = Pace(info.frame_count, self.settings.every)
        history: deque[_Keyframe] = deque(maxlen=SEEN_BEFORE)
        for stretch in stretches(frames, info.fps, self.settings.every, self.settings.work_size):
            first, last = stretch.moments[0], stretch.moments[-1]
            if not history:
                # Said before any keyframe, since a resumed film does not paint its first.
                self._optimizer.adopt_colors(first.small)
            if stretch.opens_scene or not history:
                history.clear()
                opening = self._keyframe(first, pace, self._open)
                history.append(opening)
                yield self._finish(first, opening)
            if len(stretch.moments) > 1:
                paint = self._follower(tuple(history), last)
                history.append(self._keyframe(last, pace, paint))
                yield from self._between(stretch, history[-2], history[-1])
                yield self._finish(last, history[-1])

    def _keyframe(self, moment: Moment, pace: Pace, paint: "_Paint") -> _Keyframe:
        """Take a keyframe from the store, or paint and keep it."""

        def on_step(step: PaintStep) -> None:
            if self._on_keyframe is not None:
                self._on_keyframe(pace.at(moment.index, step))

        pace.begin()
        painted = None if self._store is None else self._store.load(moment.index)
        restored = painted is not None and painted.shape == moment.small.shape
        if painted is None or not restored:
            painted = quantized(paint(moment.small, on_step))
            if self._store is not None:
                self._store.save(moment.index, painted)
        pace.finish(restored=restored)
        return _Keyframe(moment.small, painted)

    def _open(self, content: Frame, on_step: Callable[[PaintStep], None]) -> Floats:
        """Paint the first keyframe of a scene."""
        start = to_unit(self._fill(content)) if self.settings.opening == "fill" else None
        return self._optimizer(content, start=start, on_step=on_step).picture

    def _follower(self, history: Sequence[_Keyframe], moment: Moment) -> "_Paint":
        """Return what paints a keyframe from those before it."""

        def paint(content: Frame, on_step: Callable[[PaintStep], None]) -> Floats:
            track = moment.to_start
            moved = warp(history[-1].painted, track.there, sharpness=1)
            start = mend(moved, soft(track.trust), lambda: to_unit(self._fill(content)))
            targets = [TemporalTarget(moved, track.trust)]
            if len(history) > 1 and self.settings.long_term > 0:
                targets.append(self._long_term(history[-2], content, track.trust))
            painting = self._optimizer(
                content,
                start=start,
                targets=targets,
                steps=self.settings.next_steps,
                rate=self.settings.next_rate,
                on_step=on_step,
            )
            anchor = ToneMatcher(warp(to_unit(history[-1].small), track.there), moved, track.trust)
            return anchor(painting.picture, to_unit(content))

        return paint

    def _long_term(self, earlier: _Keyframe, content: Frame, trust: Floats) -> TemporalTarget:
        """Return the keyframe before the last, for what the last does not show."""
        track = Track.between(content, earlier.small)
        only = np.maximum(track.trust - trust, 0)
        moved = warp(earlier.painted, track.there, sharpness=1)
        return TemporalTarget(moved, only, weight=self.settings.long_term)

    def _between(self, stretch: Segment, before: _Keyframe, after: _Keyframe) -> Iterator[Frame]:
        """Paint all but the first and the last frame of a stretch."""
        sides = before.pair(), after.pair()
        to_end = stretch.to_end()
        length = len(stretch.moments) - 1
        for place, moment in enumerate(stretch.moments[1:-1], 1):
            blended = blend(*sides, moment, to_end[place], place / length)
            yield render(blended, moment, self._fill)

    def _finish(self, moment: Moment, keyframe: _Keyframe) -> Frame:
        """Return a keyframe at full size."""
        everywhere = np.ones(keyframe.painted.shape[:2], np.float32)
        return render(Blend(keyframe.pair(), everywhere), moment, self._fill)


_Paint: TypeAlias = Callable[[Frame, Callable[[PaintStep], None]], Floats]


def _unpainted(frame: Frame) -> Frame:
    return frame
