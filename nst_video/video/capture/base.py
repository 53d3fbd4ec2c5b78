"""What all live sources share: being a context manager that can be stopped from outside."""

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from nst_video.errors import SourceError
from nst_video.frames import VideoInfo

MAX_BAD = 30
"""Pictures in a row that may be damaged before a source counts as broken; one is not unusual."""


class LiveSource(ABC):
    """Base of sources that open a device in `_open` and let go of it in `_close`.

    Attributes:
        stopped: set by `stop`; every wait inside an iteration ends with it.
    """

    def __init__(self, name: str) -> None:
        """Remember the name that messages use; nothing is opened yet."""
        self.name = name
        self.stopped = threading.Event()
        self._info: VideoInfo | None = None

    @property
    def info(self) -> VideoInfo:
        """Size and claimed rate; SourceError before the source is open."""
        if self._info is None:
            raise SourceError(f"{self.name} is not open: use it in a `with` statement.")
        return self._info

    @property
    def notes(self) -> tuple[str, ...]:
        """Nothing is done to the frames."""
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
        """Open the device; SourceError when it does not answer."""

    @abstractmethod
    def _close(self) -> None:
        """Let go of the device, opened or not."""
