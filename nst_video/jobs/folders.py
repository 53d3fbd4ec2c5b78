"""The hidden folders beside targets in which unfinished jobs keep what is finished."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from nst_video.errors import UsageError
from nst_video.system.file_lock import holder_of, is_locked
from nst_video.system.partial_file import hidden_name, resolve_link
from nst_video.system.path_lookup import short_name

SUFFIX = ".job"
LOCK = "lock"
JOURNAL = "journal.json"

_SHOWN_DIGITS = 8


def folder_of(target: Path, fingerprint: str) -> Path:
    """Return the folder for a target with given inputs; other inputs have another folder."""
    target = resolve_link(target)
    return target.with_name(hidden_name(target, fingerprint[:_SHOWN_DIGITS] + SUFFIX))


def folders_of(target: Path) -> list[Path]:
    """Return the folders of a target that exist."""
    target = resolve_link(target)
    begin = hidden_name(target, "")
    return [path for path in _folders_in(target.parent) if path.name.startswith(begin)]


def find_folders(where: Path, *, is_recursive: bool = False) -> Iterator[Path]:
    """Yield the folders of unfinished jobs in a folder, or also in those below it."""
    if not is_recursive:
        yield from _folders_in(where)
        return
    for parent, names, _ in os.walk(where):
        names[:] = sorted(name for name in names if name[0] != ".")
        yield from _folders_in(Path(parent))


def check_free(target: Path, own: Path | None = None) -> None:
    """Check that nobody else works on a target.

    Args:
        target: the file.
        own: the folder of a job of the caller's.

    Raises:
        UsageError: one does.
    """
    for folder in folders_of(target):
        if folder != own and is_running(folder):
            raise in_use(target, folder)


def in_use(target: Path, folder: Path) -> UsageError:
    """Return the error that says who works on a target."""
    process = holder_of(folder / LOCK)
    who = "another nst-video" if process is None else f"another nst-video (process {process})"
    return UsageError(
        f"{short_name(target)} is being made by {who}: wait for it, or choose another name."
    )


def is_running(folder: Path) -> bool:
    """Return whether a process works in a folder."""
    return is_locked(folder / LOCK)


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    total = 0
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total


def remove(folder: Path) -> bool:
    """Remove a folder and everything in it, the journal first; return whether it is gone."""
    with contextlib.suppress(OSError):
        (folder / JOURNAL).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def _folders_in(parent: Path) -> list[Path]:
    try:
        found = [path for path in parent.iterdir() if path.suffix == SUFFIX and path.is_dir()]
    except OSError:
        return []
    return sorted(path for path in found if path.name.startswith(".nst-video-"))
