"""Batches: their size, their order, and how many are begun ahead."""

from pathlib import Path

import numpy as np
import pytest
from clips import Negative, make_clip

from nst_video.engines import PendingFrames
from nst_video.errors import EngineError
from nst_video.transcode import (
    TranscodeOptions,
    transcode,
)
from nst_video.transcode.batches import default_batch_size, paint_batches, stack_batches
from nst_video.video.sources import VideoFileSource

FAST = TranscodeOptions(preset="ultrafast")


@pytest.mark.parametrize(
    ("size", "count"), [((64, 48), 4), ((1280, 720), 4), ((1920, 1080), 2), ((3840, 2160), 1)]
)
def test_default_batch_is_smaller_for_larger_frames(size: tuple[int, int], count: int):
    assert default_batch_size(size) == count


def test_default_batch_holds_as_many_paintings_where_few_frames_are_painted():
    assert default_batch_size((1280, 720), frames_per_painting=3) == 12
    assert default_batch_size((3840, 2160), frames_per_painting=3) == 3


def test_default_batch_reaches_the_painter(tmp_path: Path):
    painter = Negative()
    transcode(make_clip(tmp_path / "clip.mkv"), tmp_path / "out.mkv", painter, options=FAST)
    assert [shape[0] for shape in painter.batches] == [4] * 6 + [1]


class AheadNegative(Negative):
    """Paints when it is waited for, and remembers what it was asked when."""

    def __init__(self, fails_at: int = -1) -> None:
        super().__init__()
        self.told: list[str] = []
        self._fails_at = fails_at

    def submit(self, frames: np.ndarray, /) -> PendingFrames:
        index = len(self.batches)
        self.batches.append(frames.shape)
        self.told.append(f"begin {index}")

        def wait() -> np.ndarray:
            if index == self._fails_at:
                raise EngineError("out of paint")
            self.told.append(f"end {index}")
            return 255 - frames

        return PendingFrames(wait)


def test_the_next_batch_is_begun_before_one_is_waited_for(tmp_path: Path):
    clip, painter = make_clip(tmp_path / "clip.mkv"), AheadNegative()
    options = TranscodeOptions(batch_size=10, crf=1)
    result = transcode(clip, tmp_path / "out.mkv", painter, options=options)
    assert painter.told == ["begin 0", "begin 1", "end 0", "begin 2", "end 1", "end 2"]
    with VideoFileSource(clip) as before, VideoFileSource(result.target) as after:
        for old, new in zip(before, after, strict=True):
            assert np.abs(255 - old.astype(int) - new).mean() < 4


def test_what_is_done_is_not_kept_back():
    given = []
    for painted in paint_batches(Negative(), (given.append(i) or ramp(i) for i in range(3))):
        assert painted[0, 0, 0, 0] == 255 - given[-1]
    assert given == [0, 1, 2]


def test_failure_of_a_batch_begun_ahead_leaves_nothing(tmp_path: Path):
    clip, painter = make_clip(tmp_path / "clip.mkv"), AheadNegative(fails_at=1)
    with pytest.raises(EngineError, match="out of paint"):
        transcode(clip, tmp_path / "out.mkv", painter, options=FAST)
    assert painter.told[-1] == "begin 2"
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mkv"]


def ramp(value: int) -> np.ndarray:
    return np.full((1, 8, 8, 3), value, np.uint8)


@pytest.mark.parametrize("count", [0, 1, 4, 5])
def test_batches_hold_every_frame(count: int):
    frames = [np.full((2, 2, 3), index, np.uint8) for index in range(count)]
    grouped = list(stack_batches(frames, 2))
    assert [len(group) for group in grouped] == [2] * (count // 2) + [1] * (count % 2)
    assert [int(frame[0, 0, 0]) for group in grouped for frame in group] == list(range(count))
