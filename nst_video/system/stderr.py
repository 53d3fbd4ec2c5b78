"""Suppresses what libraries write to standard error."""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

_lock = threading.RLock()
_swapping = threading.Lock()
_users: int | None = None
"""File descriptor of the user's standard error while descriptor 2 is redirected."""


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Discard what is written to standard error in this context, also by C code.

    libjpeg, libpng, TensorFlow and LiteRT write to file descriptor 2 at every log level, so the
    descriptor is redirected. Only one thread can do so at a time, because a second one would
    restore the redirected descriptor. What `UserStderr` writes is not discarded.
    """
    with _lock, Path(os.devnull).open("wb") as nowhere:
        if _users is not None:  # nested in this thread
            yield
            return
        try:
            kept = os.dup(2)
        except OSError:  # no standard error at all, as under pythonw
            yield
            return
        try:
            _lead(nowhere.fileno(), kept)
            yield
        finally:
            _lead(kept, None)
            os.close(kept)


def _lead(descriptor: int, users: int | None) -> None:
    """Let descriptor 2 be `descriptor`; `users` is where the user's is meanwhile, None if there."""
    global _users
    with _swapping:
        os.dup2(descriptor, 2)
        _users = users


class UserStderr:
    """The user's `sys.stderr`, which works while descriptor 2 is redirected."""

    def write(self, text: str) -> int:
        """Write text to the user's standard error."""
        with _swapping:
            if _users is None or not _is_plain(sys.stderr):
                return sys.stderr.write(text)
            encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
            data = text.encode(encoding, "backslashreplace")
            while data:
                data = data[os.write(_users, data) :]
        return len(text)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever `sys.stderr` has
        return getattr(sys.stderr, name)


def _is_plain(stream: TextIO) -> bool:
    """Return whether a stream writes to descriptor 2."""
    try:
        return stream.fileno() == 2
    except (AttributeError, OSError, ValueError):
        return False


class QuietImports(importlib.abc.MetaPathFinder):
    """Discards what some packages write to standard error while they are imported.

    It works for every importing module, as the first finder in `sys.meta_path`.
    """

    def __init__(self, *packages: str) -> None:
        self._left = set(packages)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the spec of such a package with a quiet loader, once; else None."""
        if name not in self._left:
            return None
        self._left.discard(name)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _QuietLoader(spec.loader)
        return spec


class _QuietLoader(importlib.abc.Loader):
    def __init__(self, loader: importlib.abc.Loader) -> None:
        self._loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        if spec is not None:
            spec.loader = module.__loader__ = self._loader
        with quiet_stderr():
            self._loader.exec_module(module)
