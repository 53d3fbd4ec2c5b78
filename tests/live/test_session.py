"""Whole sessions without a window: latency, order, drops, failures, recovery."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from live_tools import (
    Collector,
    Film,
    Running,
    film,
    numbered,
    save_clip,
    unchanged,
    wait_until,
)

from nst_video.errors import EngineError, NstVideoError, SinkError, SourceError
from nst_video.frames import Frame
from nst_video.image.files import load_picture, save_picture
from nst_video.image.resize import mirrored
from nst_video.live import (
    CaptureOptions,
    LiveOptions,
    LiveSession,
    LiveSource,
    Output,
    open_live_source,
    run_live,
)
from nst_video.live.capture_thread import CapturedFrame
from nst_video.live.display import compose
from nst_video.live.render_thread import RenderThread
from nst_video.live.state import LiveState, RenderRequest, Selection
from nst_video.settings import ModelOptions, StylizeSettings
from nst_video.style_library.library import Style
from nst_video.stylizer import Stylizer
from nst_video.video.queues import LatestQueue


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


def age_p95_ms(seen: Collector, sent_s: dict[int, float], count: int = 60) -> float:
    """95th percentile of the age of the last frames, infinite before there are enough."""
    ages_ms = [1000 * (at - sent_s[number]) for number, at in seen.seen[-count:]]
    return float(np.percentile(ages_ms, 95)) if len(ages_ms) == count else np.inf


def skipped(seen: Collector, count: int = 60) -> float:
    """Share of the source's latest frames that were not shown."""
    numbers = seen.numbers[-count:]
    return 1 - len(set(numbers)) / (numbers[-1] - numbers[0] + 1)


FIXED = LiveOptions(target_fps=None)


def test_network_camera_is_shown_in_order_and_fresh(network_camera) -> None:
    camera, seen = network_camera(30), Collector()
    with Running(
        LiveSession(open_live_source(camera.url), unchanged, [seen.output], has_window=False)
    ):
        # Glass to glass, JPEG both ways included. Other programs may hold up any one second.
        wait_until(lambda: age_p95_ms(seen, camera.sent_s) < 100, 40, "fresh frames")
        wait_until(lambda: skipped(seen) < 0.05, 40, "nearly every frame")
    assert seen.numbers == sorted(seen.numbers)
    assert seen.is_finished


def test_network_camera_that_goes_away_and_comes_back_is_survived(network_camera) -> None:
    camera, seen, told = network_camera(30), Collector(), []
    options = LiveOptions(stall_s=0.5, back_off_s=(0.1, 0.2), target_fps=None)
    session = LiveSession(
        open_live_source(camera.url), unchanged, [seen.output],
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
        LiveSource("driver", open_again), unchanged, [seen.output],
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
            open_live_source(camera.url), unchanged, [seen.output], has_window=False, options=FIXED
        )
    ) as session:
        frames = session.capture.frames
        wait_until(lambda: frames.put_count >= 500, 30)
        early = resident_mb()
        wait_until(lambda: frames.put_count >= 3000, 40)
        assert resident_mb() - early < 25


def test_slow_engine_shows_fresh_frames_of_a_fast_source() -> None:
    seen, sent_s = Collector(), {}
    session = LiveSession(
        film(fps=60, sent_s=sent_s),
        lambda: Slow(options=ModelOptions("builtin", "identity")), [seen.output],
        has_window=False, options=FIXED,
    )  # fmt: skip
    with Running(session):
        wait_until(lambda: age_p95_ms(seen, sent_s) < 150, 40, "fresh frames")
    done = session.result
    assert done.dropped > done.shown  # two of three
    assert done.is_ordered


