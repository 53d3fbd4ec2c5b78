"""What workers keep on their machines goes, however they end."""

from pathlib import Path

import pytest

from nst_video.errors import SinkError
from nst_video.transcode.parallel.scratch import Scratch, tidy


def make(path: Path) -> None:
    path.write_bytes(b"film")


def refuse(path: Path) -> None:
    raise AssertionError("the film was there")


def test_film_is_fetched_once_and_goes_with_the_last_that_uses_it(tmp_path: Path):
    root = tmp_path / "root"
    with Scratch(root) as one:
        mine = one.film("a.mp4", make)
        with Scratch(root) as other:
            assert other.film("a.mp4", refuse).read_bytes() == b"film"
            one.film("b.mp4", make)
            assert not mine.exists()
            assert {path.name for path in (root / "films").glob("*.mp4")} == {"a.mp4", "b.mp4"}
        tidy(root)
        assert {path.name for path in (root / "films").glob("*.mp4")} == {"b.mp4"}
    assert not root.exists()


def test_folder_of_a_killed_worker_goes_and_that_of_a_running_one_stays(tmp_path: Path):
    root = tmp_path / "root"
    with Scratch(root) as running:
        killed = root / "worker-cafe"
        killed.mkdir()
        (killed / "lock").touch()
        (killed / "00001.mp4").write_bytes(b"chunk")
        (running.folder / "00002.mp4").write_bytes(b"chunk")
        tidy(root)
        assert not killed.exists()
        assert (running.folder / "00002.mp4").exists()


def test_place_that_cannot_be_written_is_said(tmp_path: Path):
    (tmp_path / "root").write_bytes(b"no folder")
    with pytest.raises(SinkError, match="Workers cannot write to"):
        Scratch(tmp_path / "root").__enter__()
