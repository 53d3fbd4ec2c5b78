"""The window, through OpenCV. Everything here runs in the main thread."""

import os
import platform
import re
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2

from nst_video.errors import SinkError
from nst_video.frames import Frame, Size, fit_within
from nst_video.live.hotkeys import WHEEL_DOWN, WHEEL_UP, Keyboard
from nst_video.live.outputs.qt_zoom import reset_zoom
from nst_video.system.opencv_xcb import uses_foreign_xcb
from nst_video.system.stderr import quiet_stderr

TITLE = "nst-video"

MIN_HEIGHT = 480
"""Minimum height in pixels of a new window."""

FIRST_SIZE_LIMIT = (1600, 900)
"""Maximum (width, height) in pixels of a new window."""

_KEYS_AT_ONCE = 32
_NOTCH = 120
"""Value that toolkits report for one notch of the wheel; touchpads report less."""


def why_no_window() -> str | None:
    """Return why no window can be opened, None if one can.

    OpenCV aborts the process if its toolkit finds no screen, so this is checked before.
    """
    toolkit = cv2.currentUIFramework()
    if not toolkit:
        return "this OpenCV is built without windows (opencv-python-headless?)"
    if platform.system() != "Linux":
        return None
    if uses_foreign_xcb():
        return "PyAV was imported before nst_video, and their X libraries clash"
    display = os.environ.get("DISPLAY")
    if not display:
        return f"{toolkit} finds no screen (DISPLAY is not set)"
    if not _answers(display):
        return f"{toolkit} finds no screen (nothing answers at DISPLAY={display})"
    return None


def _answers(display: str) -> bool:
    """Return True if an X server listens at a display such as ":0" or "host:10.0"."""
    match = re.fullmatch(r"(.*):(\d+)(?:\.\d+)?", display)
    if match is None:
        return False
    host, number = match[1], int(match[2])
    try:
        if host in ("", "unix"):
            with socket.socket(socket.AF_UNIX) as local:
                path = Path(f"/tmp/.X11-unix/X{number}")
                # The second form has no file: Linux's abstract names begin with a zero byte.
                address = str(path) if path.exists() else f"\0{path}"
                local.connect(address)
        else:
            with socket.create_connection((host, 6000 + number), timeout=2):
                pass
    except OSError:
        return False
    return True


class Window:
    """A resizable window that shows frames and reports keys and mouse clicks.

    Draw frames at the window's own `size`: text is sharp then, and a frame of another aspect ratio
    gets the bars of `letterbox` instead of being stretched by the toolkit.

    Attributes:
        is_closed: the user closed it.
    """

    def __init__(self, title: str = TITLE) -> None:
        """Check that a window can be opened; it opens on entering the context.

        Raises:
            SinkError: no window can be opened.
        """
        reason = why_no_window()
        if reason is not None:
            raise SinkError(
                f"No window can be opened: {reason}. "
                "Use --output instead: a file such as painted.mp4, http: or virtual:."
            )
        self.is_closed = False
        self._title = title
        self._is_fullscreen = False
        self._shape: Size | None = None
        self._size = (1, 1)
        self._clicks: list[tuple[int, int]] = []
        self._wheel_notches = 0.0
        self._keyboard = Keyboard()

    def __enter__(self) -> Self:
        with quiet_stderr():  # Qt complains of fonts that it does not need.
            cv2.namedWindow(
                self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_FREERATIO | cv2.WINDOW_GUI_NORMAL
            )
            cv2.pollKey()
        cv2.setMouseCallback(self._title, self._on_mouse)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._was_closed():
            cv2.destroyWindow(self._title)
            cv2.pollKey()

    def fit(self, size: Size) -> None:
        """Resize when the aspect ratio of `size` changes; else keep the size set by the user."""
        if self._is_fullscreen or (self._shape and _has_same_shape(size, self._shape)):
            return
        self._shape, self._size = size, _natural(size)
        cv2.resizeWindow(self._title, *self._size)

    @property
    def size(self) -> Size:
        """(width, height) of the drawing area in pixels."""
        try:
            _, _, width, height = cv2.getWindowImageRect(self._title)
        except cv2.error:  # It has just been closed.
            return self._size
        if width > 1 and height > 1:
            self._size = (width, height)
        return self._size

    def show(self, frame: Frame) -> None:
        """Show a frame, uint8 RGB (height, width, 3), preferably of the window's own `size`."""
        cv2.imshow(self._title, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))

    def keys(self) -> list[str]:
        """Process the window's events; return the keys pressed since the last call.

        A notch of the mouse wheel counts as a key.
        """
        found: list[str] = []
        code = cv2.pollKey()
        while code != -1 and len(found) < _KEYS_AT_ONCE:
            found.append(self._keyboard.decode(code, time.monotonic()))
            code = cv2.pollKey()
        self.is_closed = self._was_closed()
        turns, self._wheel_notches = (
            int(self._wheel_notches),
            self._wheel_notches - int(self._wheel_notches),
        )
        found += [WHEEL_UP if turns > 0 else WHEEL_DOWN] * abs(turns)
        return [key for key in found if key]

    def clicks(self) -> list[tuple[int, int]]:
        """Return the points (x, y) clicked since the last call, in pixels of the frame shown."""
        clicks, self._clicks = self._clicks, []
        return clicks

    def _on_mouse(self, event: int, x: int, y: int, flags: int, _: object) -> None:
        if event == cv2.EVENT_LBUTTONDOWN:
            self._clicks.append((x, y))
        elif event == cv2.EVENT_MOUSEWHEEL:
            self._wheel_notches += (flags >> 16) / _NOTCH
            reset_zoom()

    def set_fullscreen(self, wanted: bool) -> None:
        """Turn full screen on or off."""
        if wanted != self._is_fullscreen:
            self._is_fullscreen = wanted
            mode = cv2.WINDOW_FULLSCREEN if wanted else cv2.WINDOW_NORMAL
            cv2.setWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN, mode)

    def _was_closed(self) -> bool:
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error:
            return True


def _natural(size: Size) -> Size:
    """Return the size of a new window for frames of `size`, within the limits above."""
    scale = max(1.0, MIN_HEIGHT / size[1])
    return fit_within((round(size[0] * scale), round(size[1] * scale)), FIRST_SIZE_LIMIT)


def _has_same_shape(size: Size, other: Size) -> bool:
    return abs(size[0] * other[1] - other[0] * size[1]) < 0.01 * size[0] * other[1]
