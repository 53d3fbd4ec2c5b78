"""Whole sessions without a window: latency, order, drops, failures, recovery."""

import threading
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from live_tools import Collector, Running, numbered, save_clip, unchanged, wait_until

from nst_video.errors import EngineError, NstVideoError, SinkError, SourceError
from nst_video.frames import VideoInfo
from nst_video.live import CaptureOptions, LiveInput, LiveOptions, LiveSession, Output, open_input
from nst_video.live import run_live
from nst_video.live.state import Selection
from nst_video.stylizer import Stylizer


class Film:
    """A source of numbered frames at a rate, as fast as asked for with None."""

    def __init__(self, count: int | None, fps: float | None = None, same: bool = False) -> None:
        self._count, self._fps, self._same = count, fps, same
        self._stopped = threading.Event()
        self.info = VideoInfo((320, 240), Fraction(30))
        self.notes = ()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._stopped.set()

    def __iter__(self):
        number, begun = 0, time.monotonic()
        while self._count is None or number < self._count:
            due = 0.0 if self._fps is None else begun + number / self._fps - time.monotonic()
            if self._stopped.wait(max(0.0, due)):
                return
            yield numbered(0 if self._same else number % 65536)
            number += 1


def film(count: int | None = None, fps: float | None = 60, **options: bool) -> LiveInput:
    return LiveInput("film", lambda: Film(count, fps, **options), is_endless=False)


class Slow(Stylizer):
    """A stylizer whose engine takes 50 ms."""

    def __call__(self, frames):
        threading.Event().wait(0.05)
        return super().__call__(frames)


class Broken(Stylizer):
    """A stylizer whose engine gives up after some frames."""

    left = 5

    def __call__(self, frames):
        self.left -= 1
        if self.left < 0:
            raise ValueError("the engine fell over")
        return super().__call__(frames)


FIXED = LiveOptions(target_fps=None)


def test_network_camera_is_shown_in_order_and_fresh(network_camera) -> None:
    camera, seen = network_camera(30), Collector()
    with Running(LiveSession(open_input(camera.url), unchanged, [seen.output], has_window=False)):
        wait_until(lambda: len(seen.seen) >= 90)
    settled = seen.seen[20:]
    ages_ms = [1000 * (at - camera.sent_s[number]) for number, at in settled if number > 0]
    assert np.percentile(ages_ms, 95) < 150  # glass to glass, JPEG both ways included
    assert seen.numbers == sorted(seen.numbers)
    assert len(set(seen.numbers)) > 0.8 * (seen.numbers[-1] - seen.numbers[20])
    assert seen.is_finished


def test_network_camera_that_goes_away_and_comes_back_is_survived(network_camera) -> None:
    camera, seen, told = network_camera(30), Collector(), []
    options = LiveOptions(stall_s=0.5, back_off_s=(0.1, 0.2), target_fps=None)
    session = LiveSession(
        open_input(camera.url), unchanged, [seen.output],
        has_window=False, options=options, on_message=told.append,
    )  # fmt: skip
    with Running(session):
        wait_until(lambda: len(seen.seen) > 5)
        camera.stop()
        wait_until(lambda: session.state.trouble, what="trouble on screen")
        assert camera.url in session.state.trouble
        wait_until(lambda: len(told) >= 2, what="a second attempt")
        before = len(seen.seen)
        camera.start()
        wait_until(lambda: len(seen.seen) > before + 5, what="frames again")
        assert session.state.trouble == ""


class Hanging(Film):
    """A driver that stops delivering and does not come back from its read."""

    def __iter__(self):
        yield from super().__iter__()
        self._stopped.wait(60)


def test_source_that_hangs_is_left_behind_and_reopened() -> None:
    opened, seen = [], Collector()

    def open_again() -> Film:
        opened.append(Hanging(10, fps=None))
        return opened[-1]

    options = LiveOptions(stall_s=0.3, back_off_s=(0.1,), target_fps=None)
    session = LiveSession(
        LiveInput("driver", open_again), unchanged, [seen.output],
        has_window=False, options=options,
    )  # fmt: skip
    with Running(session):
        wait_until(lambda: len(opened) >= 3, what="a third opening")
    assert session.result.captured >= 20


