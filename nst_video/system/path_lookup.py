"""Examines paths that a user typed, without raising OSError.

`look_up` accepts any text: a name that is too long, the `~` of an unknown user, a URL, a folder
without permission. It returns the reason in words instead of raising.
"""

import errno
import os
import re
import stat
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from nst_video.errors import NstVideoError, SourceError

_ADDRESS = re.compile(r"^(?P<scheme>[a-z][a-z0-9+.-]+):/", re.IGNORECASE)


class PathKind(StrEnum):
    """Type of the file at a path."""

    FILE = "file"
    FOLDER = "folder"
    MISSING = "missing"
    SPECIAL = "special"
    """A device, pipe or socket: reading it may block forever."""
    UNREADABLE = "unreadable"
    """Not readable: no permission, or not a valid name."""


@dataclass(frozen=True, slots=True)
class PathInfo:
    """The result of examining a path.

    Attributes:
        path: the path, with `~` and `file://` resolved.
        kind: type of the file.
        problem: why it is not a readable file or folder, in words that can follow a colon; else
            empty.
    """

    path: Path
    kind: PathKind
    problem: str = ""


def look_up(name: str | os.PathLike[str]) -> PathInfo:
    """Examine a path; links are followed. It never raises OSError."""
    text = os.fspath(name)
    path = user_path(text)
    if not text:
        return PathInfo(path, PathKind.MISSING, "the name is empty")
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        problem = "there is no such file"
        if (scheme := address_scheme(text)) is not None:
            problem = f"it is an address ({scheme}), not a file; download it first"
        elif path.is_symlink():
            problem = "it is a link to a file that does not exist"
        return PathInfo(path, PathKind.MISSING, problem)
    except NotADirectoryError:
        return PathInfo(path, PathKind.MISSING, "a part of its path is a file, not a folder")
    except (OSError, ValueError) as error:
        return PathInfo(path, PathKind.UNREADABLE, os_reason(error))
    if stat.S_ISREG(mode):
        readable = os.access(path, os.R_OK)
        return PathInfo(path, PathKind.FILE) if readable else _denied(path)
    if stat.S_ISDIR(mode):
        readable = os.access(path, os.R_OK | os.X_OK)
        return PathInfo(path, PathKind.FOLDER) if readable else _denied(path)
    return PathInfo(path, PathKind.SPECIAL, "it is a device or pipe, not a file")


def require_file(name: str | os.PathLike[str], error: type[NstVideoError] = SourceError) -> Path:
    """Return the path of a file that can be read.

    Args:
        name: as typed by the user.
        error: the type of error to raise.

    Raises:
        NstVideoError: of type `error`: the file does not exist or cannot be read.
    """
    found = look_up(name)
    if found.kind is PathKind.FILE:
        return found.path
    problem = "it is a folder" if found.kind is PathKind.FOLDER else found.problem
    raise error(f"{short_name(name)} cannot be read: {problem}.")


def user_path(text: str | os.PathLike[str]) -> Path:
    """Return the path for a text that a user typed, with `file://` URLs and `~` resolved.

    A name that begins with `~` and exists as it is, or names no user, is taken literally.
    """
    text = os.fspath(text)
    if text.lower().startswith("file:/"):
        # Imported here, as it loads ssl and more, which the command line otherwise does without.
        from urllib.request import url2pathname

        return Path(url2pathname(urlsplit(text).path))
    path = Path(text)
    if text.startswith("~") and not os.path.lexists(path):
        try:
            return path.expanduser()
        except RuntimeError:
            return path
    return path


def address_scheme(text: str | os.PathLike[str]) -> str | None:
    """Return the scheme of a URL such as `http://host/clip.mp4`; None for a path.

    `file://` URLs are paths. The single slash that `Path` leaves of two is enough; one letter
    is a drive of Windows.
    """
    match = _ADDRESS.match(os.fspath(text))
    scheme = match["scheme"].lower() if match else None
    return None if scheme == "file" else scheme


def short_name(name: str | os.PathLike[str], limit: int = 120) -> str:
    """Return a name for a message, shortened in the middle to `limit` characters."""
    text = os.fspath(name) or "''"
    half = limit // 2
    return text if len(text) <= limit else f"{text[:half]}...{text[-half:]}"


def os_reason(error: OSError | ValueError) -> str:
    """Return the reason of an error of the system, in words that can follow a colon."""
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return "the name is longer than the file system allows"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    if "null" in str(error):
        return "the name holds a null character"
    return str(error)


def _denied(path: Path) -> PathInfo:
    return PathInfo(path, PathKind.UNREADABLE, "permission denied")
