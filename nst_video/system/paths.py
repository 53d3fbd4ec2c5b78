"""Where files that outlive a run are kept: caches, the user's own styles, settings.

Every folder lies below the environment variable `NST_VIDEO_HOME` when that is set, otherwise where
the platform keeps such things. Nothing here creates a folder; `write_atomically` does, on writing.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import platformdirs

from nst_video.system.partial_file import PartialFile

_APP = "nst-video"

PICTURE_SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        *("avif", "bmp", "gif", "heic", "heif", "jp2", "jpeg", "jpg"),
        *("pbm", "pgm", "png", "ppm", "tga", "tif", "tiff", "webp"),
    )
)
"""Endings by which pictures are recognized in a folder; a file named outright may have any."""


def cache_dir() -> Path:
    """Return the folder of what can be fetched or computed again (models, bottlenecks)."""
    return _folder("cache", platformdirs.user_cache_dir)


def data_dir() -> Path:
    """Return the folder of what belongs to the user (styles added by hand)."""
    return _folder("data", platformdirs.user_data_dir)


def config_dir() -> Path:
    """Return the folder of settings."""
    return _folder("config", platformdirs.user_config_dir)


def packaged_styles_dir() -> Path:
    """Return the folder of packaged styles: in the wheel, else in the checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_styles"
    return installed if installed.is_dir() else package.parent / "styles"


def user_styles_dir() -> Path:
    """Return the folder of the user's own styles."""
    return data_dir() / "styles"


def write_atomically(
    target: Path, write: Callable[[BinaryIO], object], *, overwrite: bool = True
) -> Path:
    """Call `write` with a temporary file beside `target`, then rename it to `target`.

    Readers see the old file or the whole new one, also when several processes write at once.

    Args:
        target: final path; its folder is made when absent.
        write: fills the binary file it is given.
        overwrite: an existing target is replaced; without, a free name beside it is taken.

    Returns:
        The file that was written.

    Raises:
        OSError: the folder or file cannot be written; nothing is left behind.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with PartialFile(target, overwrite=overwrite) as part:
        with part.path.open("wb") as file:
            write(file)
        return part.commit()


def _folder(kind: str, platform_folder: Callable[..., str]) -> Path:
    """Return the `kind` folder below NST_VIDEO_HOME, or where the platform wants it."""
    home = os.environ.get("NST_VIDEO_HOME")
    return Path(home) / kind if home else Path(platform_folder(_APP, appauthor=False))
