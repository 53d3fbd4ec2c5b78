"""Runs a live session for hours, with other styles and recordings, and looks for what grows.

    python tools/endurance/soak.py --minutes 120

The session paints the synthetic scene without a window. Every 20 seconds it takes the next style,
every minute it begins or ends a recording. Memory, threads and open files are noted every second.
Printed are the slope of the memory after a warm-up of a fifth of the time, the most threads and
files in its two halves, and the age of the frames. The exit status is 1 if memory grows by more
than 2 MB an hour, if threads or files become more, or if an output is lost.
"""

import argparse
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nst_video.live import LiveOptions, LiveSession, open_live_source, open_output
from nst_video.live.loader_thread import choose_live_engine
from nst_video.settings import ModelOptions, StylizeSettings
from nst_video.stylizer import Stylizer

STYLE_S, RECORD_S = 20, 60
LIMIT_MB_PER_H = 2.0
PAGE_BYTES = 4096


@dataclass
class Samples:
    """What was noted: rows of time in seconds, bytes of memory, threads, open files."""

    rows: list[tuple[float, int, int, int]] = field(default_factory=list)

    def take(self) -> None:
        """Note how things are now (Linux only)."""
        memory = int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES
        files = len(list(Path("/proc/self/fd").iterdir()))
        self.rows.append((time.monotonic(), memory, threading.active_count(), files))

    def problems(self) -> list[str]:
        """Print the figures; return what grows."""
        table = np.array(self.rows, float)
        table = table[table[:, 0] > table[0, 0] + 0.2 * np.ptp(table[:, 0])]
        hours = (table[:, 0] - table[0, 0]) / 3600
        slope = np.polyfit(hours, table[:, 1] / 1e6, 1)[0]
        half = len(table) // 2
        first, last = table[:half, 2:].max(0), table[half:, 2:].max(0)
        print(
            f"memory {table[-1, 1] / 1e6:.0f} MB, {slope:+.1f} MB an hour; most threads "
            f"{first[0]:.0f}, then {last[0]:.0f}; most open files {first[1]:.0f}, then "
            f"{last[1]:.0f}"
        )
        found = []
        if slope > LIMIT_MB_PER_H:
            found.append("memory grows")
        if last[0] > first[0]:
            found.append("threads become more")
        if last[1] > first[1]:
            found.append("open files become more")
        return found


def disturb(session: LiveSession, samples: Samples, ended: threading.Event) -> None:
    """Press keys and take samples until the session ends."""
    begun_s = time.monotonic()
    styles = recordings = 0
    while not ended.wait(1.0):
        samples.take()
        passed_s = time.monotonic() - begun_s
        if passed_s > STYLE_S * (styles + 1):
            styles += 1
            session.press("d")
        if passed_s > RECORD_S * (recordings + 1):
            recordings += 1
            session.press("r")
    print(f"{styles} styles, {recordings} times a recording was begun or ended")


def main() -> int:
    """Run the tool; return 1 if something grows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--work-size", type=int, default=180)
    given = parser.parse_args()
    settings = StylizeSettings(work_size=given.work_size)
    options = ModelOptions("builtin", choose_live_engine("auto"))
    samples, ended = Samples(), threading.Event()
    with tempfile.TemporaryDirectory() as folder:
        session = LiveSession(
            open_live_source("demo:", None),
            lambda: Stylizer("wave", settings, options, fade_s=0.5),
            [open_output("null:", None)],
            has_window=False,
            settings=settings,
            options=LiveOptions(
                target_fps=None, duration_s=60 * given.minutes, save_dir=Path(folder)
            ),
        )
        helper = threading.Thread(target=disturb, args=(session, samples, ended))
        helper.start()
        try:
            result = session.run()
        finally:
            ended.set()
            helper.join()
        files = list(Path(folder).iterdir())
    print(
        f"{result.shown} frames in {result.elapsed_s:.0f} s, age {result.age_p50_ms:.0f} ms (95 %: "
        f"{result.age_p95_ms:.0f}), longest pause {result.stall_ms:.0f} ms, {len(files)} recordings"
    )
    problems = [*samples.problems(), *(f"{name} was lost" for name in result.lost_outputs)]
    print(", ".join(problems) or "right")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
