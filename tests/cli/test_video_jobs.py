"""Which films a command paints, and where their results go."""

import errno
import os
from pathlib import Path

import pytest
from clips import ffmpeg, touch

from nst_video.cli.jobs import plan_jobs


def test_output_lies_beside_the_input_with_the_style_in_its_name(tmp_path: Path):
    (job,) = plan_jobs([str(tmp_path / "film.webm")], style="wave")
    assert job.target == tmp_path / "film-wave.mp4"


def test_output_may_be_a_file_or_a_folder(tmp_path: Path):
    film = str(tmp_path / "film.mkv")
    file, folder = tmp_path / "x.mp4", tmp_path / "painted"
    assert plan_jobs([film], file, style="wave")[0].target == file
    assert plan_jobs([film], folder, style="wave")[0].target == folder / "film-wave.mkv"


def test_folders_and_patterns_stand_for_the_videos_in_them(tmp_path: Path):
    touch(tmp_path, "b.mp4", "a.MOV", "note.txt", ".hidden.mp4", "sub/c.mkv")
    names = [job.source.name for job in plan_jobs([str(tmp_path)], style="wave")]
    assert names == ["a.MOV", "b.mp4"]
    pattern = str(tmp_path / "**" / "*.m[pk]*")
    names = [job.source.name for job in plan_jobs([pattern], style="wave")]
    assert names == ["b.mp4", "c.mkv"]


def test_output_with_a_strange_ending_is_a_folder_where_that_is_clear(tmp_path: Path):
    film, folder = str(tmp_path / "film.mkv"), tmp_path / "out.avi"
    for output in (f"{folder}/", str(tmp_path / "holiday 1.2"), str(tmp_path / "holiday.2024")):
        (job,) = plan_jobs([film], output, style="wave")
        assert job.target == Path(output) / "film-wave.mkv"
    folder.mkdir()
    assert plan_jobs([film], folder, style="wave")[0].target == folder / "film-wave.mkv"


def test_folder_gives_its_films_whatever_they_are_called_and_says_what_it_skips(tmp_path: Path):
    animated = ["-f", "lavfi", "-i", "testsrc2=s=16x16:r=5:d=1"]
    ffmpeg(*animated, tmp_path / "dance.gif")
    ffmpeg(*animated, "-frames:v", "1", tmp_path / "still.gif")
    ffmpeg(*animated, "-c:v", "libwebp_anim", tmp_path / "wave.webp")
    ffmpeg(*animated, "-f", "mpegts", tmp_path / "station.ts")
    ffmpeg(*animated, "-r", "25", "-f", "mxf", tmp_path / "tape.mxf")
    ffmpeg(*animated, "-f", "matroska", tmp_path / "nameless")
    ffmpeg(*animated, "-frames:v", "1", tmp_path / "photo.jpg")
    (tmp_path / "program.ts").write_text("export const film = 1;\n" * 100)
    (tmp_path / "notes.txt").write_text("No film.\n" * 100)
    (tmp_path / "list.m3u8").write_text("#EXTM3U\nhttp://localhost:1/a.ts\n")
    touch(tmp_path, *(f"empty{index}" for index in range(3)))
    notes: list[str] = []
    jobs = plan_jobs([str(tmp_path)], style="wave", on_note=notes.append)
    names = [job.source.name for job in jobs]
    assert names == ["dance.gif", "nameless", "station.ts", "tape.mxf", "wave.webp"]
    (note,) = notes
    assert note == (
        "Skipped (not a video): empty0, empty1, empty2, list.m3u8, notes.txt and 3 more."
    )


def test_folders_in_folders_are_repeated_in_the_output(tmp_path: Path):
    touch(tmp_path, "a.mp4", "deep/a.mp4", "deep/er/b.mkv", ".hidden/c.mp4", "out/old.mp4")
    folder = str(tmp_path)
    assert [job.source for job in plan_jobs([folder], style="wave")] == [tmp_path / "a.mp4"]
    jobs = plan_jobs([folder], tmp_path / "out", style="wave", is_recursive=True)
    assert [job.target.relative_to(tmp_path) for job in jobs] == [
        Path("out/a-wave.mp4"),
        Path("out/deep/a-wave.mp4"),
        Path("out/deep/er/b-wave.mkv"),
    ]
    beside = plan_jobs([folder], style="wave", is_recursive=True)
    assert tmp_path / "deep" / "er" / "b-wave.mkv" in [job.target for job in beside]


def test_films_that_differ_in_their_suffix_only_have_different_outputs(tmp_path: Path):
    touch(tmp_path, "a.avi", "a.mpg", "b.avi")
    names = [job.target.name for job in plan_jobs([str(tmp_path)], style="wave")]
    assert names == ["a.avi-wave.mp4", "a.mpg-wave.mp4", "b-wave.mp4"]


def test_folder_that_must_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    touch(tmp_path, "a.mp4", "secret/b.mp4")
    scandir = os.scandir

    def guarded(path):
        # Not by chmod: the superuser, as in a container, may read everything.
        if Path(path).name == "secret":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    notes: list[str] = []
    jobs = plan_jobs([str(tmp_path)], style="wave", is_recursive=True, on_note=notes.append)
    assert [job.source.name for job in jobs] == ["a.mp4"]
    assert notes == [f"Skipped the folder {tmp_path / 'secret'}: permission denied."]


def test_results_of_an_earlier_run_are_no_inputs(tmp_path: Path):
    touch(tmp_path, "a.mp4", "a-wave.mp4", "b.mp4")
    jobs = plan_jobs([str(tmp_path)], style="wave")
    assert [job.source.name for job in jobs] == ["a.mp4", "b.mp4"]
    named = plan_jobs([str(tmp_path / "a-wave.mp4")], style="wave")
    assert named[0].target.name == "a-wave-wave.mp4"
