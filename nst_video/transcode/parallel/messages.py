"""The messages between workers and their driver."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from nst_video.jobs.chunks import Chunk
from nst_video.jobs.journal import JobDescription, PaintedChunk
from nst_video.transcode.painters import Painter
from nst_video.video.media.codec_options import TranscodeOptions


@dataclass(frozen=True, slots=True)
class Setup:
    """The first message to a worker: what paints all films.

    Attributes:
        painter: a copy for the worker.
        cores: how many of them it may use.
    """

    painter: Painter
    cores: int


@dataclass(frozen=True, slots=True)
class FilmOrder:
    """A film of which a worker is to paint something, sent before its first chunk.

    Attributes:
        film: its number.
        options: how to read and encode it.
        batch_size: frames painted at once.
        job: what it amounts to.
        folder: where complete chunks are put; None where the worker sends them.
    """

    film: int
    options: TranscodeOptions
    batch_size: int
    job: JobDescription
    folder: Path | None


@dataclass(frozen=True, slots=True)
class ChunkOrder:
    """What to paint next.

    Attributes:
        film: number of the film.
        chunk: of it.
        source_before: SHA-256 of the frame of the source before it, empty where it is not known.
        may_seek: the source may be read from the middle.
    """

    film: int
    chunk: Chunk
    source_before: str
    may_seek: bool


@dataclass(frozen=True, slots=True)
class Nothing:
    """The answer to a request that cannot wait, if there is nothing to paint."""


@dataclass(frozen=True, slots=True)
class Request:
    """A worker asks for a chunk.

    Attributes:
        can_wait: it has nothing else to do until it gets one.
    """

    can_wait: bool


@dataclass(frozen=True, slots=True)
class Advance:
    """A worker has painted frames.

    Attributes:
        film: number of the film.
        frames: how many.
        busy_s: seconds that each stage has worked since the last of these messages.
    """

    film: int
    frames: int
    busy_s: dict[str, float]


@dataclass(frozen=True, slots=True)
class Finished:
    """A chunk is complete.

    Attributes:
        film: number of the film.
        painted: the chunk.
        data: its file, where it does not lie in the folder of the job.
    """

    film: int
    painted: PaintedChunk
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Notes:
    """Sentences about the source of a film."""

    film: int
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """A worker could not paint what it was ordered; it goes on with other things.

    Attributes:
        film: number of the film.
        error: why.
    """

    film: int
    error: Exception


ToWorker: TypeAlias = Setup | FilmOrder | ChunkOrder | Nothing
FromWorker: TypeAlias = Request | Advance | Finished | Notes | Failed


Inbox: TypeAlias = Callable[[FromWorker | None], None]
"""Gets each message of a worker, from any thread; None when it has ended."""


class Channel(Protocol):
    """The worker's end of its connection to the driver."""

    def send(self, message: FromWorker) -> None:
        """Send a message; from any thread."""
        ...

    def receive(self) -> ToWorker:
        """Wait for the next message."""
        ...

    def source_of(self, order: FilmOrder) -> Path:
        """Return the source of a film as a file of this machine; that of the film before may go."""
        ...
