"""Sources of a live session, made from a text."""

import time
from pathlib import Path

from live_tools import (
    number_in,
    numbered,
    save_clip,
)

from nst_video.live import (
    CaptureOptions,
    open_live_source,
)


def test_file_loops_without_a_gap(tmp_path: Path) -> None:
    save_clip(tmp_path / "clip.avi", [numbered(n) for n in range(30)], 30)
    source = open_live_source(tmp_path / "clip.avi", CaptureOptions(loop=True)).open()
    numbers, times = [], []
    with source:
        for frame in source:
            numbers.append(number_in(frame))
            times.append(time.monotonic())
            if len(numbers) == 75:
                break
    assert numbers == [n % 30 for n in range(75)]
    assert 2.2 < times[-1] - times[0] < 3.2  # 74 frames at 30 a second
