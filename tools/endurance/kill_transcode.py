"""Kills `nst-video transcode` or `paint` at random moments, resumes it, and compares every frame.

    python tools/endurance/kill_transcode.py --kills 20 --seed 1
    python tools/endurance/kill_transcode.py --kills 20 --options "--workers 2"
    python tools/endurance/kill_transcode.py --kills 20 --options "--ray 127.0.0.1:6379"
    python tools/endurance/kill_transcode.py --kills 5 --command paint --options "--steps 5"

By default the film is made by code: sound, subtitles and cuts, 40 seconds. A run that nobody kills
comes first. Then films are begun and killed (the main process, an ffmpeg, or all at once, as in a
power failure) until so many kills are done; each is resumed by the same command until it is
complete. Where workers paint, one of them may be killed, too; the first run has none. The exit
status is 1 if a frame or a packet of another stream differs from the first run,
if anything is left behind, if a finished chunk is painted again, or if a run ends by itself without
a sentence.
"""

import argparse
import os
import random
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from nst_video.jobs import folders
from nst_video.jobs.chunks import LONGEST_S
from nst_video.jobs.records import read_record
from nst_video.system.file_lock import is_locked
from nst_video.transcode.parallel.scratch import LOCK, root_folder
from nst_video.video.media.ffmpeg import ffmpeg_exe

WHO = ("main", "ffmpeg", "all")
WORKERS = (b"parallel.processes", b"ray::_Actor")
"""In the command lines of workers."""

FPS = 10
SUBTITLES = "1\n00:00:01,000 --> 00:00:04,000\nHello\n"


@dataclass
class Film:
    """One film that is killed and resumed.

    Attributes:
        kills: who was killed after how many seconds.
        problems: what was wrong.
        is_tidied: its workers on this machine are of Ray, and have been tidied up after, too.
    """

    target: Path
    kills: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    is_tidied: bool = False


def make_film(path: Path, seconds: int) -> Path:
    """Write a film of several shots with sound and subtitles."""
    (path.parent / "s.srt").write_text(SUBTITLES)
    shots = f"testsrc2=s=160x96:r={FPS}:d={seconds},hue=H=floor(t/7)*2"
    command = [ffmpeg_exe(), "-v", "error", "-y", "-f", "lavfi", "-i", shots]
    command += ["-f", "lavfi", "-i", f"sine=330:d={seconds}", "-i", str(path.parent / "s.srt")]
    command += ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-g", "60", "-c:a", "aac", str(path)]
    subprocess.run(command, check=True)
    return path


def stream_hashes(path: Path) -> str:
    """Return hashes of all decoded pictures, and of all copied packets of the other streams."""
    begin = [ffmpeg_exe(), "-v", "error", "-i", str(path)]
    frames = [*begin, "-map", "0:v", "-f", "framehash", "-hash", "md5", "-"]
    others = [*begin, "-map", "0", "-map", "-0:v", "-c", "copy", "-f", "framehash", "-"]
    return "".join(
        subprocess.run(command, check=True, capture_output=True, text=True).stdout
        for command in (frames, others)
    )


def descendants(pid: int) -> list[int]:
    """Return the processes below a process (Linux only)."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_text().split()]
        except OSError:
            continue
    return [*found, *(each for child in found for each in descendants(child))]


def command_of(pid: int) -> bytes:
    """Return the command line of a process, empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def workers(below: Sequence[int], options: Sequence[str]) -> list[int]:
    """Return the workers of a command: its descendants, or those of its Ray cluster here."""
    found = list(below)
    if "--ray" in options:
        address = options[options.index("--ray") + 1].encode()
        pids = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
        nodes = [pid for pid in pids if b"raylet" in (line := command_of(pid)) and address in line]
        found += [pid for node in nodes for pid in descendants(node)]
    return [pid for pid in found if any(mark in command_of(pid) for mark in WORKERS)]


def finished_chunks(target: Path) -> int:
    """Return how many chunks of a target are in its journals."""
    records = [read_record(folder) for folder in folders.folders_of(target)]
    return sum(len(record["finished"]) for record in records if record)


def abandoned(film: Film) -> list[Path]:
    """Return the folders of workers of Ray on this machine that have ended."""
    folders_here = root_folder().glob("worker-*") if film.is_tidied else ()
    return [folder for folder in folders_here if not is_locked(folder / LOCK)]


def start(source: Path, target: Path, options: Sequence[str]) -> subprocess.Popen[str]:
    """Start a command."""
    command, *others = options
    line = [sys.executable, "-m", "nst_video", command, str(source), "-o", str(target), *others]
    return subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def kill(process: subprocess.Popen[str], who: str, options: Sequence[str]) -> None:
    """Kill a running command, the named part of it."""
    os.kill(process.pid, signal.SIGSTOP)
    below = descendants(process.pid)
    painting = workers(below, options)
    others = {each for worker in painting for each in descendants(worker)}
    ffmpegs = [pid for pid in {*below, *others} if b"ffmpeg" in command_of(pid)]
    victims = {
        "main": [],
        "ffmpeg": random.sample(ffmpegs, min(1, len(ffmpegs))),
        "worker": random.sample(painting, min(1, len(painting))),
        "all": [*ffmpegs, *painting],
    }
    for victim in victims[who]:
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
    goes_on = who in ("ffmpeg", "worker")
    os.kill(process.pid, signal.SIGCONT if goes_on else signal.SIGKILL)


