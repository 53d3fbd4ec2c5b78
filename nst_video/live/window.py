"""The window, through OpenCV; all of it belongs to the main thread."""

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
from nst_video.frames import Frame, Size, size_of
from nst_video.letterbox import resize
from nst_video.live.hotkeys import Keyboard
from nst_video.quiet import quiet_stderr
from nst_video.xcb import uses_foreign_xcb

TITLE = "nst-video"

MIN_HEIGHT = 480
"""Height in pixels under which pictures are enlarged before anything is written on them."""

FIRST_SIZE_LIMIT = (1600, 900)
"""(width, height) that a new window does not exceed."""

_KEYS_AT_ONCE = 32


def why_no_window() -> str | None:
    """Return why no window can be opened here, None where one can.

    OpenCV ends the whole process when its toolkit finds no screen, so this has to be known before.
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
    """Say whether an X server listens at a display such as ":0" or "host:10.0"."""
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
    """One resizable window that shows frames and hears keys.

    Attributes:
        is_closed: the user closed it.
    """

    def __init__(self, title: str = TITLE) -> None:
        """Check that there can be one; it opens on entering the context.

        Raises:
            SinkError: there is no window system.
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
        self._content_size: Size | None = None
        self._keyboard = Keyboard()

    def __enter__(self) -> Self:
        with quiet_stderr():  # Qt complains of fonts that it does not need.
            cv2.namedWindow(
                self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
            )
            cv2.pollKey()
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

    def show(self, frame: Frame) -> None:
        """Show a frame, RGB (height, width, 3); a first one of another size resizes the window."""
        if size_of(frame) != self._content_size:
            self._content_size = size_of(frame)
            if not self._is_fullscreen:
                cv2.resizeWindow(self._title, *_within(size_of(frame), FIRST_SIZE_LIMIT))
        cv2.imshow(self._title, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))

    def keys(self) -> list[str]:
        """Let the window live for a moment; return the keys pressed since the last call."""
        found: list[str] = []
        code = cv2.pollKey()
        while code != -1 and len(found) < _KEYS_AT_ONCE:
            found.append(self._keyboard.hear(code, time.monotonic()))
            code = cv2.pollKey()
        self.is_closed = self._was_closed()
        return [key for key in found if key]

    def set_fullscreen(self, wanted: bool) -> None:
        """Fill the screen, or do not."""
        if wanted != self._is_fullscreen:
            self._is_fullscreen = wanted
            mode = cv2.WINDOW_FULLSCREEN if wanted else cv2.WINDOW_NORMAL
            cv2.setWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN, mode)

    def _was_closed(self) -> bool:
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error:
            return True


def legible(frame: Frame) -> Frame:
    """Return `frame` enlarged where it is too small to be written on."""
    height, width = frame.shape[:2]
    if height >= MIN_HEIGHT:
        return frame
    return resize(frame, (round(width * MIN_HEIGHT / height), MIN_HEIGHT))


def _within(size: Size, limit: Size) -> Size:
    scale = min(1.0, limit[0] / size[0], limit[1] / size[1])
    return round(size[0] * scale), round(size[1] * scale)
