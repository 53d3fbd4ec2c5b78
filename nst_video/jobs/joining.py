"""Joining chunks without a second copy of the film on the disk.

The film grows in the folder of its job. As soon as all bytes of a chunk are in it, the chunk is
replaced by a list of where they are. If the process is killed before the film is complete, the next
one makes the chunks again from the film, the last one first, and cuts the film there: no byte is
lost, and never more than the film and a few chunks are on the disk.
"""

import json
import os
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from nst_video.errors import SinkError
from nst_video.jobs.journal import Journal, flush
from nst_video.jobs.records import FinishedChunk
from nst_video.system.path_lookup import os_reason
from nst_video.system.paths import write_atomically

SEARCHED_BYTES = 64 << 20
"""A packet that does not come within so many bytes is not in the film as it was in the chunk."""

_BLOCK_BYTES = 1 << 20
"""So much is read at once."""


class Piece(NamedTuple):
    """Bytes that a chunk and the film have in common.

    Attributes:
        at: offset in the chunk's file.
        size: number of bytes.
        joined_at: offset in the film.
    """

    at: int
    size: int
    joined_at: int


class GrowingFilm:
    """The film while chunks are joined to it.

    Attributes:
        path: the file; whoever joins writes it.
    """

    def __init__(self, journal: Journal, first: int = 0) -> None:
        """Prepare.

        Args:
            journal: of the job, open; all chunks are finished.
            first: offset below which bytes may still change; chunks with bytes there stay.
        """
        self.path = journal.joined_path
        self._journal, self._first, self._at = journal, first, 0
        self._waiting: deque[tuple[FinishedChunk, deque[tuple[int, int]]]] = deque()
        self._found: list[Piece] = []
        self._is_lost = False

    def add(self, entry: FinishedChunk, packets: Sequence[tuple[int, int]]) -> None:
        """Take note that a chunk was given to whoever writes the film; release what has arrived.

        Args:
            entry: the chunk; after the one before.
            packets: offset and size of each of its packets in its file, in the order of the film.

        Raises:
            SinkError: the disk is full or fails.
        """
        self._waiting.append((entry, deque(packets)))
        try:
            self._release_arrived()
        except OSError as error:
            raise SinkError(
                f"{self._journal.job.target.name} cannot be joined: {os_reason(error)}."
            ) from error

    def _release_arrived(self) -> None:
        while self._waiting and not self._is_lost:
            entry, packets = self._waiting[0]
            with _Bytes(self._journal.path_of(entry)) as chunk, _Bytes(self.path) as film:
                while packets and self._find(chunk, film, *packets[0]):
                    packets.popleft()
            if packets:
                return
            self._waiting.popleft()
            pieces, self._found = self._found, []
            if pieces[0].joined_at >= self._first:
                self._release(entry, pieces)

    def _find(self, chunk: "_Bytes", film: "_Bytes", at: int, size: int) -> bool:
        """Look for a packet in the film, after the one before; return whether it is there."""
        found = film.find(chunk.read(at, size), self._at)
        if found < 0:
            self._is_lost = film.size - self._at > SEARCHED_BYTES + size
            return False
        self._at = found + size
        before = self._found[-1] if self._found else None
        if before and (before.at + before.size, before.joined_at + before.size) == (at, found):
            self._found[-1] = Piece(before.at, before.size + size, before.joined_at)
        else:
            self._found.append(Piece(at, size, found))
        return True

    def _release(self, entry: FinishedChunk, pieces: list[Piece]) -> None:
        """Remove a chunk whose pieces are in the film, and on the disk."""
        flush(self.path)
        path = self._journal.path_of(entry)
        record = json.dumps({"pieces": pieces}).encode() + b"\n" + _others(path, pieces)
        write_atomically(self._journal.map_of(entry), lambda file: file.write(record))
        path.unlink()


class _Bytes:
    """The bytes of a file that may grow, as a context manager.

    It is read and not mapped: where a disk is full or fails, mapped memory ends the process.

    Attributes:
        size: of the file as it was at first, in bytes; 0 where it is missing.
    """

    def __init__(self, path: Path) -> None:
        """Open the file."""
        self._file = path.open("rb", buffering=0) if path.exists() else None
        self.size = 0 if self._file is None else os.fstat(self._file.fileno()).st_size
        self._block_at, self._block = 0, b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def read(self, at: int, size: int) -> bytes:
        """Return the bytes from an offset on, fewer at the end."""
        if self._file is None:
            return b""
        self._file.seek(at)
        parts = []
        while size > 0 and (part := self._file.read(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def find(self, data: bytes, at: int) -> int:
        """Return the first offset from `at` on where the data is, -1 where it is not."""
        while True:
            found = self._block.find(data, at - self._block_at) if at >= self._block_at else -1
            if found >= 0:
                return self._block_at + found
            size = max(_BLOCK_BYTES, 2 * len(data))
            self._block_at, self._block = at, self.read(at, size)
            found = self._block.find(data)
            if found >= 0:
                return at + found
            if len(self._block) < size:
                return -1
            at += size - len(data) + 1


def restore_chunks(journal: Journal) -> None:
    """Make the chunks again that a killed process had joined to a film that was never complete.

    Raises:
        SinkError: the disk is full or fails. Nothing is lost.
    """
    film = journal.joined_path
    entries = sorted(journal.finished.values(), key=lambda each: -each.number)
    try:
        # Under a second name it is complete, and is not ours to cut.
        may_cut = film.exists() and film.stat().st_nlink == 1
        for entry in entries:
            pieces = _pieces_of(journal, entry)
            if pieces and may_cut:
                os.truncate(film, min(film.stat().st_size, _end_of(pieces)))
            if pieces:
                _restore(journal, entry, pieces)
            if pieces and may_cut:
                os.truncate(film, min(film.stat().st_size, pieces[0].joined_at))
        film.unlink(missing_ok=True)
    except OSError as error:
        raise SinkError(
            f"What is finished of {journal.job.target.name} cannot be used yet: {os_reason(error)}."
        ) from error


def _restore(journal: Journal, entry: FinishedChunk, pieces: Sequence[Piece]) -> None:
    """Write a chunk from its pieces in the film and what is beside their list."""
    chunk, listed = journal.path_of(entry), journal.map_of(entry)
    if not chunk.exists():
        part = journal.new_part(journal.job.chunks[entry.number])
        others = listed.read_bytes().partition(b"\n")[2]
        with part.open("wb") as file, journal.joined_path.open("rb") as film:
            at = taken = 0
            for piece in pieces:
                taken, before = taken + piece.at - at, taken
                file.write(others[before:taken])
                film.seek(piece.joined_at)
                file.write(film.read(piece.size))
                at = piece.at + piece.size
            file.write(others[taken:])
        flush(part)
        part.replace(chunk)
    listed.unlink()


def _pieces_of(journal: Journal, entry: FinishedChunk) -> list[Piece]:
    """Return the pieces of a chunk that is in the film; none where it is not."""
    try:
        head = journal.map_of(entry).read_bytes().partition(b"\n")[0]
        return [Piece(*each) for each in json.loads(head)["pieces"]]
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return []


def _end_of(pieces: Sequence[Piece]) -> int:
    return pieces[-1].joined_at + pieces[-1].size


def _others(path: Path, pieces: Sequence[Piece]) -> bytes:
    """Return the bytes of a chunk that are in none of its pieces."""
    with path.open("rb") as file:
        at, found = 0, b""
        for piece in pieces:
            found += file.read(piece.at - at)
            at = file.seek(piece.at + piece.size)
        return found + file.read()
