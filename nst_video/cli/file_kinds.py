"""The kinds of input files: videos and pictures."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from nst_video.video.media.containers import CONTAINERS, default_suffix


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of input file.

    Attributes:
        name: singular noun, for messages.
        suffixes: suffixes that can be written, in lower case.
        is_one: returns whether a file is of this kind.
        is_painted: returns whether nst-video has written a file.
        suffix_of: returns the default suffix of the output for an input.
    """

    name: str
    suffixes: Collection[str]
    is_one: Callable[[Path], bool]
    is_painted: Callable[[Path], bool]
    suffix_of: Callable[[Path], str]


def _is_video(path: Path) -> bool:
    from nst_video.video.media.file_type import is_video_file
    from nst_video.video.sources import is_animated_webp

    return is_video_file(path) or is_animated_webp(path)


def _is_painted_video(path: Path) -> bool:
    from nst_video.video.media.file_type import is_painted

    return is_painted(path)


VIDEOS = Kind("video", CONTAINERS, _is_video, _is_painted_video, default_suffix)


def pictures() -> Kind:
    """Return the kind of pictures; a function, as it imports the picture decoders."""
    from nst_video.image.files import PICTURE_SUFFIXES, WRITABLE_SUFFIXES, is_painted

    def is_picture(path: Path) -> bool:
        return path.suffix.lower() in PICTURE_SUFFIXES

    return Kind("picture", WRITABLE_SUFFIXES, is_picture, is_painted, lambda path: ".png")
