"""The working size, and what is made of paintings of that size."""

import cv2
import numpy as np
import pytest

from nst_video.finishing import finish_rgb, finish_yuv, resize_yuv, working_size
from nst_video.frames import Size
from nst_video.image.yuv420 import rgb_to_yuv
from nst_video.settings import StylizeSettings
from nst_video.video.sources import SyntheticSource


@pytest.mark.parametrize(
    ("size", "settings", "expected"),
    [
        ((640, 360), {}, (640, 360)),
        ((1280, 720), {}, (960, 540)),
        ((720, 1280), {}, (540, 960)),
        ((3840, 2160), {}, (960, 540)),
        ((4096, 2160), {}, (1024, 540)),
        ((999, 777), {}, (694, 540)),
        ((1000, 778), {}, (694, 540)),
        ((161, 121), {}, (161, 121)),
        ((3840, 2160), {"stroke_scale": 0.25}, (3840, 2160)),
        ((3840, 2160), {"stroke_scale": 0.5}, (1920, 1080)),
        ((3840, 2160), {"stroke_scale": 2}, (480, 270)),
        ((640, 360), {"stroke_scale": 0.5}, (1280, 720)),
        ((640, 360), {"stroke_scale": 2}, (320, 180)),
        ((64, 48), {"stroke_scale": 4}, (42, 32)),
        ((3840, 2160), {"work_size": "full"}, (3840, 2160)),
        ((1280, 720), {"work_size": 1080}, (1280, 720)),
        ((1280, 720), {"work_size": 240}, (427, 240)),
    ],
)
def test_strokes_shrink_no_further_in_large_frames(
    size: Size, settings: dict, expected: Size
) -> None:
    assert working_size(size, StylizeSettings(**settings)) == expected


def test_shrunk_yuv_frames_are_what_shrunk_rgb_frames_are() -> None:
    frame = next(iter(SyntheticSource((160, 120))))
    small = cv2.resize(frame, (80, 60), interpolation=cv2.INTER_AREA)
    shrunk = resize_yuv(rgb_to_yuv(frame[None]), (80, 60))[0]
    assert np.abs(shrunk.astype(int) - rgb_to_yuv(small[None])[0]).max() <= 2


def test_finer_strokes_are_painted_enlarged_in_both_pixel_formats() -> None:
    frame = next(iter(SyntheticSource((160, 120))))
    content = rgb_to_yuv(frame[None])
    large = resize_yuv(content, (320, 240))
    finished = finish_yuv(large, content, large)
    assert np.abs(finished.astype(int) - content).mean() < 1
    settings = StylizeSettings(stroke_scale=0.5)
    large = cv2.resize(frame, (320, 240), interpolation=cv2.INTER_CUBIC)[None]
    shown = finish_rgb(large, frame[None], large, settings)
    assert np.abs(shown[0].astype(int) - frame).mean() < 2


def test_yuv_frames_are_finished_with_detail_and_color() -> None:
    frame = next(iter(SyntheticSource((160, 120))))
    content = rgb_to_yuv(frame[None])
    small = resize_yuv(content, (80, 60))
    finished = finish_yuv(small, content, small)
    enlarged = cv2.resize(small[0, :60], (160, 120), interpolation=cv2.INTER_CUBIC)
    lost = np.square(enlarged.astype(float) - content[0, :120]).mean()
    assert np.square(finished[0, :120].astype(float) - content[0, :120]).mean() < 0.7 * lost
    assert np.abs(finished[0, 120:].astype(int) - content[0, 120:]).mean() < 3
