"""Steady frames in time: they do not wait for their paintings.

A painting may take as long as several frames. Meanwhile frames are made of the canvas, carried
along the motion. A painting that is ready is moved along all that has moved since its frame, and
mixed in. Two threads share the work: one follows a frame while the other finishes the frame before.
"""

import math
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from nst_video.finishing import finish_planes, working_size
from nst_video.frames import Frame, Luma, Size, size_of
from nst_video.image.resize import shrink
from nst_video.live.live_stylizer import LiveStylizer
from nst_video.settings import StylizeSettings
from nst_video.steady_frames import QUICK
from nst_video.temporal import Canvas, MixRates, Motion, MotionEstimator, mix_rates
from nst_video.temporal.canvas import rounded
from nst_video.temporal.planes import Planes, luma_of, planes_of_rgb
from nst_video.temporal.provisional import ToneMap, fill

FLOW_PIXELS = 320 * 180
"""Pixels at which flow is computed: 8 ms instead of 18 with 512x288. What is moved along it differs
from the frame by 1.2 times as much on a webcam, and by as much on a film."""

PAINT_SHARE, LARGE_SHARE = 0.12, 0.3
"""Shares of the frame that cannot be relied on, from which it is painted out of turn: up to twice
as often as wanted, and at once."""

AT_ONCE = MixRates(1, 1)
"""What is shown becomes the painting."""


@dataclass(frozen=True, slots=True)
class _Painted:
    """A finished painting.

    Attributes:
        planes: of the painted frame.
        tones: of its content and itself.
    """

    planes: Planes
    tones: ToneMap


@dataclass
class _Painting:
    """A painting in progress.

    Attributes:
        content: the frame that is painted.
        small: the same at working size.
        look: what it depends on besides the frame.
        rates: how quickly what is shown follows it.
        future: the painting, and the seconds that it took.
        is_passing: it belongs to a transition between styles; another one has to follow.
        is_new: nothing has been painted in its look before.
        is_over: it has been mixed in, or is not needed any more.
    """

    content: Frame
    small: Frame
    look: Hashable
    rates: MixRates
    future: "Future[tuple[_Painted, float]]"
    is_passing: bool
    is_new: bool
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class FollowedFrame:
    """A frame between the two threads.

    Attributes:
        content: RGB uint8 (height, width, 3).
        small: the same at working size.
        luma: brightness of `small`.
        motion: from this frame to the one before; None where a new shot begins.
        painting: the painting of this frame that has been begun, if any.
        settings: for this frame.
        overlay: lays the painting over what is outside of a mask; None without.
    """

    content: Frame
    small: Frame
    luma: Luma
    motion: Motion | None
    painting: _Painting | None
    settings: StylizeSettings
    overlay: Callable[[Frame], Frame] | None = None


