"""The journal of a job: which chunks are finished.

Every finished chunk is a file of its own, flushed to the disk before the journal names it. The
journal is replaced as a whole, so that it is never half written.
"""

import os
import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from nst_video.errors import NstVideoError, SinkError
from nst_video.jobs import folders
from nst_video.jobs.chunks import Chunk
from nst_video.jobs.fingerprint import Inputs, as_json, digest_of_file, fingerprint
from nst_video.jobs.records import FORMAT, FinishedChunk, read_record
from nst_video.system.file_lock import FileLock
from nst_video.system.path_lookup import os_reason, short_name
from nst_video.system.paths import write_atomically

PART = ".part"
"""In the names of what is under construction, before the suffix."""


MAP = ".map"
"""Suffix of what says where the bytes of a chunk are in the joined film."""


@dataclass(frozen=True, slots=True)
class JobDescription:
    """What a job is to make.

    Attributes:
        target: the file.
        source: the source as the user named it.
        program: name and version of the program.
        inputs: everything that the frames depend on.
        chunks: the parts of the film.
        fps: its rate.
        command: the command line, empty where there is none.
        suffix: of the files of chunks.
    """

    target: Path
    source: str
    program: str
    inputs: Inputs
    chunks: tuple[Chunk, ...]
    fps: float
    command: str = ""
    suffix: str = ".mp4"


@dataclass(frozen=True, slots=True)
class PaintedChunk:
    """A chunk that is complete and not recorded yet.

    Attributes:
        chunk: which one.
        part: its file.
        frame_count: frames in the file.
        source_before: see `FinishedChunk`.
        source_last: likewise.
    """

    chunk: Chunk
    part: Path
    frame_count: int
    source_before: str
    source_last: str


