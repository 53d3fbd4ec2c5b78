"""Workers that are processes of this machine; as a program, one of them.

Messages are pickled and go through the standard streams. A worker ends when its input does, so that
none outlives its driver, however that ended.
"""

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import BinaryIO

from nst_video.transcode.parallel.messages import FilmOrder, FromWorker, Inbox, Setup, ToWorker
from nst_video.transcode.parallel.worker import serve


class ProcessWorker:
    """A worker process."""

    def __init__(self, setup: Setup, inbox: Inbox) -> None:
        """Start it."""
        module = "nst_video.transcode.parallel.processes"
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"from {module} import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self._inbox = inbox
        self.send(setup)
        self._reading = threading.Thread(target=self._read, name="worker-messages", daemon=True)
        self._reading.start()

    def send(self, message: ToWorker) -> None:
        """Send a message; one to a worker that has ended is lost."""
        try:
            _write(_open(self._process.stdin), message)
        except OSError:
            return

    def how_it_ended(self) -> str:
        """Return why it ended, in words."""
        status = self._process.wait()
        if status >= 0:
            return f"its process ended with status {status}"
        name = signal.Signals(-status).name
        why = ", as the system does when memory is full" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{why}"

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._reading.join()
        for stream in (self._process.stdin, self._process.stdout):
            _close(_open(stream))

    def _read(self) -> None:
        stream = _open(self._process.stdout)
        while True:
            try:
                message: FromWorker = pickle.load(stream)
            except (EOFError, OSError, ValueError, pickle.UnpicklingError):
                break
            self._inbox(message)
        self._inbox(None)


class _StreamChannel:
    """The worker's end, see `Channel`."""

    def __init__(self, source: BinaryIO, target: BinaryIO) -> None:
        self._target, self._sending = target, threading.Lock()
        self._received: queue.SimpleQueue[ToWorker] = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(source,), daemon=True).start()

    def send(self, message: FromWorker) -> None:
        """Send a message."""
        with self._sending:
            _write(self._target, message)

    def receive(self) -> ToWorker:
        """Wait for the next message."""
        return self._received.get()

    def source_of(self, order: FilmOrder) -> Path:
        """Return the source of a film."""
        return Path(order.job.source)

    def _read(self, source: BinaryIO) -> None:
        while True:
            try:
                self._received.put(pickle.load(source))
            except (EOFError, OSError, pickle.UnpicklingError):
                # The driver has ended. So do decoders and encoders, whose pipes are closed.
                os._exit(0)


def main() -> None:
    """Be a worker until the standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides what Ctrl-C means
    messages = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print goes elsewhere
    serve(_StreamChannel(os.fdopen(os.dup(0), "rb"), messages))


def _write(stream: BinaryIO, message: object) -> None:
    stream.write(pickle.dumps(message))
    stream.flush()


def _open(stream: object) -> BinaryIO:
    if stream is None:
        raise OSError("the pipe is closed")
    return stream  # type: ignore[return-value]  # Popen types it as IO[bytes]


def _close(stream: BinaryIO) -> None:
    try:
        stream.close()
    except OSError:
        return
