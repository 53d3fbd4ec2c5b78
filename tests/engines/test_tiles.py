"""Frames painted in tiles against frames painted whole."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tiny_network import CONFIG, random_arrays, random_style

import nst_video.system.memory
from nst_video.cli.stylizer_options import parse_tile
from nst_video.engines import (
    Device,
    Engine,
    OpenVinoEngine,
    PendingFrames,
    SecondStyle,
    TensorFlowEngine,
    TilingEngine,
    memory_estimate,
    open_engine,
)
from nst_video.engines.tiles import HALO, paint_in_tiles, plan_tiles
from nst_video.engines.tiling import MIN_ROWS
from nst_video.errors import OutOfMemoryError, UsageError
from nst_video.frames import Floats
from nst_video.networks import checkpoints
from nst_video.networks.fused import convolutions as folded
from nst_video.networks.fused import keras_backend
from nst_video.networks.fused.keras_tiles import KerasTiles
from nst_video.system.memory import free_memory

few_examples = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),  # to shrink takes minutes
    suppress_health_check=[HealthCheck.too_slow],
)


def random_frames(shape: tuple[int, ...], seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)


@few_examples
@given(
    height=st.integers(8, 75),
    width=st.integers(8, 30),
    rows=st.integers(8, 40),
    seed=st.integers(0, 99),
)
def test_tiles_equal_the_whole_frame(height: int, width: int, rows: int, seed: int) -> None:
    convolutions = folded.fuse_transformer(CONFIG, random_arrays(CONFIG, seed))
    frames, style = random_frames((1, height, width), seed), random_style(1, seed)
    content = frames.astype(np.float32) / 255
    expected = keras_backend.paint(CONFIG, convolutions, content, style)
    stages = KerasTiles(CONFIG, convolutions, as_bytes=False)
    painted = paint_in_tiles(stages, CONFIG, frames[0], style, rows)
    np.testing.assert_allclose(painted, np.asarray(expected)[0], atol=1e-4)


@given(rows=st.integers(2, 300), most=st.integers(1, 80))
def test_tiles_own_every_row_once_and_have_a_halo(rows: int, most: int) -> None:
    tiles = plan_tiles(rows, most)
    owned = [row for tile in tiles for row in range(tile.own.start, tile.own.stop)]
    assert owned == list(range(rows))
    assert len({tile.window.stop - tile.window.start for tile in tiles}) == 1
    for tile in tiles:
        assert tile.own.stop - tile.own.start <= most
        assert tile.window.start <= max(0, tile.own.start - HALO)
        assert tile.window.stop >= min(rows, tile.own.stop + HALO)


@pytest.fixture(scope="module")
def arrays() -> checkpoints.Arrays:
    return random_arrays(CONFIG, 1)


@pytest.fixture(params=["openvino", "tensorflow"])
def engine(request: pytest.FixtureRequest, arrays: checkpoints.Arrays) -> Engine:
    engine = open_engine(request.param, CONFIG, arrays)._engine
    return engine


def test_engine_paints_tiles_as_the_whole(engine: Engine) -> None:
    frame, style = random_frames((70, 33), 2), random_style(1, 2)
    whole = engine(frame[None], style)[0].astype(int)
    painted = engine.paint_tiles(frame, style, 16)
    assert whole.std() > 5
    assert np.abs(painted - whole).max() <= 1


class ShortEngine(OpenVinoEngine):
    """Has memory for so many frames at once, and tiles of so many rows."""

    def __init__(self, arrays: checkpoints.Arrays, frames: int, rows: int = 10**6) -> None:
        super().__init__(CONFIG, arrays)
        self.most, self.rows = frames, rows
        self.log: list[object] = []

    def submit(
        self, frames: NDArray[np.uint8], style: Floats, second: SecondStyle | None = None
    ) -> PendingFrames:
        self.log.append(len(frames))
        if len(frames) > self.most:
            raise OutOfMemoryError("too much")
        return super().submit(frames, style, second)

    def paint_tiles(
        self,
        frame: NDArray[np.uint8],
        style: Floats,
        rows: int,
        second: SecondStyle | None = None,
    ) -> NDArray[np.uint8]:
        self.log.append(f"{rows} rows")
        if rows > self.rows:
            raise OutOfMemoryError("too much")
        return super().paint_tiles(frame, style, rows, second)


def test_tiling_takes_fewer_frames_at_once_where_memory_runs_out(
    arrays: checkpoints.Arrays,
) -> None:
    short = ShortEngine(arrays, 2)
    frames, style = random_frames((5, 24, 24), 5), random_style(1, 5)
    expected = OpenVinoEngine(CONFIG, arrays)(frames, style).astype(int)
    tiling = TilingEngine(short, CONFIG, free=lambda: None)
    assert np.abs(tiling(frames, style) - expected).max() <= 1
    assert short.log == [5, 2, 2, 1]
    tiling(frames, style)
    assert short.log[4:] == [2, 2, 1]


def test_tiling_shrinks_tiles_where_memory_runs_out_and_says_so(
    arrays: checkpoints.Arrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nst_video.engines.tiling.TILE_PIXELS", 24 * 64)
    short, notes = ShortEngine(arrays, 0, 32), list[str]()
    frames, style = random_frames((1, 80, 24), 6), random_style(1, 6)
    expected = OpenVinoEngine(CONFIG, arrays)(frames, style).astype(int)
    painted = TilingEngine(short, CONFIG, "auto", notes.append, free=lambda: None)(frames, style)
    assert np.abs(painted - expected).max() <= 1
    assert short.log == [1, "64 rows", "32 rows"]
    assert "24x80 are painted in tiles of 32 rows" in notes[-1]
    assert "memory ran out" in notes[-1]


def test_batch_that_was_too_large_for_xla_is_not_filled_up_to_again(
    arrays: checkpoints.Arrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow as tf

    engine = TensorFlowEngine(CONFIG, arrays, Device("CPU:0", "a test's GPU", xla=True))
    seen: list[tuple[int, int]] = []

    def paint(frames: NDArray[np.uint8], style: Floats) -> tf.Tensor:
        seen.append((len(frames), len(style)))
        if len(frames) > 2:
            raise tf.errors.ResourceExhaustedError(None, None, "out of memory")
        return tf.constant(frames)

    monkeypatch.setattr(engine, "_paint", paint)
    frames = random_frames((5, 24, 24), 5)
    tiling = TilingEngine(engine, CONFIG, free=lambda: None)
    np.testing.assert_array_equal(tiling(frames, random_style(1, 5)), frames)
    assert seen == [(5, 5), (2, 2), (2, 2), (2, 2)]  # the last one filled up: no other to compile
    tiling(frames[:3], random_style(1, 5))
    assert seen[4:] == [(2, 2), (2, 2)]


@pytest.mark.parametrize("tile", ["auto", "off"])
def test_tiling_gives_up_where_nothing_fits(tile: str, arrays: checkpoints.Arrays) -> None:
    short = ShortEngine(arrays, 0, MIN_ROWS - 1)
    with pytest.raises(OutOfMemoryError, match="too much"):
        TilingEngine(short, CONFIG, tile, free=lambda: None)(
            random_frames((1, 40, 24), 7), random_style(1, 7)
        )
    assert (short.log == [1]) == (tile == "off")


def test_tiling_begins_with_tiles_where_the_estimate_exceeds_the_memory(
    arrays: checkpoints.Arrays,
) -> None:
    engine, notes = ShortEngine(arrays, 9), list[str]()
    frames, style = random_frames((1, 64, 32), 8), random_style(1, 8)
    need = memory_estimate.frame_bytes(CONFIG, (32, 64), engine.capabilities.peak_feature_maps)
    TilingEngine(engine, CONFIG, free=lambda: 2 * need)(frames, style)
    TilingEngine(engine, CONFIG, "off", free=lambda: need)(frames, style)
    TilingEngine(engine, CONFIG, "auto", notes.append, free=lambda: need)(frames, style)
    assert engine.log[:2] == [1, 1]
    assert str(engine.log[2]).endswith("rows")
    assert "is free" in notes[0]


def test_tiling_refuses_tiles_that_save_nothing(arrays: checkpoints.Arrays) -> None:
    with pytest.raises(UsageError, match="from 16 to 16384, not 4"):
        open_engine("openvino", CONFIG, arrays, tile=4)


def test_tiles_take_less_memory_the_smaller_they_are() -> None:
    whole = memory_estimate.frame_bytes(CONFIG, (3840, 2160), 3.3)
    tiles = [
        memory_estimate.tiles_bytes(CONFIG, (3840, 2160), rows, 3.3) for rows in (512, 128, 16)
    ]
    assert whole > tiles[0] > tiles[1] > tiles[2] > 3840 * 2160 * 6


def test_free_memory_heeds_the_limit_of_a_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("memory.max", "memory.current", "memory.stat")
    for name, text in zip(
        names, ("1000000", "400000", "anon 1\ninactive_file 100000"), strict=True
    ):
        (tmp_path / name).write_text(text)
    group = (tmp_path / names[0], tmp_path / names[1], "inactive_file")
    monkeypatch.setattr(nst_video.system.memory, "_CGROUPS", (group,))
    assert free_memory() in (700_000, None)
    (tmp_path / names[0]).write_text("max")
    assert free_memory() != 700_000


@pytest.mark.parametrize(("text", "tile"), [("auto", "auto"), ("off", "off"), ("256", 256)])
def test_tile_option_is_understood(text: str, tile: int | str) -> None:
    assert parse_tile(text) == tile


def test_tile_option_refuses_what_makes_no_sense() -> None:
    with pytest.raises(UsageError, match="--tile must be a whole number from 16"):
        parse_tile("-3")
