"""A folder of pictures, one frame each."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from nst_video.capture.base import LiveSource
from nst_video.capture.options import CaptureOptions
from nst_video.errors import SourceError
from nst_video.frames import Frame, VideoInfo, size_of
from nst_video.letterbox import letterbox
from nst_video.pictures import PICTURE_SUFFIXES, load_picture

FPS = Fraction(25)


class PictureFolderSource(LiveSource):
    """The pictures of a folder in the order of their names, all fitted to one size.

    Whoever reads sets the pace; `info.fps` says which one is meant.
    """

    def __init__(self, folder: Path, options: CaptureOptions | None = None) -> None:
        """Look for pictures.

        Args:
            folder: where they are.
            options: the size, by default the first picture's, and the rate, by default `FPS`.

        Raises:
            SourceError: it holds none.
        """
        super().__init__(str(folder))
        self._options = options or CaptureOptions()
        self._paths = pictures_in(folder)
        if not self._paths:
            raise SourceError(f"The folder {folder} holds no pictures.")

    def _open(self) -> VideoInfo:
        size = self._options.size or size_of(load_picture(self._paths[0]))
        return VideoInfo(size, self._options.fps or FPS, len(self._paths))

    def _close(self) -> None:
        """Nothing is held open between pictures."""

    def __iter__(self) -> Iterator[Frame]:
        """Deliver every picture once.

        Raises:
            SourceError: one is broken.
        """
        for path in self._paths:
            if self.stopped.is_set():
                return
            yield letterbox(load_picture(path), self.info.size)


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures of a folder by name; numbers in names sort as text."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")
    )
