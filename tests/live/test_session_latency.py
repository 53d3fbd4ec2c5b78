"""How late frames are shown, and how much memory and how many drops it takes."""

import threading
from pathlib import Path

import numpy as np
from live_tools import (
    FIXED,
    FRAME_BY_FRAME,
    Collector,
    Running,
    film,
    unchanged,
    wait_until,
)

from nst_video.live import (
    LiveSession,
    open_live_source,
)
from nst_video.settings import ModelOptions
from nst_video.stylizer import Stylizer


def age_p95_ms(seen: Collector, sent_s: dict[int, float], count: int = 60) -> float:
    """95th percentile of the age of the last frames, infinite before there are enough."""
    ages_ms = [1000 * (at - sent_s[number]) for number, at in seen.seen[-count:]]
    return float(np.percentile(ages_ms, 95)) if len(ages_ms) == count else np.inf


def skipped(seen: Collector, count: int = 60) -> float:
    """Share of the source's latest frames that were not shown."""
    numbers = seen.numbers[-count:]
    return 1 - len(set(numbers)) / (numbers[-1] - numbers[0] + 1)


def test_network_camera_is_shown_in_order_and_fresh(network_camera) -> None:
    camera, seen = network_camera(30), Collector()
    with Running(
        LiveSession(
            open_live_source(camera.url),
            unchanged,
            [seen.output],
            has_window=False,
            settings=FRAME_BY_FRAME,
        )
    ):
        # Glass to glass, JPEG both ways included. Other programs may hold up any one second.
        wait_until(lambda: age_p95_ms(seen, camera.sent_s) < 100, 40, "fresh frames")
        wait_until(lambda: skipped(seen) < 0.05, 40, "nearly every frame")
    assert seen.numbers == sorted(seen.numbers)
    assert seen.is_finished


def test_memory_stays_flat_over_1500_frames(network_camera) -> None:
    camera, seen = network_camera(400, (160 + 96, 64)), Collector()

    def resident_mb() -> float:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * 4096 / 1e6

    with Running(
        LiveSession(
            open_live_source(camera.url),
            unchanged,
            [seen.output],
            has_window=False,
            settings=FRAME_BY_FRAME,
            options=FIXED,
        )
    ) as session:
        frames = session.capture.frames
        wait_until(lambda: frames.put_count >= 500, 30)
        early = resident_mb()
        wait_until(lambda: frames.put_count >= 1500, 40)
        assert resident_mb() - early < 12


class Slow(Stylizer):
    """A stylizer whose engine takes 50 ms."""

    def begin(self, small):
        threading.Event().wait(0.05)
        return super().begin(small)


def test_slow_engine_shows_fresh_frames_of_a_fast_source() -> None:
    seen, sent_s = Collector(), {}
    session = LiveSession(
        film(fps=60, sent_s=sent_s),
        lambda: Slow(options=ModelOptions("builtin", "identity")), [seen.output],
        has_window=False, settings=FRAME_BY_FRAME, options=FIXED,
    )  # fmt: skip
    with Running(session):
        wait_until(lambda: age_p95_ms(seen, sent_s) < 150, 40, "fresh frames")
    done = session.result
    assert done.dropped > done.shown  # two of three
    assert done.is_ordered
