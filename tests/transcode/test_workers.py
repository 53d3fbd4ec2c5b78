"""Workers paint the chunks of films: the same frames as one process, also if workers die."""

import os
import re
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clips import Mixing, make_numbered
from live_tools import wait_until

from nst_video.errors import NstVideoError, UsageError
from nst_video.jobs.chunks import Chunk
from nst_video.transcode import (
    Progress,
    ResumeOptions,
    TranscodeOptions,
    TranscodeResult,
    transcode,
)
from nst_video.transcode.parallel.films import FilmJob, Outcome, transcode_films
from nst_video.transcode.parallel.schedule import ChunkSchedule, Task
from nst_video.transcode.parallel.worker_pool import LocalWorkerPool
from nst_video.video.media.ffmpeg import ffmpeg_exe
from nst_video.worker_options import WorkerOptions

FAST = TranscodeOptions(preset="ultrafast", batch_size=8)
FRAMES, FPS, CHUNK = 200, 5, 50
TWO = WorkerOptions(2, cores=1)


class Deadly(Mixing):
    """Kills its process at a frame: always, or once where a file to remember that is given."""

    def __init__(self, frame: int, once: Path | None = None) -> None:
        super().__init__()
        self._frame, self._once, self._number = frame, once, 0

    def begin_at(self, frame: int, /) -> None:
        self._number = frame

    def reset(self) -> None:
        super().reset()
        self._number = 0

    def __call__(self, frames: np.ndarray, /) -> np.ndarray:
        self._number += len(frames)
        if self._number > self._frame and not (self._once and self._once.exists()):
            if self._once:
                self._once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(frames)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four chunks with sound."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    sound = ("-f", "lavfi", "-i", f"sine=440:d={FRAMES / FPS}")
    coding = ("-c:v", "libx264", "-g", "50", "-sc_threshold", "0", "-c:a", "aac")
    return make_numbered(path, *coding, count=FRAMES, fps=FPS, inputs=sound)


