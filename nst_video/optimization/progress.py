"""How far a film is: which keyframe of how many, and for how long yet."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from nst_video.optimization.painting import PaintStep
from nst_video.optimization.video_settings import MAX_INTERVAL, Every

COUNTS_FROM = 0.1
"""Share of the first keyframe before which its speed says little: it begins with compiling."""


PIXELS_RATIO = 4.0
"""Pixels of a scale in units of the scale before: each is twice as large in both directions."""


def work_done(step: PaintStep) -> float:
    """Return how much of a painting's work is done after a step, 0..1, counted in pixels."""
    sizes = [PIXELS_RATIO**scale for scale in range(step.scales)]
    done = sum(sizes[: step.scale - 1]) + sizes[step.scale - 1] * step.step / step.steps
    return done / sum(sizes)


class StepPace:
    """Tells how long a painting still takes, from the time of its steps at the present scale.

    A step takes as long as it has pixels. The first step of a scale is counted apart: it includes
    looking at the pictures, and compiling.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin a painting."""
        self._clock = clock
        self._last_s = clock()
        self._first_step_s = 0.0
        self._since_s = self._last_s
        self._step_s: float | None = None

    def remaining_s(self, step: PaintStep) -> float | None:
        """Return the seconds to go after a step, None where too little is known yet."""
        now_s = self._clock()
        if step.step == 1:
            self._first_step_s, self._since_s = now_s - self._last_s, now_s
            if self._step_s is not None:
                self._step_s *= PIXELS_RATIO
        else:
            self._step_s = (now_s - self._since_s) / (step.step - 1)
        self._last_s = now_s
        if self._step_s is None:
            return None
        left_s = (step.steps - step.step) * self._step_s
        for later in range(1, step.scales - step.scale + 1):
            left_s += self._first_step_s + step.steps * self._step_s * PIXELS_RATIO**later
        return left_s


@dataclass(frozen=True, slots=True)
class KeyframeProgress:
    """A keyframe that is being painted.

    Attributes:
        keyframe: from 1.
        keyframes: how many there will be, about; None where the film's length is unknown.
        frame: index of it in the film, from 0.
        step: where its optimization stands.
        elapsed_s: seconds since the film was begun.
        remaining_s: seconds to go, about; None where unknown.
    """

    keyframe: int
    keyframes: int | None
    frame: int
    step: PaintStep
    elapsed_s: float
    remaining_s: float | None


OnKeyframe = Callable[[KeyframeProgress], None]


class Pace:
    """Turns steps of keyframes into `KeyframeProgress`."""

    def __init__(
        self,
        frame_count: int | None,
        every: Every,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin a film.

        Args:
            frame_count: frames in all, None where unknown.
            every: when a keyframe is due.
            clock: tells seconds.
        """
        self._frame_count = frame_count
        self._every = every
        self._clock = clock
        self._begun_s = clock()
        self._keyframe_begun_s = self._begun_s
        self._count = 0
        self._took_s: list[float] = []

    def begin(self) -> None:
        """Begin the next keyframe."""
        self._count += 1
        self._keyframe_begun_s = self._clock()

    def finish(self, *, restored: bool) -> None:
        """End the keyframe; one that was restored from the disk says nothing of speed."""
        if not restored:
            self._took_s.append(self._clock() - self._keyframe_begun_s)

    def at(self, frame: int, step: PaintStep) -> KeyframeProgress:
        """Describe the state after a step of the keyframe that is frame number `frame`."""
        now = self._clock()
        left = self._left(frame)
        return KeyframeProgress(
            keyframe=self._count,
            keyframes=None if left is None else self._count + left,
            frame=frame,
            step=step,
            elapsed_s=now - self._begun_s,
            remaining_s=self._remaining_s(left, now, step),
        )

    def _left(self, frame: int) -> int | None:
        """Return how many keyframes come after that frame."""
        if self._frame_count is None:
            return None
        interval = float(MAX_INTERVAL)
        if isinstance(self._every, int):
            interval = self._every
        elif self._count > 1:
            interval = frame / (self._count - 1)
        return max(0, math.ceil((self._frame_count - 1 - frame) / max(interval, 1)))

    def _remaining_s(self, left: int | None, now: float, step: PaintStep) -> float | None:
        if left is None:
            return None
        done = work_done(step)
        spent = now - self._keyframe_begun_s
        # The first keyframe takes longer than those that begin from another.
        usual = self._took_s[1:] or self._took_s
        if not usual and done < COUNTS_FROM:
            return None
        each = sum(usual) / len(usual) if usual else spent / done
        return max(0.0, (1 - done) * each) + left * each
