"""A sink that encodes a film chunk by chunk and hands on each complete chunk."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from nst_video.errors import SinkError
from nst_video.frames import Frame
from nst_video.jobs.chunks import Chunk
from nst_video.jobs.journal import PaintedChunk
from nst_video.video.chunk_encoder import ChunkEncoder

FLUSH_S = 1.0
"""Longest wait for the encoder of a complete chunk when the run is interrupted."""

OpenEncoder = Callable[[Path], ChunkEncoder]


class ChunkStore(Protocol):
    """Where complete chunks go: a `Journal`, or somebody who brings them to one."""

    def new_part(self, chunk: Chunk) -> Path:
        """Return a new name for a chunk under construction."""
        ...

    def add(self, painted: PaintedChunk) -> None:
        """Take a complete chunk.

        Raises:
            SinkError: it cannot be kept.
        """
        ...


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

    def __init__(self, store: ChunkStore, open_encoder: OpenEncoder) -> None:
        """Prepare; encoders start when frames arrive.

        Args:
            store: gets the complete chunks.
            open_encoder: starts an encoder that writes to a file.
        """
        self._store = store
        self._begun: deque[Chunk] = deque()
        self._before: dict[int, str] = {}
        self._last: dict[int, str] = {}
        self._open_encoder = open_encoder
        self._seen = 0
        self._encoder: ChunkEncoder | None = None
        self._flushing: tuple[ChunkEncoder, Future[None]] | None = None
        self._stopping = threading.Lock()
        self._is_stopped = False
        self._flusher = ThreadPoolExecutor(1, "finish-chunk")

    def begin(self, chunk: Chunk, source_before: str) -> None:
        """Take note of the next chunk before its first frame comes; from any thread.

        Args:
            chunk: it follows the one before.
            source_before: SHA-256 of the frame of the source before it.
        """
        self._before[chunk.number] = source_before
        self._begun.append(chunk)

    def note_end(self, chunk: Chunk, source_last: str) -> None:
        """Take note of the last frame of the source in a chunk, by its SHA-256."""
        self._last[chunk.number] = source_last

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
        if not self._begun:
            raise SinkError("More frames were painted than the film has.")
        chunk = self._begun[0]
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
                self._encoder = self._open_encoder(self._store.new_part(chunk))
        return self._encoder

    def _end_chunk(self) -> None:
        """Have the current chunk finished in the background, after the one before."""
        chunk, encoder = self._begun.popleft(), self._encoder
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
        before, last = (known.pop(chunk.number, "") for known in (self._before, self._last))
        self._store.add(PaintedChunk(chunk, encoder.path, encoder.frame_count, before, last))

    def _close(self) -> None:
        if self._encoder is not None:
            self._encoder.close()
        if self._flushing is not None:
            self._flushing[0].stop()
        self._flusher.shutdown()
