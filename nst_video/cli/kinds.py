"""The kinds of files that are painted: films, and pictures."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from nst_video.video.media.containers import CONTAINERS, default_suffix


@dataclass(frozen=True, slots=True)
class Kind:
    """What is painted.

    Attributes:
        name: one of it, for messages.
        suffixes: endings of names under which it can be written, in lower case.
        is_one: tells whether a file is of this kind.
        is_painted: tells whether a file is a result of ours.
        suffix_of: returns the ending of the result of a source.
    """

    name: str
    suffixes: Collection[str]
    is_one: Callable[[Path], bool]
    is_painted: Callable[[Path], bool]
    suffix_of: Callable[[Path], str]


def _is_film(path: Path) -> bool:
    from nst_video.video.media.file_type import is_video_file
    from nst_video.video.sources import is_animated_webp

    return is_video_file(path) or is_animated_webp(path)


def _is_painted_film(path: Path) -> bool:
    from nst_video.video.media.file_type import is_painted

    return is_painted(path)


FILMS = Kind("film", CONTAINERS, _is_film, _is_painted_film, default_suffix)


def pictures() -> Kind:
    """Return the kind of pictures; what decodes them is loaded for it."""
    from nst_video.image.files import PICTURE_SUFFIXES, WRITABLE_SUFFIXES, is_painted

    def is_picture(path: Path) -> bool:
        return path.suffix.lower() in PICTURE_SUFFIXES

    return Kind("picture", WRITABLE_SUFFIXES, is_picture, is_painted, lambda path: ".png")
