import os
import stat
import threading

import pytest

from nst_video.system import paths


@pytest.fixture(autouse=True)
def compiled_networks() -> None:
    """These tests begin with an empty cache."""


KINDS = {"cache": paths.cache_dir, "data": paths.data_dir, "config": paths.config_dir}


@pytest.mark.parametrize("kind", KINDS)
def test_folders_lie_below_nst_video_home(kind, tmp_path, monkeypatch):
    monkeypatch.setenv("NST_VIDEO_HOME", str(tmp_path / "elsewhere"))
    assert KINDS[kind]() == tmp_path / "elsewhere" / kind


def test_folders_are_the_platforms_without_nst_video_home(monkeypatch, tmp_path):
    monkeypatch.delenv("NST_VIDEO_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    found = {folder() for folder in KINDS.values()}
    assert all("nst-video" in folder.parts for folder in found)


def test_folders_are_not_made_by_asking():
    assert not paths.cache_dir().exists()


def test_write_atomically_makes_the_folder_and_the_file(tmp_path):
    target = tmp_path / "a" / "b.bin"
    paths.write_atomically(target, lambda file: file.write(b"whole"))
    assert target.read_bytes() == b"whole"
    assert [path.name for path in target.parent.iterdir()] == ["b.bin"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_write_atomically_honors_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        paths.write_atomically(tmp_path / "f", lambda file: file.write(b""))
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o640


def test_write_atomically_keeps_the_old_file_when_writing_fails(tmp_path):
    target = tmp_path / "f"
    target.write_bytes(b"old")

    def fail(file):
        file.write(b"half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        paths.write_atomically(target, fail)
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_write_atomically_never_shows_half_a_file(tmp_path):
    target = tmp_path / "f"
    bodies = [bytes([n]) * 100_000 for n in range(6)]
    threads = [
        threading.Thread(target=paths.write_atomically, args=(target, lambda f, b=b: f.write(b)))
        for b in bodies
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_bytes() in bodies
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