def run_once(film: Film, source: Path, options: Sequence[str], after_s: float, who: str) -> bool:
    """Run until the kill, or to the end if that comes first; return whether it is complete."""
    before = finished_chunks(film.target)
    process = start(source, film.target, options)
    try:
        _, said = process.communicate(timeout=after_s)
    except subprocess.TimeoutExpired:
        seen = finished_chunks(film.target)
        if process.poll() is None:
            kill(process, who, options)
            film.kills.append(f"{who} {after_s:.1f} s")
        _, said = process.communicate()
        if film.target.exists():
            # Complete, but killed before all was tidied up: the next command does that. On nodes of
            # Ray it is the next one that paints there.
            start(source, film.target, options).communicate()
            film.is_tidied = False
            return True
        if finished_chunks(film.target) < seen and not film.target.exists():
            film.problems.append(f"chunks were lost: {seen}, then less")
    check_words(film, said, before)
    if process.returncode == 0:
        return True
    if process.returncode > 0 and "Error: " not in said:
        film.problems.append(f"exit {process.returncode} without a sentence: {said[-300:]}")
    return False


def check_words(film: Film, said: str, before: int) -> None:
    """Check what a run said: no traceback, and all that was finished is used."""
    if "Traceback" in said:
        film.problems.append(said[-400:])
    used = re.search(r"has finished (\d+) of", said)
    if used and int(used[1]) != before:
        film.problems.append(f"{before} chunks were finished, {used[1]} were used")
    if "damaged" in said:
        film.problems.append("a chunk was damaged")


def torment(
    film: Film,
    source: Path,
    options: Sequence[str],
    kills: int,
    rng: random.Random,
    usual_s: float,
    window: Sequence[float],
) -> None:
    """Begin a film, kill it so many times, and let it be completed.

    Args:
        film: what is made.
        source: of what.
        options: the command and its options.
        kills: how many.
        rng: chooses.
        usual_s: seconds that it takes.
        window: the part of that time in which it is killed.
    """
    who = WHO if not {"--workers", "--ray"} & {*options} else (*WHO, "worker", "worker")
    for _ in range(kills):
        if run_once(film, source, options, usual_s * rng.uniform(*window), rng.choice(who)):
            return
    for _ in range(3):
        if run_once(film, source, options, 3600, "main"):
            return
    film.problems.append("it was never completed")


def main() -> int:
    """Run the tool; return 1 if something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--each", type=int, default=3, help="most kills of one film")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=2 * LONGEST_S, help="of the film")
    parser.add_argument("--source", type=Path, help="another film")
    parser.add_argument("--command", default="transcode", choices=("transcode", "paint"))
    parser.add_argument("--options", default="", help="more options of it, in one argument")
    parser.add_argument(
        "--common", default="", help="options also of the run that nobody kills, in one argument"
    )
    parser.add_argument(
        "--window",
        type=float,
        nargs=2,
        default=(0.05, 1.0),
        help="part of the time of a run in which it is killed",
    )
    parser.add_argument("--suffix", default=".mkv", help="of the output")
    given = parser.parse_args()
    rng = random.Random(given.seed)
    random.seed(given.seed)
    common = [given.command, *shlex.split(given.common)]
    options = [*common, *shlex.split(given.options)]
    films: list[Film] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = given.source or make_film(folder / "film.mkv", given.seconds)
        begun_s = time.monotonic()
        whole = Film(folder / f"whole{given.suffix}")
        if not run_once(whole, source, common, 3600, "main"):
            print("the film cannot be painted", *whole.problems)
            return 1
        usual_s, expected = time.monotonic() - begun_s, stream_hashes(whole.target)
        print(f"not killed: {usual_s:.1f} s", flush=True)
        while (done := sum(len(film.kills) for film in films)) < given.kills:
            place = folder / f"out {len(films)}"
            place.mkdir()
            film = Film(place / f"film{given.suffix}", is_tidied="--ray" in options)
            count = rng.randint(1, min(given.each, given.kills - done))
            begun_s = time.monotonic()
            torment(film, source, options, count, rng, usual_s, given.window)
            if not film.kills:  # it is faster than it was
                usual_s = min(usual_s, time.monotonic() - begun_s)
            left = sorted(path.name for path in (*place.iterdir(), *abandoned(film)))
            if left != [film.target.name]:
                film.problems.append(f"left behind: {left}")
            elif stream_hashes(film.target) != expected:
                film.problems.append("streams differ")
            films.append(film)
            print(f"  {', '.join(film.kills)}: {'; '.join(film.problems) or 'right'}", flush=True)
    wrong = sum(bool(film.problems) for film in films)
    print(f"{sum(len(f.kills) for f in films)} kills of {len(films)} films, {wrong} wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
