"""Outputs beside the window, each in a thread of its own that may fail without harm to others."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from nst_video.errors import NstVideoError
from nst_video.frames import Frame, VideoInfo
from nst_video.video.queues import LatestQueue

DEPTH = 4
"""Frames that wait for a slow output before the oldest is dropped."""

CLOSE_S = 10.0
"""Seconds an output has to finish by default; then it is killed."""

_POLL_S = 0.1


class LiveSink(AbstractContextManager["LiveSink"], Protocol):
    """Takes frames as they come; entered, written and left in one thread.

    Leaving it normally finishes what it made. `stop` may be called from another thread.
    """

    def write(self, frame: Frame) -> None:
        """Take a frame, RGB (height, width, 3) of any size."""
        ...

    def stop(self) -> None:
        """Make a `write` or a leave that hangs end soon."""
        ...


@runtime_checkable
class SavingSink(Protocol):
    """A sink that leaves a file.

    Attributes:
        saved: the file, None before it is finished.
        note: what is not as it should be, empty where nothing is.
    """

    saved: Path | None
    note: str


@dataclass(frozen=True, slots=True)
class Output:
    """A place for frames that can be opened once their size is known.

    Attributes:
        name: for the user, as in "recording".
        open: makes the sink for frames of that size and about that rate; not yet entered.
        where: what it writes to, for the user.
        close_s: seconds that it has to finish before it is killed; None is as long as it takes.
    """

    name: str
    open: Callable[[VideoInfo], LiveSink]
    where: str = ""
    close_s: float | None = CLOSE_S


class OutputThread:
    """One output at work.

    Attributes:
        output: what it is.
        written: frames that the sink has taken.
        error: what made it fail, None while all is well.
        begun_s: when it took its first frame (monotonic seconds), None before.
    """

    def __init__(self, output: Output, on_end: Callable[["OutputThread"], None]) -> None:
        """Start the thread; the sink opens with the first frame.

        Args:
            output: where frames go.
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
        """Frames that it was too slow for."""
        return self._frames.dropped

    @property
    def is_alive(self) -> bool:
        """True until it has finished or failed."""
        return not self._has_ended.is_set()

    @property
    def where(self) -> str:
        """What it writes to, or has written: not the name asked for where that was taken."""
        saved = self._sink.saved if isinstance(self._sink, SavingSink) else None
        return str(saved or self.output.where)

    @property
    def note(self) -> str:
        """What is not as it should be in what it has written, empty where nothing is."""
        return self._sink.note if isinstance(self._sink, SavingSink) else ""

    def put(self, frame: Frame, info: VideoInfo) -> None:
        """Hand over a frame; never waits."""
        self._fps = info
        self._frames.put(frame)

    def finish(self) -> None:
        """Ask it to finish, without waiting."""
        self._frames.close()

    def close(self) -> None:
        """Finish and wait for it; what takes longer than its `close_s` is killed.

        It is killed as well where the wait is interrupted: a Ctrl-C while it finishes.
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
        except Exception as error:  # noqa: BLE001 - an output's failure is never the session's
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


def explain(error: BaseException) -> str:
    """Return what to tell a user of an output's failure."""
    return str(error) if isinstance(error, NstVideoError) else f"{type(error).__name__}: {error}"
