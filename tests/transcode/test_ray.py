"""Workers on a Ray cluster: the same frames, also if workers are killed and nodes join."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from clips import Mixing, make_numbered
from live_tools import wait_until

from nst_video.transcode import Progress, TranscodeOptions, TranscodeResult, transcode
from nst_video.transcode.parallel.films import FilmJob, transcode_films
from nst_video.transcode.parallel.opening import open_crew
from nst_video.video.media.ffmpeg import ffmpeg_exe
from nst_video.worker_options import WorkerOptions

pytest.importorskip("ray")
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
    pytest.mark.filterwarnings("default"),
]

PORT = 26379
FAST = TranscodeOptions(preset="ultrafast", batch_size=8)


def ray(*arguments: str) -> None:
    command = [sys.executable, "-m", "ray.scripts.scripts", *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A cluster with room for one worker of one core."""
    here = Path(__file__).parent.parent
    path = os.pathsep.join([str(here), str(here.parent), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    small = ("--num-cpus=1", "--object-store-memory=80000000", "--include-dashboard=false")
    ray("start", "--head", f"--port={PORT}", *small)
    try:
        yield f"127.0.0.1:{PORT}"
    finally:
        ray("stop", "--force")


def hashes(path: Path) -> str:
    command = [ffmpeg_exe(), "-v", "error", "-i", str(path), "-map", "0", "-f", "streamhash", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def actors() -> list[int]:
    """Return the processes that run our workers."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"_Actor" in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_cluster_paints_the_same_film_while_workers_die_and_nodes_join(
    cluster: str, tmp_path: Path
):
    coding = ("-c:v", "libx264", "-g", "50", "-sc_threshold", "0")
    film = make_numbered(tmp_path / "film.mp4", *coding, count=400, fps=5)
    whole, target = tmp_path / "whole.mp4", tmp_path / "out" / "film.mp4"
    target.parent.mkdir()
    transcode(film, whole, Mixing(), options=FAST)
    said, happened = list[str](), list[str]()

    def disturb(progress: Progress) -> None:
        if not happened:
            happened.append("killed")
            os.kill(actors()[0], signal.SIGKILL)
            ray("start", f"--address={cluster}", "--num-cpus=1", "--object-store-memory=80000000")
        elif happened == ["killed"] and len(actors()) == 2:
            happened.append("joined")

    options = WorkerOptions("auto", cluster, cores=1)
    with open_crew(Mixing(), options, said.append) as crew:
        (done,) = transcode_films(
            [FilmJob(film, target)], Mixing(), crew, FAST, on_progress=disturb
        )
    assert said == ["Ray: 1 nodes with 1 cores, room for 1 workers."]
    assert isinstance(done, TranscodeResult), done
    assert happened == ["killed", "joined"]
    assert hashes(target) == hashes(whole)
    assert list(target.parent.iterdir()) == [target]
    wait_until(lambda: not actors(), what="the workers' end")