class Journal:
    """The finished chunks of one job, locked for this process while the context is open.

    Methods may be called from any thread.

    Attributes:
        job: what is to be made.
        folder: where the chunks lie.
        damaged: numbers of the chunks that were finished once and cannot be used.
        on_finished: called after each chunk, in the thread that records it.
    """

    def __init__(self, job: JobDescription) -> None:
        """Determine the folder; nothing is read or written before the context is entered."""
        self.job = job
        self.folder = folders.folder_of(job.target, fingerprint(job.inputs))
        self.damaged: list[int] = []
        self.on_finished: Callable[[], None] = _nothing
        self._lock = FileLock(self.folder / folders.LOCK)
        self._finished: dict[int, FinishedChunk] = {}
        self._result_bytes = 0
        self._writing = threading.Lock()

    def __enter__(self) -> Self:
        """Lock the folder, made if missing, and read what is finished.

        Raises:
            UsageError: another process works on the target.
            SinkError: nothing can be written there.
        """
        try:
            self._acquire()
            self._read()
        except OSError as error:
            self._lock.release()
            raise SinkError(
                f"Nothing can be kept in {short_name(self.folder)}: {os_reason(error)}."
            ) from error
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release the folder; without any finished chunk it is removed."""
        if not self._finished:
            self.discard()
        self._lock.release()

    @property
    def finished(self) -> dict[int, FinishedChunk]:
        """The finished chunks by number."""
        with self._writing:
            return dict(self._finished)

    @property
    def missing(self) -> list[Chunk]:
        """The chunks that are not finished, in order; none after one that ends early."""
        finished, missing = self.finished, []
        for chunk in self.job.chunks:
            entry = finished.get(chunk.number)
            if entry is None:
                missing.append(chunk)
            elif entry.frame_count < chunk.frame_count:
                break
        return missing

    def path_of(self, finished: FinishedChunk) -> Path:
        """Return the file of a finished chunk."""
        return self.folder / finished.file

    def map_of(self, finished: FinishedChunk) -> Path:
        """Return the file that says where the bytes of a chunk are in the joined film."""
        return self.folder / f"{finished.number:05}{MAP}"

    @property
    def joined_path(self) -> Path:
        """The film while its chunks are joined; see `joining`."""
        return self.folder / f"joined{self.job.target.suffix}"

    def new_part(self, chunk: Chunk) -> Path:
        """Return a new name for a chunk under construction.

        It is never used again: an encoder that outlives its killed parent may still write to it.
        """
        return self.folder / f"{chunk.number:05}-{secrets.token_hex(4)}{PART}{self.job.suffix}"

    def add(self, painted: PaintedChunk) -> None:
        """Record a chunk as finished; its file is renamed.

        Raises:
            SinkError: the disk is full or fails.
        """
        try:
            with self._writing:
                self._add(painted)
        except OSError as error:
            raise self._cannot_keep(painted.chunk, error) from error
        self.on_finished()

    def take(self, painted: PaintedChunk, data: bytes | None = None) -> None:
        """Record a chunk that somebody else has painted.

        Args:
            painted: the chunk, its file in the folder of the job.
            data: the file's bytes, where it is not there.

        Raises:
            SinkError: the disk is full or fails.
        """
        if data is None:
            self.add(painted)
            return
        part = self.new_part(painted.chunk)
        try:
            part.write_bytes(data)
        except OSError as error:
            raise self._cannot_keep(painted.chunk, error) from error
        self.add(replace(painted, part=part))

    def first_misread(self) -> int | None:
        """Return the number of a chunk that does not go on where the one before it ends.

        That is so if the source was not read from the right frame on. None where all is right.
        """
        finished = self.finished
        for number, entry in sorted(finished.items()):
            before = finished.get(number - 1)
            if before and entry.source_before and entry.source_before != before.source_last:
                return number
        return None

    def forget(self, numbers: Iterable[int]) -> None:
        """Forget finished chunks, which will be painted anew."""
        with self._writing:
            for number in numbers:
                self._finished.pop(number, None)

    def verify(self) -> None:
        """Check every finished chunk against its checksum; those that differ are painted anew."""
        for number, chunk in self.finished.items():
            try:
                is_whole = digest_of_file(self.path_of(chunk)) == chunk.sha256
            except OSError:
                is_whole = False
            if not is_whole:
                self.damaged.append(number)
        self.forget(self.damaged)

    def note_result(self, size: int) -> None:
        """Record that the target is complete and has so many bytes, before it gets its name.

        If the process is killed before the folder is removed, `remove_completed` does it.

        Raises:
            OSError: it cannot be written.
        """
        with self._writing:
            self._result_bytes = size
            self._write()

    def restart(self) -> None:
        """Forget what is finished."""
        with self._writing:
            self._finished.clear()
        self._remove_others(set())

    def discard(self) -> None:
        """Remove the folder."""
        if not self._lock.is_held:
            return
        if os.name != "posix":
            self._lock.release()  # an open file cannot be removed there
        folders.remove(self.folder)

    def _cannot_keep(self, chunk: Chunk, error: OSError) -> SinkError:
        return SinkError(
            f"Chunk {chunk.number + 1} of {self.job.target.name} cannot be kept: "
            f"{os_reason(error)}."
        )

    def _acquire(self) -> None:
        for _ in range(10):
            self.folder.mkdir(exist_ok=True)
            try:
                is_ours = self._lock.acquire()
            except FileNotFoundError:
                continue  # another process has just removed the folder
            if not is_ours:
                raise folders.in_use(self.job.target, self.folder)
            if others := [f for f in folders.folders_of(self.job.target) if f != self.folder]:
                for folder in others:
                    if folders.is_running(folder):
                        raise folders.in_use(self.job.target, folder)
            return
        raise NstVideoError(f"{short_name(self.folder)} cannot be locked: try again.")

    def _read(self) -> None:
        """Read the journal; remove the files that it does not name."""
        record = read_record(self.folder)
        # Of the same inputs, but the plan of another version may differ.
        if record is not None and record["chunks"] == [chunk.end for chunk in self.job.chunks]:
            entries = [FinishedChunk(**each) for each in record["finished"]]
            self._finished = {each.number: each for each in entries}
        kept = {each.file for each in self._finished.values()}
        maps = {self.map_of(each).name for each in self._finished.values()}
        self._remove_others(kept | maps | ({self.joined_path.name} if kept else set()))
        self._write()  # whoever lists jobs reads what is being made before a chunk is finished

    def _remove_others(self, files: set[str]) -> None:
        kept = files | {folders.LOCK, folders.JOURNAL}
        for path in self.folder.iterdir():
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def _add(self, painted: PaintedChunk) -> None:
        number, part = painted.chunk.number, painted.part
        entry = FinishedChunk(
            number,
            painted.frame_count,
            f"{number:05}{self.job.suffix}",
            digest_of_file(part),
            painted.source_before,
            painted.source_last,
        )
        flush(part)
        part.replace(self.folder / entry.file)
        self._finished[number] = entry
        self._write()

    def _write(self) -> None:
        job = self.job
        record = {
            "format": FORMAT,
            "program": job.program,
            "command": job.command,
            "target": job.target.name,
            "source": job.source,
            "fps": job.fps,
            "inputs": job.inputs,
            "chunks": [chunk.end for chunk in job.chunks],
            "finished": [asdict(each) for each in self._finished.values()],
            "result_bytes": self._result_bytes,
        }
        text = as_json(record)
        write_atomically(self.folder / folders.JOURNAL, lambda file: file.write(text.encode()))


def _nothing() -> None:
    """Nobody is told."""


def flush(path: Path) -> None:
    """Have the system write a file to the disk.

    Raises:
        OSError: the disk is full or fails.
    """
    number = os.open(path, os.O_RDWR)
    try:
        os.fsync(number)
    finally:
        os.close(number)
