"""Whether a file is still being written, told by its size."""

import time
from pathlib import Path

FRESH_S = 60
"""Seconds since the last change within which a file may still be being written."""

FLUSHED_S = 6
"""Seconds after which a recorder has written something: Matroska's clusters take 5."""

POLL_S = 0.1


class Growth:
    """A file's size, as it was first and as it is.

    Attributes:
        is_fresh: it was changed so lately that it may still be being written.
    """

    def __init__(self, path: Path) -> None:
        """Take note of the size; 0 where the file is gone."""
        self._path = path
        self._bytes, changed_s = _state(path)
        self._age_s = time.time() - changed_s
        self.is_fresh = self._age_s < FRESH_S

    def is_seen(self) -> bool:
        """Whether the file has grown meanwhile."""
        return _state(self._path)[0] > self._bytes

    def is_awaited(self) -> bool:
        """Whether it grows, after waiting for as long as a recorder may take to write more."""
        end = time.monotonic() + (FLUSHED_S if self._age_s < FLUSHED_S else 0)
        while not self.is_seen() and time.monotonic() < end:
            time.sleep(POLL_S)
        return self.is_seen()


def _state(path: Path) -> tuple[int, float]:
    try:
        state = path.stat()
    except OSError:
        return 0, 0.0
    return state.st_size, state.st_mtime
