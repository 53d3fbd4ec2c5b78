"""Checksums of cached compiled networks: OpenVINO does not detect a damaged file."""

import contextlib
import hashlib
from pathlib import Path

from nst_video.system import paths


def discard_damaged(folder: Path) -> None:
    """Delete compiled networks without a valid checksum.

    A file that another process is just writing may be deleted, too; it is then compiled again.
    """
    with contextlib.suppress(OSError):
        for blob in folder.glob("*.blob"):
            if _read(_sum_path(blob)) != _sum(blob):
                _sum_path(blob).unlink(missing_ok=True)
                blob.unlink(missing_ok=True)


def add_checksums(folder: Path) -> None:
    """Write a checksum file for each compiled network that has none."""
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
    """Return the text of a small file, "" if it cannot be read."""
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return ""


def _write(path: Path, text: str) -> None:
    paths.write_atomically(path, lambda file: file.write(text.encode()))
