"""Interrupted transcodes go on where they were, with the same frames."""

import os
import subprocess
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from clips import RENEWAL, Mixing, ffmpeg, make_numbered
from live_tools import wait_until

from nst_video.errors import SourceError, UsageError
from nst_video.jobs import folders
from nst_video.jobs.records import read_record
from nst_video.transcode import (
    Progress,
    ResumeOptions,
    TranscodeOptions,
    TranscodeResult,
    transcode,
)
from nst_video.video.media.ffmpeg import ffmpeg_exe
from nst_video.video.video_file_source import VideoFileSource

FAST = TranscodeOptions(preset="ultrafast", batch_size=8)
FRAMES, FPS, CHUNK = 250, 5, 50
"""Fifty seconds: five chunks of fifty frames."""


class Interrupted(BaseException):
    """What ends a run, as Ctrl-C does."""


class Stopping(Mixing):
    """Stops when it has painted so many frames of chunks, and what is finished is recorded."""

    def __init__(self, stop_at: int, target: Path, strength: float = 0.1) -> None:
        super().__init__(strength)
        self._stop_at, self._target, self._finished = stop_at, target, finished(target)

    def __call__(self, frames: np.ndarray, /) -> np.ndarray:
        run_in = RENEWAL if self._finished else 0
        if self.painted + len(frames) > self._stop_at + run_in:
            wanted = self._finished + self._stop_at // CHUNK
            wait_until(lambda: finished(self._target) >= wanted, what="the encoder")
            raise Interrupted
        return super().__call__(frames)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Numbered frames with sound and B-frames, and a keyframe every ten seconds."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    sound = ("-f", "lavfi", "-i", f"sine=440:d={FRAMES / FPS}")
    coding = ("-c:v", "libx264", "-bf", "2", "-g", "50", "-sc_threshold", "0", "-c:a", "aac")
    return make_numbered(path, *coding, count=FRAMES, fps=FPS, inputs=sound)


