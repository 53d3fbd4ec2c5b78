"""A folder of pictures: each for some seconds, or each a frame of a film."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from nst_video.errors import SourceError
from nst_video.frames import Frame, VideoInfo, fit_within, size_of
from nst_video.image.files import load_picture, pictures_in
from nst_video.image.resize import letterbox
from nst_video.video.capture.base import LiveSource
from nst_video.video.capture.capture_options import CaptureOptions

FPS = Fraction(25)

PICTURE_S = 5
"""Seconds that each picture is shown where no rate is asked for."""

SIZE_LIMIT = (1920, 1080)
"""(width, height) that frames do not exceed where no size is asked for: photos are larger."""


class PictureFolderSource(LiveSource):
    """The pictures of a folder in the order of their names, all fitted to one size.

    Each is delivered again and again for `PICTURE_S`, so that styles can turn into one another
    meanwhile; where a rate is asked for, each is one frame of a film. Whoever reads sets the pace;
    `info.fps` says which one is meant. A picture that cannot be read
    is left out, and `notes` says so.
    """

    def __init__(self, folder: Path, options: CaptureOptions | None = None) -> None:
        """StylizeSettings for pictures.

        Args:
            folder: where they are.
            options: the size, by default the first picture's within `SIZE_LIMIT`, and the rate
                of a film; without one each picture stays.

        Raises:
            SourceError: it holds none, or cannot be read.
        """
        super().__init__(str(folder))
        self._options = options or CaptureOptions()
        self._repeats = 1 if self._options.fps else round(PICTURE_S * FPS)
        self._paths = pictures_in(folder)
        self._notes: dict[Path, str] = {}
        if not self._paths:
            raise SourceError(f"The folder {folder} holds no pictures.")

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out so far, and why."""
        return tuple(self._notes.values())

    def _open(self) -> VideoInfo:
        pictures = (self._load(path) for path in self._paths)
        first = next((picture for picture in pictures if picture is not None), None)
        if first is None:
            raise SourceError(
                f"None of the {len(self._paths)} pictures in {self.name} can be read. "
                f"{self.notes[0]}"
            )
        size = self._options.size or fit_within(size_of(first), SIZE_LIMIT)
        return VideoInfo(size, self._options.fps or FPS, len(self._paths) * self._repeats)

    def _close(self) -> None:
        """Nothing is held open between pictures."""

    def __iter__(self) -> Iterator[Frame]:
        """Deliver every picture, as often as it takes."""
        for path in self._paths:
            picture = self._load(path)
            if picture is None:
                continue
            frame = letterbox(picture, self.info.size)
            for _ in range(self._repeats):
                if self.stopped.is_set():
                    return
                yield frame

    def _load(self, path: Path) -> Frame | None:
        """Return a picture, None and a note where it cannot be read."""
        try:
            return load_picture(path)
        except SourceError as error:
            self._notes[path] = f"Left out: {error}"
            return None