def test_engine_that_raises_ends_the_session_with_its_cause() -> None:
    session = LiveSession(
        film(),
        lambda: Broken(options=ModelOptions("builtin", "identity")),
        has_window=False,
        options=FIXED,
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


class Hung(Film):
    """A source or model that hangs in its opening or its reading until the test is over."""

    over: threading.Event

    def __enter__(self):
        self.over.wait(20)
        return self


class HungReading(Hung):
    def __enter__(self):
        return self

    def __iter__(self):
        self.over.wait(20)
        yield numbered(0)


@pytest.mark.parametrize("what", ["model", "opening", "reading"])
def test_quitting_does_not_wait_for_what_hangs(what: str) -> None:
    over = threading.Event()

    def load() -> Stylizer:
        if what == "model":
            over.wait(20)
        return unchanged()

    def open_it() -> Film:
        if what == "model":
            return Film(None, 30)
        hung = (Hung if what == "opening" else HungReading)(None)
        hung.over = over
        return hung

    session = LiveSession(LiveSource("it", open_it), load, has_window=False, options=FIXED)
    running = Running(session)
    wait_until(lambda: running.thread.is_alive() and len(session.capture.threads) == 2)
    threading.Event().wait(0.2)
    begun = time.monotonic()
    session.press("q")
    running.thread.join(10)
    took_s = time.monotonic() - begun
    assert running.error is None
    assert took_s < 1
    assert session.left_behind == ("load",) if what == "model" else "capture" in session.left_behind
    over.set()


def test_outputs_that_fail_while_others_come_and_go_are_each_told_of_once() -> None:
    seen, told = Collector(), []
    outputs = [Output(f"bad {n}", lambda info: Failing()) for n in range(20)]
    session = LiveSession(
        film(fps=120), unchanged, [seen.output, *outputs],
        has_window=False, options=FIXED, on_message=told.append,
    )  # fmt: skip
    owner: set[int] = set()
    collect = session._outputs.collect
    add = session._outputs.add

    def watched(call):
        def run(*arguments):
            owner.add(threading.get_ident())
            return call(*arguments)

        return run

    session._outputs.collect, session._outputs.add = watched(collect), watched(add)
    with Running(session) as running:
        for _ in range(10):
            running.press("v")  # there is no driver here: it fails, too
        wait_until(lambda: len(told) >= 20 and len(seen.seen) > 20)
    assert len(owner) == 1
    assert sorted(t for t in told if "bad" in t) == sorted(
        f"The bad {n} has ended. the disk is full" for n in range(20)
    )
    assert len(session.result.lost_outputs) == len(set(told) - {"Virtual camera off"})


def test_failing_sink_is_dropped_and_the_rest_go_on() -> None:
    bad, good, told = Failing(), Collector(), []
    bad_output = Output("bad one", lambda info: bad)
    session = LiveSession(
        film(), unchanged, [bad_output, good.output],
        has_window=False, options=FIXED, on_message=told.append,
    )  # fmt: skip
    with Running(session):
        wait_until(lambda: told and len(good.seen) > 20)
    assert told == ["The bad one has ended. the disk is full"]
    assert session.result.lost_outputs == ("bad one",)


def test_recording_badge_counts_from_the_first_frame_recorded() -> None:
    ready, seen = threading.Event(), Collector()

    def open_slowly(info: object) -> Collector:
        ready.wait(20)
        return seen

    session = LiveSession(
        film(), unchanged, [Output("recording", open_slowly)], has_window=False, options=FIXED
    )
    with Running(session):
        wait_until(lambda: session.result.shown > 10)
        assert session._hud().badges == ()
        ready.set()
        wait_until(lambda: seen.seen)
        assert session._hud().badges in (("REC 0:00",), ("REC 0:01",))


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
    assert done.first_painted_s + done.elapsed_s > 39 / 30 - 0.1  # it is played, not rushed through


def test_film_that_ends_before_the_model_is_there_is_shown_painted() -> None:
    seen, over = Collector(), threading.Event()

    def load_late() -> Stylizer:
        over.wait(20)
        return unchanged()

    session = LiveSession(film(count=5), load_late, [seen.output], has_window=False, options=FIXED)
    running = Running(session)
    wait_until(lambda: session.capture.frames.is_closed)
    assert running.thread.is_alive()
    over.set()
    running.thread.join(30)
    assert running.error is None
    assert seen.numbers == [4]


def test_still_picture_is_painted_once() -> None:
    with Running(
        LiveSession(film(fps=60, same=True), unchanged, has_window=False, options=FIXED)
    ) as session:
        wait_until(lambda: session.result.shown > 40)
        assert session.renderer.reused > 30
        before = session.renderer.reused
        session.press("c")  # other settings have to be painted
        wait_until(lambda: session.renderer.reused > before + 5)
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
        wait_until(lambda: session.renderer.stylizer.styles == (wanted,))
        assert session.state.request.selection == Selection((wanted,), (1.0,))
    assert session.result.lost_outputs == ()
    assert seen.numbers == sorted(seen.numbers)


class Wishing:
    """A paint loop without its thread that is shown one still picture again and again."""

    def __init__(self, stylizer: Stylizer) -> None:
        self.state = LiveState(RenderRequest(None, StylizeSettings()), clock=time.monotonic)
        self.renderer = RenderThread(LatestQueue(), self.state, None, 160)
        self.renderer.stylizer = self.stylizer = stylizer
        self.frame = numbered(5, (512, 320))
        self.count = 0
        self.renderer.add_size((256, 160))

    def see(self) -> np.ndarray:
        """Show the picture; return what is painted of it."""
        self.count += 1
        return self.renderer._render(
            CapturedFrame(self.frame, self.count, time.monotonic())
        ).painting

    def settle(self) -> np.ndarray:
        """Show the picture until its painting is used again."""
        for _ in range(50):
            before, painted = self.renderer.reused, self.see()
            if self.renderer.reused > before:
                return painted
        raise AssertionError("it is painted anew for ever")


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def expected(style: Style | str, settings: StylizeSettings, frame: np.ndarray) -> np.ndarray:
    stylizer = Stylizer(style, settings, ModelOptions("builtin"))
    return stylizer(frame)


def test_still_is_painted_in_a_style_that_takes_longer_to_load_than_the_fade() -> None:
    clock = Clock()
    seen = Wishing(Stylizer("wave", options=ModelOptions("builtin"), fade_s=0.5, clock=clock))
    seen.settle()
    style = seen.stylizer.library.get("neon")
    seen.state.request = replace(seen.state.request, selection=Selection((style,), (1.0,)))
    old = seen.settle()  # not loaded yet
    clock.now_s = 3.0
    seen.stylizer.load_style(style)
    assert np.array_equal(seen.see(), old)  # the fade begins
    clock.now_s = 9.0  # and is over before the next frame
    new = expected("neon", StylizeSettings(work_size=160), seen.frame)
    assert np.array_equal(seen.settle(), new)
    assert not np.array_equal(old, new)


def test_still_is_painted_in_a_size_that_has_to_be_compiled_first() -> None:
    seen = Wishing(Stylizer("wave", options=ModelOptions("builtin")))
    old = seen.settle()
    seen.state.change(settings=StylizeSettings(work_size=192))
    assert np.array_equal(seen.settle(), old)
    assert seen.renderer.missing_size == (307, 192)
    seen.renderer.add_size(seen.renderer.missing_size)
    new = seen.settle()
    assert np.array_equal(new, expected("wave", StylizeSettings(work_size=192), seen.frame))


def test_number_keys_reach_both_of_two_styles_of_one_name(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "mine.png" for folder in ("one", "two")]
    for number, path in enumerate(paths):
        path.parent.mkdir()
        save_picture(path, numbered(900 * number + 3, (256, 256)))

    def load() -> Stylizer:
        return Stylizer(paths, options=ModelOptions("builtin", "identity"))

    with Running(LiveSession(film(), load, has_window=False, options=FIXED)) as session:
        wait_until(lambda: all(path in session.state.thumbnails for path in paths))
        thumbnails = [session.state.thumbnails[path] for path in paths]
        assert not np.array_equal(*thumbnails)
        for key in "2121":
            session.press(key)
            wanted = (paths[int(key) - 1],)
            wait_until(
                lambda w=wanted: tuple(s.path for s in session.renderer.stylizer.styles) == w
            )
        session.press("l")  # neither is lost when styles are looked for again, used or not
        wait_until(lambda: "styles" in session.state.toast)
        assert [style.path for style in session.state.styles[:2]] == paths


@pytest.mark.parametrize(
    "settings",
    [
        StylizeSettings(0.4, "pixel"),
        StylizeSettings(keep_colors=True),
        StylizeSettings(work_size=128),
    ],
)
def test_paused_film_is_painted_again_when_the_settings_change(settings: StylizeSettings) -> None:
    with Running(LiveSession(film(), unchanged, has_window=False, options=FIXED)) as session:
        wait_until(lambda: session.result.shown > 5)
        session.press("Space")
        wait_until(lambda: session.state.request.is_paused)
        painter, last = session.renderer, session._shown
        session.state.change(settings=settings)
        wait_until(
            lambda: painter.stylizer.settings == replace(settings, work_size=painter.work_size)
        )
        wait_until(lambda: session._shown is not last)
        assert session._shown.number == last.number or session._shown.number <= last.number + 3


def test_frames_pass_through_until_the_first_size_is_compiled() -> None:
    painter = RenderThread(
        LatestQueue(),
        LiveState(RenderRequest(None, StylizeSettings()), clock=time.monotonic),
        None,
        160,
    )
    painter.stylizer = Stylizer("wave", options=ModelOptions("builtin"))
    captured = CapturedFrame(numbered(5, (512, 320)), 1, 0.0)
    passed = painter._render(captured)
    assert not passed.is_painted
    assert np.array_equal(passed.painting, captured.frame)
    painter.add_size(painter.missing_size)
    painted = painter._render(captured)
    assert painted.is_painted
    assert not np.array_equal(painted.painting, captured.frame)


def test_intensity_shows_at_once_and_is_blended_between_styles_when_that_is_loaded() -> None:
    seen = Wishing(Stylizer("wave", options=ModelOptions("builtin")))
    seen.settle()
    seen.state.change(settings=StylizeSettings(0.9))
    plain = expected("wave", StylizeSettings(0.9, "pixel", work_size=160), seen.frame)
    assert not seen.stylizer.has_predictor
    assert np.array_equal(seen.settle(), plain)
    seen.stylizer.load_predictor()
    rich = expected("wave", StylizeSettings(0.9, work_size=160), seen.frame)
    assert np.array_equal(seen.settle(), rich)
    assert not np.array_equal(plain, rich)


def test_switching_takes_effect_on_the_next_frame() -> None:
    state = LiveState(RenderRequest(None, StylizeSettings()), clock=time.monotonic)
    painter = RenderThread(LatestQueue(), state, None, 240)
    stylizer = painter.stylizer = unchanged()
    styles = stylizer.library.styles()
    stylizer.load_style(styles[2])
    for style in styles[1:3]:  # the second one is not loaded yet
        state.request = replace(state.request, selection=Selection((style,), (1.0,)))
        painter._render(CapturedFrame(numbered(1), 1, time.monotonic()))
    assert stylizer.styles == (styles[2],)


def test_style_that_is_not_loaded_does_not_hold_up_the_picture() -> None:
    state = LiveState(RenderRequest(None, StylizeSettings()), clock=time.monotonic)
    painter = RenderThread(LatestQueue(), state, None, 240)
    stylizer = painter.stylizer = unchanged()
    before = stylizer.styles
    state.request = replace(
        state.request, selection=Selection((stylizer.library.styles()[4],), (1.0,))
    )
    painter._render(CapturedFrame(numbered(1), 1, time.monotonic()))
    assert stylizer.styles == before


def test_changed_working_size_is_compiled_before_it_is_used() -> None:
    session = LiveSession(film(fps=30), unchanged, has_window=False, options=FIXED)
    with Running(session):
        wait_until(lambda: session.result.shown > 3)
        assert session.work_size == 240  # all lines of the film: fewer than 256
        session.press("-")
        wait_until(lambda: session.work_size == 208)
        assert session.renderer.stylizer.settings.work_size == 208


def test_pause_keeps_the_picture_and_goes_on() -> None:
    with Running(LiveSession(film(), unchanged, has_window=False, options=FIXED)) as session:
        wait_until(lambda: session.result.shown > 5)
        session.press("Space")
        wait_until(lambda: session.state.request.is_paused)
        captured = session.capture.frames.put_count
        wait_until(lambda: session.capture.frames.put_count > captured + 5)
        shown = session.result.shown
        captured = session.capture.frames.put_count
        wait_until(lambda: session.capture.frames.put_count > captured + 20)
        assert session.result.shown == shown
        session.press("Space")
        wait_until(lambda: session.result.shown > shown + 5)


class Looking(Collector):
    """Keeps the frames themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[Frame] = []

    def write(self, frame) -> None:
        self.frames.append(frame)


@pytest.mark.parametrize("mirror_outputs", [False, True])
def test_outputs_are_mirrored_only_when_asked_whatever_the_window_shows(
    tmp_path: Path, mirror_outputs: bool
) -> None:
    seen, told = Looking(), []
    options = replace(FIXED, mirror_outputs=mirror_outputs, save_dir=tmp_path)
    camera = replace(film(same=True), is_camera=True)
    session = LiveSession(
        camera, unchanged, [seen.output], has_window=False, options=options,
        on_message=told.append,
    )  # fmt: skip
    assert session.state.is_mirrored
    with Running(session):
        wait_until(lambda: len(seen.frames) > 3)
        session.press("f")
        wait_until(lambda: not session.state.is_mirrored)
        session.press("w")
        wait_until(lambda: told)
        count = len(seen.frames)
        wait_until(lambda: len(seen.frames) > count + 3)
    expected = mirrored(numbered(0), mirror_outputs)
    assert all(np.array_equal(frame, expected) for frame in seen.frames)
    assert np.array_equal(load_picture(next(tmp_path.glob("*.png"))), expected)


def test_window_shows_both_pictures_mirrored_each_in_its_place() -> None:
    state = LiveState(
        RenderRequest(None, StylizeSettings()), is_mirrored=True, clock=time.monotonic
    )
    content, painting = numbered(1, (640, 480)), numbered(2, (640, 480))
    assert np.array_equal(compose(content, painting, state), painting[:, ::-1])
    state.is_side_by_side = True
    both = compose(content, painting, state)
    assert np.array_equal(both, np.hstack((content[:, ::-1], painting[:, ::-1])))


@pytest.mark.parametrize(
    ("text", "is_mirrored"), [("0", True), ("/dev/video0", True), ("demo:", False)]
)
def test_only_cameras_are_shown_mirrored(text: str, is_mirrored: bool) -> None:
    session = LiveSession(open_live_source(text), unchanged, has_window=False)
    assert session.state.is_mirrored == is_mirrored


def test_file_loops_without_a_gap(tmp_path: Path) -> None:
    save_clip(tmp_path / "clip.avi", [numbered(n) for n in range(30)], 30)
    source = open_live_source(tmp_path / "clip.avi", CaptureOptions(loop=True)).open()
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
