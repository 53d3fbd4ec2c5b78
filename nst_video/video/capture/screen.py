"""The screen or a region of it, grabbed with mss."""

import re
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from nst_video.errors import MissingExtraError, SourceError, UsageError
from nst_video.frames import Frame, VideoInfo
from nst_video.video.capture.base import CaptureSource
from nst_video.video.capture.capture_options import CaptureOptions

FPS = Fraction(30)

_REGION = re.compile(r"(\d+)x(\d+)(?:\+(\d+)\+(\d+))?")


class ScreenSource(CaptureSource):
    """A monitor or a region of the screen, grabbed at a constant rate."""

    def __init__(self, where: str = "", options: CaptureOptions | None = None) -> None:
        """Choose the region; the screen is opened on entering the context.

        Args:
            where: "" for all monitors together, "2" for the second, "640x480+100+50" for a region
                of width x height + left + top, in pixels.
            options: the rate, by default `FPS`.

        Raises:
            UsageError: `where` has another form.
        """
        super().__init__(f"Screen {where}".rstrip())
        self._where = where
        self._options = options or CaptureOptions()
        if where and not where.isdecimal() and not _REGION.fullmatch(where):
            raise UsageError(
                f"A screen is a monitor's number or a region such as 640x480+100+50, not {where!r}."
            )
        self._grabber: Any = None
        self._region: dict[str, int] = {}

    def _open(self) -> VideoInfo:
        try:
            import mss
        except ImportError as error:
            raise MissingExtraError("Grabbing the screen", "mss", "live") from error
        try:
            self._grabber = mss.MSS() if hasattr(mss, "MSS") else mss.mss()
            self._region = self._find_region(self._grabber.monitors)
        except mss.ScreenShotError as error:
            raise SourceError(f"The screen cannot be grabbed: {error}.") from error
        size = (self._region["width"], self._region["height"])
        return VideoInfo(size, self._options.fps or FPS)

    def _find_region(self, monitors: list[dict[str, int]]) -> dict[str, int]:
        match = _REGION.fullmatch(self._where)
        if match:
            width, height, left, top = (int(number or 0) for number in match.groups())
            return {"left": left, "top": top, "width": width, "height": height}
        number = int(self._where or 0)
        if number >= len(monitors):
            raise SourceError(f"No monitor {number}: there are {len(monitors) - 1}.")
        return {key: monitors[number][key] for key in ("left", "top", "width", "height")}

    def _close(self) -> None:
        if self._grabber is not None:
            self._grabber.close()

    def __iter__(self) -> Iterator[Frame]:
        """Yield frames at the rate until stopped; where grabbing is slow, frames are skipped.

        Raises:
            SourceError: the screen cannot be grabbed, for example where the region is outside it.
        """
        import mss

        begun, count, fps = time.monotonic(), 0, float(self.info.fps)
        while not self.stopped.wait(max(0.0, begun + count / fps - time.monotonic())):
            try:
                shot = self._grabber.grab(self._region)
            except mss.ScreenShotError as error:
                raise SourceError(f"{self.name} cannot be grabbed: {error}.") from error
            yield np.ascontiguousarray(np.asarray(shot, np.uint8)[..., 2::-1])
            count = max(count + 1, int((time.monotonic() - begun) * fps))
