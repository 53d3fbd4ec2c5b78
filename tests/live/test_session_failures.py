"""Sessions whose source, stylizer or output fails or hangs."""

import threading
import time

import pytest
from live_tools import (
    FIXED,
    FRAME_BY_FRAME,
    Collector,
    Film,
    Running,
    film,
    numbered,
    unchanged,
    wait_until,
)

from nst_video.errors import EngineError, NstVideoError, SinkError, SourceError
from nst_video.live import (
    LiveOptions,
    LiveSession,
    LiveSource,
    Output,
    open_live_source,
    run_live,
)
from nst_video.settings import ModelOptions
from nst_video.stylizer import Stylizer


def test_network_camera_that_goes_away_and_comes_back_is_survived(network_camera) -> None:
    camera, seen, told = network_camera(30), Collector(), []
    options = LiveOptions(stall_s=0.5, back_off_s=(0.1, 0.2), target_fps=None)
    session = LiveSession(
        open_live_source(camera.url), unchanged, [seen.output],
        has_window=False, settings=FRAME_BY_FRAME, options=options, on_message=told.append,
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
        has_window=False, settings=FRAME_BY_FRAME, options=options,
    )  # fmt: skip
    with Running(session):
        wait_until(lambda: len(opened) >= 3, what="a third opening")
    assert session.result.captured >= 20


class Broken(Stylizer):
    """A stylizer whose engine gives up after some frames."""

    left = 5

    def begin(self, small):
        self.left -= 1
        if self.left < 0:
            raise ValueError("the engine fell over")
        return super().begin(small)


def test_engine_that_raises_ends_the_session_with_its_cause() -> None:
    session = LiveSession(
        film(),
        lambda: Broken(options=ModelOptions("builtin", "identity")),
        has_window=False,
        settings=FRAME_BY_FRAME,
        options=FIXED,
    )
    with pytest.raises(EngineError, match="the engine fell over"):
        session.run()


def test_stylizer_that_cannot_be_loaded_ends_the_session_with_its_cause() -> None:
    def fail() -> Stylizer:
        raise NstVideoError("no such model")

    with pytest.raises(NstVideoError, match="no such model"):
        LiveSession(film(), fail, has_window=False, settings=FRAME_BY_FRAME).run()


def test_source_that_cannot_be_opened_ends_the_session() -> None:
    with pytest.raises(SourceError, match="Connection refused"):
        run_live("http://127.0.0.1:9/none.mjpg", unchanged(), ["null:"])


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

    session = LiveSession(
        LiveSource("it", open_it), load, has_window=False, settings=FRAME_BY_FRAME, options=FIXED
    )
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
        has_window=False, settings=FRAME_BY_FRAME, options=FIXED, on_message=told.append,
    )  # fmt: skip
    with Running(session):
        wait_until(lambda: told and len(good.seen) > 20)
    assert told == ["The bad one has ended. the disk is full"]
    assert session.result.lost_outputs == ("bad one",)


def test_outputs_that_fail_while_others_come_and_go_are_each_reported_once() -> None:
    seen, told = Collector(), []
    outputs = [Output(f"bad {n}", lambda info: Failing()) for n in range(20)]
    session = LiveSession(
        film(fps=120), unchanged, [seen.output, *outputs],
        has_window=False, settings=FRAME_BY_FRAME, options=FIXED, on_message=told.append,
    )  # fmt: skip
    with Running(session) as running:
        for _ in range(10):
            running.press("v")  # there is no driver here: it fails, too
        wait_until(lambda: len(told) >= 20 and len(seen.seen) > 20)
    assert sorted(t for t in told if "bad" in t) == sorted(
        f"The bad {n} has ended. the disk is full" for n in range(20)
    )
    assert len(session.result.lost_outputs) == len(set(told) - {"Virtual camera off"})


def test_session_ends_when_its_only_sink_fails() -> None:
    output = Output("bad one", lambda info: Failing())
    session = LiveSession(
        film(), unchanged, [output], has_window=False, settings=FRAME_BY_FRAME, options=FIXED
    )
    with pytest.raises(SinkError, match="the disk is full"):
        session.run()
