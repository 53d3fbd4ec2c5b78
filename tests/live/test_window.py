"""The real window under Xvfb: keys by xdotool, what they change, quitting."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from live_tools import ask_to_close, numbered, save_clip, screenshot, unchanged, wait_until

from nst_video.errors import SinkError
from nst_video.frames import Frame
from nst_video.live import CaptureOptions, LiveOptions, LiveResult, LiveSession, open_input
from nst_video.live.window import Window, legible, why_no_window
from nst_video.xcb import load_opencv_xcb, uses_foreign_xcb

REPO = Path(__file__).parents[2]
TRIES = 2


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    frames = [numbered(n, (640, 480)) for n in range(30)]
    for frame in frames:
        frame[200:280, 500:600] = (250, 20, 20)  # a red spot to the right
    save_clip(tmp_path / "clip.avi", frames, 30)
    return tmp_path / "clip.avi"


def xdotool(*arguments: str) -> str:
    done = subprocess.run(["xdotool", *arguments], capture_output=True, text=True, timeout=20)
    return done.stdout.strip()


def find_window() -> str:
    found: list[str] = []

    def is_there() -> bool:
        found[:] = xdotool("search", "--onlyvisible", "--name", "^nst-video$").split()
        return bool(found)

    wait_until(is_there, what="a window")
    return found[-1]


def press(window: str, key: str) -> None:
    xdotool("key", "--window", window, key)


def press_until(window: str, key: str, expected: Callable[[], object]) -> None:
    """Press a key and wait for its effect; again, should a busy machine have lost it."""
    for _ in range(TRIES):
        press(window, key)
        try:
            wait_until(expected, what=f"effect of {key}")
        except AssertionError as error:
            lost = error
        else:
            return
    raise lost


def drive(session: LiveSession, script: Callable[[str], None]) -> LiveResult:
    """Run the session here, where windows must live, and the script beside it."""
    errors: list[BaseException] = []

    def follow() -> None:
        try:
            window = find_window()
            wait_until(lambda: session.result.shown > 3)
            script(window)
        except BaseException as error:  # noqa: BLE001 - raised again by the test
            errors.append(error)
        finally:
            session.press("q")

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        result = session.run()
    finally:
        thread.join(30)
    if errors:
        raise errors[0]
    return result


def make_session(clip: Path, tmp_path: Path) -> LiveSession:
    return LiveSession(
        open_input(clip, CaptureOptions(loop=True)),
        lambda: unchanged(),
        options=LiveOptions(save_dir=tmp_path, target_fps=None),
    )


def red_at(frame: Frame) -> list[bool]:
    """Whether the red spot is to the left, to the right of a window in the upper left corner."""
    return [bool((frame[240, x].astype(int) - frame[240, x, ::-1])[0] > 100) for x in (90, 550)]


def test_every_key_does_what_it_says(screen: str, clip: Path, tmp_path: Path) -> None:
    session = make_session(clip, tmp_path)
    state = session.state

    def script(window: str) -> None:
        def key(name: str, expected: Callable[[], object]) -> None:
            press_until(window, name, expected)

        wait_until(lambda: len(state.thumbnails) > 9, 60)
        key("2", lambda: state.current == 1)
        key("d", lambda: state.current == 2)
        key("a", lambda: state.current == 1)
        key("bracketleft", lambda: state.wish.look.intensity == 0.9)
        key("bracketright", lambda: state.wish.look.intensity == 1.0)
        key("b", lambda: state.partner == 2)
        key("comma", lambda: state.share == 0.4)
        key("period", lambda: state.share == 0.5)
        assert [s.name for s in state.wish.selection.styles] == ["wave", "stained-glass"]
        key("0", lambda: state.wish.is_original)
        key("0", lambda: not state.wish.is_original)
        key("c", lambda: state.wish.look.keep_colors)
        key("minus", lambda: session.work_size == 224)
        key("equal", lambda: session.work_size == 256)
        # Without a window manager a busy screen may leave the window where and as large as it was.
        xdotool("windowmove", window, "0", "0", "windowsize", window, "640", "480")
        wait_until(lambda: red_at(screenshot(screen)) == [False, True])
        key("f", lambda: red_at(screenshot(screen)) == [True, False])
        # The shade behind the figures, below the last line of them.
        wait_until(lambda: screenshot(screen)[92, 100].mean() < 50)
        key("i", lambda: screenshot(screen)[92, 100].mean() > 50)
        key("question", lambda: screenshot(screen)[240, 90:550].mean() < 50)
        key("question", lambda: screenshot(screen)[240, 90:550].mean() > 50)
        key("Tab", lambda: state.is_side_by_side and screenshot(screen)[200, 900].mean() > 20)
        key("Tab", lambda: not state.is_side_by_side)
        key("Return", lambda: state.is_fullscreen)  # filling it takes a window manager
        key("Return", lambda: not state.is_fullscreen)
        key("w", lambda: list(tmp_path.glob("nst-video-*.png")))
        key("r", lambda: session._outputs.find("recording") is not None)
        shown = session.result.shown
        wait_until(lambda: session.result.shown > shown + 30)
        key("r", lambda: list(tmp_path.glob("nst-video-*.mp4")))
        key("n", lambda: "camera" in state.toast)
        key("v", lambda: "virtual camera" in state.toast.lower())
        key("l", lambda: len(state.thumbnails) == len(state.styles))
        key("space", lambda: state.wish.is_paused)
        key("space", lambda: not state.wish.is_paused)
        press(window, "q")
        wait_until(lambda: state.is_over)

    drive(session, script)
    picture = cv2.imread(str(next(tmp_path.glob("*.png"))))
    assert picture.shape == (480, 640, 3)
    assert red_at(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)) == [False, True]  # as it is


def test_closing_the_window_ends_the_session(screen: str, clip: Path, tmp_path: Path) -> None:
    session = make_session(clip, tmp_path)

    def script(window: str) -> None:
        ask_to_close(screen, window)
        wait_until(lambda: session.state.is_over)

    assert drive(session, script).shown > 3


def test_escape_ends_the_session(screen: str, clip: Path, tmp_path: Path) -> None:
    session = make_session(clip, tmp_path)

    def script(window: str) -> None:
        press(window, "Escape")
        wait_until(lambda: session.state.is_over)

    drive(session, script)


def test_command_paints_in_a_window_and_says_nothing_else(screen: str, clip: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "nst_video", "live", str(clip), "--loop", "--quiet",
         "--model", "builtin", "--engine", "identity"],
        cwd=REPO, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        window = find_window()
        wait_until(lambda: red_at(screenshot(screen)) == [False, True], 40)
        press(window, "q")
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, out, err) == (0, "", "")


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
        "import av, nst_video\nfrom nst_video.live.window import why_no_window\n"
        "print(why_no_window())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, timeout=60
    )
    assert "PyAV was imported before" in done.stdout or done.stdout == "None\n"


def test_window_shows_a_picture(screen: str) -> None:
    assert why_no_window() is None
    with Window("small") as window:
        window.show(np.zeros((480, 640, 3), np.uint8))
        assert window.keys() == []
        assert not window.is_closed


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


def test_pictures_too_small_to_write_on_are_enlarged() -> None:
    assert legible(np.zeros((240, 320, 3), np.uint8)).shape == (480, 640, 3)
    assert legible(np.zeros((720, 1280, 3), np.uint8)).shape == (720, 1280, 3)


def test_x_libraries_of_opencv_are_loaded_first() -> None:
    load_opencv_xcb()
    assert not uses_foreign_xcb()


def test_window_needs_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(SinkError, match="DISPLAY is not set"):
        Window()
