"""Workers that are actors of Ray: on many machines, which may come and go.

The worker's program is that of `processes`; here its messages go through queues of Ray. A painter
is put into the object store once, from where each node fetches it once. Films are read from a
folder that the nodes share, or else sent in pieces, once to each node.
"""

import contextlib
import os
import queue
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

from nst_video.errors import MissingExtraError, SourceError, UsageError
from nst_video.jobs.fingerprint import fingerprint, identify_source
from nst_video.system.path_lookup import os_reason
from nst_video.system.words import counted
from nst_video.transcode.painters import Painter
from nst_video.transcode.parallel.messages import FilmOrder, FromWorker, Inbox, Setup, ToWorker
from nst_video.transcode.parallel.scratch import Scratch, tidy
from nst_video.transcode.parallel.worker import serve
from nst_video.worker_options import WorkerOptions

Handle: TypeAlias = Any
"""Modules, actors, queues and references of Ray, which has no types for them."""

CONNECT_S = 5.0
"""Longest wait for a cluster's address to answer, in seconds."""

FILMS_SENT = 4
"""So many films are kept in the object store for other nodes; earlier ones are put there again."""

KILL_S = 1.0
"""After so many seconds the workers of a node that Ray was told to kill are gone."""

TIDY_S = 20.0
"""Longest wait at the end for nodes to remove what workers have left there, in seconds."""

PIECE_BYTES = 16 << 20
"""Of a film that is sent through the object store."""


