"""Flow, warp error and sharpness, and which frames are compared."""

from collections.abc import Iterator

import numpy as np
import pytest
from scoring_ladder import FPS, STEP_PX, blurred, painted_by_frame, scene

from nst_video.frames import Frame
from nst_video.scoring.flow import Correspondence, correspondence, variational_flow
from nst_video.scoring.measurement import STRIDES, measure
from nst_video.scoring.measures import sharpness, warp_error


def never(_frame: Frame) -> bool:
    return False


def test_flow_of_a_pan_is_its_step() -> None:
    before, now = scene(2)
    flow = variational_flow(now, before)
    inner = flow[8:-8, 8:-8]
    assert np.abs(inner[..., 0] - STEP_PX).mean() < 0.1
    assert np.abs(inner[..., 1]).mean() < 0.1


def test_what_enters_the_picture_is_not_visible_before() -> None:
    before, now = scene(2)
    where = correspondence(now, before)
    assert where.visible[:, -STEP_PX:].max() == 0
    assert where.visible[8:-8, 8:-8].mean() > 0.95


def test_warp_error_is_the_mean_squared_difference_over_what_is_visible() -> None:
    now, before = (np.full((8, 8, 3), level, np.uint8) for level in (151, 100))
    flow, visible = np.zeros((8, 8, 2), np.float32), np.ones((8, 8), np.float32)
    assert warp_error(now, before, Correspondence(flow, visible)) == pytest.approx(400)
    now[:4] = 100
    assert warp_error(now, before, Correspondence(flow, visible)) == pytest.approx(200)
    visible[4:] = 0
    assert warp_error(now, before, Correspondence(flow, visible)) == pytest.approx(0)
    visible[:] = 0
    assert warp_error(now, before, Correspondence(flow, visible)) is None


def test_blur_takes_sharpness() -> None:
    video = painted_by_frame(scene(1))
    assert sharpness(blurred(video, 2)[0]) < 0.1 * sharpness(video[0])


def test_no_frames_are_compared_across_a_cut() -> None:
    source = [*scene(8, seed=1), *scene(8, seed=2)]
    first_of_second = source[8]
    found = measure(source, [source], FPS, is_cut=lambda frame: frame is first_of_second)
    assert found.cuts_s == [8 / 25]
    assert max(error for _, error in found.source.warp_errors[1]) < 10
    blind = measure(source, [source], FPS, is_cut=never)
    assert max(error for _, error in blind.source.warp_errors[5]) > 50
    times = [time_s for time_s, _ in found.painted[0].warp_errors[5]]
    assert times == [5 / 25, 13 / 25]
    assert found.source.warp_errors[20] == []


def test_videos_are_read_in_one_pass_to_the_end_of_the_shortest() -> None:
    frames, held = scene(30), 0

    def stream() -> Iterator[Frame]:
        nonlocal held
        for frame in frames:
            held += 1
            yield frame

    seen: list[int] = []
    found = measure(stream(), [frames[:26]], FPS, is_cut=never, on_frame=seen.append)
    assert (found.frames, held) == (26, 27)
    assert seen == list(range(1, 27))
    assert {distance: len(series) for distance, series in found.source.warp_errors.items()} == {
        1: 13,
        5: 6,
        20: 2,
    }
    assert set(STRIDES) == {1, 5, 20}


def test_flow_follows_fast_motion() -> None:
    frames = scene(13)
    flow = variational_flow(frames[-1], frames[0])
    assert np.median(np.abs(flow[12:-12, 12:-24, 0] - 12 * STEP_PX)) < 0.5
