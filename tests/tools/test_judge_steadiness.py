"""The judge of steadiness tells a film that flickers from one that does not."""

import importlib.util
import sys
from types import ModuleType

import numpy as np
import pytest
from repository import REPO

from nst_video.frames import Frame

COUNT = 14


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    path = REPO / "tools" / "judge_steadiness.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pan(strength: float) -> list[Frame]:
    """Return a pan over smooth noise, with strokes of a strength that differ in every frame."""
    random = np.random.default_rng(1)
    wide = random.integers(0, 255, (12, 24, 3)).repeat(8, 0).repeat(8, 1).astype(np.float32)
    strokes = [strength * random.normal(0, 1, (96, 128, 3)) for _ in range(COUNT)]
    frames = [wide[:, 2 * n : 2 * n + 128] + each for n, each in enumerate(strokes)]
    return [np.clip(frame, 0, 255).astype(np.uint8) for frame in frames]


def test_steady_film_holds_and_flickering_film_does_not(
    tool: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    source, flickering = pan(1), pan(30)
    _, flow = tool.find_flow_method()
    where = tool.correspond(source, flow)
    judged = {
        name: tool.judge(film, where)
        for name, film in {"source": source, "frame by frame": flickering, "steady": source}.items()
    }
    assert judged["frame by frame"].errors[1] > 4 * judged["steady"].errors[1]
    sharp = judged["frame by frame"].sharpness
    fair = tool.Judgment(judged["steady"].errors, sharp)
    assert tool.report({**judged, "steady": fair})
    assert not tool.report({**judged, "steady": judged["frame by frame"]})
    assert not tool.report(judged)  # steady, but blurred
    assert "frame by frame" in capsys.readouterr().out
