"""A folder of images: each shown for some seconds, or each one frame of a video."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from nst_video.errors import SourceError
from nst_video.frames import Frame, VideoInfo, fit_within, size_of
from nst_video.image.files import load_picture, pictures_in
from nst_video.image.resize import letterbox
from nst_video.video.capture.base import CaptureSource
from nst_video.video.capture.capture_options import CaptureOptions

FPS = Fraction(25)

PICTURE_S = 5
"""Seconds for which each image is shown where no rate is given."""

SIZE_LIMIT = (1920, 1080)
"""Largest (width, height) where no size is given: photos are larger."""


class PictureFolderSource(CaptureSource):
    """The images of a folder in the order of their names, all fitted to one size.

    Each is repeated for `PICTURE_S` seconds, so that style changes can be seen on it; where a rate
    is given, each is one frame of a video. Frames are not paced: the consumer reads them at
    `info.fps`. An image that cannot be read is skipped, with a note.
    """

    def __init__(self, folder: Path, options: CaptureOptions | None = None) -> None:
        """List the images.

        Args:
            folder: the folder.
            options: the size, by default that of the first image within `SIZE_LIMIT`; and the
                rate of a video, without which each image is shown for `PICTURE_S` seconds.

        Raises:
            SourceError: the folder holds no images or cannot be read.
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
        """Images skipped so far, and why."""
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
        """Nothing to release."""

    def __iter__(self) -> Iterator[Frame]:
        """Yield every image, repeated as often as it is shown."""
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
        """Return an image; None, with a note, where it cannot be read."""
        try:
            return load_picture(path)
        except SourceError as error:
            self._notes[path] = f"Left out: {error}"
            return None
