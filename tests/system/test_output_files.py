import os
import subprocess
import sys
from pathlib import Path

import pytest

from nst_video.errors import SinkError, SourceError, UsageError
from nst_video.system.output_files import OutputFile, check_outputs, is_same_file
from nst_video.system.partial_file import PartialFile, is_being_written, remove_abandoned
from nst_video.system.path_lookup import PathKind, address_scheme, look_up, require_file

LONGEST = 255


def test_partial_file_appears_under_its_name_when_committed(tmp_path: Path) -> None:
    with PartialFile(tmp_path / "film.mp4") as part:
        part.path.write_bytes(b"whole")
        assert not (tmp_path / "film.mp4").exists()
        assert part.commit() == tmp_path / "film.mp4"
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]
    assert (tmp_path / "film.mp4").read_bytes() == b"whole"


def test_partial_file_leaves_nothing_when_it_is_not_committed(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), PartialFile(tmp_path / "film.mp4"):
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_partial_file_that_may_not_replace_takes_a_free_name(tmp_path: Path) -> None:
    target = tmp_path / "film.mp4"
    with PartialFile(target) as first, PartialFile(target) as second:
        first.path.write_bytes(b"1")
        second.path.write_bytes(b"2")
        assert first.commit() == target
        assert second.commit() == tmp_path / "film (2).mp4"
    assert target.read_bytes() == b"1"


def test_partial_file_replaces_where_it_may(tmp_path: Path) -> None:
    target = tmp_path / "film.mp4"
    target.write_bytes(b"old")
    with PartialFile(target, overwrite=True) as part:
        part.path.write_bytes(b"new")
        assert part.commit() == target
    assert target.read_bytes() == b"new"


