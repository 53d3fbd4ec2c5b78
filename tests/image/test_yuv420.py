"""YUV 4:2:0 frames: conversion, and painting them compared with painting RGB."""

import subprocess

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nst_video.engines import (
    Device,
    Engine,
    OpenVinoEngine,
    PendingFrames,
    SecondStyle,
    TensorFlowEngine,
    TilingEngine,
)
from nst_video.engines.tiling import MIN_ROWS
from nst_video.errors import EngineError, OutOfMemoryError
from nst_video.image.yuv420 import (
    OUTPUT_COLORS,
    YuvColors,
    YuvFrames,
    rgb_to_yuv,
    yuv_shape,
    yuv_to_rgb,
)
from nst_video.networks import checkpoints
from nst_video.networks.config import TransformerConfig
from nst_video.networks.transformer import StyleTransformer
from nst_video.settings import ModelOptions
from nst_video.stylizer import Stylizer
from nst_video.video.media.ffmpeg import ffmpeg_exe
from nst_video.video.media.filters import MATRICES, encode_filters

CONFIG = TransformerConfig((4, 8, 8), 1, bottleneck=5)
"""Shape of a small network."""

COLORS = [
    YuvColors(matrix, full) for matrix in sorted({*MATRICES.values()}) for full in (False, True)
]

SIZES = [(48, 32), (46, 30), (8, 10), (130, 70)]
"""Multiples of the network's stride, sizes two pixels more, and others."""


@pytest.fixture(scope="module")
def arrays() -> checkpoints.Arrays:
    rng = np.random.default_rng(3)
    return {
        key: rng.normal(0, 0.3, value.shape).astype(np.float32)
        for key, value in checkpoints.collect(StyleTransformer(CONFIG)).items()
    }


@pytest.fixture(scope="module", params=["openvino", "tensorflow"])
def engine(request: pytest.FixtureRequest, arrays: checkpoints.Arrays) -> Engine:
    engines = {"openvino": OpenVinoEngine, "tensorflow": TensorFlowEngine}
    return engines[request.param](CONFIG, arrays)


def style(n: int = 1) -> NDArray[np.float32]:
    return np.random.default_rng(6).normal(0, 1, (n, CONFIG.style_size)).astype(np.float32)


def random_yuv(size: tuple[int, int], n: int = 1) -> YuvFrames:
    """Any bytes at all: many of them are outside of what RGB can show."""
    return np.random.default_rng(5).integers(0, 256, (n, *yuv_shape(size)), np.uint8)


