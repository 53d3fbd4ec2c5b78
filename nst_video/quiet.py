"""Keeping libraries' remarks off the user's terminal."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
