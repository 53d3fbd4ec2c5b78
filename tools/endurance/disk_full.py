"""Lets a disk run full while `nst-video transcode` writes to it, again and again, until it fits.

    sudo python tools/endurance/disk_full.py --options "--engine identity --steady 0"

The disk is a small one in memory (tmpfs; Linux, and only root may mount it). It begins too small,
and grows after each run. Each run must end with a sentence and keep its finished chunks; the last
must make the same frames as a run with room enough, and leave nothing behind.
"""

import argparse
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from kill_transcode import finished_chunks, make_film, start, stream_hashes

GROWTH = 1.3


def mount(folder: Path, size: int, *, again: bool) -> None:
    """Mount a disk of so many bytes, or change its size."""
    how = "remount," if again else ""
    command = ["mount", "-t", "tmpfs", "-o", f"{how}size={size}", "tmpfs", str(folder)]
    subprocess.run(command, check=True)


def main() -> int:
    """Run the tool; return the number of problems."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60, help="of the film")
    parser.add_argument("--options", default="", help="options of transcode, in one argument")
    given = parser.parse_args()
    options = ["transcode", *shlex.split(given.options)]
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = make_film(folder / "film.mkv", given.seconds)
        whole = folder / "whole.mkv"
        start(source, whole, options).communicate()
        small = folder / "disk"
        small.mkdir()
        size, kept, runs = whole.stat().st_size // 8, 0, 0
        mount(small, size, again=False)
        try:
            target = small / "film.mkv"
            while not target.exists() and runs < 30:
                process = start(source, target, options)
                _, said = process.communicate()
                runs += 1
                now = finished_chunks(target)
                if process.returncode and ("Error: " not in said or "Traceback" in said):
                    problems.append(f"no sentence: {said[-300:]}")
                if not target.exists() and now < kept:
                    problems.append(f"{kept} chunks were finished, {now} are left")
                print(f"  {size / 1e6:.2f} MB: exit {process.returncode}, {now} chunks kept")
                kept, size = now, int(size * GROWTH)
                mount(small, size, again=True)
            if not target.exists():
                problems.append("it was never completed")
            elif stream_hashes(target) != stream_hashes(whole):
                problems.append("streams differ")
            left = sorted(path.name for path in small.iterdir() if path != target)
            if left:
                problems.append(f"left behind: {left}")
        finally:
            subprocess.run(["umount", str(small)], check=True)
        room = size / GROWTH / max(1, whole.stat().st_size)
    print(f"{runs} runs, the last with room for {room:.1f} films: {problems or 'right'}")
    return len(problems)


if __name__ == "__main__":
    sys.exit(main())
