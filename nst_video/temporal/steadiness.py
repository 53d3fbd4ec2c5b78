"""Steadiness of a painted film: every frame is followed, some are painted, all are shown.

steadiness = Steadiness(1.0)
step = steadiness.follow(luma)                    # for every frame of the source, in order
planes = steadiness.show(painted if step.paint else None)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Luma
from nst_video.temporal.canvas import Canvas, MixRates
from nst_video.temporal.motion import Motion, MotionEstimator, flow_size
from nst_video.temporal.planes import Planes
from nst_video.validation import STEADY

State = Mapping[str, NDArray[Any]]
"""Everything that the next frame depends on, as arrays: what `numpy.savez` takes."""

TEXTURE_RATE, TONE_RATE = 0.005, 0.06
"""Mixing rates at full steadiness; at less they are these to the power of the steadiness, so that
they are 1, frame by frame, at none."""

PAINT_SHARE = 0.12
"""Share of the frame that cannot be relied on, from which it is painted out of turn."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is known of a frame before it is painted.

    Attributes:
        motion: from this frame to the one before; None where a new shot begins.
        paint: whether the frame has to be painted.
        rates: how quickly what is shown follows the painting.
    """

    motion: Motion | None
    paint: bool
    rates: MixRates


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
        self._since_painting = 0
        self._unseen = 0.0

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
        paint = motion is None or self._since_painting >= self.every or self._unseen > PAINT_SHARE
        if paint:
            self._since_painting, self._unseen = 0, 0.0
        return Step(motion, paint, self.rates)

    def show(self, step: Step, painted: Planes | None) -> Planes:
        """Return the next frame, steady.

        Args:
            step: of this frame.
            painted: its painting, needed if `step.paint`; uint8.

        Returns:
            uint8 planes of the same sizes.

        Raises:
            ValueError: no painting where one is needed.
        """
        if painted is not None and (self._canvas is None or step.motion is None):
            height, width = painted[0].shape
            self._canvas = Canvas(painted, flow_size((width, height)))
            return painted
        if self._canvas is None or step.motion is None:
            raise ValueError("the first frame of a shot has to be painted")
        self._canvas.carry(step.motion)
        if painted is not None:
            self._canvas.mix(painted, step.rates)
        return self._canvas.show()

    def reset(self) -> None:
        """Begin a new shot with the next frame."""
        self._estimator.reset()
        self._canvas = None
        self._since_painting, self._unseen = 0, 0.0

    def state(self) -> dict[str, NDArray[Any]]:
        """Return everything that the next frame depends on, to go on later or elsewhere."""
        counts = np.array([self._since_painting, self._unseen], np.float64)
        state: dict[str, NDArray[Any]] = {"counts": counts}
        if self._estimator.previous is not None:
            state["previous"] = self._estimator.previous
        return state if self._canvas is None else state | self._canvas.state()

    def restore(self, state: State) -> None:
        """Go on from what `state` returned.

        Raises:
            KeyError: something is missing in it.
        """
        since_painting, unseen = state["counts"]
        self._since_painting, self._unseen = int(since_painting), float(unseen)
        self._estimator.previous = state.get("previous")
        self._canvas = Canvas.from_state(state) if "luma" in state else None
