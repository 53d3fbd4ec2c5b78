"""Films painted by optimization: keyframes, what keeps them steady, what lies between them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from nst_video.errors import UsageError
from nst_video.frames import Floats, VideoInfo
from nst_video.image import synthetic
from nst_video.image.optical_flow import dis_flow, reliability, warp
from nst_video.networks.vgg import load_loss_network
from nst_video.optimization.gatys import GatysOptimizer
from nst_video.optimization.interpolation import feather, fill_occlusions, match_surrounding_color
from nst_video.optimization.keyframe_store import KeyframeStore, fingerprint, quantized
from nst_video.optimization.keyframes import ChangeSinceKeyframe, is_keyframe_due
from nst_video.optimization.painting import (
    Painting,
    PaintStep,
    StylePicture,
    TemporalTarget,
    to_unit,
)
from nst_video.optimization.progress import KeyframeProgress, VideoProgress
from nst_video.optimization.segments import Segment, split_segments
from nst_video.optimization.settings import PRESETS
from nst_video.optimization.tone_matching import ToneMatcher, ToneStatistics
from nst_video.optimization.video import VideoPainter
from nst_video.optimization.video_settings import VideoSettings

FPS = Fraction(24)
SIZE = (96, 64)

Frame = NDArray[np.uint8]


def pan(count: int, step_px: int = 1, seed: int = 0) -> list[Frame]:
    """Return a window that moves over a smooth random picture."""
    noise = np.random.default_rng(seed).random((SIZE[1], SIZE[0] + count * step_px, 3))
    wide = cv2.GaussianBlur(noise.astype(np.float32), (0, 0), 2.5)
    wide = (wide - wide.min()) / (wide.max() - wide.min())
    return [
        np.ascontiguousarray(np.rint(wide[:, i * step_px : i * step_px + SIZE[0]] * 255), np.uint8)
        for i in range(count)
    ]


def negative(frame: Frame) -> Frame:
    return 255 - frame


class Recorder:
    """An optimizer that paints by a function and remembers what it was asked."""

    def __init__(self, paint: Callable[[Floats, Floats | None], Floats]) -> None:
        self.paint = paint
        self.calls: list[tuple[Floats | None, Sequence[TemporalTarget], int | None]] = []
        self.color_reference: Frame | None = None

    def __call__(
        self, content, *, start=None, targets=(), steps=None, learning_rate=None, on_step=None
    ):
        self.calls.append((start, targets, steps))
        if on_step is not None:
            on_step(PaintStep(1, 1, 1, 1, {"total": 1.0}))
        return Painting(self.paint(to_unit(content), start), ())

    def set_color_reference(self, content: Frame) -> None:
        self.color_reference = content


def invert(content: Floats, _: Floats | None) -> Floats:
    return 1 - content


def keep(content: Floats, start: Floats | None) -> Floats:
    return 1 - content if start is None else start


def paint(frames: Sequence[Frame], optimizer: object, **changes: object) -> list[Frame]:
    store = changes.pop("store", None)
    settings = VideoSettings(**{"keyframe_interval": 4, "next_steps": 3, **changes})
    painter = VideoPainter(optimizer, settings, fill=negative, store=store)
    height, width = frames[0].shape[:2]
    return list(painter.stream(iter(frames), VideoInfo((width, height), FPS, len(frames))))


def mean_error(a: Frame, b: Frame) -> float:
    return float(np.abs(a.astype(float) - b).mean())


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
        to_first = np.median(frame.to_first.forward[inner], axis=(0, 1))
        np.testing.assert_allclose(to_first, (2 * index, 0), atol=0.2)
        ahead = np.median(to_last[index].forward[inner], axis=(0, 1))
        np.testing.assert_allclose(ahead, (-2 * (5 - index), 0), atol=0.2)


def test_keyframes_start_from_the_one_before_moved_along_the_flow():
    frames = pan(13, 2)
    recorder = Recorder(keep)
    paint(frames, recorder)
    assert [start is None for start, _, _ in recorder.calls] == [True, False, False, False]
    assert [len(targets) for _, targets, _ in recorder.calls] == [0, 1, 2, 2]
    assert [steps for _, _, steps in recorder.calls] == [None, 3, 3, 3]
    np.testing.assert_array_equal(recorder.color_reference, frames[0])
    for (start, targets, _), index in zip(recorder.calls[1:], (4, 8, 12), strict=True):
        expected = 1 - to_unit(frames[index])
        assert np.abs(start - expected).mean() < 0.03
        assert np.abs(targets[0].picture - expected)[targets[0].reliability > 0].mean() < 0.03
        assert targets[0].reliability[:, -4:].max() == 0


def test_scene_starts_afresh():
    recorder = Recorder(keep)
    frames = [*pan(6), *(255 - frame // 2 for frame in pan(6, seed=5))]
    paint(frames, recorder)
    assert [start is None for start, _, _ in recorder.calls] == [True, False, False] * 2
    recorder = Recorder(keep)
    paint(frames, recorder, scene_start="fill")
    np.testing.assert_allclose(recorder.calls[3][0], 1 - to_unit(frames[6]), atol=1e-6)


def test_frames_between_are_what_painting_them_alone_would_give():
    frames = pan(9, 2)
    painted = paint(frames, Recorder(invert))
    assert len(painted) == 9
    for content, result in zip(frames, painted, strict=True):
        assert (result.shape, result.dtype) == (content.shape, np.uint8)
        assert mean_error(result, 255 - content) < 3


def test_keyframes_are_shown_as_they_were_painted():
    frames = pan(9, 2)
    stripes = np.random.default_rng(3).random((SIZE[1], SIZE[0], 3)).astype(np.float32)
    painted = paint(frames, Recorder(lambda content, start: stripes))
    assert np.abs(painted[0] - stripes * 255).max() <= 1


def test_arrival_of_a_keyframe_is_no_jump():
    frames = pan(13, 1)
    tones = iter(np.linspace(0, 0.3, 4, dtype=np.float32))
    painted = paint(frames, Recorder(lambda content, start: 1 - 0.7 * content - next(tones)))
    steps = [mean_error(a, b) for a, b in pairwise(painted)]
    assert max(steps) < 2.5 * float(np.median(steps))


def test_smaller_working_size_is_brought_back_with_its_detail():
    frames = [cv2.resize(frame, (192, 128)) for frame in pan(5, 1)]
    for frame in frames:
        frame[20:100:7, 30:150] //= 2
    painted = paint(frames, Recorder(invert), work_size=64)
    plain = cv2.resize(cv2.resize(frames[2], (96, 64), interpolation=cv2.INTER_AREA), (192, 128))
    assert painted[2].shape == (128, 192, 3)
    assert mean_error(painted[2], 255 - frames[2]) < 0.7 * mean_error(plain, frames[2])


def test_holes_are_filled_in_the_colors_around_them():
    painted = np.full((48, 64, 3), (0.8, 0.2, 0.5), np.float32)
    patch = np.random.default_rng(0).normal(0.4, 0.02, (48, 64, 3)).astype(np.float32)
    reliable = np.ones((48, 64), np.float32)
    reliable[16:32, 20:40] = 0
    painted[16:32, 20:40] = 0
    mended = fill_occlusions(painted, reliable, lambda: patch)
    np.testing.assert_array_equal(mended[:16], painted[:16])
    np.testing.assert_allclose(mended[16:32, 20:40].mean((0, 1)), (0.8, 0.2, 0.5), atol=0.02)
    assert mended[16:32, 20:40].std(axis=(0, 1)).min() > 0.01


def test_patch_far_from_all_reliable_pixels_gets_the_mean_difference():
    painted = np.full((60, 400, 3), 0.7, np.float32)
    patch = np.full_like(painted, 0.3)
    reliable = np.zeros((60, 400), np.float32)
    reliable[:, :20] = 1
    np.testing.assert_allclose(
        match_surrounding_color(patch, painted, reliable), painted, atol=1e-3
    )


def test_patch_is_not_made_where_nothing_is_missing():
    painted = np.zeros((8, 8, 3), np.float32)
    assert (
        fill_occlusions(painted, np.ones((8, 8), np.float32), lambda: pytest.fail("made"))
        is painted
    )


def test_feathered_reliability_never_exceeds_the_map():
    reliable = np.zeros((40, 40), np.float32)
    reliable[:, 10:] = 1
    reliable[0] = 0
    feathered = feather(reliable)
    assert feathered[:, :10].max() == 0
    assert feathered[0, 30:].min() == pytest.approx(1)
    assert 0 < feathered[20, 11] < feathered[20, 13] < 1


def test_tone_matching_holds_a_static_scene_over_200_keyframes():
    content = to_unit(synthetic.draw(SIZE, 0.3))
    everywhere = np.ones(content.shape[:2], np.float32)
    rng = np.random.default_rng(0)
    first = np.clip(content * 0.8 + rng.normal(0.1, 0.1, content.shape), 0, 1).astype(np.float32)
    picture = loose = first
    for _ in range(200):
        grain = rng.normal(0, 0.02, content.shape).astype(np.float32)
        match_tones = ToneMatcher(content, picture, everywhere)
        picture = match_tones(np.clip((picture + grain) * 0.96, 0, 1), content)
        loose = np.clip((loose + grain) * 0.96, 0, 1)
    begun, now = ToneStatistics.of(first), ToneStatistics.of(picture)
    np.testing.assert_allclose(now.mean, begun.mean, rtol=0.02)
    np.testing.assert_allclose(now.variance, begun.variance, rtol=0.02)
    assert ToneStatistics.of(loose).mean.max() < 0.5 * begun.mean.min()


def test_tone_matching_lets_a_painting_brighten_with_its_content():
    content = to_unit(synthetic.draw(SIZE, 0.3)) * np.float32(0.5)
    brighter = content + np.float32(0.2)
    everywhere = np.ones(content.shape[:2], np.float32)
    follows = ToneMatcher(content, content, everywhere)
    np.testing.assert_allclose(
        follows.target(brighter).mean, ToneStatistics.of(brighter).mean, atol=1e-3
    )
    flat = ToneMatcher(content, np.full(content.shape, 0.4, np.float32), everywhere)
    np.testing.assert_allclose(flat.target(brighter).mean, 0.4, atol=1e-3)


def test_tone_matching_heeds_only_what_was_there_before():
    content = to_unit(synthetic.draw(SIZE, 0.3))
    before = np.full(content.shape, 0.5, np.float32)
    before[::2] = 0.3
    reliable = np.ones(content.shape[:2], np.float32)
    reliable[:, : SIZE[0] // 2] = 0
    now = before * np.float32(0.9)
    now[:, : SIZE[0] // 2] = 1  # a white car drives in
    held = ToneMatcher(content, before, reliable)(now, content)
    np.testing.assert_allclose(held[:, SIZE[0] // 2 :], before[:, SIZE[0] // 2 :], atol=1e-3)
    strange = ToneMatcher(content, before, np.zeros_like(reliable))(now, content)
    np.testing.assert_array_equal(strange, now)


def test_keyframes_come_back_from_the_disk_exactly(tmp_path: Path):
    picture = np.random.default_rng(0).random((20, 30, 3)).astype(np.float32)
    store = KeyframeStore(tmp_path / "film.mp4", {"steps": 3})
    store.save(7, picture)
    np.testing.assert_array_equal(store.load(7), quantized(picture))
    np.testing.assert_array_equal(quantized(quantized(picture)), quantized(picture))
    assert np.abs(quantized(picture) - picture).max() < 1e-5
    assert store.load(8) is None
    assert store.count() == 1
    assert store.folder.parent == tmp_path / "film.mp4.keyframes"


def test_keyframes_of_other_settings_never_mix(tmp_path: Path):
    picture = np.zeros((4, 4, 3), np.float32)
    one, other = (KeyframeStore(tmp_path / "film.mp4", {"steps": n}) for n in (3, 4))
    one.save(0, picture)
    assert other.load(0) is None
    other.save(0, picture)
    one.discard()
    assert other.load(0) is not None
    other.discard()
    assert list(tmp_path.iterdir()) == []
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})


def test_broken_keyframe_is_as_good_as_none(tmp_path: Path):
    store = KeyframeStore(tmp_path / "film.mp4", {})
    store.save(0, np.zeros((4, 4, 3), np.float32))
    path = store.folder / "000000.png"
    for data in (b"", path.read_bytes()[:40], b"no picture"):
        path.write_bytes(data)
        assert store.load(0) is None


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


def warp_error(frames: Sequence[Frame], contents: Sequence[Frame]) -> float:
    """Return the mean squared difference of neighbors, moved onto each other, where visible."""
    errors = []
    for (old, new), (before, after) in zip(pairwise(frames), pairwise(contents), strict=True):
        flow = dis_flow(after, before)
        seen = reliability(flow, dis_flow(before, after)) > 0
        difference = warp(to_unit(old), flow) - to_unit(new)
        errors.append(float(np.square(difference)[seen].mean()))
    return float(np.mean(errors))


def test_painted_film_is_far_steadier_than_frames_painted_alone(assets: Path):
    frames = [
        cv2.imread(str(assets / "flow" / f"marple8_0{number}.ppm"), cv2.IMREAD_COLOR_RGB)
        for number in range(1, 6)
    ]
    frames = [cv2.resize(frame, (112, 88), interpolation=cv2.INTER_AREA) for frame in frames]
    style = cv2.imread(str(assets / "paintings" / "starry-night.jpg"), cv2.IMREAD_COLOR_RGB)
    settings = replace(PRESETS["balanced"], tv_weight=0.1, steps=30, scales=1)
    network = load_loss_network("builtin")
    optimizer = GatysOptimizer(network, [StylePicture(style[:160, :200])], settings)
    alone = [optimizer(frame).frame for frame in frames]
    painted = paint(frames, optimizer, keyframe_interval=2, next_steps=10)
    ours, theirs = warp_error(painted, frames), warp_error(alone, frames)
    assert ours < theirs / 5
    assert np.abs(painted[2].astype(float) - frames[2]).mean() > 10
