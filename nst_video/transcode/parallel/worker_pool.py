"""The interface through which the driver uses workers, on this machine or on others."""

from typing import Protocol

from nst_video.transcode.painters import Painter
from nst_video.transcode.parallel.messages import Inbox, Setup, ToWorker
from nst_video.transcode.parallel.processes import ProcessWorker
from nst_video.worker_options import WorkerOptions


class Worker(Protocol):
    """The driver's end of the connection to a worker."""

    def send(self, message: ToWorker) -> None:
        """Send a message; one to a worker that has ended is lost."""
        ...

    def how_it_ended(self) -> str:
        """Return why it ended, in words."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class WorkerPool(Protocol):
    """Where workers come from.

    Attributes:
        shares_folders: workers see the folders of this machine.
    """

    shares_folders: bool

    def wanted(self) -> int:
        """Return how many workers there should be now."""
        ...

    def start(self, inbox: Inbox) -> Worker:
        """Start a worker that sends its messages to `inbox`, and None at its end."""
        ...


class LocalWorkerPool:
    """Processes of this machine; see `WorkerPool`."""

    shares_folders = True

    def __init__(self, painter: Painter, options: WorkerOptions) -> None:
        """Prepare; `painter` is copied to each worker."""
        self._setup = Setup(painter, options.cores_each)
        self._count = options.count

    def wanted(self) -> int:
        """Return how many there should be."""
        return self._count

    def start(self, inbox: Inbox) -> Worker:
        """Start a worker."""
        return ProcessWorker(self._setup, inbox)
