"""Detects files that are still being written, by their size."""

import time
from pathlib import Path

FRESH_S = 60
"""Seconds since the last change within which a file may still be growing."""

FLUSHED_S = 6
"""Longest time between two writes of a recorder: Matroska's clusters take 5 seconds."""

POLL_S = 0.1


class GrowthMonitor:
    """Compares a file's size with its size at the start.

    Attributes:
        is_fresh: the file was changed so recently that it may still be growing.
    """

    def __init__(self, path: Path) -> None:
        """Measure the size now; 0 where the file does not exist."""
        self._path = path
        self._bytes, changed_s = _state(path)
        self._age_s = time.time() - changed_s
        self.is_fresh = self._age_s < FRESH_S

    def has_grown(self) -> bool:
        """Return whether the file has grown since the start."""
        return _state(self._path)[0] > self._bytes

    def wait_for_growth(self) -> bool:
        """Return whether it has grown, after waiting up to `FLUSHED_S` if it was changed lately."""
        end = time.monotonic() + (FLUSHED_S if self._age_s < FLUSHED_S else 0)
        while not self.has_grown() and time.monotonic() < end:
            time.sleep(POLL_S)
        return self.has_grown()


def _state(path: Path) -> tuple[int, float]:
    try:
        state = path.stat()
    except OSError:
        return 0, 0.0
    return state.st_size, state.st_mtime
