"""Steadiness of a painted film: every frame is followed, some are painted, all are shown.

steadiness = Steadiness(1.0)
step = steadiness.follow(luma)                    # for every frame of the source, in order
planes = steadiness.show(painted if step.paint else None)
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from nst_video.frames import Luma
from nst_video.temporal.canvas import Canvas, MixRates, rounded, to_floats
from nst_video.temporal.contrast import Contrast, between
from nst_video.temporal.motion import Motion, MotionEstimator, flow_size
from nst_video.temporal.planes import Planes
from nst_video.temporal.provisional import ToneMap, fill
from nst_video.validation import STEADY

TEXTURE_RATE, TONE_RATE = 0.005, 0.06
"""Mixing rates at full steadiness; at less they are these to the power of the steadiness, so that
they are 1, frame by frame, at none."""

PAINT_SHARE = 0.2
"""Share of the frame that cannot be relied on, from which it is painted out of turn. Of a film of a
bird close to the camera, one of three frames is painted, with 0.3 one of four, and it is 1.1 times
as steady. With 0.12, half of the frames are painted, and it looks no better."""

DIMMED, LIGHT_WEIGHT = 0.85, 0.5
"""Mean of `Motion.light` below which the light of all of the frame changes, and what that counts
for, relative to what cannot be relied on: in a fade of 8 levels a frame, every frame is painted, or
brightness would lag behind."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """A frame on the way from the strokes so far to those of a film that began meanwhile.

    Attributes:
        number: of the frame, from 1 on.
        count: how many frames the way takes.
    """

    number: int
    count: int

    @property
    def share(self) -> float:
        """How much of the new strokes is shown, 0..1; not all before the frame after the way."""
        return self.number / (self.count + 1)


@dataclass(frozen=True, slots=True)
class Step:
    """What is known of a frame before it is painted.

    Attributes:
        motion: from this frame to the one before; None where a new shot begins.
        paint: whether the frame has to be painted.
        rates: how quickly what is shown follows the painting.
        renewal: how far new strokes have come; None where there are none.
    """

    motion: Motion | None
    paint: bool
    rates: MixRates
    renewal: Renewal | None = None


def mix_rates(strength: float) -> MixRates:
    """Return the mixing rates at a steadiness of `strength`, 0..1."""
    return MixRates(TEXTURE_RATE**strength, TONE_RATE**strength)


@cache
def compile_loops() -> None:
    """Compile everything for this processor now instead of at the second frame.

    That takes 15 to 25 seconds, once: the machine code is kept on disk.
    """
    random = np.random.default_rng(0).integers(0, 255, (16, 16), np.uint8)
    luma = random.repeat(4, 0).repeat(4, 1)
    planes = (luma, luma[::2, ::2].copy(), luma[::2, ::2].copy())
    estimator, canvas = MotionEstimator(), Canvas(planes, (64, 64))
    for shift in range(2):
        estimator.update(np.roll(luma, shift, 1))
        ones = np.ones((64, 64), np.float32)
        canvas.carry(Motion(np.ones((64, 64, 2), np.float32), ones, ones))
    canvas.mix(planes, mix_rates(1))
    canvas.show()


class Steadiness:
    """Carries the painted strokes along the motion of the source.

    `follow` looks at the source alone, so it may run ahead of `show`: in the same order, with the
    steps handed over.

    Attributes:
        strength: 0..1: at 0 paintings are shown as they are.
        every: a frame is painted at least every so many frames.
    """

    def __init__(self, strength: float, every: int = 1) -> None:
        """Set strength and rate.

        Raises:
            UsageError: a strength outside 0..1.
        """
        STEADY.check("The steadiness", strength)
        self.strength = strength
        self.every = every
        self._estimator = MotionEstimator()
        self._canvas: Canvas | None = None
        self._next_canvas: Canvas | None = None
        self._tones: ToneMap | None = None
        self._since_painting = 0
        self._unseen = 0.0
        self._renewal: Renewal | None = None

    @property
    def rates(self) -> MixRates:
        """The mixing rates at this strength."""
        return mix_rates(self.strength)

    def follow(self, luma: Luma) -> Step:
        """Measure the motion of the next frame of the source, and decide whether to paint it.

        Args:
            luma: its brightness, uint8 (height, width).
        """
        motion = self._estimator.update(luma)
        self._since_painting += 1
        if motion is not None:
            self._unseen += float(1 - motion.reliability.mean())
            self._unseen += LIGHT_WEIGHT * max(0.0, DIMMED - float(motion.light.mean()))
        renewal = self._advance_renewal()
        paint = motion is None or self._since_painting >= self.every or self._unseen > PAINT_SHARE
        # A film that begins here paints its first frame.
        paint = paint or (renewal is not None and renewal.number == 1)
        if paint:
            self._since_painting, self._unseen = 0, 0.0
        return Step(motion, paint, self.rates, renewal)

    def renew(self, frames: int) -> None:
        """Over the next frames, pass to the strokes of a film that begins with the next frame.

        After them everything is as in that film, so that it can be made independently of this one.
        """
        self._renewal = Renewal(0, frames) if frames > 0 else None

    def show(
        self, step: Step, painted: Planes | None, source: Callable[[], Planes] | None = None
    ) -> Planes:
        """Return the next frame, steady.

        Args:
            step: of this frame.
            painted: its painting, needed if `step.paint`; uint8.
            source: returns the planes of the frame. Given it, what nothing was painted of yet shows
                the source in the tones of the painting.

        Returns:
            uint8 planes of the same sizes.

        Raises:
            ValueError: no painting where one is needed.
        """
        if painted is not None and source is not None and self.every > 1:
            self._tones = ToneMap.fit(source(), painted)
        if painted is not None and (self._canvas is None or step.motion is None):
            self._canvas, self._next_canvas = _begin(painted), None
            return painted
        if self._canvas is None or step.motion is None:
            raise ValueError("the first frame of a shot has to be painted")
        shown = self._advance(self._canvas, step, painted, source)
        if step.renewal is None:
            return shown
        return self._show_renewal(step, step.renewal, painted, source, shown)

    def reset(self) -> None:
        """Begin a new shot with the next frame."""
        self._estimator.reset()
        self._canvas = self._next_canvas = self._renewal = self._tones = None
        self._since_painting, self._unseen = 0, 0.0

    def _advance_renewal(self) -> Renewal | None:
        """Return the renewal of the next frame."""
        if (now := self._renewal) is None:
            return None
        now = Renewal(now.number + 1, now.count)
        self._renewal = now if now.number < now.count else None
        return now

    def _show_renewal(
        self,
        step: Step,
        renewal: Renewal,
        painted: Planes | None,
        source: Callable[[], Planes] | None,
        shown: Planes,
    ) -> Planes:
        """Return a frame between what the canvas shows and what the next canvas does."""
        if renewal.number == 1 and painted is not None:
            self._next_canvas, new = _begin(painted), painted
        elif self._next_canvas is None:
            return shown  # a new shot has begun meanwhile
        else:
            new = self._advance(self._next_canvas, step, painted, source)
        if renewal.number == renewal.count:
            self._canvas, self._next_canvas = self._next_canvas, None
        old, fresh = to_floats(shown), to_floats(new)
        contrast = Contrast.of(old[0]).toward(Contrast.of(fresh[0]), renewal.share)
        luma, *colors = between(old, fresh, renewal.share)
        return rounded((contrast.give_back(luma), colors[0], colors[1]))

    def _advance(
        self,
        canvas: Canvas,
        step: Step,
        painted: Planes | None,
        source: Callable[[], Planes] | None,
    ) -> Planes:
        """Move a canvas to the next frame, and return what to show of it."""
        if step.motion is not None:
            canvas.carry(step.motion)
        if painted is not None:
            canvas.mix(painted, step.rates)
            return canvas.show()
        shown = canvas.picture()
        if source is not None and self._tones is not None:
            shown = fill(shown, canvas.trust_now(), source, self._tones, canvas.strokes)
        return rounded(shown)


def _begin(painted: Planes) -> Canvas:
    height, width = painted[0].shape
    return Canvas(painted, flow_size((width, height)))
