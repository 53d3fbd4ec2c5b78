"""Kill live recordings at random moments; see what the next start finds, and how much is lost.

Every other time only the main process is killed, else ffmpeg with it, as by a power failure. The
frames carry numbers, so what is lost is known exactly.

    python tools/endurance/kill_recordings.py --kills 30 --seed 1
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np

from nst_video.frames import Frame, Size, VideoInfo
from nst_video.live import LiveInput, LiveOptions, Output, run_live
from nst_video.settings import ModelOptions
from nst_video.stylizer import Stylizer

SIZE: Size = (320, 240)
BITS, BLOCK_PX = 16, 16
ALLOWED_LOSS_S = 2.0
RECOVERED = "Recovered a recording that was cut off: "
START_S = 120.0


class Film:
    """An endless film of frames that carry their number in black and white blocks, and noise."""

    def __init__(self, fps: float) -> None:
        self.info = VideoInfo(SIZE, Fraction(fps))
        self.notes = ()
        self._fps = fps
        self._is_over = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self.stop()

    def __iter__(self) -> Iterator[Frame]:
        random_ = np.random.default_rng(1)
        noise = random_.integers(0, 40, (8, SIZE[1], SIZE[0], 3), np.uint8)
        begun = time.monotonic()
        number = 0
        while not self._is_over.wait(max(0.0, begun + number / self._fps - time.monotonic())):
            frame = noise[number % len(noise)].copy()
            for bit in range(BITS):
                frame[:BLOCK_PX, bit * BLOCK_PX :][:, :BLOCK_PX] = 255 * (number >> bit & 1)
            yield frame
            number += 1

    def stop(self) -> None:
        """End it."""
        self._is_over.set()


def number_in(frame: Frame) -> int:
    """Return the number that a frame of `Film` carries."""
    blocks = frame[4 : BLOCK_PX - 4, : BITS * BLOCK_PX].mean(axis=(0, 2)).reshape(BITS, BLOCK_PX)
    return sum(int(block[4:-4].mean() > 127) << bit for bit, block in enumerate(blocks))


class Log:
    """An output that writes which frame it got when: what is handed to the recording, too."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing was opened."""

    def write(self, frame: Frame) -> None:
        """Write a line: the number, and the time."""
        os.write(1, f"frame {number_in(frame)} {time.time():.6f}\n".encode())

    def stop(self) -> None:
        """Nothing hangs."""


def record(target: str, fps: float) -> None:
    """Run a session that records until it is killed; "null:" only waits for what is recovered."""
    run_live(
        LiveInput("film", lambda: Film(fps)),
        Stylizer(options=ModelOptions("builtin", "identity")),
        [target, Output("log", lambda info: Log())],
        options=LiveOptions(target_fps=None, save_dir=Path(target).parent),
        on_message=lambda text: print(text, flush=True),
    )


@dataclass
class Kill:
    """One killed recording.

    Attributes:
        handed_s: seconds from the first to the last frame that was handed over.
        lost_s: seconds between the last frame handed over and the last one in the file.
    """

    suffix: str
    fps: float
    kills_ffmpeg: bool
    handed_s: float = 0.0
    lost_s: float = float("inf")
    frames: int = 0
    problem: str = ""

    @property
    def is_right(self) -> bool:
        """Whether it was found, can be played and lacks no more than is allowed."""
        return not self.problem and self.lost_s <= ALLOWED_LOSS_S


def start(target: str, fps: float) -> subprocess.Popen[str]:
    """Start a session in a process of its own."""
    command = [sys.executable, __file__, "--record", target, "--fps", str(fps)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def children(pid: int) -> list[int]:
    """Return the processes that a process has started (Linux)."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def kill_recording(kill: Kill, folder: Path, after_s: float) -> None:
    """Record for a while, kill, start again and look at what is there."""
    handed = run_and_kill(kill, folder / f"take{kill.suffix}", after_s)
    kill.handed_s = handed[max(handed)] - handed[min(handed)]
    found = start_again(folder)
    if found is None:
        kill.problem = f"not found: {[path.name for path in folder.iterdir()]}"
        return
    try:
        with av.open(str(found)) as container:
            frames = container.decode(container.streams.video[0])
            numbers = [number_in(frame.to_ndarray(format="rgb24")) for frame in frames]
    except (OSError, av.FFmpegError) as error:
        kill.problem = f"cannot be played: {error}"
        return
    kill.frames = len(numbers)
    kill.lost_s = handed[max(handed)] - handed[max(numbers)]


def run_and_kill(kill: Kill, target: Path, after_s: float) -> dict[int, float]:
    """Return when each frame was handed over before the kill."""
    handed: dict[int, float] = {}
    with start(str(target), kill.fps) as session:
        assert session.stdout is not None
        for line in session.stdout:
            word, *values = line.split()
            if word == "frame":
                handed[int(values[0])] = float(values[1])
            if handed and time.time() > handed[min(handed)] + after_s:
                break
        victims = children(session.pid) if kill.kills_ffmpeg else []
        os.kill(session.pid, signal.SIGSTOP)
        for victim in [*victims, session.pid]:
            os.kill(victim, signal.SIGKILL)
        for line in session.stdout:
            word, *values = line.split()
            if word == "frame" and len(values) == 2:
                handed[int(values[0])] = float(values[1])
    return handed


def start_again(folder: Path) -> Path | None:
    """Start a session that records nothing, and return what it says to have recovered."""
    with start("null:", 5) as session:
        assert session.stdout is not None
        timer = threading.Timer(START_S, session.kill)
        timer.start()
        found = None
        for line in session.stdout:
            if line.startswith(RECOVERED):
                found = Path(line.removeprefix(RECOVERED).rpartition(" (")[0])
                break
        timer.cancel()
        session.terminate()
    return found if found is not None and found.parent == folder else None


def main() -> int:
    """Kill, print a table, and return 1 where something was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fps", type=float, default=0, help="of the source; by default 25, 3, 10")
    parser.add_argument("--shortest", type=float, default=3.0, help="seconds")
    parser.add_argument("--longest", type=float, default=12.0, help="seconds")
    parser.add_argument("--record", metavar="TARGET", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.record:
        record(given.record, given.fps)
        return 0
    chance = random.Random(given.seed)
    kills: list[Kill] = []
    print("  container   fps  killed            recorded  frames  lost")
    for number in range(given.kills):
        kill = Kill(
            (".mp4", ".mkv", ".mov")[number // 2 % 3],
            given.fps or (25, 3, 10)[number // 6 % 3],
            kills_ffmpeg=bool(number % 2),
        )
        with tempfile.TemporaryDirectory() as name:
            os.environ["NST_VIDEO_HOME"] = f"{name}/home"
            folder = Path(name) / "takes"
            folder.mkdir()
            kill_recording(kill, folder, chance.uniform(given.shortest, given.longest))
        kills.append(kill)
        who = "with ffmpeg" if kill.kills_ffmpeg else "main process alone"
        print(
            f"  {kill.suffix:9} {kill.fps:5g}  {who:18} {kill.handed_s:5.1f} s {kill.frames:7} "
            f"{kill.lost_s:5.2f} s {'' if kill.is_right else 'WRONG ' + kill.problem}",
            flush=True,
        )
    wrong = sum(not kill.is_right for kill in kills)
    print(f"{len(kills)} kills, {wrong} wrong, most lost {max(k.lost_s for k in kills):.2f} s")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
