"""A list of running recordings, one small file for each, which survives the process.

With it, the next session finds unfinished recordings in any folder.
"""

import contextlib
import hashlib
import os
from pathlib import Path

from nst_video.system.partial_file import PartialFile, is_recoverable
from nst_video.system.paths import data_dir


def note(file: Path) -> None:
    """Add a recording by the path of its unfinished file."""
    # Without an entry a recording still works, but may not be recovered automatically.
    with contextlib.suppress(OSError):
        entry = _entry(file)
        entry.parent.mkdir(parents=True, exist_ok=True)
        with PartialFile(entry, overwrite=True) as part:
            part.path.write_bytes(os.fsencode(file.absolute()))
            part.commit()


def forget(file: Path) -> None:
    """Remove a recording from the list, if it is in it."""
    with contextlib.suppress(OSError):
        _entry(file).unlink(missing_ok=True)


def noted() -> list[Path]:
    """Return the unfinished files of all recordings in the list."""
    files = []
    with contextlib.suppress(OSError):
        for entry in sorted(_folder().glob("*.path")):
            with contextlib.suppress(OSError, ValueError):
                files.append(Path(os.fsdecode(entry.read_bytes())))
    return [file for file in files if is_recoverable(file)]


def _folder() -> Path:
    return data_dir() / "recordings"


def _entry(file: Path) -> Path:
    return _folder() / f"{hashlib.sha256(os.fsencode(file.absolute())).hexdigest()[:16]}.path"
