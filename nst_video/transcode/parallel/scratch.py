"""What workers of a cluster keep on their own machine while they work.

Workers may be killed at any time. Each locks its folder, so that others can tell what is left of
one that has ended, and remove it.
"""

import contextlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from nst_video.errors import SinkError
from nst_video.system.file_lock import FileLock, is_locked
from nst_video.system.path_lookup import os_reason

LOCK = "lock"
_WORKER, _NEW, _FILMS = "worker-", "new-", "films"

_STALE_S = 60.0
"""Age from which a folder that nobody has locked was left by a worker that was just beginning."""

_POLL_S = 0.1


class Scratch:
    """The folder of one worker, as a context manager; leaving it removes the folder.

    Attributes:
        folder: for files of the worker; it exists within the context.
    """

    def __init__(self, root: Path | None = None) -> None:
        """Choose a name.

        Args:
            root: what all workers of this user on this machine share.
        """
        self._root = root or root_folder()
        self.folder = self._root / f"{_WORKER}{secrets.token_hex(6)}"
        self._lock: FileLock | None = None
        self._film: Path | None = None

    def __enter__(self) -> Self:
        """Make and lock the folder.

        Raises:
            SinkError: it cannot be written.
        """
        tidy(self._root)
        new = self.folder.with_name(f"{_NEW}{self.folder.name}")
        try:
            new.mkdir(parents=True, mode=0o700)
            lock = FileLock(new / LOCK)
            lock.acquire()
            # It appears locked: nobody takes it for one that was left behind.
            new.rename(self.folder)
        except OSError as error:
            raise SinkError(f"Workers cannot write to {self._root}: {os_reason(error)}.") from error
        self._lock = lock
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._lock is not None:
            self._lock.release()
        tidy(self._root)

    def film(self, name: str, fetch: Callable[[Path], None]) -> Path:
        """Return a film that all workers of this machine share, as a file of this folder.

        The film that was asked for before is given up.

        Args:
            name: of the film's content.
            fetch: writes it to a file, where no other worker has done that.

        Raises:
            OSError: it cannot be written.
        """
        own, shared = self.folder / name, self._root / _FILMS / name
        shared.parent.mkdir(exist_ok=True, mode=0o700)
        with _waiting(shared.with_name(f"{name}.{LOCK}")):
            if not own.exists() and not _link(shared, own):
                fetch(own)
                _link(own, shared)
        if self._film not in (None, own):
            self._film.unlink(missing_ok=True)
            tidy(self._root)
        self._film = own
        return own


def root_folder() -> Path:
    """Return the folder that all workers of this user on this machine share."""
    user = os.getuid() if os.name == "posix" else os.getlogin()
    return Path(tempfile.gettempdir()) / f"nst-video-{user}"


def tidy(root: Path | None = None) -> None:
    """Remove what workers have left that have ended, and films that none of them uses."""
    root = root or root_folder()
    for folder in _entries(root):
        is_worker = folder.name.startswith(_WORKER)
        is_stale = folder.name.startswith(_NEW) and _age_s(folder) > _STALE_S
        if (is_worker or is_stale) and not is_locked(folder / LOCK):
            shutil.rmtree(folder, ignore_errors=True)
    for film in _entries(root / _FILMS):
        lock = film if film.suffix == f".{LOCK}" else film.with_name(f"{film.name}.{LOCK}")
        with contextlib.suppress(OSError):
            if film.stat().st_nlink == 1 and not is_locked(lock):
                film.unlink()
    for folder in (root / _FILMS, root):
        with contextlib.suppress(OSError):
            folder.rmdir()  # fails unless it is empty


@contextmanager
def _waiting(path: Path) -> Iterator[None]:
    """Hold a lock, after whoever holds it now."""
    lock = FileLock(path)
    while not lock.acquire():
        time.sleep(_POLL_S)
    with lock:
        yield


def _link(film: Path, name: Path) -> bool:
    """Give a film another name; return whether it was there, and could be."""
    try:
        os.link(film, name)
    except OSError:
        return False
    return True


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _age_s(folder: Path) -> float:
    try:
        return time.time() - folder.stat().st_mtime
    except OSError:
        return 0.0
