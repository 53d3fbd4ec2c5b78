"""Workers on a Ray cluster: the same frames, also if workers are killed and nodes join."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from clips import Mixing, make_numbered
from live_tools import wait_until

from nst_video.errors import UsageError
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

FAST = TranscodeOptions(preset="ultrafast", batch_size=8)
SMALL = ("--num-cpus=1", "--object-store-memory=80000000", "--include-dashboard=false", "--block")


class Nodes:
    """Nodes of a cluster on this machine, each with room for one worker of one core."""

    def __init__(self) -> None:
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
def nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Nodes]:
    here = Path(__file__).parent.parent
    path = os.pathsep.join([str(here), str(here.parent), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    started = Nodes()
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


def test_cluster_paints_the_same_film_while_workers_die_and_a_node_starts(
    nodes: Nodes, tmp_path: Path
):
    coding = ("-c:v", "libx264", "-g", "50", "-sc_threshold", "0")
    film = make_numbered(tmp_path / "film.mp4", *coding, count=600, fps=5)
    whole, target = tmp_path / "whole.mp4", tmp_path / "out" / "film.mp4"
    target.parent.mkdir()
    transcode(film, whole, Mixing(), options=FAST)
    said, happened = list[str](), list[str]()

    def disturb(progress: Progress) -> None:
        if not happened:
            happened.append("killed")
            os.kill(nodes.actors()[0], signal.SIGKILL)
            nodes.start(f"--address={nodes.address}")
        elif happened == ["killed"] and len(nodes.actors()) == 2:
            happened.append("joined")

    options = WorkerOptions("auto", nodes.address, cores=1)
    with open_crew(Mixing(), options, said.append) as crew:
        (done,) = transcode_films(
            [FilmJob(film, target)], Mixing(), crew, FAST, on_progress=disturb
        )
    assert said == ["Ray: 1 nodes with 1 cores, room for 1 workers."]
    assert isinstance(done, TranscodeResult), done
    # Whether the new node paints, too, before the end depends on the machine.
    assert happened[0] == "killed"
    assert hashes(target) == hashes(whole)
    assert list(target.parent.iterdir()) == [target]
    wait_until(lambda: not nodes.actors(), what="the workers' end")


def test_address_where_nobody_listens_is_refused_at_once():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(UsageError, match=f"No Ray cluster answers at {address}"):
            open_crew(Mixing(), WorkerOptions("auto", address), None).__enter__()
