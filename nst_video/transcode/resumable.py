"""Paints the chunks of a film that are missing, from where the painter can begin."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nst_video.errors import SourceError
from nst_video.frames import Frames
from nst_video.jobs.chunks import Chunk
from nst_video.jobs.journal import Journal, State
from nst_video.transcode.batches import paint_batches, stack_batches
from nst_video.transcode.chunk_sink import Boundaries, ChunkSink
from nst_video.transcode.chunked_film import ChunkedFilm
from nst_video.transcode.painters import Painter
from nst_video.transcode.pixel_format import PixelPath, negotiate_format
from nst_video.transcode.progress import OnProgress, ProgressMeter
from nst_video.transcode.stages import Stages, run_stages
from nst_video.video.chunk_encoder import ChunkEncoder
from nst_video.video.video_file_source import VideoFileSource

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive chunks to be painted in one go.

    Attributes:
        chunks: in order; some of them may be finished already, and are painted to get to others.
        state: the painter's state before the first; None at the beginning of the film.
        source_sha256: of the frame of the source before the first one.
    """

    chunks: tuple[Chunk, ...]
    state: State | None = None
    source_sha256: str = ""

    @property
    def frame_count(self) -> int:
        """How many frames they have."""
        return sum(chunk.frame_count for chunk in self.chunks)


def plan_stretches(film: ChunkedFilm, journal: Journal) -> list[Stretch]:
    """Return what to paint: from where the painter can begin to each missing chunk."""
    chunks, stretches = film.job.chunks, list[Stretch]()
    for missing in journal.missing:
        end = missing.number + 1
        last = stretches[-1].chunks[-1].number + 1 if stretches else 0
        first, state = missing.number, _state_before(film, journal, missing.number)
        while state is None and first > last:
            first -= 1
            state = _state_before(film, journal, first)
        if stretches and first == last:
            before = stretches.pop()
            begun = before.chunks[0].number
            stretches.append(Stretch(chunks[begun:end], before.state, before.source_sha256))
        elif state is None:
            stretches.append(Stretch(chunks[first:end]))
        else:
            source_sha256 = journal.finished[first - 1].last_source_sha256
            stretches.append(Stretch(chunks[first:end], state, source_sha256))
    return stretches


def paint_stretch(
    film: ChunkedFilm,
    journal: Journal,
    stretch: Stretch,
    meter: ProgressMeter,
    on_progress: OnProgress | None,
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Paint and encode the missing chunks of a stretch.

    Returns:
        Seconds that each stage worked, and sentences about the source.

    Raises:
        NstVideoError: as `transcode`; what is finished by then stays in the journal.
    """
    boundaries = Boundaries()
    wanted = {chunk.number for chunk in journal.missing}
    with ExitStack() as opened:
        source, path = _open_at(film, stretch, opened)

        def open_encoder(file: Path) -> ChunkEncoder:
            return ChunkEncoder(file, film.target, source.info, film.options, as_yuv=path.as_yuv)

        sink = ChunkSink(journal, stretch.chunks, wanted, boundaries, open_encoder)
        stages = Stages(
            batches=_batches(path.frames, film.batch_size, stretch.chunks, boundaries),
            paint=lambda batches: _paint(path.painter, batches, stretch, boundaries),
            sink=opened.enter_context(sink),
            stop_source=source.stop,
        )
        busy_s = run_stages(stages, meter, on_progress)
    return busy_s, source.notes


def _state_before(film: ChunkedFilm, journal: Journal, number: int) -> State | None:
    """Return the painter's state before a chunk, if there is one that the painter can use."""
    state = journal.state_before(number)
    try:
        if state is not None:
            film.painter.restore(state)
    except (KeyError, ValueError):
        return None
    return state


def _open_at(
    film: ChunkedFilm, stretch: Stretch, opened: ExitStack
) -> tuple[VideoFileSource, PixelPath[Painter]]:
    """Return a source and its frames from the first one of a stretch on.

    The frame before is read, too: if it is not the one that was read before the interruption, the
    file cannot be read from the middle, and is read from its beginning.
    """
    first, end = stretch.chunks[0].first, stretch.chunks[-1].end
    source = opened.enter_context(film.source.unread())
    if not first:
        source.select_frames(0, end)
        return source, negotiate_format(source, film.painter)
    source.select_frames(first - 1, end)
    path = negotiate_format(source, film.painter)
    frames = iter(path.frames)
    try:
        before = next(frames, None)
    except SourceError:
        before = None
    if before is None or _digest(before) != stretch.source_sha256:
        source.stop()
        source = opened.enter_context(film.source.unread())
        source.select_frames(first, end, may_seek=False)
        return source, negotiate_format(source, film.painter)
    return source, PixelPath(frames, path.painter, path.as_yuv)


def _batches(
    frames: Iterable[Pixels], size: int, chunks: Sequence[Chunk], boundaries: Boundaries
) -> Iterator[Frames]:
    """Yield batches that do not reach over the end of a chunk; note the last frame of each."""
    remaining = iter(frames)
    for chunk in chunks:
        seen = 0
        for batch in stack_batches(islice(remaining, chunk.frame_count), size):
            seen += len(batch)
            if seen == chunk.frame_count:
                boundaries.last_sources[chunk.number] = _digest(batch[-1])
            yield batch


def _paint(
    painter: Painter, batches: Iterable[Frames], stretch: Stretch, boundaries: Boundaries
) -> Iterator[Frames]:
    """Paint chunk by chunk; note the painter's state after each.

    A chunk is painted to its end before the next one is begun, so that the state belongs to a
    frame.
    """
    painter.reset()
    if stretch.state is not None:
        painter.restore(stretch.state)
    remaining = iter(batches)
    for chunk in stretch.chunks:
        painted = 0
        for batch in paint_batches(painter, _take(remaining, chunk.frame_count)):
            painted += len(batch)
            if painted == chunk.frame_count:
                boundaries.states[chunk.number] = painter.state()
            yield batch


def _take(batches: Iterator[Frames], count: int) -> Iterator[Frames]:
    """Yield batches until they have `count` frames."""
    while count > 0 and (batch := next(batches, None)) is not None:
        count -= len(batch)
        yield batch


def _digest(frame: Pixels) -> str:
    return hashlib.sha256(np.ascontiguousarray(frame).data).hexdigest()
