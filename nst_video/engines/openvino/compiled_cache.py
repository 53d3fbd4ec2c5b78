"""Checksums for compiled networks on disk: OpenVINO paints wrongly with one that is damaged."""

import contextlib
import hashlib
from pathlib import Path

from nst_video.system import paths


def discard_damaged(folder: Path) -> None:
    """Delete the compiled networks in a folder that do not have their checksums beside them.

    What another process is about to write there may be deleted, too; then it is compiled again.
    """
    with contextlib.suppress(OSError):
        for blob in folder.glob("*.blob"):
            if _read(_sum_path(blob)) != _sum(blob):
                _sum_path(blob).unlink(missing_ok=True)
                blob.unlink(missing_ok=True)


def add_checksums(folder: Path) -> None:
    """Write checksums beside those compiled networks in a folder that have none."""
    with contextlib.suppress(OSError):
        for blob in folder.glob("*.blob"):
            if not _sum_path(blob).exists():
                _write(_sum_path(blob), _sum(blob))


def _sum_path(blob: Path) -> Path:
    return blob.with_suffix(".sha256")


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path) -> str:
    """Return the text of a small file, nothing where there is none."""
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return ""


def _write(path: Path, text: str) -> None:
    paths.write_atomically(path, lambda file: file.write(text.encode()))
