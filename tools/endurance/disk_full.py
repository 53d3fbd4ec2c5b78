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


def mount(folder: Path, size: int, *, again: bool) -> None:
    """Mount a disk of so many bytes, or change its size."""
    how = "remount," if again else ""
    command = ["mount", "-t", "tmpfs", "-o", f"{how}size={size}", "tmpfs", str(folder)]
    subprocess.run(command, check=True)


def main() -> int:
    """Run the tool; return the number of problems."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60, help="of the film")
    parser.add_argument("--source", type=Path, help="another film")
    parser.add_argument("--begin", type=float, default=0.125, help="room at first, in films")
    parser.add_argument("--growth", type=float, default=1.3, help="of the disk after each run")
    parser.add_argument("--options", default="", help="options of transcode, in one argument")
    parser.add_argument("--suffix", default=".mkv", help="of the output")
    given = parser.parse_args()
    options = ["transcode", *shlex.split(given.options)]
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = given.source or make_film(folder / "film.mkv", given.seconds)
        whole = folder / f"whole{given.suffix}"
        start(source, whole, options).communicate()
        small = folder / "disk"
        small.mkdir()
        size, kept, runs = int(whole.stat().st_size * given.begin), 0, 0
        mount(small, size, again=False)
        try:
            target = small / f"film{given.suffix}"
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
                kept, size = now, int(size * given.growth)
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
        room = size / given.growth / max(1, whole.stat().st_size)
    print(f"{runs} runs, the last with room for {room:.2f} films: {problems or 'right'}")
    return len(problems)


if __name__ == "__main__":
    sys.exit(main())
