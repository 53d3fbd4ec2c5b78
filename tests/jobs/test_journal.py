"""The journal of finished chunks: what is kept, what is noticed, who may use it."""

import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from nst_video.errors import SinkError, UsageError
from nst_video.jobs import folders
from nst_video.jobs.chunks import Chunk
from nst_video.jobs.journal import JobDescription, Journal, PaintedChunk
from nst_video.jobs.records import read_record

CHUNKS = tuple(Chunk(number, 10 * number, 10 * number + 10) for number in range(4))


def job_of(folder: Path, **inputs: object) -> JobDescription:
    return JobDescription(folder / "film.mp4", "source.mp4", "nst-video 1", inputs, CHUNKS, 1.0)


def add(journal: Journal, number: int, frame_count: int = 10, before: str | None = None) -> None:
    part = journal.new_part(CHUNKS[number])
    part.write_bytes(bytes([number]) * 100)
    known = f"source {number - 1}" if before is None else before
    journal.add(PaintedChunk(CHUNKS[number], part, frame_count, known, f"source {number}"))


def test_finished_chunks_are_found_again(tmp_path: Path):
    with Journal(job_of(tmp_path)) as journal:
        for number in (0, 2):
            add(journal, number)
        (journal.folder / "00002-cafe.part.mp4").write_bytes(b"unfinished")
    with Journal(job_of(tmp_path)) as journal:
        journal.verify()
        assert [*journal.finished] == [0, 2]
        assert journal.missing == [CHUNKS[1], CHUNKS[3]]
        names = {path.name for path in journal.folder.iterdir()}
    assert names == {"00000.mp4", "00002.mp4", "journal.json", "lock"}


@pytest.mark.parametrize(("before", "wrong"), [("source 1", None), ("another", 2), ("", None)])
def test_chunk_that_does_not_go_on_where_the_one_before_ends_is_noticed(
    tmp_path: Path, before: str, wrong: int | None
):
    with Journal(job_of(tmp_path)) as journal:
        add(journal, 2, before=before)
        assert journal.first_misread() is None
        add(journal, 1)
        assert journal.first_misread() == wrong
        journal.forget([2])
        assert [*journal.finished] == [1]


def test_damaged_chunks_are_noticed(tmp_path: Path):
    with Journal(job_of(tmp_path)) as journal:
        for number in range(3):
            add(journal, number)
        first, second = (journal.path_of(journal.finished[n]) for n in (0, 1))
        swapped = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(swapped)
        journal.verify()
        assert journal.damaged == [0, 1]
        assert [*journal.finished] == [2]


def test_nothing_is_missing_after_a_chunk_in_which_the_source_ended(tmp_path: Path):
    with Journal(job_of(tmp_path)) as journal:
        add(journal, 0)
        add(journal, 1, frame_count=4)
        assert journal.missing == []


def test_other_inputs_have_other_chunks(tmp_path: Path):
    with Journal(job_of(tmp_path, intensity=1.0)) as journal:
        add(journal, 0)
    with Journal(job_of(tmp_path, intensity=0.5)) as journal:
        assert journal.finished == {}
        add(journal, 1)
    assert len(folders.folders_of(tmp_path / "film.mp4")) == 2
    assert folders.folders_of(tmp_path / "film2.mp4") == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 99}', '{"format": 1, "chunks": [3]}'])
def test_journal_that_cannot_be_read_holds_nothing(tmp_path: Path, text: str):
    with Journal(job_of(tmp_path)) as journal:
        add(journal, 0)
    (journal.folder / "journal.json").write_text(text)
    with Journal(job_of(tmp_path)) as journal:
        assert journal.finished == {}
    assert list(tmp_path.iterdir()) == []


def test_journal_does_not_lead_out_of_its_folder(tmp_path: Path):
    with Journal(job_of(tmp_path)) as journal:
        add(journal, 0)
    path = journal.folder / "journal.json"
    record = json.loads(path.read_text())
    record["finished"][0]["file"] = "../film.mp4"
    path.write_text(json.dumps(record))
    assert read_record(journal.folder) is None


def test_chunks_of_another_plan_are_not_used(tmp_path: Path):
    job = job_of(tmp_path)
    with Journal(job) as journal:
        add(journal, 0)
    with Journal(replace(job, chunks=(Chunk(0, 0, 40),))) as journal:
        assert journal.finished == {}


def test_empty_folder_is_removed_and_restart_forgets(tmp_path: Path):
    with Journal(job_of(tmp_path)) as journal:
        assert journal.folder.is_dir()
    assert list(tmp_path.iterdir()) == []
    with Journal(job_of(tmp_path)) as journal:
        add(journal, 0)
        journal.restart()
        assert journal.missing == [*CHUNKS]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("inputs", [{}, {"intensity": 0.5}])
def test_target_has_one_user_at_a_time(tmp_path: Path, inputs: dict[str, object]):
    with Journal(job_of(tmp_path)) as journal:
        add(journal, 0)
        with pytest.raises(UsageError, match=r"film.mp4 is being made by another nst-video \(pr"):
            Journal(job_of(tmp_path, **inputs)).__enter__()
        with pytest.raises(UsageError, match="wait for it"):
            folders.check_free(tmp_path / "film.mp4")
    folders.check_free(tmp_path / "film.mp4")
    with Journal(job_of(tmp_path)) as journal:
        assert [*journal.finished] == [0]


def test_disk_that_is_read_only_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(path: Path, **options: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(SinkError, match=r"Nothing can be kept in .+\.job: .*read-only"):
        Journal(job_of(tmp_path)).__enter__()


def test_killed_process_holds_no_lock(tmp_path: Path):
    lock = tmp_path / "lock"
    code = (
        "import os, sys; from pathlib import Path; from nst_video.system.file_lock import FileLock;"
        "assert FileLock(Path(sys.argv[1])).acquire(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(lock)], check=False)
    assert lock.exists()
    with Journal(job_of(tmp_path)):
        pass
    from nst_video.system.file_lock import FileLock, holder_of, is_locked

    assert not is_locked(lock)
    with FileLock(lock) as ours:
        assert ours.acquire()
        assert is_locked(lock)
        assert holder_of(lock) is not None
        assert not FileLock(lock).acquire()
    assert not is_locked(lock)
