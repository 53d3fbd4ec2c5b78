"""Options of live sources."""

from dataclasses import dataclass
from fractions import Fraction

from nst_video.errors import UsageError
from nst_video.frames import Size
from nst_video.validation import RATE, SIDE


@dataclass(frozen=True, kw_only=True)
class CaptureOptions:
    """What to request of a live source; a source ignores options that do not apply to it.

    Attributes:
        size: (width, height); None leaves it to the source.
        fps: frames per second; None leaves it to the source.
        fourcc: pixel format of a camera, such as "MJPG" or "YUYV".
        driver: OpenCV's name of the camera driver, such as "V4L2", "DSHOW" or "FFMPEG".
        loop: start a file or folder again at its end.
    """

    size: Size | None = None
    fps: Fraction | None = None
    fourcc: str | None = None
    driver: str | None = None
    loop: bool = False

    def __post_init__(self) -> None:
        letters = self.fourcc
        if letters is not None and not (
            len(letters) == 4 and letters.isascii() and letters.isprintable()
        ):
            raise UsageError(f"A fourcc has four letters, such as MJPG, not {letters!r}.")
        RATE.check_optional("The frame rate", self.fps)
        for side in self.size or ():
            SIDE.check("A side of the size", side)
