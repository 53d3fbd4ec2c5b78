"""Workers on a Ray cluster: the same frames, also if workers are killed and nodes join."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from clips import Mixing, make_numbered
from live_tools import wait_until

from nst_video.errors import UsageError
from nst_video.transcode import (
    Progress,
    ResumeOptions,
    TranscodeOptions,
    TranscodeResult,
    transcode,
)
from nst_video.transcode.parallel.films import FilmJob, transcode_films
from nst_video.transcode.parallel.opening import open_worker_pool
from nst_video.transcode.parallel.ray_cluster import RayWorkerPool
from nst_video.video.media.ffmpeg import ffmpeg_exe
from nst_video.worker_options import WorkerOptions

pytest.importorskip("ray")
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
    pytest.mark.filterwarnings("default"),
]

FAST = TranscodeOptions(preset="ultrafast", batch_size=8)
SMALL = ("--num-cpus=1", "--object-store-memory=80000000", "--include-dashboard=false", "--block")


class Nodes:
    """Nodes of a cluster on this machine, each with room for one worker of one core.

    Attributes:
        temporary: the folder for temporary files of their workers.
    """

    def __init__(self, temporary: Path) -> None:
        temporary.mkdir()
        self.temporary = temporary
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, *where: str) -> None:
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", *where, *SMALL]
        quiet = subprocess.DEVNULL
        # A group of its own: only what was started here may be ended.
        node = subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True)
        self._started.append(node)

    def start_head(self) -> None:
        self.start("--head", f"--port={self.port}")

        def answers() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        wait_until(answers, timeout_s=60, what="the cluster")

    def stop(self) -> None:
        for node in self._started:
            for pid in [*descendants(node.pid), node.pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            node.wait()

    def actors(self) -> list[int]:
        """Return the processes that run our workers."""
        below = [pid for node in self._started for pid in descendants(node.pid)]
        return [pid for pid in below if b"_Actor" in command_of(pid)]


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Nodes]:
    here = Path(__file__).parent.parent
    path = os.pathsep.join([str(here), str(here.parent), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.setenv("RAY_TMPDIR", tempfile.gettempdir())  # names of sockets must be short
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    started = Nodes(tmp_path / "temporary")
    try:
        started.start_head()
        yield started
    finally:
        started.stop()


def descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return [*found, *(each for child in found for each in descendants(child))]


def command_of(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def hashes(path: Path) -> str:
    command = [ffmpeg_exe(), "-v", "error", "-i", str(path), "-map", "0", "-f", "streamhash", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Together(Mixing):
    """Goes on after a worker was killed only when two others paint.

    Attributes:
        folder: has a file for each process that has painted, and "killed" with that process in it.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __call__(self, frames: np.ndarray, /) -> np.ndarray:
        (self.folder / str(os.getpid())).touch()
        if (self.folder / "killed").exists():
            wait_until(lambda: len([*self.folder.iterdir()]) >= 4, timeout_s=120, what="two")
        return super().__call__(frames)


def test_killed_workers_and_late_nodes_paint_the_same_film_also_if_it_has_to_be_sent(
    nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    coding = ("-c:v", "libx264", "-g", "50", "-sc_threshold", "0")
    make_numbered(tmp_path / "film.mp4", *coding, count=400, fps=5)
    whole, target = tmp_path / "whole.mp4", tmp_path / "out" / "film.mp4"
    painters = tmp_path / "painters"
    for folder in (target.parent, painters):
        folder.mkdir()
    # A name that other processes do not find.
    monkeypatch.chdir(tmp_path)
    film = Path("/proc/self/cwd/film.mp4")
    transcode(film, whole, Mixing(), options=FAST)
    said, sent = list[str](), list[Path]()
    pieces_of = RayWorkerPool.pieces_of
    monkeypatch.setattr(
        RayWorkerPool, "pieces_of", lambda pool, path: (sent.append(path), pieces_of(pool, path))[1]
    )

    def disturb(progress: Progress) -> None:
        if not (painters / "killed").exists():
            (victim,) = nodes.actors()
            os.kill(victim, signal.SIGKILL)
            (painters / "killed").touch()
            nodes.start(f"--address={nodes.address}")

    painter, resume = Together(painters), ResumeOptions(on_note=said.append)
    with open_worker_pool(
        painter, WorkerOptions("auto", nodes.address, cores=1), said.append
    ) as pool:
        jobs = [FilmJob(film, target)]
        (done,) = transcode_films(
            jobs, painter, pool, FAST, resume=lambda job: resume, on_progress=disturb
        )
    assert isinstance(done, TranscodeResult), done
    assert said[0] == "Ray: 1 node with 1 core, room for 1 worker."
    assert "has lost its worker" in said[1]
    assert len([*painters.iterdir()]) == 4  # three processes: one of them on the late node
    assert set(sent) == {film}
    assert hashes(target) == hashes(whole)
    assert list(target.parent.iterdir()) == [target]
    assert not [*nodes.temporary.glob("nst-video-*")]
    wait_until(lambda: not nodes.actors(), what="the workers' end")


def test_address_where_nobody_listens_is_refused_at_once():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(UsageError, match=f"No Ray cluster answers at {address}"):
            open_worker_pool(Mixing(), WorkerOptions("auto", address), None).__enter__()
