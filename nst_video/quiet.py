"""Keeping libraries' remarks off the user's terminal."""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

_lock = threading.RLock()


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Discard what is written to standard error within, by C code too.

    libjpeg, libpng, TensorFlow and LiteRT write to file descriptor 2 whatever their log levels, so
    that is pointed elsewhere for the moment; one thread at a time, or the second would restore the
    first one's emptiness.
    """
    with _lock, Path(os.devnull).open("wb") as nowhere:
        try:
            kept = os.dup(2)
        except OSError:  # no standard error at all, as under pythonw
            yield
            return
        try:
            os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


class QuietImports(importlib.abc.MetaPathFinder):
    """Discards what some packages write to standard error while they are imported.

    It does not matter which module imports them first. To be put at the front of `sys.meta_path`.
    """

    def __init__(self, *packages: str) -> None:
        self._left = set(packages)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the spec of a noisy package with its loader kept quiet, once; else None."""
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
