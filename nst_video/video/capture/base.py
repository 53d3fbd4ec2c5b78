"""Base class of live sources: a context manager that another thread can stop."""

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from nst_video.errors import SourceError
from nst_video.frames import VideoInfo

MAX_BAD = 30
"""Damaged frames in a row after which a source counts as broken; single ones are usual."""


class CaptureSource(ABC):
    """Base of sources that open a device in `_open` and release it in `_close`.

    Attributes:
        stopped: set by `stop`; an iteration ends soon after.
    """

    def __init__(self, name: str) -> None:
        """Keep the name for messages; nothing is opened yet."""
        self.name = name
        self.stopped = threading.Event()
        self._info: VideoInfo | None = None

    @property
    def info(self) -> VideoInfo:
        """Size and nominal rate; SourceError before the source is open."""
        if self._info is None:
            raise SourceError(f"{self.name} is not open: use it in a `with` statement.")
        return self._info

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user about what was changed; empty by default."""
        return ()

    def __enter__(self) -> Self:
        self._info = self._open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._close()

    def stop(self) -> None:
        """End a running iteration at its next frame."""
        self.stopped.set()

    @abstractmethod
    def _open(self) -> VideoInfo:
        """Open the device and return its size and rate; SourceError where it does not answer."""

    @abstractmethod
    def _close(self) -> None:
        """Release the device, whether it is open or not."""
