"""What a worker runs: it asks for chunks, paints them, and reports what is finished."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2

from nst_video.errors import EngineError, NstVideoError, SourceError
from nst_video.jobs.chunks import Chunk
from nst_video.jobs.fingerprint import as_json, differences, identify_source
from nst_video.jobs.journal import PART, PaintedChunk
from nst_video.transcode.chunk_run import ChunkRun, paint_run
from nst_video.transcode.chunked_film import ChunkedFilm
from nst_video.transcode.parallel.messages import (
    Advance,
    Channel,
    ChunkOrder,
    Failed,
    FilmOrder,
    Finished,
    Notes,
    Nothing,
    Request,
    Setup,
)
from nst_video.transcode.progress import Progress, ProgressMeter
from nst_video.video.video_file_source import VideoFileSource


def serve(channel: Channel, folder: Path | None = None) -> None:
    """Paint what the driver orders until the connection ends.

    Args:
        channel: the connection.
        folder: for chunks of films whose own folder this machine does not see.
    """
    setup = channel.receive()
    if not isinstance(setup, Setup):
        raise TypeError(f"{type(setup).__name__} is not how a worker is set up")
    cv2.setNumThreads(setup.cores)
    setup.painter.make_reproducible(setup.cores)
    worker = _Worker(channel, setup, folder or Path())
    while True:
        worker.work()


class _Worker:
    """Paints run after run."""

    def __init__(self, channel: Channel, setup: Setup, folder: Path) -> None:
        self._channel, self._setup, self._folder = channel, setup, folder
        self._films: dict[int, FilmOrder] = {}
        self._opened: tuple[int, ChunkedFilm] | None = None
        self._next: ChunkOrder | None = None

    def work(self) -> None:
        """Paint a chunk and those that follow it."""
        order, self._next = self._next or self._ask(can_wait=True), None
        if order is None:
            return
        try:
            film = self._open(order.film)
            store = _Store(self._channel, self._films[order.film], self._folder)
            run = ChunkRun(
                order.chunk,
                self._following(order),
                source_before=order.source_before,
                may_seek=order.may_seek,
            )
            report = _Report(self._channel, order.film)
            _, notes = paint_run(film, run, store, ProgressMeter(None), report)
            self._channel.send(Notes(order.film, notes))
        except NstVideoError as error:
            self._channel.send(Failed(order.film, error))
        except (MemoryError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
            self._channel.send(Failed(order.film, NstVideoError(f"A worker failed: {reason}.")))

    def _following(self, order: ChunkOrder) -> Iterator[Chunk]:
        """Yield the chunks after one as long as the driver orders them."""
        while order.chunk.number < len(self._films[order.film].job.chunks) - 1:
            following = self._ask(can_wait=False)
            if following is None:
                return
            is_next = following.chunk.number == order.chunk.number + 1
            if following.film != order.film or not is_next or not following.may_seek:
                self._next = following
                return
            order = following
            yield order.chunk

    def _ask(self, *, can_wait: bool) -> ChunkOrder | None:
        self._channel.send(Request(can_wait))
        while True:
            answer = self._channel.receive()
            if isinstance(answer, FilmOrder):
                self._films[answer.film] = answer
            elif isinstance(answer, ChunkOrder):
                return answer
            elif isinstance(answer, Nothing):
                return None

    def _open(self, number: int) -> ChunkedFilm:
        """Return a film, its source opened here.

        Raises:
            SourceError: the source cannot be read, or is not that of the driver.
            EngineError: this machine would paint other frames.
        """
        if self._opened is not None and self._opened[0] == number:
            return self._opened[1]
        order, painter = self._films[number], self._setup.painter
        self._opened, path = None, self._channel.source_of(order)
        if identify_source(path) != order.job.inputs["source"]:
            raise SourceError(f"{path} is another file here, or has changed: repeat the command.")
        here = painter.identity() or {}
        if as_json(here) != as_json(order.job.inputs["painting"]):
            changed = ", ".join(differences(order.job.inputs["painting"], here)[:3])
            raise EngineError(
                f"A worker would paint {order.job.target.name} in another way ({changed}): give it "
                "the same engine, model and styles as the machine that was asked, by --engine."
            )
        source = VideoFileSource(path, order.options)
        job, target = order.job, order.job.target
        film = ChunkedFilm(source, painter, order.options, target, order.batch_size, job)
        self._opened = number, film
        return film


class _Store:
    """Puts chunks where the driver finds them; see `ChunkStore`."""

    def __init__(self, channel: Channel, order: FilmOrder, folder: Path) -> None:
        self._channel, self._order = channel, order
        self._folder = order.folder or folder

    def new_part(self, chunk: Chunk) -> Path:
        """Return a new name for a chunk under construction."""
        return (
            self._folder / f"{chunk.number:05}-{secrets.token_hex(4)}{PART}{self._order.job.suffix}"
        )

    def add(self, painted: PaintedChunk) -> None:
        """Tell the driver of a complete chunk, or send it."""
        if self._order.folder is not None:
            self._channel.send(Finished(self._order.film, painted))
            return
        data = painted.part.read_bytes()
        painted.part.unlink()
        self._channel.send(Finished(self._order.film, replace(painted, part=Path()), data))


class _Report:
    """Tells the driver how far the painting is."""

    def __init__(self, channel: Channel, film: int) -> None:
        self._channel, self._film = channel, film
        self._frame, self._busy_s = 0, dict[str, float]()

    def __call__(self, progress: Progress) -> None:
        """Send what is new."""
        since = {
            stage: seconds - self._busy_s.get(stage, 0.0)
            for stage, seconds in progress.busy_s.items()
        }
        self._channel.send(Advance(self._film, progress.frame - self._frame, since))
        self._frame, self._busy_s = progress.frame, dict(progress.busy_s)
