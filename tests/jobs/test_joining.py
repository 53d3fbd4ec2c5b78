"""Chunks make room for the film that they are joined to, and come back if it is never complete."""

import os
from pathlib import Path

import numpy as np
import pytest

from nst_video.jobs import joining
from nst_video.jobs.chunks import Chunk
from nst_video.jobs.joining import GrowingFilm, restore_chunks
from nst_video.jobs.journal import JobDescription, Journal, PaintedChunk

COUNT, PACKETS, HEADER = 4, 5, b"header"
CHUNKS = tuple(Chunk(number, 10 * number, 10 * number + 10) for number in range(COUNT))


class Film:
    """A job of four finished chunks; the film has bytes of other streams between its packets."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.packets: list[tuple[int, int]] = []
        self.whole: list[bytes] = []
        rng = np.random.default_rng(1)
        for chunk in CHUNKS:
            sizes = rng.integers(5, 90, PACKETS)
            packets = [rng.bytes(size) for size in sizes]
            self.whole.append(HEADER + b"".join(packets) + b"the index")
            starts = len(HEADER) + np.cumsum([0, *sizes[:-1]])
            self.packets.append([*zip(starts.tolist(), sizes.tolist(), strict=True)])
            part = journal.new_part(chunk)
            part.write_bytes(self.whole[-1])
            journal.add(PaintedChunk(chunk, part, 10, "", ""))
        self.growing = GrowingFilm(journal)

    def write(self, number: int, packets: int = PACKETS) -> None:
        """Write packets of a chunk to the film."""
        with self.growing.path.open("ab") as film:
            for at, size in self.packets[number][:packets]:
                film.write(b"sound" + self.whole[number][at : at + size])

    def give(self, number: int) -> None:
        self.growing.add(self.journal.finished[number], self.packets[number])

    def kept(self) -> list[int]:
        """Return the numbers of the chunks that have files."""
        finished = self.journal.finished.values()
        return [entry.number for entry in finished if self.journal.path_of(entry).exists()]


def check_restored(film: Film) -> None:
    """Check that the next process finds all chunks as they were, and no film."""
    with Journal(film.journal.job) as journal:
        restore_chunks(journal)
        journal.verify()
        assert journal.damaged == []
        for entry in journal.finished.values():
            assert journal.path_of(entry).read_bytes() == film.whole[entry.number]
        names = {path.name for path in journal.folder.iterdir()}
        assert names == {*(f"{n:05}.mp4" for n in range(COUNT)), "journal.json", "lock"}


@pytest.fixture
def journal(tmp_path: Path):
    job = JobDescription(tmp_path / "film.mp4", "source.mp4", "nst-video 1", {}, CHUNKS, 1.0)
    with Journal(job) as opened:
        yield opened


@pytest.mark.parametrize("block", [64, 1 << 20])
def test_chunks_are_removed_as_soon_as_all_their_bytes_are_in_the_film(
    block: int, journal: Journal, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(joining, "_BLOCK_BYTES", block)
    film = Film(journal)
    film.write(0, packets=3)
    film.give(0)
    assert film.kept() == [0, 1, 2, 3]
    with film.growing.path.open("ab") as file:
        file.write(b"".join(film.whole[0][at : at + size] for at, size in film.packets[0][3:]))
    film.write(1)
    film.give(1)
    assert film.kept() == [2, 3]
    journal.__exit__(None, None, None)
    check_restored(film)


def test_restoring_can_be_interrupted_and_takes_no_more_room_than_a_chunk(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
):
    film = Film(journal)
    for number in range(COUNT):
        film.write(number)
        film.give(number)
    assert film.kept() == []
    full = film.growing.path.stat().st_size
    sizes = []

    def truncate(path: Path, size: int) -> None:
        os_truncate(path, size)
        used = sum(each.stat().st_size for each in journal.folder.glob("*.mp4"))
        sizes.append(used)
        if len(sizes) == 4:
            raise KeyboardInterrupt

    os_truncate = os.truncate
    monkeypatch.setattr(joining.os, "truncate", truncate)
    with pytest.raises(KeyboardInterrupt):
        restore_chunks(journal)
    assert film.kept() == [2, 3]
    assert max(sizes) <= full + len(film.whole[0])
    monkeypatch.undo()
    journal.__exit__(None, None, None)
    check_restored(film)


def test_film_that_is_damaged_costs_only_what_it_held(journal: Journal):
    film = Film(journal)
    for number in range(3):
        film.write(number)
        film.give(number)
    with film.growing.path.open("r+b") as file:
        file.seek(film.packets[0][0][0])
        file.write(b"damage")
    journal.__exit__(None, None, None)
    with Journal(journal.job) as again:
        restore_chunks(again)
        again.verify()
        assert again.damaged == [0]
        assert [*again.finished] == [1, 2, 3]


def test_complete_film_under_another_name_is_not_cut(tmp_path: Path, journal: Journal):
    # Killed between getting its name and losing the old one.
    film = Film(journal)
    film.write(0)
    film.give(0)
    complete = tmp_path / "film (2).mp4"
    os.link(film.growing.path, complete)
    before = complete.read_bytes()
    journal.__exit__(None, None, None)
    check_restored(film)
    assert complete.read_bytes() == before


def test_packets_that_the_film_holds_in_another_form_keep_their_chunk(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(joining, "SEARCHED_BYTES", 100)
    film = Film(journal)
    film.growing.path.write_bytes(bytes(1000))
    for number in range(COUNT):
        film.give(number)
    assert film.kept() == [0, 1, 2, 3]
    journal.__exit__(None, None, None)
    check_restored(film)
