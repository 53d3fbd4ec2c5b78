"""What the driver of the workers knows: of the films that are open, and of each worker."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from nst_video.errors import NstVideoError
from nst_video.jobs.journal import Journal
from nst_video.transcode.chunked import FilmReport
from nst_video.transcode.chunked_film import ChunkedFilm
from nst_video.transcode.parallel.schedule import Task
from nst_video.transcode.parallel.worker_pool import Worker


@dataclass(frozen=True, slots=True)
class FilmJob:
    """A film to be painted.

    Attributes:
        source: the video file.
        target: the file to write.
        overwrite: an existing target is replaced once the new one is complete.
    """

    source: Path
    target: Path
    overwrite: bool = False


@dataclass(slots=True)
class OpenFilm:
    """A film that is being painted.

    Attributes:
        number: of the job.
        job: what was asked.
        film: how it is painted.
        journal: open.
        closing: closes it.
        report: what is said of it.
        painting: chunks with a worker.
        tries: how often a chunk has lost its worker.
        errors: why chunks have failed, by their number.
        may_seek: the source can be read from the middle.
    """

    number: int
    job: FilmJob
    film: ChunkedFilm
    journal: Journal
    closing: ExitStack
    report: FilmReport
    painting: set[int] = field(default_factory=set)
    tries: dict[int, int] = field(default_factory=dict)
    errors: dict[int, NstVideoError] = field(default_factory=dict)
    may_seek: bool = True

    def describe(self, number: int) -> str:
        """Return which chunk it is, and where it lies: "Chunk 2 (0:10 to 0:20)"."""
        chunk, fps = self.film.job.chunks[number], self.film.source.info.fps

        def minutes(frame: int) -> str:
            seconds = int(frame / fps)
            return f"{seconds // 60}:{seconds % 60:02}"

        return f"Chunk {number + 1} ({minutes(chunk.first)} to {minutes(chunk.end)})"


@dataclass(slots=True)
class WorkerState:
    """A worker as the driver sees it.

    Attributes:
        worker: the connection.
        films: those that it was told of.
        tasks: what it has taken and not finished, in order.
        advanced: frames that it has painted of that.
        waits: it waits for an order.
        last: what it has taken last.
    """

    worker: Worker | None = None
    films: set[int] = field(default_factory=set)
    tasks: list[Task] = field(default_factory=list)
    advanced: int = 0
    waits: bool = False
    last: Task | None = None
