"""Outputs besides the window. Each runs in a thread of its own; a failure ends only that output."""

import threading
import time
from abc import abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from nst_video.errors import NstVideoError
from nst_video.frames import Frame, VideoInfo
from nst_video.video.queues import LatestQueue

DEPTH = 4
"""Frames queued for a slow output before the oldest is dropped."""

CLOSE_S = 10.0
"""Seconds that an output has to finish by default before it is stopped."""

_POLL_S = 0.1


class LiveSink(AbstractContextManager["LiveSink"], Protocol):
    """Writes frames of a live session. Entered, written to and exited in one thread.

    Entering opens it and raises SinkError if that is impossible. Exiting without an error finishes
    the file or connection. A subclass needs only the methods: the attributes have defaults.

    Attributes:
        target: path of the finished file; None before, and where nothing is kept.
        notes: sentences for the user about problems that did not end it.
    """

    target: Path | None = None
    notes: tuple[str, ...] = ()

    @abstractmethod
    def write(self, frame: Frame) -> None:
        """Write a frame, uint8 RGB (height, width, 3); the size may change between frames.

        Raises:
            SinkError: the frame cannot be written. The output ends then.
        """
        ...

    @abstractmethod
    def stop(self) -> None:
        """Make a blocked `write` or `__exit__` return soon. Called from another thread."""
        ...


@dataclass(frozen=True, slots=True)
class Output:
    """An output that is opened with the first frame, when the size is known.

    Attributes:
        name: shown to the user, such as "recording".
        open: creates a sink, not yet entered, for frames of this size and approximate rate.
        where: file or address, shown to the user.
        close_s: seconds to finish before it is stopped; None waits as long as it takes.
    """

    name: str
    open: Callable[[VideoInfo], LiveSink]
    where: str = ""
    close_s: float | None = CLOSE_S


class OutputThread:
    """Runs one output in a thread.

    Attributes:
        output: the output.
        written: number of frames written.
        error: why it failed, None otherwise.
        begun_s: time of its first frame (monotonic seconds), None before.
    """

    def __init__(self, output: Output, on_end: Callable[["OutputThread"], None]) -> None:
        """Start the thread; the sink opens with the first frame.

        Args:
            output: the output to run.
            on_end: called in the thread when the output has finished or failed.
        """
        self.output = output
        self.written = 0
        self.error: BaseException | None = None
        self.begun_s: float | None = None
        self._on_end = on_end
        self._frames: LatestQueue[Frame] = LatestQueue(DEPTH)
        self._fps: VideoInfo | None = None
        self._sink: LiveSink | None = None
        # A thread whose `join` is interrupted is taken for dead by Python before 3.13.
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name=output.name, daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Frames dropped because the output was too slow."""
        return self._frames.dropped

    @property
    def is_alive(self) -> bool:
        """True until the output has finished or failed."""
        return not self._has_ended.is_set()

    @property
    def where(self) -> str:
        """File or address. A finished file may have another name than requested."""
        saved = None if self._sink is None else self._sink.target
        return str(saved or self.output.where)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user about problems that did not end it."""
        return () if self._sink is None else self._sink.notes

    def put(self, frame: Frame, info: VideoInfo) -> None:
        """Queue a frame; never waits."""
        self._fps = info
        self._frames.put(frame)

    def finish(self) -> None:
        """Ask the output to finish, without waiting."""
        self._frames.close()

    def close(self) -> None:
        """Finish and wait; after `close_s` the output is stopped.

        It is also stopped if the wait is interrupted by Ctrl-C.
        """
        self._frames.close()
        try:
            self._has_ended.wait(self.output.close_s)
        finally:
            if self.is_alive and self._sink is not None:
                self._sink.stop()
                self._has_ended.wait(CLOSE_S)

    def _work(self) -> None:
        try:
            first = self._next()
            if first is None or self._fps is None:
                return
            sink = self._sink = self.output.open(self._fps)
            with sink:
                frame: Frame | None = first
                self.begun_s = time.monotonic()
                while frame is not None:
                    sink.write(frame)
                    self.written += 1
                    frame = self._next()
        except Exception as error:  # noqa: BLE001 - a failed output must not end the session
            self.error = error
        finally:
            self._frames.close()
            try:
                self._on_end(self)
            finally:
                self._has_ended.set()

    def _next(self) -> Frame | None:
        while not self._frames.is_closed:
            frame = self._frames.take(_POLL_S)
            if frame is not None:
                return frame
        return None


def error_text(error: BaseException) -> str:
    """Return the message for the user about an error."""
    return str(error) if isinstance(error, NstVideoError) else f"{type(error).__name__}: {error}"