@pytest.fixture(scope="module")
def whole(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The film painted by one process."""
    target = tmp_path_factory.mktemp("whole") / "whole.mp4"
    transcode(film, target, Mixing(), options=FAST)
    return target


def hashes(path: Path) -> str:
    """Return a hash of every decoded stream."""
    command = [ffmpeg_exe(), "-v", "error", "-i", str(path), "-map", "0", "-f", "streamhash", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def paint(
    jobs: list[FilmJob],
    painter: Mixing | None = None,
    *,
    keep_going: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    said: list[str] | None = None,
) -> list[Outcome]:
    painter = painter or Mixing()
    resume = ResumeOptions(on_note=None if said is None else said.append)
    return transcode_films(
        jobs,
        painter,
        LocalWorkerPool(painter, TWO),
        FAST,
        resume=lambda job: resume,
        keep_going=keep_going,
        on_progress=on_progress,
    )


def test_workers_paint_the_same_frames_and_tell_one_progress(
    film: Path, whole: Path, tmp_path: Path
):
    target, seen = tmp_path / "film.mp4", list[Progress]()
    (done,) = paint([FilmJob(film, target)], on_progress=seen.append)
    assert isinstance(done, TranscodeResult)
    assert hashes(target) == hashes(whole)
    assert done.info.frame_count == FRAMES
    frames = [progress.frame for progress in seen]
    assert frames == sorted(frames)
    assert frames[-1] == seen[-1].frame_count == FRAMES
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_worker_that_is_killed_is_replaced(film: Path, whole: Path, tmp_path: Path):
    target, said = tmp_path / "out" / "film.mp4", list[str]()
    target.parent.mkdir()
    (done,) = paint([FilmJob(film, target)], Deadly(70, tmp_path / "died"), said=said)
    (note,) = said
    # The worker may still encode the first chunk when it dies in the second.
    assert re.match(
        r"Chunk [12] \(.+\) has lost its worker: its process was ended by SIGKILL", note
    )
    assert isinstance(done, TranscodeResult)
    assert (tmp_path / "died").exists()
    assert hashes(target) == hashes(whole)
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_chunk_that_kills_three_workers_is_named_and_the_rest_is_kept(
    film: Path, whole: Path, tmp_path: Path
):
    # Early in the fourth chunk, when the same worker may still encode the third.
    target, said = tmp_path / "film.mp4", list[str]()
    (failed,) = paint([FilmJob(film, target)], Deadly(160), keep_going=True, said=said)
    assert isinstance(failed, NstVideoError)
    assert "Chunk 4 (0:30 to 0:40)" in str(failed)
    assert "SIGKILL" in str(failed)
    assert said[-1].startswith("3 of 4 chunks are kept")
    done = transcode(film, target, Mixing(), options=FAST)
    assert done.kept_frames == 3 * CHUNK
    assert hashes(target) == hashes(whole)


def test_films_of_a_folder_appear_one_by_one_and_failures_do_not_stop_the_others(
    film: Path, whole: Path, tmp_path: Path
):
    short = make_numbered(tmp_path / "short.mp4", count=20, fps=FPS)
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    sources = [film, tmp_path / "broken.mp4", short]
    jobs = [FilmJob(source, tmp_path / f"{n}.mp4") for n, source in enumerate(sources)]
    one, broken, two = paint([*jobs[:2], replace(jobs[2], target=tmp_path / "2.gif")])
    assert isinstance(one, TranscodeResult)
    assert isinstance(broken, NstVideoError)
    assert isinstance(two, TranscodeResult)
    assert hashes(one.target) == hashes(whole)
    (done,) = paint([jobs[2]])
    assert isinstance(done, TranscodeResult)
    transcode(short, tmp_path / "alone.mp4", Mixing(), options=FAST)
    assert hashes(done.target) == hashes(tmp_path / "alone.mp4")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_workers_end_with_their_driver(film: Path, tmp_path: Path):
    code = (
        "import sys; from clips import Mixing; from pathlib import Path;"
        "from test_workers import paint; from nst_video.transcode.parallel.films import FilmJob;"
        "paint([FilmJob(Path(sys.argv[1]), Path(sys.argv[2]))],"
        " on_progress=lambda progress: print(progress.frame, flush=True))"
    )
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parent), os.environ.get("PYTHONPATH", "")])
    driver = subprocess.Popen(
        [os.sys.executable, "-c", code, str(film), str(tmp_path / "film.mp4")],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert driver.stdout is not None
    assert driver.stdout.readline()
    tasks = Path(f"/proc/{driver.pid}/task").glob("*/children")
    children = [Path("/proc", pid) for task in tasks for pid in task.read_text().split()]
    assert children
    driver.kill()
    driver.wait()
    driver.stdout.close()
    wait_until(lambda: not any(each.exists() for each in children), what="the workers' end")


def chunks(count: int) -> list[Chunk]:
    return [Chunk(number, 10 * number, 10 * number + 10) for number in range(count)]


def test_workers_keep_to_their_part_of_a_film():
    schedule = ChunkSchedule()
    schedule.add(0, chunks(8))
    first = schedule.take()
    second = schedule.take()
    assert (first, second) == (Task(0, 0), Task(0, 4))
    taken = [first, second]
    for _ in range(3):
        taken = [schedule.take(task) for task in taken]
    assert taken == [Task(0, 3), Task(0, 7)]
    assert schedule.take(taken[0]) is None


def test_films_are_begun_before_they_are_divided():
    schedule = ChunkSchedule()
    for film in range(2):
        schedule.add(film, chunks(4))
    assert schedule.fresh_films == 2
    assert [schedule.take() for _ in range(3)] == [Task(0, 0), Task(1, 0), Task(0, 2)]
    schedule.give_back(Task(1, 0))
    schedule.drop(0)
    assert schedule.take() == Task(1, 2)
    assert schedule.left == 3


@pytest.mark.parametrize("workers", [0, -1, "many"])
def test_senseless_numbers_of_workers_are_refused(workers: object):
    with pytest.raises(UsageError, match="workers"):
        WorkerOptions(workers)  # type: ignore[arg-type]


def test_gpus_are_refused_without_a_cluster_to_take_them_from():
    with pytest.raises(UsageError, match="Only workers of a Ray cluster are given GPUs"):
        WorkerOptions(2, gpus=1)
    assert WorkerOptions(2, ray="auto", gpus=0.5).gpus == 0.5
