"""`nst-video jobs`: what it lists, shows and removes."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nst_video.cli.unfinished import app
from nst_video.errors import UsageError
from nst_video.jobs.chunks import Chunk
from nst_video.jobs.journal import JobDescription, Journal, PaintedChunk

CHUNKS = (Chunk(0, 0, 100), Chunk(1, 100, 250))


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """The journal of `film.mp4`, one of whose two chunks is finished."""
    job = JobDescription(
        target=tmp_path / "film.mp4",
        source="/films/holiday.mp4",
        program="nst-video 1.2",
        inputs={"painting": {"intensity": 0.5}},
        chunks=CHUNKS,
        fps=10.0,
        command="nst-video transcode holiday.mp4",
    )
    with Journal(job) as journal:
        part = journal.new_part(CHUNKS[0])
        part.write_bytes(b"x" * 2_000_000)
        journal.add(PaintedChunk(CHUNKS[0], part, 100, "", ""))
    return journal


def run(*arguments: str) -> list[str]:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False, standalone_mode=False)
    return done.stdout.splitlines()


def test_unfinished_films_are_listed(journal: Journal, tmp_path: Path):
    (line,) = run("list", str(tmp_path))
    assert line.startswith("1 of 2 chunks, 0:10 of 0:25, 2.0 MB  since 2")
    assert line.endswith(str(tmp_path / "film.mp4"))
    assert run("list", str(tmp_path / "film.mp4")) == [line]
    assert line in run("list", str(tmp_path.parent), "-r")
    with journal:
        (line,) = run("list", str(tmp_path))
        assert "  running  " in line


def test_one_without_a_finished_chunk_is_listed(journal: Journal, tmp_path: Path):
    (tmp_path / "other").mkdir()
    target = tmp_path / "other" / "film.mp4"
    with Journal(replace(journal.job, target=target)):
        (line,) = run("list", str(target))
        assert line.startswith("0 of 2 chunks, 0:00 of 0:25, 0.0 MB  running")
        assert line.endswith(str(target))


def test_all_about_one_is_shown(journal: Journal, tmp_path: Path):
    text = "\n".join(run("show", str(tmp_path / "film.mp4")))
    for wanted in ("/films/holiday.mp4", "nst-video transcode holiday.mp4", "intensity: 0.5"):
        assert wanted in text
    with pytest.raises(UsageError, match="There is no unfinished video of other"):
        run("show", "other.mp4")


def test_places_that_do_not_exist_are_named(tmp_path: Path):
    for place, words in (
        ("no", f"There is no folder {tmp_path / 'no'}."),
        ("no/film.mp4", f"There is no folder {tmp_path / 'no'}."),
        ("film.mp4", f"jobs list {tmp_path}` lists all"),
        (".nst-video-1-2.job", "There is no unfinished video of"),
    ):
        with pytest.raises(UsageError) as error:
            run("list", str(tmp_path / place))
        assert words in str(error.value)


def test_interrupted_ones_are_removed_if_that_is_wanted(journal: Journal, tmp_path: Path):
    with journal:
        assert run("clean", str(tmp_path), "-y") == []
    with pytest.raises(UsageError, match="-y"):
        run("clean", str(tmp_path))
    assert run("clean", str(tmp_path), "-y") == [str(tmp_path / "film.mp4")]
    assert list(tmp_path.iterdir()) == []


def test_journal_of_another_version_is_listed_and_removed(journal: Journal, tmp_path: Path):
    (journal.folder / "journal.json").write_text('{"format": 99}')
    (line,) = run("list", str(tmp_path))
    assert line.startswith("not readable by this version")
    run("clean", str(tmp_path), "-y")
    assert list(tmp_path.iterdir()) == []
