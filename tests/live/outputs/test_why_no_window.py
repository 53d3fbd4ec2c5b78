"""Where no window can be opened: the reasons, and what is offered instead."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from repository import REPO

from nst_video.errors import SinkError
from nst_video.live.outputs.window import Window, why_no_window
from nst_video.system.opencv_xcb import load_opencv_xcb, uses_foreign_xcb


@pytest.mark.parametrize("display", ["", ":4711", "nonsense"])
def test_without_a_screen_other_outputs_are_offered(display: str, clip: Path) -> None:
    environment = {**os.environ, "DISPLAY": display}
    done = subprocess.run(
        [sys.executable, "-m", "nst_video", "live", str(clip)],
        cwd=REPO, env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "DISPLAY" in done.stderr
    assert "--output" in done.stderr


def test_pyav_imported_first_is_refused_instead_of_hanging(screen: str) -> None:
    code = (
        "import av, nst_video\nfrom nst_video.live.outputs.window import why_no_window\n"
        "print(why_no_window())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, timeout=60
    )
    assert "PyAV was imported before" in done.stdout or done.stdout == "None\n"


@pytest.mark.parametrize(
    ("display", "system", "toolkit", "expected"),
    [
        (":0", "Windows", "WIN32", None),
        (":0", "Linux", "", "built without windows"),
        ("127.0.0.1:4711", "Linux", "QT", "nothing answers"),
        ("no display", "Linux", "QT", "nothing answers"),
    ],
)
def test_reasons_against_a_window(display, system, toolkit, expected, monkeypatch) -> None:
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr(cv2, "currentUIFramework", lambda: toolkit)
    reason = why_no_window()
    assert reason == expected if expected is None else expected in reason


def test_x_libraries_of_opencv_are_loaded_first() -> None:
    load_opencv_xcb()
    assert not uses_foreign_xcb()


def test_window_needs_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(SinkError, match="DISPLAY is not set"):
        Window()
