"""Kills live recordings at random times and measures what the next start recovers.

    python tools/endurance/kill_recordings.py --kills 30 --seed 1

Every other time only the main process is killed; otherwise ffmpeg too, as in a power failure. The
frames carry their number, so that the loss is known exactly. 30 kills take about 15 minutes. The
exit status is 1 if a recording is not recovered, cannot be played, or lacks more than 2 seconds.
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
from nst_video.live import LiveOptions, LiveSource, Output, run_live
from nst_video.settings import ModelOptions
from nst_video.stylizer import Stylizer

SIZE: Size = (320, 240)
BITS, BLOCK_PX = 16, 16
ALLOWED_LOSS_S = 2.0
RECOVERED = "Recovered a recording that was cut off: "
START_S = 120.0


class NumberedFrames:
    """An endless source of frames that carry their number in black and white blocks, and noise."""

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
        """Stop the source."""
        self.stop()

    def __iter__(self) -> Iterator[Frame]:
        random_ = np.random.default_rng(1)
        noise = random_.integers(0, 40, (8, SIZE[1], SIZE[0], 3), np.uint8)
        started_s = time.monotonic()
        number = 0
        while not self._is_over.wait(max(0.0, started_s + number / self._fps - time.monotonic())):
            frame = noise[number % len(noise)].copy()
            for bit in range(BITS):
                frame[:BLOCK_PX, bit * BLOCK_PX :][:, :BLOCK_PX] = 255 * (number >> bit & 1)
            yield frame
            number += 1

    def stop(self) -> None:
        """End the iteration."""
        self._is_over.set()


def number_in(frame: Frame) -> int:
    """Return the number that a frame of `NumberedFrames` carries."""
    blocks = frame[4 : BLOCK_PX - 4, : BITS * BLOCK_PX].mean(axis=(0, 2)).reshape(BITS, BLOCK_PX)
    return sum(int(block[4:-4].mean() > 127) << bit for bit, block in enumerate(blocks))


class FrameLog:
    """An output that prints number and time of each frame, which the recording gets too."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Do nothing: nothing was opened."""

    def write(self, frame: Frame) -> None:
        """Print number and time of the frame."""
        os.write(1, f"frame {number_in(frame)} {time.time():.6f}\n".encode())

    def stop(self) -> None:
        """Do nothing: nothing blocks."""


def record(target: str, fps: float) -> None:
    """Run a session that records until it is killed; with "null:" it only recovers."""
    run_live(
        LiveSource("numbered frames", lambda: NumberedFrames(fps)),
        Stylizer(options=ModelOptions("builtin", "identity")),
        [target, Output("log", lambda info: FrameLog())],
        options=LiveOptions(target_fps=None, save_dir=Path(target).parent),
        on_message=lambda text: print(text, flush=True),
    )


@dataclass
class Kill:
    """One killed recording.

    Attributes:
        written_s: seconds from the first to the last frame that was written.
        lost_s: seconds between the last frame written and the last one in the file.
    """

    suffix: str
    fps: float
    kills_ffmpeg: bool
    written_s: float = 0.0
    lost_s: float = float("inf")
    frames: int = 0
    problem: str = ""

    @property
    def is_right(self) -> bool:
        """Whether it was recovered, can be played and lacks no more than `ALLOWED_LOSS_S`."""
        return not self.problem and self.lost_s <= ALLOWED_LOSS_S


def start(target: str, fps: float) -> subprocess.Popen[str]:
    """Start a session in its own process."""
    command = [sys.executable, __file__, "--record", target, "--fps", str(fps)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def children(pid: int) -> list[int]:
    """Return the child processes of a process (Linux only)."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def kill_recording(kill: Kill, folder: Path, after_s: float) -> None:
    """Record for `after_s` seconds, kill, start again and examine the recovered file."""
    written = run_and_kill(kill, folder / f"take{kill.suffix}", after_s)
    kill.written_s = written[max(written)] - written[min(written)]
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
    kill.lost_s = written[max(written)] - written[max(numbers)]


def run_and_kill(kill: Kill, target: Path, after_s: float) -> dict[int, float]:
    """Record and kill; return the time of each frame that was written, by number."""
    written: dict[int, float] = {}
    with start(str(target), kill.fps) as session:
        assert session.stdout is not None
        for line in session.stdout:
            word, *values = line.split()
            if word == "frame":
                written[int(values[0])] = float(values[1])
            if written and time.time() > written[min(written)] + after_s:
                break
        victims = children(session.pid) if kill.kills_ffmpeg else []
        os.kill(session.pid, signal.SIGSTOP)
        for victim in [*victims, session.pid]:
            os.kill(victim, signal.SIGKILL)
        for line in session.stdout:
            word, *values = line.split()
            if word == "frame" and len(values) == 2:
                written[int(values[0])] = float(values[1])
    return written


def start_again(folder: Path) -> Path | None:
    """Start a session that records nothing; return the file that it reports as recovered."""
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
    """Run the tool; return 1 if a recording was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fps", type=float, default=0, help="of the source; default: 25, 3 and 10")
    parser.add_argument("--shortest", type=float, default=3.0, help="seconds")
    parser.add_argument("--longest", type=float, default=12.0, help="seconds")
    parser.add_argument("--record", metavar="TARGET", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.record:
        record(given.record, given.fps)
        return 0
    rng = random.Random(given.seed)
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
            kill_recording(kill, folder, rng.uniform(given.shortest, given.longest))
        kills.append(kill)
        who = "with ffmpeg" if kill.kills_ffmpeg else "main process alone"
        print(
            f"  {kill.suffix:9} {kill.fps:5g}  {who:18} {kill.written_s:5.1f} s {kill.frames:7} "
            f"{kill.lost_s:5.2f} s {'' if kill.is_right else 'WRONG ' + kill.problem}",
            flush=True,
        )
    wrong = sum(not kill.is_right for kill in kills)
    print(f"{len(kills)} kills, {wrong} wrong, most lost {max(k.lost_s for k in kills):.2f} s")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