def test_memory_stays_flat_over_3000_frames(network_camera) -> None:
    camera, seen = network_camera(400, (160 + 96, 64)), Collector()

    def resident_mb() -> float:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * 4096 / 1e6

    with Running(
        LiveSession(
            open_input(camera.url), unchanged, [seen.output], has_window=False, options=FIXED
        )
    ) as session:
        frames = session.reader.frames
        wait_until(lambda: frames.put_count >= 500, 30)
        early = resident_mb()
        wait_until(lambda: frames.put_count >= 3000, 40)
        assert resident_mb() - early < 25


def test_slow_engine_shows_fresh_frames_of_a_fast_source() -> None:
    session = LiveSession(
        film(fps=60), lambda: Slow("builtin", engine="identity"),
        has_window=False, options=FIXED,
    )  # fmt: skip
    with Running(session):
        wait_until(lambda: session.result.shown >= 50)
    done = session.result
    assert done.age_p95_ms < 150
    assert done.dropped > done.shown  # two of three
    assert done.is_ordered


def test_engine_that_raises_ends_the_session_with_its_cause() -> None:
    session = LiveSession(
        film(), lambda: Broken("builtin", engine="identity"), has_window=False, options=FIXED
    )
    with pytest.raises(EngineError, match="the engine fell over"):
        session.run()


def test_stylizer_that_cannot_be_loaded_ends_the_session_with_its_cause() -> None:
    def fail() -> Stylizer:
        raise NstVideoError("no such model")

    with pytest.raises(NstVideoError, match="no such model"):
        LiveSession(film(), fail, has_window=False).run()


def test_source_that_cannot_be_opened_ends_the_session() -> None:
    with pytest.raises(SourceError, match="Connection refused"):
        run_live("http://127.0.0.1:9/none.mjpg", unchanged(), ["null:"])


class Failing(Collector):
    """A sink that breaks at its third frame."""

    def write(self, frame) -> None:
        if len(self.seen) == 2:
            raise SinkError("the disk is full")
        super().write(frame)


def test_failing_sink_is_dropped_and_the_rest_go_on() -> None:
    bad, good, told = Failing(), Collector(), []
    bad_output = Output("bad one", lambda info: bad)
    session = LiveSession(
        film(), unchanged, [bad_output, good.output],
        has_window=False, options=FIXED, on_message=told.append,
    )  # fmt: skip
    with Running(session):
        wait_until(lambda: told and len(good.seen) > 20)
    assert told == ["The bad one was dropped. the disk is full"]
    assert session.result.lost_outputs == ("bad one",)


def test_session_ends_when_its_only_sink_fails() -> None:
    output = Output("bad one", lambda info: Failing())
    session = LiveSession(film(), unchanged, [output], has_window=False, options=FIXED)
    with pytest.raises(SinkError, match="the disk is full"):
        session.run()


def test_finite_source_ends_the_session_with_its_last_frame(tmp_path: Path) -> None:
    save_clip(tmp_path / "clip.avi", [numbered(n) for n in range(40)], 30)
    seen = Collector()
    stylizer = unchanged()
    stylizer.prepare()
    done = run_live(tmp_path / "clip.avi", stylizer, [seen.output], options=FIXED)
    assert seen.numbers[-1] == 39
    assert seen.numbers == sorted(seen.numbers)
    assert 1.0 < done.elapsed_s < 2.0  # 40 frames at 30 a second


def test_still_picture_is_painted_once() -> None:
    with Running(
        LiveSession(film(fps=60, same=True), unchanged, has_window=False, options=FIXED)
    ) as session:
        wait_until(lambda: session.result.shown > 40)
        assert session.painter.reused > 30
        before = session.painter.reused
        session.press("c")  # another look has to be painted
        wait_until(lambda: session.painter.reused > before + 5)
    assert session.result.shown - session.result.reused < 20