class RayWorkerPool:
    """Actors of a Ray cluster, as many as it has room for; see `WorkerPool`."""

    shares_folders = False

    def __init__(
        self,
        painter: Painter,
        options: WorkerOptions,
        on_note: Callable[[str], None] | None = None,
    ) -> None:
        """Prepare; the cluster is joined on entering the context.

        Raises:
            MissingExtraError: Ray is not installed.
        """
        try:
            import ray
        except ImportError as error:
            raise MissingExtraError("--ray", "ray", "cluster") from error
        self._ray: Handle = ray
        self._options, self._painter = options, painter
        self._note = on_note or (lambda text: None)
        self._setup: Handle = None
        self._pieces: OrderedDict[Path, list[Handle]] = OrderedDict()
        self._sending = threading.Lock()
        self._has_joined = False

    def __enter__(self) -> Self:
        """Join the cluster, or start one on this machine.

        Raises:
            UsageError: there is no cluster at the address.
        """
        ray, address = self._ray, self._options.ray
        if not ray.is_initialized():
            quiet = {"logging_level": "ERROR", "log_to_driver": False}
            try:
                if address == "auto":
                    self._join_or_start(quiet)
                else:
                    _check_answers(str(address))
                    ray.init(address=address, **quiet)
            except (OSError, RuntimeError, ValueError) as error:
                raise UsageError(
                    f"No Ray cluster answers at {address}: start one with `ray start --head`, or "
                    "use --workers for this machine alone."
                ) from error
            self._has_joined = True
        self._setup = ray.put(Setup(self._painter, self._options.ray_cores))
        nodes = counted(sum(node["Alive"] for node in ray.nodes()), "node")
        cores = counted(round(ray.cluster_resources().get("CPU", 0)), "core")
        self._note(f"Ray: {nodes} with {cores}, room for {counted(self.wanted(), 'worker')}.")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tidy_nodes()
        if self._has_joined:
            self._ray.shutdown()

    def wanted(self) -> int:
        """Return how many workers the cluster has room for, and at most what was asked."""
        options, nodes = self._options, [n for n in self._ray.nodes() if n["Alive"]]
        room = 0
        for node in nodes:
            has = node["Resources"]
            fits = [has.get("CPU", 0) // options.ray_cores]
            if options.gpus:
                fits.append(has.get("GPU", 0) // options.gpus)
            room += int(min(fits))
        return room if options.workers == "auto" else min(options.workers, max(1, room))

    def start(self, inbox: Inbox) -> "RayWorker":
        """Start a worker."""
        return RayWorker(self._ray, self._setup, self._options, inbox, self.pieces_of)

    def pieces_of(self, path: Path) -> list[Handle]:
        """Return references to a film in the object store, put there when first asked for."""
        with self._sending:
            if path not in self._pieces:
                self._pieces[path] = [self._ray.put(piece) for piece in _read_pieces(path)]
            if len(self._pieces) > FILMS_SENT:
                self._pieces.popitem(last=False)
            return self._pieces[path]

    def _tidy_nodes(self) -> None:
        """Have every node that answers remove what killed workers have left there."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        ray, tidy_node = self._ray, self._ray.remote(num_cpus=0, max_retries=0)(_tidy_node)
        with contextlib.suppress(ray.exceptions.RayError):
            there = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
            on_nodes = [NodeAffinitySchedulingStrategy(node, soft=False) for node in there]
            tidied = [tidy_node.options(scheduling_strategy=on).remote() for on in on_nodes]
            ray.wait(tidied, num_returns=len(tidied), timeout=TIDY_S)

    def _join_or_start(self, quiet: dict[str, Any]) -> None:
        try:
            self._ray.init(address="auto", **quiet)
        except ConnectionError:
            self._ray.init(**quiet)


def _check_answers(address: str) -> None:
    """Check that somebody listens at "host:port": Ray itself tries for minutes, deaf to Ctrl-C.

    Raises:
        OSError: nobody does.
        ValueError: it is no such address.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    socket.create_connection((host, int(port)), CONNECT_S).close()


class RayWorker:
    """An actor, see `worker_pool.Worker`."""

    def __init__(
        self,
        ray: Handle,
        setup: Handle,
        options: WorkerOptions,
        inbox: Inbox,
        pieces_of: Callable[[Path], list[Handle]],
    ) -> None:
        """Start it; its messages are fetched by a thread."""
        from ray.util.queue import Queue
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self._ray, self._inbox, self._pieces_of = ray, inbox, pieces_of
        # Beside the driver: nodes of workers come and go.
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
        placed = {"num_cpus": 0, "scheduling_strategy": here}
        self._to, self._from = Queue(actor_options=placed), Queue(actor_options=placed)
        actor = ray.remote(num_cpus=options.ray_cores, num_gpus=options.gpus, max_restarts=0)(
            _Actor
        )
        self._actor = actor.remote()
        self._run = self._actor.run.remote(setup, self._to, self._from)
        self._how = "it was given up"
        self._is_closed = threading.Event()
        self._reading = threading.Thread(target=self._read, name="ray-messages", daemon=True)
        self._reading.start()

    def send(self, message: ToWorker) -> None:
        """Send a message; one to a worker that has ended is lost."""
        if isinstance(message, FilmOrder):
            message = replace(message, folder=None)
        with contextlib.suppress(self._ray.exceptions.RayError):
            self._to.put(message)

    def how_it_ended(self) -> str:
        """Return why it ended, in words."""
        return self._how

    def close(self) -> None:
        """End it."""
        self._is_closed.set()
        with contextlib.suppress(self._ray.exceptions.RayError):
            self._ray.kill(self._actor)
        self._reading.join()
        for each in (self._to, self._from):
            with contextlib.suppress(self._ray.exceptions.RayError):
                each.shutdown(force=True)

    def _read(self) -> None:
        from ray.util.queue import Empty

        while not self._is_closed.is_set():
            try:
                message = self._from.get(timeout=0.5)
            except Empty:
                if self._has_ended():
                    break
                continue
            except self._ray.exceptions.RayError as error:
                self._how = _first_line(error)
                break
            if isinstance(message, _NeedsSource):
                self._to.put(_Pieces(message.path, self._pieces_of(message.path)))
            else:
                self._inbox(message)
        self._inbox(None)

    def _has_ended(self) -> bool:
        ended, _ = self._ray.wait([self._run], timeout=0)
        if not ended:
            return False
        try:
            self._ray.get(self._run)
        except self._ray.exceptions.RayError as error:
            self._how = _first_line(error)
        return True


class _NeedsSource:
    """A worker cannot read a film: it must be sent."""

    def __init__(self, path: Path) -> None:
        self.path = path


class _Pieces:
    """References to the pieces of a film."""

    def __init__(self, path: Path, pieces: list[Handle]) -> None:
        self.path, self.pieces = path, pieces


class _Actor:
    """What runs on a node."""

    def run(self, setup: Setup, inbox: Handle, outbox: Handle) -> None:
        """Serve the driver until the actor is killed; `setup` is fetched by Ray."""
        with Scratch() as scratch:
            serve(_QueueChannel(setup, inbox, outbox, scratch), scratch.folder)


def _tidy_node() -> None:
    """What runs on a node at the end; workers have just been killed."""
    time.sleep(KILL_S)
    tidy()


class _QueueChannel:
    """The worker's end, see `Channel`; films that are not here are fetched."""

    def __init__(self, setup: Setup, inbox: Handle, outbox: Handle, scratch: Scratch) -> None:
        self._scratch = scratch
        self._first: list[ToWorker] = [setup]
        self._inbox, self._outbox = inbox, outbox
        self._waiting: queue.SimpleQueue[ToWorker] = queue.SimpleQueue()

    def send(self, message: FromWorker) -> None:
        """Send a message."""
        self._outbox.put(message)

    def receive(self) -> ToWorker:
        """Wait for the next message."""
        if self._first:
            return self._first.pop()
        return self._inbox.get() if self._waiting.empty() else self._waiting.get()

    def source_of(self, order: FilmOrder) -> Path:
        """Return the source of a film where it is here, else a copy.

        Raises:
            SourceError: there is no room for a copy.
        """
        wanted, path = order.job.inputs["source"], Path(order.job.source)
        with contextlib.suppress(OSError):
            if path.exists() and identify_source(path) == wanted:
                return path
        try:
            return self._scratch.film(
                f"{fingerprint(wanted)}{path.suffix}",
                lambda copy: self._fetch(path, copy, wanted["changed_ns"]),
            )
        except OSError as error:
            node = socket.gethostname()
            raise SourceError(f"{path} cannot be kept on {node}: {os_reason(error)}.") from error

    def _fetch(self, path: Path, copy: Path, changed_ns: int) -> None:
        """Write the pieces of a film to a file of this node."""
        import ray

        self._outbox.put(_NeedsSource(path))
        while not isinstance(message := self._inbox.get(), _Pieces):
            self._waiting.put(message)
        part = copy.with_name(f"{copy.name}.part")
        with part.open("wb") as file:
            for piece in message.pieces:
                file.write(ray.get(piece))
        os.utime(part, ns=(changed_ns, changed_ns))
        part.replace(copy)


def _read_pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
