"""Folders of persistent files: caches, the user's styles, settings.

They are inside the folder that the environment variable `NST_VIDEO_HOME` names, otherwise in the
platform's standard folders. Only `write_atomically` creates folders.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import platformdirs

from nst_video.system.partial_file import PartialFile

_APP = "nst-video"

MASTERS = "masters"
"""Folder of the styles learned from famous paintings, inside the folder of packaged styles."""

PICTURE_SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        *("avif", "bmp", "gif", "heic", "heif", "jp2", "jpeg", "jpg"),
        *("pbm", "pgm", "png", "ppm", "tga", "tif", "tiff", "webp"),
    )
)
"""Suffixes of pictures in a folder; a file that is named itself may have any suffix."""


def cache_dir() -> Path:
    """Return the cache folder, for models and bottlenecks."""
    return _folder("cache", platformdirs.user_cache_dir)


def data_dir() -> Path:
    """Return the data folder, for the user's styles."""
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

    Other processes see the old file or the complete new one, even if several write at once.

    Args:
        target: final path; its folder is created if missing.
        write: writes to the binary file that it is given.
        overwrite: whether to replace an existing target, rather than use a free name beside it.

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
    """Return the `kind` folder inside NST_VIDEO_HOME, or the platform's standard folder."""
    home = os.environ.get("NST_VIDEO_HOME")
    return Path(home) / kind if home else Path(platform_folder(_APP, appauthor=False))
