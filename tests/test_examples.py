"""The examples: each runs on small inputs made here, and passes a strict type check."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from repository import REPO

from nst_video import TranscodeOptions
from nst_video.image.synthetic import draw
from nst_video.transcode import IdentityPainter, transcode

EXAMPLES = REPO / "examples"
MAX_LINES = 30


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """A folder with a photo, a style picture and a clip of half a second."""
    Image.fromarray(draw((128, 96), 0.5)).save(tmp_path / "photo.png")
    Image.fromarray(draw((280, 260), 2.5)[::-1]).save(tmp_path / "art.png")
    options = TranscodeOptions(end_s=0.5, size=(128, 96), preset="ultrafast")
    transcode("demo:", tmp_path / "clip.mp4", IdentityPainter(), options=options)
    return tmp_path


ARGUMENTS = {
    "frames_loop.py": ("out.png",),
    "gatys.py": ("photo.png", "out.png", "wave", "2"),
    "image.py": ("photo.png", "out.png", "wave"),
    "own_style.py": ("photo.png", "art.png", "out.png"),
    "video.py": ("clip.mp4", "out.mp4", "wave"),
    "webcam.py": ("clip.mp4", "out.mp4"),
}
"""What each example is run with."""


NOT_RUN = {"ray_data.py"}
"""Needs pyarrow and pandas, which no extra installs, and a cluster."""


def test_every_example_is_run() -> None:
    assert sorted({*ARGUMENTS, *NOT_RUN}) == sorted(path.name for path in EXAMPLES.glob("*.py"))


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_example_runs_and_is_short(
    inputs: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = EXAMPLES / name
    assert len(script.read_text("utf-8").splitlines()) < MAX_LINES
    monkeypatch.chdir(inputs)
    monkeypatch.setattr(sys, "argv", [str(script), *ARGUMENTS[name]])
    runpy.run_path(str(script), run_name="__main__")
    (written,) = inputs.glob("out.*")
    assert written.stat().st_size > 0


def test_cells_of_the_notebook_run(inputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = json.loads((EXAMPLES / "notebook.ipynb").read_text("utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    monkeypatch.chdir(inputs)
    names: dict[str, object] = {}
    exec("\n".join(code), names)
    assert [image.size for image in names["painted"]] == [(128, 96)] * 3


def test_examples_pass_a_strict_type_check() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--explicit-package-bases", str(EXAMPLES)],
        cwd=REPO,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
