"""A lock that a process holds as long as it runs: the system releases it, however it ends."""

import contextlib
import errno
import os
import socket
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_BUSY = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}
_FAR = 1 << 30
"""Offset of the byte that is locked on Windows, where what is locked cannot be read."""


class FileLock:
    """A lock on a file that names its holder, as a context manager.

    Where the file system has no locks, a holder counts that runs on this machine.

    Attributes:
        path: the file; it stays when the lock is released.
        is_held: by this object.
    """

    def __init__(self, path: Path) -> None:
        """Choose the file; its folder exists."""
        self.path = path
        self._file: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether this object holds the lock."""
        return self._file is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def acquire(self) -> bool:
        """Take the lock; False where another process, or another object, has it.

        Raises:
            OSError: the file cannot be written.
        """
        while self._file is None:
            file = os.open(self.path, os.O_CREAT | os.O_RDWR, 0o666)
            try:
                is_free = _lock(file, self.path)
            except BaseException:
                os.close(file)
                raise
            if not is_free:
                os.close(file)
                return False
            if not _is_at(file, self.path):
                # Its holder has removed it between opening and locking.
                os.close(file)
                continue
            os.ftruncate(file, 0)
            os.write(file, f"{os.getpid()} {socket.gethostname()}\n".encode())
            self._file = file
        return True

    def release(self) -> None:
        """Give the lock back."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def holder_of(path: Path) -> int | None:
    """Return the process that wrote a lock file, running or not; None where it is not known."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(path.read_text("utf-8", "replace").split()[0])
    return None


def is_locked(path: Path) -> bool:
    """Return whether a process holds the lock of a file; False where it cannot be seen."""
    try:
        file = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _lock(file, path)
    except OSError:
        return False
    finally:
        os.close(file)


def _lock(file: int, path: Path) -> bool:
    try:
        if sys.platform == "win32":
            os.lseek(file, _FAR, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
            os.lseek(file, 0, os.SEEK_SET)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in _BUSY else not _runs_here(path)
    return True


def _runs_here(path: Path) -> bool:
    """Return whether the process that a lock file names runs on this machine."""
    process = holder_of(path)
    with contextlib.suppress(OSError, ValueError, IndexError):
        if process is None or path.read_text().split()[1] != socket.gethostname():
            return False
        os.kill(process, 0)
        return process != os.getpid()
    return False


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except OSError:
        return False
