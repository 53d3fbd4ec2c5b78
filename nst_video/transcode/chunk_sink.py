"""A sink that encodes a film chunk by chunk and records each finished one in the journal."""

import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from nst_video.errors import SinkError
from nst_video.frames import Frame
from nst_video.jobs.chunks import Chunk
from nst_video.jobs.journal import Journal, State
from nst_video.video.chunk_encoder import ChunkEncoder

FLUSH_S = 1.0
"""Longest wait for the encoder of a complete chunk when the run is interrupted."""

OpenEncoder = Callable[[Path], ChunkEncoder]


@dataclass(slots=True)
class Boundaries:
    """What is known of the ends of chunks before they are encoded.

    Attributes:
        states: the painter's state after each chunk.
        last_sources: SHA-256 of the last source frame of each chunk.
    """

    states: dict[int, State] = field(default_factory=dict)
    last_sources: dict[int, str] = field(default_factory=dict)


class ChunkSink:
    """Encodes consecutive chunks; see `video.sinks.FrameSink`.

    While the encoder of one chunk writes what it still holds, that of the next one is already
    running. Leaving the context normally finishes the last chunk, also where it is short.

    Attributes:
        target: None: nothing is complete yet.
        notes: always empty.
    """

    target: Path | None = None
    notes: tuple[str, ...] = ()

    def __init__(
        self,
        journal: Journal,
        chunks: Sequence[Chunk],
        wanted: Collection[int],
        boundaries: Boundaries,
        open_encoder: OpenEncoder,
    ) -> None:
        """Prepare; encoders start when frames arrive.

        Args:
            journal: where finished chunks are recorded.
            chunks: those that the frames belong to, in order.
            wanted: numbers of those to encode; the frames of the others are dropped.
            boundaries: states and sources, known for a chunk before its last frame arrives.
            open_encoder: starts an encoder that writes to a file.
        """
        self._journal = journal
        self._remaining = list(reversed(chunks))
        self._wanted = wanted
        self._boundaries = boundaries
        self._open_encoder = open_encoder
        self._seen = 0
        self._encoder: ChunkEncoder | None = None
        self._flushing: tuple[ChunkEncoder, Future[None]] | None = None
        self._stopping = threading.Lock()
        self._is_stopped = False
        self._flusher = ThreadPoolExecutor(1, "finish-chunk")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                if self._seen:
                    self._end_chunk()
                self._await_flush()
            elif self._flushing is not None:
                self._flushing[1].exception(FLUSH_S)
        except TimeoutError:
            pass  # the chunk is painted again
        finally:
            self._close()

    def write(self, frame: Frame) -> None:
        """Encode the next frame.

        Raises:
            SinkError: its shape is wrong, or it cannot be written.
        """
        if not self._remaining:
            raise SinkError("More frames were painted than the film has.")
        chunk = self._remaining[-1]
        if chunk.number in self._wanted:
            self._encoder_of(chunk).write(frame)
        self._seen += 1
        if self._seen == chunk.frame_count:
            self._end_chunk()

    def stop(self) -> None:
        """Kill the encoder of the current chunk."""
        with self._stopping:
            self._is_stopped = True
            if self._encoder is not None:
                self._encoder.stop()

    def _encoder_of(self, chunk: Chunk) -> ChunkEncoder:
        if self._encoder is None:
            with self._stopping:
                if self._is_stopped:
                    raise SinkError("The encoder was stopped.")
                self._encoder = self._open_encoder(self._journal.new_part(chunk))
        return self._encoder

    def _end_chunk(self) -> None:
        """Have the current chunk finished in the background, after the one before."""
        chunk, encoder = self._remaining.pop(), self._encoder
        self._seen = 0
        if encoder is None:
            return
        self._await_flush()
        with self._stopping:
            self._encoder = None
            self._flushing = encoder, self._flusher.submit(self._finish, chunk, encoder)

    def _await_flush(self) -> None:
        if self._flushing is not None:
            self._flushing[1].result()
            self._flushing = None

    def _finish(self, chunk: Chunk, encoder: ChunkEncoder) -> None:
        try:
            encoder.finish()
        finally:
            encoder.close()
        self._journal.add(
            chunk,
            encoder.path,
            encoder.frame_count,
            self._boundaries.states.pop(chunk.number, None),
            self._boundaries.last_sources.pop(chunk.number, ""),
        )

    def _close(self) -> None:
        if self._encoder is not None:
            self._encoder.close()
        if self._flushing is not None:
            self._flushing[0].stop()
        self._flusher.shutdown()
