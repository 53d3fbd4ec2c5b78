"""Segments between keyframes: where they are cut, and the flow along them."""

from collections.abc import Sequence

import numpy as np
import pytest
from moving_pictures import FPS, pan

from nst_video.errors import UsageError
from nst_video.optimization.keyframes import ChangeSinceKeyframe, is_keyframe_due
from nst_video.optimization.segments import Segment, split_segments
from nst_video.optimization.video_settings import VideoSettings


def keyframes_of(segments: Sequence[Segment]) -> list[int]:
    first = [each.frames[0].index for each in segments if each.starts_scene]
    return sorted({*first, *(each.frames[-1].index for each in segments)})


def test_keyframes_come_every_so_many_frames_and_at_the_end():
    segments = list(split_segments(pan(10), FPS, 4))
    assert keyframes_of(segments) == [0, 4, 8, 9]
    assert [each.starts_scene for each in segments] == [True, False, False]
    covered = [frame.index for each in segments for frame in each.frames]
    assert covered == [0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 8, 9]


def test_scene_ends_and_begins_with_a_keyframe():
    other = [255 - frame // 2 for frame in pan(7, seed=5)]
    segments = list(split_segments([*pan(7), *other], FPS, 4))
    assert keyframes_of(segments) == [0, 4, 6, 7, 11, 13]
    assert [each.frames[0].index for each in segments if each.starts_scene] == [0, 7]


def test_single_frame_is_a_film():
    (only,) = split_segments(pan(1), FPS, 4)
    assert [frame.index for frame in only.frames] == [0]


def test_adaptive_keyframes_follow_movement():
    still = keyframes_of(list(split_segments(pan(12, 0), FPS, "adaptive")))
    moving = keyframes_of(list(split_segments(pan(12, 3), FPS, "adaptive")))
    assert still == [0, 11]
    assert len(moving) >= 4


@pytest.mark.parametrize(
    ("change", "due"),
    [
        (ChangeSinceKeyframe(3, 0.0, 0.0), False),
        (ChangeSinceKeyframe(24, 0.0, 0.0), True),
        (ChangeSinceKeyframe(3, 0.2, 0.0), True),
        (ChangeSinceKeyframe(3, 0.0, 0.4), True),
    ],
)
def test_adaptive_keyframe_is_due_after_time_movement_or_disocclusion(
    change: ChangeSinceKeyframe, due: bool
):
    assert is_keyframe_due("adaptive", change) == due


@pytest.mark.parametrize(
    "changes",
    [
        {"keyframe_interval": 0},
        {"keyframe_interval": 25},
        {"keyframe_interval": "often"},
        {"next_steps": 0},
        {"next_learning_rate": 0.0},
        {"scene_start": "door"},
        {"long_term_weight": -1.0},
        {"work_size": 8},
    ],
)
def test_settings_without_sense_are_refused(changes: dict):
    with pytest.raises(UsageError):
        VideoSettings(**changes)


def test_flow_over_a_segment_leads_to_both_ends():
    (segment,) = split_segments(pan(6, 2), FPS, 5)
    to_last = segment.to_last()
    for index, frame in enumerate(segment.frames):
        inner = np.s_[16:-16, 30:-30]
        to_first = np.median(frame.to_first.flow[inner], axis=(0, 1))
        np.testing.assert_allclose(to_first, (2 * index, 0), atol=0.2)
        ahead = np.median(to_last[index].flow[inner], axis=(0, 1))
        np.testing.assert_allclose(ahead, (-2 * (5 - index), 0), atol=0.2)


def test_what_was_hidden_on_the_way_is_not_relied_on():
    frames = pan(6, 2)
    hidden = np.s_[20:44, 36:60]
    frames[3][hidden] = 255 - frames[3][hidden]
    (segment,) = split_segments(frames, FPS, 5)
    trust = [frame.to_first.reliability[26:38, 42:50].mean() for frame in segment.frames]
    assert min(trust[:3]) > 0.8
    assert max(trust[3:]) < 0.3
