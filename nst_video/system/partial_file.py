"""Temporary output files: hidden beside the target, locked by the owner, renamed when complete.

The lock shows whether the owner of a file still runs, because the system releases it when a
process ends for any reason. So the next run recognizes the files of a killed run: it removes
incomplete ones and recovers recordings.
"""

import contextlib
import errno
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

if os.name == "posix":
    import fcntl

_PREFIX = ".nst-video-"
_MARK = ".part"
_RECOVERABLE = ".recoverable-"
"""Prefix of a file that is kept even if its process is killed; the name of the target follows."""

_MAX_SUFFIX = 16

UNLOCKED_AGE_S = 60.0
"""Age from which a file counts as abandoned where files cannot be locked (on Windows)."""


class PartialFile:
    """A temporary file beside a target, as a context manager.

    Leaving the context removes it, unless `commit` or `keep` was called before. The name is short,
    so that a target may be as long as the file system allows. A target that is a link is followed:
    what it points to is written.

    A recoverable file, such as a recording, is the exception: every part of it is worth keeping. It
    stays where it is unless it is empty, and `adopt` opens it there.

    Attributes:
        path: the temporary file; it exists within the context and may be opened by other programs,
            but must not be replaced by another file.
        target: where `commit` puts it, links resolved.
    """

    def __init__(
        self,
        target: Path,
        *,
        overwrite: bool = False,
        is_recoverable: bool = False,
        place: Path | None = None,
    ) -> None:
        """Choose a name; nothing is created before the context is entered.

        Args:
            target: the final path.
            overwrite: `commit` may replace a file.
            is_recoverable: what it holds is kept, however the process ends.
            place: another name for it, on the same disk, where it stays until it is committed or
                the caller removes it. It does not exist.
        """
        self.target = resolve_link(target)
        self._overwrite = overwrite
        self._new_name = _new_recoverable_name if is_recoverable else _new_name
        self.path = place or self.target.with_name(self._new_name(self.target))
        self._is_placed = place is not None
        self._lock: int | None = None

    @classmethod
    def adopt(cls, path: Path) -> Self | None:
        """Open and lock a recoverable file of a killed run; None while another process holds it.

        Its target is the one it was begun for, the name shortened where it was very long.

        Raises:
            OSError: it cannot be opened; FileNotFoundError where it is gone.
        """
        file = cls(path.with_name(path.name.partition(_RECOVERABLE)[2]), is_recoverable=True)
        file.path, file._lock = path, os.open(path, os.O_RDWR)
        try:
            is_free = _lock(file._lock)
        except OSError:
            is_free = _age_s(path) > UNLOCKED_AGE_S
        # Between opening and locking, another run may have given it its final name.
        if is_free and path.exists():
            return file
        file._release()
        return None

    @property
    def lock(self) -> int:
        """The locked, open file; a child process that inherits it holds the lock as well.

        Raises:
            ValueError: outside of the context.
        """
        if self._lock is None:
            raise ValueError(f"{self.path} is not open")
        return self._lock

    def __enter__(self) -> Self:
        """Create and lock the file.

        Raises:
            OSError: it cannot be created.
        """
        while self._lock is None:
            number = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
            try:
                is_ours = _lock(number) and self.path.exists()
            except OSError:
                # A file system without locks: nobody else removes the file there.
                is_ours = True
            if is_ours:
                self._lock = number
            else:
                # Another run took the new file for an abandoned one before it was locked.
                os.close(number)
                self.path = self.target.with_name(self._new_name(self.target))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            is_kept = self._is_placed or (is_recoverable(self.path) and self._size() > 0)
            if self._lock is not None and not is_kept:
                self.path.unlink(missing_ok=True)
        finally:
            self._release()

    def commit(self) -> Path:
        """Give the file its final name and return that name.

        Unless it may replace a file, and where one has appeared at the target meanwhile, a free
        name such as `video (2).mp4` is taken: neither of the two results is lost.

        Raises:
            OSError: it cannot be renamed.
        """
        self.synchronize()
        if self._overwrite:
            return self._move(self.target, replace=True)
        for target in free_names(self.target):
            with contextlib.suppress(FileExistsError):
                return self._move(target, replace=False)
        raise FileExistsError(f"no free name beside {self.target}")

    def remove(self) -> None:
        """Remove it, also where it is recoverable.

        Raises:
            OSError: it cannot be removed.
        """
        self.path.unlink(missing_ok=True)
        self._release()

    def keep(self, target: Path) -> Path:
        """Give the file another name, of an unfinished result; as `commit`, but never replaces.

        Raises:
            OSError: it cannot be renamed.
        """
        self.target, self._overwrite = target, False
        return self.commit()

    def _move(self, target: Path, *, replace: bool) -> Path:
        if os.name != "posix":
            # An open file cannot be renamed there.
            self._release()
        if replace:
            self.path.replace(target)
        else:
            _rename_unless_exists(self.path, target)
        self._release()
        _synchronize_folder(target.parent)
        return target

    def synchronize(self) -> None:
        """Have the system write the file to the disk, as before the new name can be seen.

        Raises:
            OSError: the disk fails or is full.
        """
        if self._lock is not None:
            os.fsync(self._lock)

    def _size(self) -> int:
        return 0 if self._lock is None else os.fstat(self._lock).st_size

    def _release(self) -> None:
        number, self._lock = self._lock, None
        if number is not None:
            os.close(number)