def picture(size: tuple[int, int]) -> NDArray[np.uint8]:
    """All colors, smooth and sharp."""
    width, height = size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    channels = [255 * x / width, 255 * y / height, 127 + 127 * np.sin(x / 3 + y / 7)]
    frame = np.stack(channels, -1)
    frame[height // 4 : height // 2, width // 4 : width // 2] = [255, 0, 0]
    frame[height // 3 : height // 2, width // 2 :] = [0, 0, 255]
    return frame.round().astype(np.uint8)


def through_ffmpeg(
    data: NDArray[np.uint8], pixels: str, size: tuple[int, int], filters: str
) -> NDArray[np.uint8]:
    """Return raw pictures that ffmpeg makes of raw pictures."""
    command = [ffmpeg_exe(), "-v", "error", "-f", "rawvideo", "-pix_fmt", pixels]
    command += ["-video_size", "{}x{}".format(*size), "-i", "pipe:0", "-vf", filters]
    command += ["-f", "rawvideo", "pipe:1"]
    run = subprocess.run(command, input=data.tobytes(), capture_output=True, check=True)
    return np.frombuffer(run.stdout, np.uint8)


def difference(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> int:
    return int(np.abs(a.astype(int) - b).max())


@pytest.mark.parametrize("colors", COLORS, ids=lambda c: f"{c.matrix}-{c.is_full_range:d}")
def test_frames_of_yuv_are_those_of_ffmpeg(colors: YuvColors) -> None:
    size = (160, 98)
    yuv = rgb_to_yuv(picture(size)[None])
    values = "pc" if colors.is_full_range else "tv"
    scale = "scale=flags=neighbor+accurate_rnd+full_chroma_int"
    filters = f"{scale}:in_color_matrix={colors.matrix}:in_range={values}:out_range=pc,format=rgb24"
    expected = through_ffmpeg(yuv, "yuv420p", size, filters)
    assert difference(yuv_to_rgb(yuv, colors).ravel(), expected) <= 1


def test_yuv_of_frames_are_those_of_ffmpeg() -> None:
    size = (160, 98)
    frame = picture(size)
    expected = through_ffmpeg(frame, "rgb24", size, encode_filters("yuv420p"))
    assert difference(rgb_to_yuv(frame[None]).ravel(), expected) <= 1


@given(
    width=st.integers(1, 40), height=st.integers(1, 80), n=st.integers(1, 3), seed=st.integers(0, 9)
)
def test_a_round_trip_changes_nothing_but_rounding(
    width: int, height: int, n: int, seed: int
) -> None:
    blocks = np.random.default_rng(seed).integers(0, 256, (n, height, width, 3), np.uint8)
    frames = blocks.repeat(2, 1).repeat(2, 2)
    again = yuv_to_rgb(rgb_to_yuv(frames), OUTPUT_COLORS)
    assert again.shape == frames.shape
    assert difference(again, frames) <= 3


def test_color_maps_undo_each_other() -> None:
    for colors in COLORS:
        to_rgb, from_rgb = colors.to_rgb(), colors.from_rgb()
        np.testing.assert_allclose(to_rgb[:, :3] @ from_rgb[:, :3], np.eye(3), atol=1e-5)
        np.testing.assert_allclose(to_rgb[:, :3] @ from_rgb[:, 3], -to_rgb[:, 3], atol=1e-3)


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),  # to shrink would compile for every size
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(size=st.sampled_from(SIZES), colors=st.sampled_from(COLORS), n=st.integers(1, 3))
def test_engine_paints_yuv_as_it_paints_their_frames(
    engine: Engine, size: tuple[int, int], colors: YuvColors, n: int
) -> None:
    yuv = random_yuv(size, n)
    painted = engine.submit_yuv(yuv, style(n), colors).wait()
    expected = rgb_to_yuv(engine(yuv_to_rgb(yuv, colors), style(n)))
    assert painted.shape == yuv.shape
    assert painted.dtype == np.uint8
    assert expected.std() > 5
    assert difference(painted, expected) <= 1


def test_openvino_reads_networks_for_yuv_from_the_disk(arrays: checkpoints.Arrays) -> None:
    yuv, colors = random_yuv((48, 32)), [YuvColors("bt601", full) for full in (False, True)]
    first, second = OpenVinoEngine(CONFIG, arrays), OpenVinoEngine(CONFIG, arrays)
    painted = [first.submit_yuv(yuv, style(), each).wait() for each in colors]
    again = [second.submit_yuv(yuv, style(), each).wait() for each in reversed(colors)]
    np.testing.assert_array_equal(painted, again[::-1])
    assert difference(painted[0], painted[1]) > 5
    for each in colors:
        network = second._compiled((48, 32), "LATENCY", each, False).model
        assert network.get_property("LOADED_FROM_CACHE")


def test_tensorflow_paints_yuv_as_on_a_gpu_by_xla(arrays: checkpoints.Arrays) -> None:
    plain, engine = (
        TensorFlowEngine(CONFIG, arrays, Device("CPU:0", "test", "mixed_float16", xla=xla))
        for xla in (False, True)
    )
    yuv, colors = random_yuv((24, 16), 2), YuvColors("bt709", is_full_range=False)
    expected = rgb_to_yuv(plain(yuv_to_rgb(yuv, colors), style()))
    assert difference(engine.submit_yuv(yuv, style(), colors).wait(), expected) <= 1


def test_tensorflow_traces_yuv_once_for_all_sizes(arrays: checkpoints.Arrays) -> None:
    engine = TensorFlowEngine(CONFIG, arrays)
    for size in SIZES[:2]:
        engine.submit_yuv(random_yuv(size), style(), OUTPUT_COLORS).wait()
    assert engine._paint_yuv.experimental_get_tracing_count() == 1


def test_engine_refuses_yuv_too_small_to_pad(engine: Engine) -> None:
    with pytest.raises(EngineError, match="6x64 is too small"):
        engine.submit_yuv(random_yuv((6, 64)), style(), OUTPUT_COLORS).wait()


def test_yuv_keep_their_colors_where_the_network_computes_in_mixed_numbers() -> None:
    stylizer = Stylizer("wave", options=ModelOptions(engine="openvino-fast"))
    engine, parameters = (
        stylizer.engine,
        stylizer.model.style_parameters(stylizer.style_vector[None]),
    )
    assert isinstance(engine, TilingEngine)
    yuv = rgb_to_yuv(cv2.resize(picture((160, 96)), (320, 192))[None])
    colors = YuvColors("bt601", is_full_range=False)
    expected = rgb_to_yuv(engine(yuv_to_rgb(yuv, colors), parameters))
    painted = engine.submit_yuv(yuv, parameters, colors).wait()
    # Roundings fall differently here and there, and the norms spread that.
    assert np.abs(painted.astype(float) - expected).mean() < 0.5
    assert abs(float(painted.mean()) - float(expected.mean())) < 0.05


class ShortEngine(OpenVinoEngine):
    """Has memory for no picture at all, but for tiles; notices at once or late."""

    is_late = False

    def submit_yuv(
        self,
        yuv: YuvFrames,
        style: NDArray[np.float32],
        colors: YuvColors,
        second: SecondStyle | None = None,
    ) -> PendingFrames:
        def fail() -> YuvFrames:
            raise OutOfMemoryError("no memory")

        return PendingFrames(fail if self.is_late else fail())


@pytest.mark.parametrize("is_late", [False, True])
def test_yuv_are_painted_in_tiles_where_memory_runs_out(
    arrays: checkpoints.Arrays, is_late: bool
) -> None:
    yuv, colors = random_yuv((40, 64), 2), YuvColors("bt601", is_full_range=True)
    notes: list[str] = []
    short = ShortEngine(CONFIG, arrays)
    short.is_late = is_late
    tiling = TilingEngine(short, CONFIG, on_note=notes.append)
    painted = tiling.submit_yuv(yuv, style(2), colors).wait()
    whole = OpenVinoEngine(CONFIG, arrays).submit_yuv(yuv, style(2), colors).wait()
    assert difference(painted, whole) <= 1
    assert len(notes) == 1
    assert tiling.is_tiled((40, 64))
    tiling = TilingEngine(short, CONFIG)
    begun = [tiling.submit_yuv(yuv, style(2), colors) for _ in range(2)]
    assert all(difference(painting.wait(), whole) <= 1 for painting in begun)
    forced = TilingEngine(OpenVinoEngine(CONFIG, arrays), CONFIG, tile=MIN_ROWS)
    assert difference(forced.submit_yuv(yuv, style(2), colors).wait(), whole) <= 1
