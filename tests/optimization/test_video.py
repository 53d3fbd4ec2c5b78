"""Video painted by optimization."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import cv2
import numpy as np
from moving_pictures import FPS, SIZE, pan

from nst_video.frames import Floats, Frame, VideoInfo
from nst_video.networks.vgg import load_loss_network
from nst_video.optimization.gatys import GatysOptimizer
from nst_video.optimization.painting import (
    Painting,
    PaintStep,
    StylePicture,
    TemporalTarget,
    to_unit,
)
from nst_video.optimization.settings import PRESETS
from nst_video.optimization.video import VideoPainter
from nst_video.optimization.video_settings import VideoSettings
from nst_video.scoring import flow, measures


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
        assert targets[0].reliability[:, -4:].max() < 0.05


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
    assert np.abs(painted[0] - stripes * 255).max() <= 2  # by rounding, of YCrCb too


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


def warp_error(frames: Sequence[Frame], contents: Sequence[Frame]) -> float:
    """Return the mean warp error of neighbors, by a flow that is not the painter's."""
    found = [flow.correspondence(now, before) for before, now in pairwise(contents)]
    errors = [
        measures.warp_error(now, before, where)
        for (before, now), where in zip(pairwise(frames), found, strict=True)
    ]
    return fmean(each for each in errors if each is not None)


def test_painted_film_is_far_steadier_than_frames_painted_alone(assets: Path):
    frames = [
        cv2.imread(str(assets / "flow" / f"marple8_0{number}.ppm"), cv2.IMREAD_COLOR_RGB)
        for number in range(1, 4)
    ]
    frames = [cv2.resize(frame, (112, 88), interpolation=cv2.INTER_AREA) for frame in frames]
    style = cv2.imread(str(assets / "paintings" / "starry-night.jpg"), cv2.IMREAD_COLOR_RGB)
    settings = replace(PRESETS["balanced"], tv_weight=0.1, steps=30, scales=1)
    network = load_loss_network("builtin")
    optimizer = GatysOptimizer(network, [StylePicture(style[:160, :200])], settings)
    alone = [optimizer(frame).frame for frame in frames]
    painted = paint(frames, optimizer, keyframe_interval=2, next_steps=10)
    ours, theirs = warp_error(painted, frames), warp_error(alone, frames)
    assert ours < theirs / 20
    assert ours < 1.3 * warp_error(frames, frames)
    assert np.abs(painted[2].astype(float) - frames[2]).mean() > 10
