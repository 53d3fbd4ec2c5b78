"""Progress of a video painted by optimization."""

import pytest

from nst_video.optimization.painting import PaintStep
from nst_video.optimization.progress import KeyframeProgress, VideoProgress


def test_progress_counts_keyframes_and_seconds():
    times = iter([0.0, 0.0, 10.0, 10.0, 14.0, 14.0, 16.0])
    progress = VideoProgress(41, 10, clock=lambda: next(times))
    for _ in range(2):
        progress.start_keyframe()
        progress.finish_keyframe(restored=False)
    progress.start_keyframe()
    state = progress.after_step(20, PaintStep(1, 1, 5, 10, {}))
    assert state == KeyframeProgress(3, 5, 20, state.step, 16.0, 2.0 + 2 * 4.0)


def test_progress_of_a_film_of_unknown_length_is_unknown():
    progress = VideoProgress(None, 10)
    progress.start_keyframe()
    state = progress.after_step(0, PaintStep(1, 1, 1, 10, {}))
    assert (state.keyframes, state.remaining_s) == (None, None)


def test_progress_is_unknown_while_the_first_keyframe_begins():
    times = iter([0.0, 0.0, 14.0, 20.0])
    progress = VideoProgress(21, 10, clock=lambda: next(times))
    progress.start_keyframe()
    assert progress.after_step(0, PaintStep(1, 2, 1, 50, {})).remaining_s is None
    halfway = progress.after_step(0, PaintStep(2, 2, 25, 50, {}))
    assert halfway.remaining_s == pytest.approx((0.4 + 2) * 20 / 0.6)
