"""The real window under Xvfb: keys by xdotool, what they change, quitting."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from string import ascii_lowercase

import cv2
import numpy as np
import pytest
from live_tools import ask_to_close, screenshot, unchanged, wait_until
from repository import REPO

from nst_video.frames import Frame
from nst_video.live import CaptureOptions, LiveOptions, LiveResult, LiveSession, open_live_source
from nst_video.live.hotkeys import CHORD_S, HOTKEYS
from nst_video.live.outputs.window import Window, why_no_window

TRIES = 2


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


def place_of(window: str) -> list[str]:
    """Where the window is and how large."""
    return xdotool("getwindowgeometry", window).splitlines()[1:]


def move_to_corner(screen: str, window: str) -> None:
    """Wait for the picture, then move the window until it stays: a busy screen may lose that.

    Moved before it is painted for the first time, a window without a manager may stay black.
    """

    def is_there() -> bool:
        place = " ".join(place_of(window))
        if "Position: 0,0 " in place and "Geometry: 640x480" in place:
            return True
        xdotool("windowmove", window, "0", "0", "windowsize", window, "640", "480")
        return False

    wait_until(lambda: screenshot(screen).max() > 200, what="a picture")
    wait_until(is_there, what="the window in the corner")


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
        open_live_source(clip, CaptureOptions(loop=True)),
        lambda: unchanged(),
        options=LiveOptions(save_dir=tmp_path, target_fps=None),
    )


def red_at(frame: Frame) -> list[bool]:
    """Whether the red spot is to the left, to the right of a window in the upper left corner."""
    return [bool((frame[240, x].astype(int) - frame[240, x, ::-1])[0] > 100) for x in (90, 550)]


KeyPress = Callable[[str, Callable[[], object]], None]
"""Presses a key and waits for its effect."""


def press_style_keys(key: KeyPress, session: LiveSession) -> None:
    state = session.state
    key("2", lambda: state.current == 1)
    key("d", lambda: state.current == 2)
    key("a", lambda: state.current == 1)
    key("Right", lambda: state.current == 2)
    key("Left", lambda: state.current == 1)
    key("Down", lambda: state.request.settings.intensity == 0.9)
    key("Up", lambda: state.request.settings.intensity == 1.0)
    key("bracketleft", lambda: state.request.settings.intensity == 0.9)
    key("bracketright", lambda: state.request.settings.intensity == 1.0)
    key("b", lambda: state.partner == 2)
    key("comma", lambda: state.share == 0.4)
    key("period", lambda: state.share == 0.5)
    assert [s.name for s in state.request.selection.styles] == ["wave", "stained-glass"]
    key("0", lambda: state.request.is_original)
    key("0", lambda: not state.request.is_original)
    key("c", lambda: state.request.settings.keep_colors)
    key("minus", lambda: session.work_size == 224)
    key("equal", lambda: session.work_size == 256)


def press_view_keys(key: KeyPress, session: LiveSession, screen: str) -> None:
    state = session.state
    wait_until(lambda: red_at(screenshot(screen)) == [False, True])
    key("f", lambda: red_at(screenshot(screen)) == [True, False])
    # The shade behind the figures, below the last line of them.
    wait_until(lambda: screenshot(screen)[92, 100].mean() < 50)
    key("i", lambda: screenshot(screen)[92, 100].mean() > 50)
    # A line of letters is brighter than the shade behind them.
    key("question", lambda: np.median(screenshot(screen)[232:248, 90:550].max(axis=-1)) < 50)
    key("question", lambda: np.median(screenshot(screen)[232:248, 90:550].max(axis=-1)) > 50)
    key("Tab", lambda: state.is_side_by_side and screenshot(screen)[380, 320].max() < 30)
    key("Tab", lambda: not state.is_side_by_side)
    key("Return", lambda: state.is_fullscreen)  # filling it takes a window manager
    key("Return", lambda: not state.is_fullscreen)


def press_other_keys(key: KeyPress, session: LiveSession, folder: Path) -> None:
    state = session.state
    key("w", lambda: list(folder.glob("nst-video-*.png")))
    key("r", lambda: session.outputs.find("recording") is not None)
    shown = session.result.shown
    wait_until(lambda: session.result.shown > shown + 30)
    key("r", lambda: list(folder.glob("nst-video-*.mp4")))
    key("n", lambda: "camera" in state.toast)
    key("v", lambda: "virtual camera" in state.toast.lower())
    key("l", lambda: len(state.thumbnails) == len(state.styles))
    key("space", lambda: state.request.is_paused)
    key("space", lambda: not state.request.is_paused)


def test_every_key_does_what_it_says(screen: str, clip: Path, tmp_path: Path) -> None:
    session = make_session(clip, tmp_path)

    def script(window: str) -> None:
        key = partial(press_until, window)
        wait_until(lambda: len(session.state.thumbnails) > 9, 60)
        press_style_keys(key, session)
        move_to_corner(screen, window)
        press_view_keys(key, session, screen)
        press_other_keys(key, session, tmp_path)
        press(window, "q")
        wait_until(lambda: session.state.is_over)

    drive(session, script)
    picture = cv2.imread(str(next(tmp_path.glob("*.png"))))
    assert picture.shape == (480, 640, 3)
    assert red_at(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)) == [False, True]  # as it is


def bars(frame: Frame) -> list[int]:
    """How wide the black edges of a picture are: left, top, right, bottom."""
    rows, columns = np.nonzero(frame.max(axis=-1) > 20)
    height, width = frame.shape[:2]
    if rows.size == 0:
        return [width, height, width, height]
    return [columns.min(), rows.min(), width - 1 - columns.max(), height - 1 - rows.max()]


def test_picture_keeps_its_shape_and_tab_keeps_the_window(
    screen: str, clip: Path, tmp_path: Path
) -> None:
    session = make_session(clip, tmp_path)
    state = session.state
    state.shows_hud = False

    def script(window: str) -> None:
        def is_shown(size: tuple[int, int], expected: list[int]) -> bool:
            shown = screenshot(screen)[: size[1], : size[0]]
            return bool(np.abs(np.subtract(bars(shown), expected)).max() <= 2)

        move_to_corner(screen, window)
        wait_until(lambda: not state.toast)  # it would be written over the bars
        wait_until(lambda: is_shown((640, 480), [0, 0, 0, 0]), what="no bars at first")
        before = place_of(window)
        for wanted, expected in ((True, [0, 120, 0, 120]), (False, [0, 0, 0, 0])):
            press_until(window, "Tab", lambda wanted=wanted: state.is_side_by_side == wanted)
            wait_until(lambda expected=expected: is_shown((640, 480), expected), what="halves")
            assert place_of(window) == before
        for size, expected in (((900, 480), [130, 0, 130, 0]), ((400, 600), [0, 150, 0, 150])):
            xdotool("windowsize", window, *map(str, size))
            wait_until(lambda s=size, e=expected: is_shown(s, e), what=f"bars at {size}")

    drive(session, script)


def test_mouse_chooses_styles_and_intensity(screen: str, clip: Path, tmp_path: Path) -> None:
    session = make_session(clip, tmp_path)
    state = session.state

    def script(window: str) -> None:
        def click(button: int, times: int, expected: Callable[[], object]) -> None:
            xdotool("click", "--repeat", str(times), "--delay", "60", str(button))
            wait_until(expected, 10, f"effect of button {button}")

        wait_until(lambda: len(state.thumbnails) > 9, 60)
        move_to_corner(screen, window)
        wait_until(lambda: screenshot(screen)[240, 320].mean() > 50)
        xdotool("mousemove", "300", "200")
        click(5, 3, lambda: state.request.settings.intensity == 0.7)  # the wheel, toward the user
        click(4, 2, lambda: state.request.settings.intensity == 0.9)
        wait_until(lambda: red_at(screenshot(screen)) == [False, True], what="no zoom")
        assert screenshot(screen)[190:200, 545:555, 0].max() < 200  # the spot begins at line 200
        click(1, 1, lambda: True)  # on the picture: nothing
        xdotool("mousemove", "320", "450")
        click(1, 1, lambda: state.current == 5)
        assert state.request.selection.title == state.styles[5].title
        press_until(window, "i", lambda: not state.shows_hud)
        xdotool("mousemove", "100", "450")
        click(1, 1, lambda: True)  # nothing is drawn there any more
        press_until(window, "i", lambda: state.shows_hud)
        assert state.current == 5

    drive(session, script)


@pytest.mark.parametrize(
    ("picture", "window"),
    [((320, 240), (640, 480)), ((1280, 720), (1280, 720)), ((120, 480), (120, 480)),
     ((3840, 2160), (1600, 900)), ((4000, 100), (1600, 40))],
)  # fmt: skip
def test_new_window_has_the_shape_of_the_picture(
    screen: str, picture: tuple[int, int], window: tuple[int, int]
) -> None:
    sizes: list[tuple[int, int]] = []
    with Window("shape") as shown:
        for size in (picture, (2 * picture[0], 2 * picture[1])):  # another size of that shape
            shown.fit(size)
            shown.show(np.zeros((shown.size[1], shown.size[0], 3), np.uint8))
            wait_until(lambda: shown.keys() == [] and shown.size == window, 10)
            sizes.append(shown.size)
    assert sizes == [window, window]


def test_200_updates_of_a_window_hold_nothing(screen: str) -> None:
    def held() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    with Window("flat") as window:
        before = held()
        for number in range(200):
            window.fit((640 + 320 * (number // 50), 480))
            width, height = window.size
            window.show(np.full((height, width, 3), number, np.uint8))
            window.keys()
        assert held() == before


# Not with Alt: Qt keeps the last code only, so on a busy machine Alt itself may go unheard.
MEANINGLESS = [
    "Home", "End", "Prior", "Next", "Insert", "Delete", "BackSpace", "F1", "F2", "F5", "F12",
    "KP_Home", "KP_Begin", "KP_Multiply", "Num_Lock", "Print", "Pause", "Menu",
    *sorted(set(ascii_lowercase) - {key for hotkey in HOTKEYS for key in hotkey.keys}),
    "exclam", "colon",
    # Last, as shift and another layout of the keyboard may last into the next key.
    "ctrl+q", "ctrl+r", "Shift_L", "shift+Tab", "adiaeresis", "Cyrillic_a", "XF86AudioMute",
    "dead_acute",
]  # fmt: skip


def test_keys_without_a_meaning_do_nothing(screen: str, clip: Path, tmp_path: Path) -> None:
    session = make_session(clip, tmp_path)
    state = session.state

    def script(window: str) -> None:
        before = (state.request, state.is_side_by_side, state.shows_help, state.is_mirrored)
        for start in range(0, len(MEANINGLESS), 10):
            keys = MEANINGLESS[start : start + 10]
            xdotool("key", "--window", window, "--delay", "5", *keys)
        over_s = time.monotonic() + CHORD_S  # what follows Control belongs to it
        wait_until(lambda: time.monotonic() > over_s)
        press_until(window, "i", lambda: not state.shows_hud)  # after all the others
        assert (state.request, state.is_side_by_side, state.shows_help, state.is_mirrored) == before
        assert not state.is_over
        assert not len(session.outputs)

    drive(session, script)


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


def test_window_shows_a_picture(screen: str) -> None:
    assert why_no_window() is None
    with Window("small") as window:
        window.show(np.zeros((480, 640, 3), np.uint8))
        assert window.keys() == []
        assert not window.is_closed
