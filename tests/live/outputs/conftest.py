"""The film of the sessions."""

from pathlib import Path

import pytest
from live_tools import numbered, save_clip


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    frames = [numbered(n, (640, 480)) for n in range(30)]
    for frame in frames:
        frame[200:280, 500:600] = (250, 20, 20)  # a red spot to the right
    save_clip(tmp_path / "clip.avi", frames, 30)
    return tmp_path / "clip.avi"