@dataclass
class SteadyRenderer:
    """Renders consecutive frames of a live source.

    `follow` is called in one thread, and `finish`, with its results in the same order, in one
    thread, which may be another.

    Attributes:
        painting_s: seconds that the last painting took, None before the first.
    """

    painting_s: float | None = None
    _estimator: MotionEstimator = field(default_factory=MotionEstimator)
    _painter: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "paint"))
    _painting: _Painting | None = None
    _since_painting: int = 0
    _unseen: float = 0.0
    # The rest belongs to the thread of `finish`.
    _canvas: Canvas | None = None
    _pending: _Painting | None = None
    _moved: Motion | None = None
    _tones: ToneMap | None = None

    @property
    def is_painting(self) -> bool:
        """True while a painting is being made or waits to be mixed in."""
        return self._painting is not None and not self._painting.is_over

    def is_settled(self, content: Frame, look: Hashable) -> bool:
        """Return whether the last painting is of this frame and look, and is shown in full."""
        is_shown = self._canvas is None or self._canvas.is_settled
        return is_shown and self._has_painted(content, look)

    def _has_painted(self, content: Frame, look: Hashable) -> bool:
        """Return whether the last painting is of this frame and look, and has been mixed in."""
        last = self._painting
        return (
            last is not None
            and last.is_over
            and last.look == look
            and not last.is_passing
            and is_same(last.content, content)
        )

    def reset(self) -> None:
        """Begin a new shot with the next frame."""
        self._estimator.reset()

    def close(self) -> None:
        """Begin no further paintings."""
        self._painter.shutdown(wait=False, cancel_futures=True)

    def follow(
        self,
        stylizer: LiveStylizer,
        content: Frame,
        *,
        every: int,
        look: Hashable,
        is_masked: bool = False,
    ) -> FollowedFrame:
        """Measure the motion of the next frame, and begin to paint it if that is due.

        Args:
            stylizer: with its settings for this frame.
            content: RGB uint8 (height, width, 3).
            every: paint at least every so many frames, if the engine is idle.
            look: whatever the paintings depend on; where it changes, strokes begin anew.
            is_masked: the stylizer has regions.

        Raises:
            EngineError: it cannot be painted.
        """
        size, settings = size_of(content), stylizer.settings
        small = shrink(content, working_size(size, settings))
        luma = luma_of(small)
        # Flow has one size for all working sizes, so that a change of these is no new shot.
        motion = self._estimator.update(shrink(luma, _flow_size(size)))
        self._since_painting += 1
        if motion is not None:
            self._unseen += float(1 - motion.reliability.mean())
        painting = None
        is_free = not self.is_painting or self._is_outdated(look)
        if motion is None or (is_free and self._is_due(content, every, look)):
            begins_shot = motion is None
            painting = self._begin(stylizer, content, small, look, is_first=begins_shot)
        overlay = stylizer.overlay(content, small) if is_masked else None
        return FollowedFrame(content, small, luma, motion, painting, settings, overlay)

    def _is_outdated(self, look: Hashable) -> bool:
        """Return whether a painting in progress is given up for one in another look.

        The first one of a look is not, or nothing would be shown while a look changes steadily.
        """
        last = self._painting
        return last is not None and last.look != look and not last.is_new

    def _is_due(self, content: Frame, every: int, look: Hashable) -> bool:
        last = self._painting
        if self._has_painted(content, look):
            return False
        return (
            last is None
            or last.look != look
            or last.is_passing
            or self._since_painting >= every
            or (self._unseen > PAINT_SHARE and 2 * self._since_painting >= every)
            or self._unseen > LARGE_SHARE
        )

    def _begin(
        self,
        stylizer: LiveStylizer,
        content: Frame,
        small: Frame,
        look: Hashable,
        *,
        is_first: bool,
    ) -> _Painting:
        last = self._painting
        if last is not None:
            last.is_over = True
        begun = time.monotonic()
        pending = stylizer.begin(small[None])

        def paint() -> tuple[_Painted, float]:
            frame = pending.wait()[0]
            planes = planes_of_rgb(frame)
            tones = ToneMap.fit(planes_of_rgb(small), planes)
            return _Painted(planes, tones), time.monotonic() - begun

        self._since_painting, self._unseen = 0, 0.0
        is_new = last is None or last.look != look or last.is_passing
        strength = stylizer.settings.steady
        rates = mix_rates(strength)
        if stylizer.is_fading:
            rates = mix_rates(strength * QUICK)
        elif is_new:
            rates = AT_ONCE
        self._painting = _Painting(
            content, small, look, rates, self._painter.submit(paint), stylizer.is_fading, is_new
        )
        return self._painting

    def finish(self, frame: FollowedFrame) -> Frame:
        """Return the frame painted, RGB uint8 (height, width, 3).

        Raises:
            EngineError: painting failed.
        """
        if frame.motion is None:
            canvas = self._begin_shot(frame)
        else:
            canvas = self._carry(frame, frame.motion)
        shown = canvas.picture()
        if self._tones is not None:
            trust, small = canvas.trust_now(), frame.small
            shown = fill(shown, trust, lambda: planes_of_rgb(small), self._tones, canvas.strokes)
        painted = finish_planes(rounded(shown), frame.content, frame.luma, frame.settings)
        return painted if frame.overlay is None else frame.overlay(painted)

    def _begin_shot(self, frame: FollowedFrame) -> Canvas:
        """Wait for the painting of the first frame of a shot, and make it the canvas."""
        if frame.painting is None:
            raise ValueError("the first frame of a shot has to be painted")
        painted = self._end(frame.painting)
        self._pending = None
        self._canvas = Canvas(painted, _flow_size(size_of(frame.content)))
        return self._canvas

    def _carry(self, frame: FollowedFrame, motion: Motion) -> Canvas:
        """Move the canvas to the next frame, and mix in the painting that is ready, if any."""
        canvas = self._canvas
        if canvas is None:
            raise ValueError("there is nothing to carry before the first shot")
        size = (frame.luma.shape[1], frame.luma.shape[0])
        canvas.fit(size)
        canvas.carry(motion)
        if self._moved is not None:
            self._moved = motion.after(self._moved)
        if frame.painting is not None:
            self._pending = frame.painting
            self._moved = Motion.none((motion.flow.shape[1], motion.flow.shape[0]))
        pending = self._pending
        if pending is not None and pending.future.done():
            painted = self._end(pending)
            if size_of(pending.small) == size:
                canvas.mix(painted, pending.rates, self._moved)
            self._pending = self._moved = None
        return canvas

    def _end(self, painting: _Painting) -> Planes:
        """Return the painted frame, waiting for it."""
        painted, self.painting_s = painting.future.result()
        self._tones = painted.tones
        painting.is_over = True
        return painted.planes


def _flow_size(size: Size) -> Size:
    """Return the (width, height) of the flow for frames of `size`."""
    width, height = size
    share = min(1.0, math.sqrt(FLOW_PIXELS / (width * height)))
    return max(1, round(width * share)), max(1, round(height * share))


def is_same(a: Frame, b: Frame) -> bool:
    """Return whether two frames are equal; quick where they differ."""
    return a is b or (np.array_equal(a[::97], b[::97]) and np.array_equal(a, b))
