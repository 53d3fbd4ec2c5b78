"""Measures a live session in a window: rate, age of frames, working size, CPU time for each frame.

python tools/live_rate.py CLIP [--size 1280x720] [--seconds 30] [--mask person --background STYLE]

The clip is repeated. The first half of the time is for the working size to settle; only the rest is
measured. Without a screen, run it under `xvfb-run` together with a window manager.
"""

import argparse
import os
import time

import numpy as np

from nst_video.live import CaptureOptions, LiveOptions, LiveSession, open_live_source
from nst_video.live.loader_thread import choose_live_engine
from nst_video.live.metrics import LiveMetrics
from nst_video.live.render_thread import RenderThread
from nst_video.live.saved_settings import parse_whole_size
from nst_video.settings import ModelOptions, Regions, StylizeSettings
from nst_video.stylizer import Stylizer


class Measurement(LiveMetrics):
    """Notes, for every painted frame that has been shown, when, how old and how painted it was."""

    def __init__(self, renderer: RenderThread) -> None:
        super().__init__(time.monotonic())
        self.rows: list[tuple[float, float, int, int, float]] = []
        self._renderer = renderer

    def show(self, number: int, captured_s: float, now_s: float) -> None:
        """Count a frame, as `LiveMetrics.show`."""
        size, every = self._renderer.work_size, self._renderer.every
        self.rows.append((now_s, now_s - captured_s, size, every, time.process_time()))
        super().show(number, captured_s, now_s)

    def report(self, skipped_s: float) -> str:
        """Return the figures after the first `skipped_s` seconds."""
        rows = np.array([row for row in self.rows if row[0] > self.rows[0][0] + skipped_s])
        shown_s, cpu_s = np.ptp(rows[:, 0]), np.ptp(rows[:, 4])
        frames = len(rows) - 1
        age_ms = 1000 * np.percentile(rows[:, 1], (50, 95))
        return (
            f"{frames / shown_s:.1f} fps shown, age {age_ms[0]:.0f} ms (95 %: {age_ms[1]:.0f}), "
            f"working size {np.median(rows[:, 2]):.0f} ({rows[:, 2].min():.0f} to "
            f"{rows[:, 2].max():.0f}), one of {np.median(rows[:, 3]):.0f} painted, "
            f"CPU {1000 * cpu_s / frames:.1f} ms a frame of {os.cpu_count()} cores"
        )


def main() -> None:
    """Run a session and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--style", default="wave")
    parser.add_argument("--steady", type=float, default=1.0)
    parser.add_argument("--paint-every", type=int, default=0, help="0 adapts it")
    parser.add_argument("--work-size", type=int, default=0, help="0 adapts it")
    parser.add_argument("--mask", help="person, or a file")
    parser.add_argument("--background", default="original", help="with --mask")
    arguments = parser.parse_args()
    regions = Regions(arguments.mask, arguments.background) if arguments.mask else None
    source = open_live_source(
        arguments.clip, CaptureOptions(size=parse_whole_size(arguments.size), loop=True)
    )
    settings = StylizeSettings(
        steady=arguments.steady,
        paint_every=arguments.paint_every or "auto",
        work_size=arguments.work_size or "auto",
    )
    options = ModelOptions("builtin", choose_live_engine("auto"))
    session = LiveSession(
        source,
        lambda: Stylizer(arguments.style, settings, options),
        settings=settings,
        options=LiveOptions(duration_s=arguments.seconds),
    )
    session.state.set_regions(regions)
    session.metrics = measurement = Measurement(session.renderer)
    session.run()
    print(measurement.report(arguments.seconds / 2), flush=True)
    os._exit(0)  # libraries keep threads that take long to end


if __name__ == "__main__":
    main()
