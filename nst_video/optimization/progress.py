"""Progress of paintings by optimization: completed share, keyframe count and remaining time."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from nst_video.optimization.painting import PaintStep
from nst_video.optimization.video_settings import MAX_INTERVAL, KeyframeInterval

MIN_COMPLETED = 0.1
"""Share of the first keyframe below which no time is estimated: compiling distorts its speed."""

PIXELS_RATIO = 4.0
"""Pixels of a scale relative to the one before: both sides double."""


def completed_fraction(step: PaintStep) -> float:
    """Return the share of a painting's work that is done after a step, 0..1, by pixels."""
    sizes = [PIXELS_RATIO**scale for scale in range(step.scales)]
    done = sum(sizes[: step.scale - 1]) + sizes[step.scale - 1] * step.step / step.steps
    return done / sum(sizes)


class RemainingTime:
    """Estimates the remaining time of one painting from the times of its steps.

    The time of a step is proportional to its pixels. The first step of a scale is measured
    separately, because it includes the targets and compilation.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start the measurement; `clock` returns seconds."""
        self._clock = clock
        self._last_s = clock()
        self._first_step_s = 0.0
        self._since_s = self._last_s
        self._step_s: float | None = None

    def after_step(self, step: PaintStep) -> float | None:
        """Return the remaining seconds after a step; None while they cannot be estimated."""
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
        remaining_s = (step.steps - step.step) * self._step_s
        for later in range(1, step.scales - step.scale + 1):
            remaining_s += self._first_step_s + step.steps * self._step_s * PIXELS_RATIO**later
        return remaining_s


@dataclass(frozen=True, slots=True)
class KeyframeProgress:
    """Progress of a video after one optimizer step of a keyframe.

    Attributes:
        keyframe: number of the keyframe, from 1.
        keyframes: estimated number of keyframes; None where the length of the video is unknown.
        frame: index of the keyframe in the video, from 0.
        step: the optimizer step.
        elapsed_s: seconds since the video was started.
        remaining_s: estimated seconds that remain; None where unknown.
    """

    keyframe: int
    keyframes: int | None
    frame: int
    step: PaintStep
    elapsed_s: float
    remaining_s: float | None


OnKeyframe = Callable[[KeyframeProgress], None]


class VideoProgress:
    """Counts and times the keyframes of a video; turns optimizer steps into `KeyframeProgress`."""

    def __init__(
        self,
        frame_count: int | None,
        interval: KeyframeInterval,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the measurement.

        Args:
            frame_count: frames of the video; None where unknown.
            interval: when a keyframe is due.
            clock: returns seconds.
        """
        self._frame_count = frame_count
        self._interval = interval
        self._clock = clock
        self._started_s = clock()
        self._keyframe_started_s = self._started_s
        self._count = 0
        self._durations_s: list[float] = []

    def start_keyframe(self) -> None:
        """Start the next keyframe."""
        self._count += 1
        self._keyframe_started_s = self._clock()

    def finish_keyframe(self, *, restored: bool) -> None:
        """Finish the keyframe; one that was `restored` from disk is not timed."""
        if not restored:
            self._durations_s.append(self._clock() - self._keyframe_started_s)

    def after_step(self, frame: int, step: PaintStep) -> KeyframeProgress:
        """Return the progress after a step of the keyframe at index `frame` of the video."""
        now_s = self._clock()
        left = self._keyframes_left(frame)
        return KeyframeProgress(
            keyframe=self._count,
            keyframes=None if left is None else self._count + left,
            frame=frame,
            step=step,
            elapsed_s=now_s - self._started_s,
            remaining_s=self._remaining_s(left, now_s, step),
        )

    def _keyframes_left(self, frame: int) -> int | None:
        """Return how many keyframes are expected after that frame."""
        if self._frame_count is None:
            return None
        interval = float(MAX_INTERVAL)
        if isinstance(self._interval, int):
            interval = self._interval
        elif self._count > 1:
            interval = frame / (self._count - 1)
        return max(0, math.ceil((self._frame_count - 1 - frame) / max(interval, 1)))

    def _remaining_s(self, left: int | None, now_s: float, step: PaintStep) -> float | None:
        if left is None:
            return None
        done = completed_fraction(step)
        spent_s = now_s - self._keyframe_started_s
        # The first keyframe takes longer than those that start from another one.
        durations_s = self._durations_s[1:] or self._durations_s
        if not durations_s and done < MIN_COMPLETED:
            return None
        each_s = sum(durations_s) / len(durations_s) if durations_s else spent_s / done
        return max(0.0, (1 - done) * each_s) + left * each_s