def resolve_link(target: Path) -> Path:
    """Return what a link points to, also where that does not exist yet; other paths as they are."""
    try:
        return target.resolve() if target.is_symlink() else target
    except (OSError, RuntimeError):
        # Opening it says that the name is too long, or that the links go in a circle.
        return target


def free_names(target: Path) -> Iterator[Path]:
    """Yield `video.mp4`, `video (2).mp4`, ..., their stems cut where the file system needs that."""
    yield target
    for number in range(2, 1000):
        tail = f" ({number}){target.suffix}"
        yield target.with_name(fit_name(target.stem, tail, target.parent))


def fit_name(stem: str, tail: str, folder: Path, taken: int = 0) -> str:
    """Return `stem + tail`, the stem cut so that the name is within the file system's limit.

    Args:
        stem: what may be cut.
        tail: what may not.
        folder: where the name is to be.
        taken: bytes of the limit that are for something else.
    """
    limit = _name_limit(folder) - taken - len(os.fsencode(tail))
    while stem and len(os.fsencode(stem)) > limit:
        stem = stem[:-1]
    return stem + tail


def hidden_name(target: Path, tail: str) -> str:
    """Return a short hidden name, the same for the same target, that ends in `tail`."""
    return f"{_PREFIX}{_digest(target)}-{tail}"


def is_partial(path: Path) -> bool:
    """Return whether a path is named like a file under construction, recoverable or not."""
    return path.name.startswith(_PREFIX) and (_MARK in path.name or _RECOVERABLE in path.name)


def is_recoverable(path: Path) -> bool:
    """Return whether a path is named like a recoverable file; see `PartialFile`."""
    return path.name.startswith(_PREFIX) and _RECOVERABLE in path.name


def is_being_written(target: Path) -> bool:
    """Return whether a running process holds a partial file of this target."""
    target = resolve_link(target)
    pattern = hidden_name(target, "")
    return any(
        path.name.startswith(pattern) and not _is_abandoned(path)
        for path in _partial_files(target.parent)
    )


def remove_abandoned(folder: Path) -> list[Path]:
    """Remove partial files in a folder whose owner no longer runs; return what was removed.

    Files that cannot be examined or removed and recoverable ones are left alone.
    """
    removed = []
    for path in _partial_files(folder):
        if not is_recoverable(path) and _is_abandoned(path):
            with contextlib.suppress(OSError):
                path.unlink()
                removed.append(path)
    return removed


def old_recoverable_files(folder: Path) -> list[Path]:
    """Return the recoverable files in a folder to which nobody has written for a while.

    Another machine's lock may not be seen on a file system that both share; its writing is.
    """
    files = (path for path in _partial_files(folder) if is_recoverable(path))
    return [path for path in files if _age_s(path) > UNLOCKED_AGE_S]


def _partial_files(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if is_partial(path) and path.is_file()]
    except OSError:
        return []


def _is_abandoned(path: Path) -> bool:
    """Return whether it is certain that nobody holds the lock of a partial file."""
    try:
        number = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return _lock(number)
    except OSError:
        # Windows lets nobody remove what is open.
        return os.name != "posix" and _age_s(path) > UNLOCKED_AGE_S
    finally:
        os.close(number)


def _age_s(path: Path) -> float:
    """Return the seconds since somebody wrote to a file, 0 where it cannot be seen."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0


def _lock(number: int) -> bool:
    """Lock an open file for this process; False where another process holds it.

    Raises:
        OSError: the file system or the operating system has no such locks.
    """
    if os.name != "posix":
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _rename_unless_exists(path: Path, target: Path) -> None:
    """Rename in one step that fails where the target exists.

    Raises:
        FileExistsError: it exists.
        OSError: it cannot be renamed.
    """
    if os.name != "posix":
        path.rename(target)  # refuses an existing target there
        return
    try:
        os.link(path, target)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links, such as exFAT: check, then rename.
        if os.path.lexists(target):
            raise FileExistsError(f"{target} exists") from None
        path.rename(target)
        return
    path.unlink()


def _new_name(target: Path) -> str:
    suffix = target.suffix if len(target.suffix) <= _MAX_SUFFIX else ""
    return hidden_name(target, f"{secrets.token_hex(4)}{_MARK}{suffix}")


def _new_recoverable_name(target: Path) -> str:
    """Return a name that carries the target's, cut where it would be too long."""
    begin = hidden_name(target, f"{secrets.token_hex(4)}{_RECOVERABLE}")
    return begin + fit_name(target.stem, target.suffix, target.parent, taken=len(begin))


def _synchronize_folder(folder: Path) -> None:
    """Have the system write new names to the disk, where it can."""
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _digest(target: Path) -> str:
    return hashlib.sha256(os.fsencode(target.name)).hexdigest()[:8]


def _name_limit(folder: Path) -> int:
    """Return how many bytes a name in a folder may have."""
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):
        return 255