@pytest.fixture(scope="module")
def whole(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The film painted without an interruption."""
    target = tmp_path_factory.mktemp("whole") / "whole.mp4"
    transcode(film, target, Mixing(), options=FAST)
    return target


def finished(target: Path) -> int:
    """Return how many chunks are finished."""
    records = [read_record(folder) for folder in folders.folders_of(target)]
    return sum(len(record["finished"]) for record in records if record)


def hashes(path: Path) -> str:
    """Return a hash of every decoded stream."""
    command = [ffmpeg_exe(), "-v", "error", "-i", str(path), "-map", "0", "-f", "streamhash", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def interrupt(film: Path, target: Path, after: int, **options: object) -> Path:
    """Paint until a number of frames are painted; return the folder of the job."""
    with pytest.raises(Interrupted):
        transcode(film, target, Stopping(after, target), options=replace(FAST, **options))
    (folder,) = folders.folders_of(target)
    return folder


def finish(
    film: Path, target: Path, **options: object
) -> tuple[TranscodeResult, Mixing, list[str]]:
    """Paint the rest; return the result, the painter and what was said."""
    painter, said = Mixing(), list[str]()
    done = transcode(
        film,
        target,
        painter,
        options=replace(FAST, **options),
        resume=ResumeOptions(on_note=said.append),
    )
    assert list(target.parent.iterdir()) == [target]
    return done, painter, said


class Unknown(Mixing):
    """A painter that does not tell what its frames depend on, and so gets no chunks."""

    def identity(self) -> None:
        return None


def facts(path: Path) -> dict[str, object]:
    """Return what a file says about its picture."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        names = ("color_range", "colorspace", "color_primaries", "color_trc", "codec_tag")
        found = {name: getattr(video.codec_context, name) for name in names}
        rates = video.average_rate, video.start_time, container.duration, video.metadata
        return found | {"profile": video.profile, "others": rates}


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_joined_file_says_the_same_about_its_picture(film: Path, tmp_path: Path, suffix: str):
    files = [tmp_path / f"{name}{suffix}" for name in ("plain", "joined")]
    for file, painter in zip(files, (Unknown(), Mixing()), strict=True):
        transcode(film, file, painter, options=TranscodeOptions(end_s=20))
    plain, joined = map(facts, files)
    assert joined == plain


def test_chunks_do_not_change_what_is_painted(film: Path, whole: Path, tmp_path: Path):
    transcode(film, tmp_path / "plain.mp4", Unknown(), options=FAST)
    plain, chunked = (decoded(path) for path in (tmp_path / "plain.mp4", whole))
    assert len(plain) == len(chunked) == FRAMES
    alike = slice(0, CHUNK - RENEWAL)  # then it passes to the next chunk
    assert np.abs(plain.astype(int) - chunked)[alike].mean() < 1
    assert hashes(whole).splitlines()[1] == hashes(tmp_path / "plain.mp4").splitlines()[1]


def decoded(path: Path) -> np.ndarray:
    command = [ffmpeg_exe(), "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "gray"]
    raw = subprocess.run([*command, "-"], check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, 48, 64)


@pytest.mark.parametrize(("after", "kept"), [(55, 50), (149, 100), (245, 200)])
def test_same_call_goes_on_and_gives_the_same_frames(
    film: Path, whole: Path, tmp_path: Path, after: int, kept: int
):
    target = tmp_path / "film.mp4"
    folder = interrupt(film, target, after)
    assert folder.name.startswith(".")
    done, painter, said = finish(film, target)
    assert hashes(target) == hashes(whole)
    assert (done.kept_frames, painter.painted) == (kept, FRAMES - kept + RENEWAL)
    assert done.info.frame_count == FRAMES
    assert f"finished {kept // 50} of 5 chunks; {FRAMES - kept} frames are left" in said[0]


def test_interrupted_again_and_again_it_gets_finished(film: Path, whole: Path, tmp_path: Path):
    target = tmp_path / "film.mp4"
    for _ in range(4):
        interrupt(film, target, 60)
    finish(film, target)
    assert hashes(target) == hashes(whole)


def test_interrupted_while_joining_only_that_is_repeated(
    film: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def fail(*arguments: object, **options: object) -> None:
        raise Interrupted

    target = tmp_path / "film.mp4"
    with monkeypatch.context() as patch:
        patch.setattr("nst_video.transcode.chunked.join_film", fail)
        with pytest.raises(Interrupted):
            transcode(film, target, Mixing(), options=FAST)
    _, painter, _ = finish(film, target)
    assert painter.painted == 0
    assert hashes(target) == hashes(whole)


def test_killed_before_the_folder_is_removed_the_next_command_removes_it(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    target = tmp_path / "film.mp4"
    with monkeypatch.context() as patch:
        patch.setattr("nst_video.jobs.journal.Journal.discard", lambda journal: None)
        transcode(film, target, Mixing(), options=FAST)
    assert len(list(tmp_path.iterdir())) == 2
    with pytest.raises(UsageError, match="exists"):
        transcode(film, target, Mixing(), options=FAST)
    assert list(tmp_path.iterdir()) == [target]


def test_damaged_chunk_is_painted_anew(film: Path, whole: Path, tmp_path: Path):
    target = tmp_path / "film.mp4"
    folder = interrupt(film, target, 210)
    with (folder / "00001.mp4").open("r+b") as file:
        file.seek(100)
        file.write(b"damage")
    _, painter, said = finish(film, target)
    assert said[0].startswith("1 finished chunk is damaged")
    # The damaged chunk and the last one, each with what leads to it.
    assert painter.painted == 2 * (CHUNK + RENEWAL)
    assert hashes(target) == hashes(whole)


def test_other_settings_begin_anew_and_leave_the_others_alone(film: Path, tmp_path: Path):
    target = tmp_path / "film.mp4"
    interrupt(film, target, 130)
    with pytest.raises(Interrupted):
        transcode(film, target, Stopping(60, target, strength=0.5), options=FAST)
    assert len(folders.folders_of(target)) == 2
    done, _, said = finish(film, target, crf=30)
    assert done.kept_frames == 0
    assert "but not for this command: crf 30 instead of 18" in "".join(said)
    assert "strength 0.1 instead of 0.5" in "".join(said)


def test_chunks_of_another_version_are_said_and_left_until_the_film_is_complete(
    film: Path, tmp_path: Path
):
    target = tmp_path / "film.mp4"
    folder = interrupt(film, target, 130)
    newer = folder.with_name(folder.name[:-12] + "cafecafe.job")
    folder.rename(newer)
    record = (newer / folders.JOURNAL).read_text()
    (newer / folders.JOURNAL).write_text(record.replace('"format": 2', '"format": 3'))
    done, _, said = finish(film, target)
    assert done.kept_frames == 0
    assert said[0].startswith("An interrupted run of another version of nst-video is in")


def test_changed_source_is_noticed(film: Path, tmp_path: Path):
    source, target = tmp_path / "in" / "film.mp4", tmp_path / "out" / "film.mp4"
    for path in (source, target):
        path.parent.mkdir()
    source.write_bytes(film.read_bytes())
    interrupt(source, target, 130)
    os.utime(source, (1, 1))
    done, _, said = finish(source, target)
    assert done.kept_frames == 0
    assert "but not for this command: the source." in said[0]


def test_source_that_is_replaced_while_it_is_painted_gives_no_sound_of_another(
    film: Path, tmp_path: Path
):
    source, target = tmp_path / "in.mp4", tmp_path / "out" / "film.mp4"
    target.parent.mkdir()
    source.write_bytes(film.read_bytes())

    def replace_source(progress: Progress) -> None:
        os.utime(source, (1, 1))

    with pytest.raises(SourceError, match=r"in\.mp4 has changed while it was painted"):
        transcode(source, target, Mixing(), options=FAST, on_progress=replace_source)
    assert not target.exists()


def test_restart_begins_anew(film: Path, tmp_path: Path):
    target = tmp_path / "film.mp4"
    interrupt(film, target, 130)
    painter = Mixing()
    transcode(film, target, painter, options=FAST, resume=ResumeOptions(restart=True))
    assert painter.painted == FRAMES


def test_short_films_and_animations_have_no_chunks(film: Path, tmp_path: Path):
    for name, options in (("short.mp4", {"end_s": 12.0}), ("film.gif", {"end_s": 20.0})):
        with pytest.raises(Interrupted):
            transcode(
                film,
                tmp_path / name,
                Stopping(40, tmp_path / name),
                options=replace(FAST, **options),
            )
    assert list(tmp_path.iterdir()) == []


def test_progress_goes_on_where_it_was(film: Path, tmp_path: Path):
    target, seen = tmp_path / "film.mp4", list[Progress]()
    interrupt(film, target, 130)
    transcode(film, target, Mixing(), options=FAST, on_progress=seen.append)
    frames = [progress.frame for progress in seen]
    assert frames[0] == 108
    assert frames[-1] == seen[-1].frame_count == FRAMES


def test_source_that_cannot_be_read_from_the_middle_is_read_from_its_beginning(
    film: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    read = VideoFileSource.__iter__

    def garbage(source: VideoFileSource) -> Iterator[np.ndarray]:
        frames, seeks = read(source), source.may_seek
        return (255 - frame if seeks else frame for frame in frames)

    target = tmp_path / "film.mp4"
    interrupt(film, target, 130)
    monkeypatch.setattr(VideoFileSource, "__iter__", garbage)
    finish(film, target)
    assert hashes(target) == hashes(whole)


def test_disk_that_is_too_small_is_said_once_and_early(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    usage = namedtuple("usage", "free")
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage(50_000))
    _, _, said = finish(film, tmp_path / "film.mp4")
    (sentence,) = (text for text in said if "GB" in text)
    assert "make room" in sentence


def test_damaged_source_keeps_what_could_be_painted(film: Path, tmp_path: Path):
    source, target = tmp_path / "in" / "cut.mkv", tmp_path / "out" / "cut.mkv"
    for path in (source, target):
        path.parent.mkdir()
    ffmpeg("-i", film, "-c", "copy", source.with_name("all.mkv"))
    data = source.with_name("all.mkv").read_bytes()
    source.write_bytes(data[: len(data) * 7 // 10])
    with pytest.raises(SourceError, match="--keep-partial"):
        transcode(source, target, Mixing(), options=FAST)
    with pytest.raises(Interrupted):
        transcode(
            source,
            target,
            Stopping(60, target),
            options=replace(FAST, keep_partial=True),
        )
    done, _, _ = finish(source, target, keep_partial=True)
    assert done.kept_frames == 50
    assert 150 < (done.info.frame_count or 0) < 200