def test_thousand_style_switches_neither_stall_nor_lose_a_sink() -> None:
    seen = Collector()
    session = LiveSession(
        film(fps=120), lambda: unchanged(fade_s=0.05), [seen.output],
        has_window=False, options=FIXED,
    )  # fmt: skip
    with Running(session):
        wait_until(lambda: len(session.state.thumbnails) == len(session.state.styles) > 8, 60)
        for number in range(1000):
            session.press("123456789ad"[number % 11])
            if number % 50 == 0:
                shown = session.result.shown
                wait_until(lambda shown=shown: session.result.shown > shown)
        session.press("7")
        wanted = session.state.styles[6]
        wait_until(lambda: session.painter.stylizer.styles == (wanted,))
        assert session.state.wish.selection == Selection((wanted,), (1.0,))
    assert session.result.lost_outputs == ()
    assert seen.numbers == sorted(seen.numbers)


def test_switching_takes_effect_on_the_next_frame() -> None:
    with Running(LiveSession(film(), unchanged, has_window=False, options=FIXED)) as session:
        wait_until(lambda: len(session.state.thumbnails) > 8, 60)
        session.press("3")
        wait_until(lambda: session.state.current == 2)
        shown = session.result.shown
        wait_until(lambda: session.painter.stylizer.styles[0] == session.state.styles[2])
        assert session.result.shown <= shown + 3


def test_changed_working_size_is_compiled_before_it_is_used() -> None:
    session = LiveSession(film(fps=30), unchanged, has_window=False, options=FIXED)
    with Running(session):
        wait_until(lambda: session.result.shown > 3)
        assert session.work_size == 240  # all lines of the film: fewer than 256
        session.press("-")
        wait_until(lambda: session.work_size == 208)
        assert session.painter.stylizer.look.work_size == 208


def test_pause_keeps_the_picture_and_goes_on() -> None:
    with Running(LiveSession(film(), unchanged, has_window=False, options=FIXED)) as session:
        wait_until(lambda: session.result.shown > 5)
        session.press("Space")
        wait_until(lambda: session.state.wish.is_paused)
        captured = session.reader.frames.put_count
        wait_until(lambda: session.reader.frames.put_count > captured + 5)
        shown = session.result.shown
        captured = session.reader.frames.put_count
        wait_until(lambda: session.reader.frames.put_count > captured + 20)
        assert session.result.shown == shown
        session.press("Space")
        wait_until(lambda: session.result.shown > shown + 5)


def test_mirror_swaps_left_and_right() -> None:
    shapes = []

    class Looking(Collector):
        def write(self, frame) -> None:
            shapes.append(frame)

    with Running(
        LiveSession(
            film(same=True), unchanged, [Looking().output], has_window=False, options=FIXED
        )
    ) as session:
        wait_until(lambda: len(shapes) > 3)
        plain = shapes[-1]
        session.press("f")
        wait_until(lambda: np.array_equal(shapes[-1], plain[:, ::-1]))


def test_file_loops_without_a_gap(tmp_path: Path) -> None:
    save_clip(tmp_path / "clip.avi", [numbered(n) for n in range(30)], 30)
    source = open_input(tmp_path / "clip.avi", CaptureOptions(loop=True)).open()
    numbers, times = [], []
    with source:
        for frame in source:
            from live_tools import number_in

            numbers.append(number_in(frame))
            times.append(time.monotonic())
            if len(numbers) == 75:
                break
    assert numbers == [n % 30 for n in range(75)]
    assert 2.2 < times[-1] - times[0] < 3.2  # 74 frames at 30 a second


def test_unchanged_engine_leaves_the_session_in_flight_bounded() -> None:
    with Running(LiveSession(film(fps=None), unchanged, has_window=False)) as session:
        wait_until(lambda: session.result.shown > 50)
        done = session.result
        assert done.captured - done.shown - done.dropped <= 4