def test_partial_file_writes_what_a_link_points_to(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    link = tmp_path / "film.mp4"
    link.symlink_to(tmp_path / "disk" / "real.mp4")
    with PartialFile(link) as part:
        assert part.path.parent == tmp_path / "disk"
        part.commit()
    assert link.is_symlink()
    assert (tmp_path / "disk" / "real.mp4").is_file()


@pytest.mark.parametrize("stem", ["x" * (LONGEST - 4), "ü" * 125 + "x"])
def test_partial_file_takes_the_longest_names(tmp_path: Path, stem: str) -> None:
    target = tmp_path / f"{stem}.mp4"
    with PartialFile(target) as part, PartialFile(target) as other:
        assert part.commit() == target
        assert len(os.fsencode(other.commit().name)) <= LONGEST


def test_abandoned_files_of_a_killed_process_are_removed_and_those_of_live_ones_kept(
    tmp_path: Path,
) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from nst_video.system.partial_file import PartialFile\n"
        f"with PartialFile(Path({str(tmp_path)!r}) / 'film.mp4'):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    with PartialFile(tmp_path / "other.mp4") as part:
        assert len(list(tmp_path.iterdir())) == 2
        assert is_being_written(tmp_path / "other.mp4")
        assert not is_being_written(tmp_path / "film.mp4")
        assert len(remove_abandoned(tmp_path)) == 1
        assert list(tmp_path.iterdir()) == [part.path]


def test_check_outputs_says_what_it_removed(tmp_path: Path) -> None:
    (tmp_path / ".nst-video-12345678-12345678.part.mp4").touch()
    notes: list[str] = []
    check_outputs([OutputFile(tmp_path / "film.mp4")], on_note=notes.append)
    assert len(notes) == 1
    assert str(tmp_path) in notes[0]
    assert not list(tmp_path.iterdir())


def test_check_outputs_refuses_an_input(tmp_path: Path) -> None:
    source = tmp_path / "film.mp4"
    source.touch()
    (tmp_path / "link.mp4").symlink_to(source)
    os.link(source, tmp_path / "hard.mp4")
    for name in ("film.mp4", "../" + tmp_path.name + "/film.mp4", "link.mp4", "hard.mp4"):
        with pytest.raises(UsageError, match="would replace the input"):
            check_outputs([OutputFile(tmp_path / name)], [source], overwrite=True)


def test_check_outputs_refuses_two_outputs_that_are_one_file(tmp_path: Path) -> None:
    (tmp_path / "other.png").symlink_to(tmp_path / "out.png")
    plot = OutputFile(tmp_path / "other.png", "loss curve")
    with pytest.raises(UsageError, match="The painting and the loss curve would both be"):
        check_outputs([OutputFile(tmp_path / "out.png", "painting"), plot])


def test_check_outputs_refuses_what_exists_unless_asked(tmp_path: Path) -> None:
    target = tmp_path / "film.mp4"
    target.touch()
    wanted = [OutputFile(target), OutputFile(tmp_path / "new.mp4")]
    with pytest.raises(UsageError, match=r"film\.mp4 exists\. Use -y"):
        check_outputs(wanted)
    with pytest.raises(UsageError, match="exists"):
        check_outputs(wanted, confirm=lambda question: False)
    assert check_outputs(wanted, confirm=lambda question: "Replace it?" in question) == {target}
    assert check_outputs(wanted, overwrite=True) == {target}


def test_check_outputs_refuses_names_that_cannot_be_meant(tmp_path: Path) -> None:
    for path, words in (
        (tmp_path / "film.avi", r"ending \.avi.*\.mp4 or \.mkv"),
        (tmp_path / "film", "no ending"),
        (Path("-"), "no ending"),
        (Path("http://host/film.mp4"), "is an address"),
    ):
        with pytest.raises(UsageError, match=words):
            check_outputs([OutputFile(path, suffixes=(".mp4", ".mkv"))])
    for path, words in (
        (tmp_path / "no" / "film.mp4", "There is no folder"),
        (tmp_path / ("x" * 300 + ".mp4"), "longer than the file system allows"),
        (tmp_path / "a\0.mp4", "null character"),
    ):
        with pytest.raises(SinkError, match=words):
            check_outputs([OutputFile(path)])
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        check_outputs([OutputFile(tmp_path / "folder.mp4")], overwrite=True)
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(UsageError, match="device or pipe"):
        check_outputs([OutputFile(tmp_path / "pipe.mp4")], overwrite=True)


def test_check_outputs_names_two_outputs_of_one_kind(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    same = [OutputFile(tmp_path / name, "recording") for name in ("a.mp4", "link/a.mp4")]
    with pytest.raises(UsageError, match="One recording and another would both be"):
        check_outputs(same)


def test_check_outputs_refuses_what_another_process_is_writing(tmp_path: Path) -> None:
    with (
        PartialFile(tmp_path / "film.mp4"),
        pytest.raises(UsageError, match="being written by another"),
    ):
        check_outputs([OutputFile(tmp_path / "film.mp4")], overwrite=True)


@pytest.mark.parametrize(
    ("name", "kind", "problem"),
    [
        ("", PathKind.MISSING, "empty"),
        ("no.mp4", PathKind.MISSING, "no such file"),
        ("x" * 300, PathKind.UNREADABLE, "longer"),
        ("a\0b", PathKind.UNREADABLE, "null"),
        ("~nosuchuser/x.mp4", PathKind.MISSING, "no such file"),
        ("http://host/x.mp4", PathKind.MISSING, "is an address"),
        ("/dev/zero", PathKind.SPECIAL, "device"),
        (__file__ + "/x.mp4", PathKind.MISSING, "a file, not a folder"),
    ],
)
def test_look_up_answers_in_words(name: str, kind: PathKind, problem: str) -> None:
    found = look_up(name)
    assert found.kind is kind
    assert problem in found.problem
    with pytest.raises(SourceError, match=problem):
        require_file(name)


def test_look_up_takes_file_addresses_and_literal_tildes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a b.mp4"
    target.touch()
    assert require_file(f"file://{tmp_path}/a%20b.mp4") == target
    monkeypatch.chdir(tmp_path)
    Path("~odd").touch()
    assert look_up("~odd").kind is PathKind.FILE
    assert address_scheme(Path("http://host/x")) == "http"
    assert address_scheme("C:/x") is None
    assert is_same_file(Path("a b.mp4"), target)
