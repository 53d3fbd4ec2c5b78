"""Paints consecutive chunks of a film; the first of them independently of those before it.

Frames depend on those before them. So that chunks can be painted apart from each other, and frames
still be the same, the end of each chunk passes to what a film is like that begins there
(`Painter.renew`): whoever paints the next chunk paints these frames first, and drops them.
"""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nst_video.errors import SourceError
from nst_video.frames import Frames
from nst_video.jobs.chunks import Chunk
from nst_video.transcode.batches import paint_batches, stack_batches
from nst_video.transcode.chunk_sink import ChunkSink, ChunkStore
from nst_video.transcode.chunked_film import ChunkedFilm
from nst_video.transcode.painters import Painter
from nst_video.transcode.pixel_format import PixelPath, negotiate_format
from nst_video.transcode.progress import OnProgress, ProgressMeter
from nst_video.transcode.stages import Stages, run_stages
from nst_video.video.chunk_encoder import ChunkEncoder
from nst_video.video.video_file_source import VideoFileSource

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ChunkRun:
    """Consecutive chunks to be painted in one go.

    Attributes:
        first: the first of them.
        following: yields the others, in order, each when the one before has been read.
        end: number of the frame after the last that may be read; None for the end of the film.
        source_before: SHA-256 of the frame of the source before them, empty where it is not known.
        may_seek: the source may be read from the middle.
    """

    first: Chunk
    following: Iterable[Chunk] = ()
    end: int | None = None
    source_before: str = ""
    may_seek: bool = True


def paint_run(
    film: ChunkedFilm,
    run: ChunkRun,
    store: ChunkStore,
    meter: ProgressMeter,
    on_progress: OnProgress | None = None,
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Paint and encode chunks.

    Args:
        film: what to paint.
        run: which chunks.
        store: gets each when it is complete.
        meter: counts the painted frames.
        on_progress: called in this thread after every batch.

    Returns:
        Seconds that each stage worked, and sentences about the source.

    Raises:
        NstVideoError: as `transcode`; what is finished by then stays in the store.
    """
    with ExitStack() as opened:
        path, source = _open_at(film, run, opened)

        def open_encoder(file: Path) -> ChunkEncoder:
            return ChunkEncoder(file, film.target, source.info, film.options, as_yuv=path.as_yuv)

        sink = ChunkSink(store, open_encoder)
        reader = _Reader(film, run, iter(path.frames), sink)
        stages = Stages(
            batches=reader.batches(),
            paint=lambda batches: _paint(path.painter, batches, reader.marks, reader.first),
            sink=opened.enter_context(sink),
            stop_source=source.stop,
        )
        busy_s = run_stages(stages, meter, on_progress)
    return busy_s, source.notes


def run_in_frames(film: ChunkedFilm, chunk: Chunk) -> int:
    """Return how many frames before the end of a chunk whoever paints the next one begins."""
    if chunk == film.job.chunks[-1]:
        return 0
    return min(film.painter.renewal_frames, chunk.frame_count)


@dataclass(frozen=True, slots=True)
class _Mark:
    """What the painter has to know of a batch.

    Attributes:
        is_run_in: its frames are painted and dropped.
        renewal: frames to give to `Painter.renew` before it, 0 for no call.
    """

    is_run_in: bool = False
    renewal: int = 0


class _Reader:
    """Reads the frames of a run in batches that do not reach over the end of a chunk.

    Attributes:
        marks: one for each batch, in order, there before the batch is.
        first: number of the first frame that is painted.
    """

    def __init__(
        self, film: ChunkedFilm, run: ChunkRun, frames: Iterator[Pixels], sink: ChunkSink
    ) -> None:
        self.marks: deque[_Mark] = deque()
        self._film, self._run, self._frames, self._sink = film, run, frames, sink
        number = run.first.number
        run_in = run_in_frames(film, film.job.chunks[number - 1]) if number else 0
        self.first = run.first.first - run_in
        self._last = ""
        self._has_ended = False

    def batches(self) -> Iterator[Frames]:
        """Yield the batches; the end of each chunk begins with one of its own."""
        film, first = self._film, self._run.first
        if first.number:
            if first.first > self.first:
                yield from self._stack(first.first - self.first, _Mark(is_run_in=True))
            elif (frame := next(self._frames, None)) is not None:
                self._last = digest(frame)
        chunk: Chunk | None = first
        following = iter(self._run.following)
        while chunk is not None and not self._has_ended:
            self._sink.begin(chunk, self._last)
            renewal = run_in_frames(film, chunk)
            for count, mark in (
                (chunk.frame_count - renewal, _Mark()),
                (renewal, _Mark(renewal=renewal)),
            ):
                yield from self._stack(count, mark, chunk)
            chunk = next(following, None)

    def _stack(self, count: int, mark: _Mark, chunk: Chunk | None = None) -> Iterator[Frames]:
        """Yield the next frames in batches; the mark is that of the first of them."""
        seen = 0
        for batch in stack_batches(islice(self._frames, count), self._film.batch_size):
            seen += len(batch)
            if seen == count:
                self._last = digest(batch[-1])
                if chunk is not None:
                    self._sink.note_end(chunk, self._last)
            self.marks.append(mark)
            mark = replace(mark, renewal=0)
            yield batch
        self._has_ended |= seen < count


def _open_at(
    film: ChunkedFilm, run: ChunkRun, opened: ExitStack
) -> tuple[PixelPath[Painter], VideoFileSource]:
    """Return the frames of a run and of what is painted before it, and their source.

    If the frame before the run is not the one that was read there before, the file cannot be read
    from the middle, and is read from its beginning.
    """
    number = run.first.number
    before = max(1, run_in_frames(film, film.job.chunks[number - 1])) if number else 0
    source = opened.enter_context(film.source.unread())
    source.select_frames(run.first.first - before, run.end, may_seek=run.may_seek and before > 0)
    path = negotiate_format(source, film.painter)
    if not (before and run.may_seek and run.source_before):
        return path, source
    frames = iter(path.frames)
    try:
        held = list(islice(frames, before))
    except SourceError:
        held = []
    if len(held) == before and digest(held[-1]) == run.source_before:
        return PixelPath(_chain(held, frames), path.painter, path.as_yuv), source
    source.stop()
    source = opened.enter_context(film.source.unread())
    source.select_frames(run.first.first - before, run.end, may_seek=False)
    return negotiate_format(source, film.painter), source


def _chain(held: list[Pixels], frames: Iterator[Pixels]) -> Iterator[Pixels]:
    """Yield frames that were read already, which are not kept, then the others."""
    held.reverse()
    while held:
        yield held.pop()
    yield from frames


def _paint(
    painter: Painter, batches: Iterable[Frames], marks: deque[_Mark], first: int
) -> Iterator[Frames]:
    """Paint from frame `first` on with a fresh painter; drop what only leads to the first chunk."""
    painter.reset()
    if first:
        painter.begin_at(first)
    begun: deque[_Mark] = deque()

    def renewing() -> Iterator[Frames]:
        for batch in batches:
            begun.append(mark := marks.popleft())
            if mark.renewal:
                painter.renew(mark.renewal)
            yield batch

    for painted in paint_batches(painter, renewing()):
        if not begun.popleft().is_run_in:
            yield painted


def digest(frame: Pixels) -> str:
    """Return the SHA-256 of a frame."""
    return hashlib.sha256(np.ascontiguousarray(frame).data).hexdigest()
