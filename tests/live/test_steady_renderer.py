"""Steady live frames: never waiting for paintings, right when these come late, reset when due."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest
from live_tools import Running, film, unchanged, wait_until

from nst_video.engines import PendingFrames
from nst_video.frames import Floats, Frame, Frames
from nst_video.live import LiveOptions, LiveSession
from nst_video.live.adaptive_resolution import AdaptiveResolution, SizeBounds
from nst_video.live.capture_thread import CapturedFrame
from nst_video.live.hotkeys import press
from nst_video.live.render_thread import RenderThread
from nst_video.live.state import LiveState, RenderRequest
from nst_video.live.steady_renderer import FollowedFrame, SteadyRenderer
from nst_video.settings import StylizeSettings
from nst_video.video.queues import LatestQueue

SIZE = (192, 128)
SHIFT = (3, 1)


def shown_part(left: int, top: int = 20, seed: int = 0) -> Frame:
    """A window of `SIZE` onto a large random picture."""
    levels = np.random.default_rng(seed).random((300, 900, 3)).astype(np.float32)
    wide = cv2.GaussianBlur(levels, (0, 0), 3)
    wide = cv2.normalize(wide, None, 0, 255, cv2.NORM_MINMAX)
    width, height = SIZE
    return np.rint(wide[top : top + height, left : left + width]).astype(np.uint8)


def pan(count: int, step: int = 3) -> list[Frame]:
    return [shown_part(20 + step * number) for number in range(count)]


class Inverting:
    """A stylizer that inverts pictures when it is told to, and counts what it has begun."""

    is_fading = False

    def __init__(self, **settings: object) -> None:
        self.settings = StylizeSettings(**settings)
        self.may_paint = threading.Event()
        self.may_paint.set()
        self.begun = 0

    def begin(self, small: Frames) -> PendingFrames:
        self.begun += 1

        def wait() -> Frames:
            assert self.may_paint.wait(20)
            return 255 - small

        return PendingFrames(wait)


class Show:
    """Shows frames one after the other."""

    def __init__(self, every: int = 1) -> None:
        self.stylizer, self.every, self.look = Inverting(), every, "a look"
        self.renderer = SteadyRenderer()

    def __call__(self, content: Frame) -> Frame:
        frame = self.renderer.follow(self.stylizer, content, every=self.every, look=self.look)
        return self.renderer.finish(frame)

    def wait_painted(self) -> None:
        wait_until(lambda: self.renderer._painting.future.done(), 20)


@pytest.fixture
def show() -> Iterator[Show]:
    made = Show()
    yield made
    made.stylizer.may_paint.set()
    made.renderer.close()
    made.renderer._painter.shutdown()


def difference(a: Frame, b: Frame, margin: int = 12) -> float:
    inner = (slice(margin, -margin),) * 2
    return float(np.abs(a[inner].astype(int) - b[inner]).mean())


def test_frames_do_not_wait_for_a_painting_and_move_meanwhile(show: Show) -> None:
    frames = pan(8)
    show(frames[0])
    show.stylizer.may_paint.clear()
    for content in frames[1:]:
        assert difference(show(content), 255 - content) < 6
    assert show.stylizer.begun == 2  # the second one has not come yet


def test_painting_that_comes_late_is_moved_to_where_things_are_now(show: Show) -> None:
    frames = pan(7)
    show.look = "old"
    show(frames[0])
    show.stylizer.may_paint.clear()
    show.look = "new"  # what is shown becomes the painting of the second frame at once
    for content in frames[1:6]:
        shown = show(content)
    assert show.renderer.is_painting
    before = difference(shown, 255 - frames[5])
    show.stylizer.may_paint.set()
    show.wait_painted()
    assert difference(show(frames[6]), 255 - frames[6]) < min(6, before + 2)
    assert not show.renderer.is_painting
    # Where it was, it would be far off.
    assert difference(255 - frames[1], 255 - frames[6]) > 20


def test_painting_that_differs_comes_in_over_several_frames(show: Show) -> None:
    show.every, still = 4, shown_part(40)
    show.stylizer.settings = StylizeSettings(steady=0.5)
    show(still)
    show(shown_part(43))
    inner = show.stylizer.begin
    show.stylizer.begin = lambda small: inner(255 - small // 2)  # another painting of the same
    levels = []
    for _ in range(12):
        levels.append(float(show(shown_part(43)).mean()))
        show.wait_painted()
    steps = np.abs(np.diff(levels))
    assert steps.max() < 0.5 * np.ptp(levels)


@pytest.mark.parametrize("left_out", [1, 2])
def test_motion_is_right_when_frames_are_dropped(show: Show, left_out: int) -> None:
    show.every = 12
    for content in pan(10)[:: 1 + left_out]:
        shown = show(content)
    assert show.stylizer.begun <= 2
    assert difference(shown, 255 - content) < 6


def test_what_comes_into_view_has_the_tones_of_the_painting_before_it_is_painted(
    show: Show,
) -> None:
    show(shown_part(100))
    show.stylizer.may_paint.clear()
    for left in (96, 92, 88, 84):
        content = shown_part(left)
        shown = show(content)
    smear = np.repeat(255 - content[:, 16:17], 8, 1)
    wanted = tones(255 - content[:, :8])
    error = np.abs(tones(shown[:, :8]) - wanted).mean()
    assert error < 0.6 * np.abs(tones(smear) - wanted).mean()


def tones(strip: Frame) -> Floats:
    """Return the mean colors of squares of eight pixels, without the strokes in them."""
    return strip[12:-12].reshape(-1, 8, 8, 3).mean((1, 2)).astype(np.float32)


def test_large_new_area_is_painted_at_once(show: Show) -> None:
    show.every = 12
    still = shown_part(20)
    show(still)
    show(still)
    assert show.stylizer.begun == 1
    changed = still.copy()
    changed[:, : SIZE[0] * 2 // 5] = shown_part(500, seed=7)[:, : SIZE[0] * 2 // 5]
    show(changed)
    assert show.stylizer.begun == 2


def test_cut_shows_the_painting_of_the_new_shot(show: Show) -> None:
    for content in pan(3):
        show(content)
    new = shown_part(500, seed=7)
    assert difference(show(new), 255 - new) < 2


def test_other_look_replaces_the_strokes_when_its_painting_comes(show: Show) -> None:
    content = shown_part(50)
    show(content)
    show.look = "another"
    show.stylizer.begin = lambda small: PendingFrames.done(small // 2)
    show(content)
    show.wait_painted()
    assert difference(show(content), content // 2) < 2


def test_other_working_size_is_no_new_shot(show: Show) -> None:
    frames = pan(4)
    show(frames[0])
    show.stylizer.may_paint.clear()
    show.stylizer.settings = StylizeSettings(work_size=64)
    show.look = "smaller"
    for content in frames[1:]:
        assert difference(show(content), 255 - content) < 10


def test_still_picture_is_settled_once_it_has_been_painted_itself(show: Show) -> None:
    first, still = shown_part(40), shown_part(43)
    show.every = 12
    show(first)
    show(still)
    assert not show.renderer.is_settled(still, "a look")
    for _ in range(28):  # until it is painted, and comes in as slowly
        show(still)
        show.wait_painted()
    assert show.renderer.is_settled(still, "a look")
    begun, show.every = show.stylizer.begun, 1
    assert begun == 2
    show(still)
    assert show.stylizer.begun == begun
    assert not show.renderer.is_settled(still, "another look")


def test_error_of_the_engine_is_raised_where_the_frame_is_finished(show: Show) -> None:
    def fail() -> Frames:
        raise ValueError("the engine fell over")

    show.stylizer.begin = lambda small: PendingFrames(fail)
    with pytest.raises(ValueError, match="fell over"):
        show(shown_part(0))


class Rendering:
    """A render thread that is given frames, at working sizes that are all compiled."""

    def __init__(
        self, settings: StylizeSettings, resolution: AdaptiveResolution | None = None
    ) -> None:
        self.state = LiveState(RenderRequest(None, settings), clock=time.monotonic)
        self._captured: LatestQueue[CapturedFrame] = LatestQueue()
        self.renderer = RenderThread(self._captured, self.state, resolution, 128)
        self.stylizer = self.renderer.stylizer = unchanged()
        self.begun = 0
        self._begin = self.stylizer.begin
        self.stylizer.begin = self._count

    def _count(self, small: Frames) -> PendingFrames:
        self.begun += 1
        return self._begin(small)

    def __enter__(self) -> "Rendering":
        self.renderer.add_size(SIZE)
        self.renderer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.renderer.stop()
        self.renderer.thread.join(20)

    def put(self, content: Frame, number: int, at_s: float, opening: int = 1) -> None:
        self._captured.put(CapturedFrame(content, number, at_s, opening))

    def __call__(self, content: Frame, number: int, at_s: float, opening: int = 1) -> Frame:
        self.put(content, number, at_s, opening)
        while (rendered := self.renderer.rendered.take(20)) is not None:
            if rendered.number == number:
                return rendered.painting
        raise AssertionError("not rendered")


@pytest.mark.parametrize(("gap_s", "opening"), [(0.03, 2), (2.0, 1)], ids=["camera", "pause"])
def test_another_source_and_a_pause_begin_a_new_shot(gap_s: float, opening: int) -> None:
    frames = pan(5, step=1)
    with Rendering(StylizeSettings(paint_every=12)) as render:
        for number, content in enumerate(frames[:4]):
            render(content, number, number / 30)
        assert render.begun == 1
        painting = render(frames[4], 4, 3 / 30 + gap_s, opening)
        assert render.begun == 2
    assert difference(painting, frames[4]) < 2


@pytest.mark.parametrize("change", [{"is_original": True}, {"settings": StylizeSettings(steady=0)}])
def test_frame_that_is_not_carried_does_not_overtake_the_one_before(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    frames, is_slow, may_finish = pan(3, step=1), threading.Event(), threading.Event()
    finish = SteadyRenderer.finish

    def finish_late(self: SteadyRenderer, frame: FollowedFrame) -> Frame:
        is_slow.set()
        may_finish.wait(20)
        return finish(self, frame)

    with Rendering(StylizeSettings()) as render:
        render(frames[0], 0, 0.0)
        monkeypatch.setattr(SteadyRenderer, "finish", finish_late)
        render.put(frames[1], 1, 1 / 30)
        assert is_slow.wait(20)
        render.state.request = replace(render.state.request, **change)
        render.put(frames[2], 2, 2 / 30)
        early = render.renderer.rendered.take(0.3)
        may_finish.set()
        numbers = []
        while 2 not in numbers:
            numbers.append(render.renderer.rendered.take(20).number)
    assert early is None
    assert numbers == sorted(numbers)


def test_painting_is_reduced_where_frames_cannot_be_shown_in_time() -> None:
    resolution = AdaptiveResolution(30, 128, SizeBounds(128, 128))
    with Rendering(StylizeSettings(), resolution) as render:
        render.renderer.show_s = 0.5
        for number, content in enumerate(pan(40, step=1)):
            render(content, number, number / 30)
    assert resolution.level.every == 12


def test_session_shows_every_frame_of_a_film_with_a_slow_engine() -> None:
    class Slow:
        """Wraps a stylizer whose paintings take a third of a second."""

        def __init__(self) -> None:
            self._inner = unchanged()

        def __getattr__(self, name: str) -> object:
            return getattr(self._inner, name)

        def __setattr__(self, name: str, value: object) -> None:
            if name == "_inner":
                object.__setattr__(self, name, value)
            else:
                setattr(self._inner, name, value)

        def __call__(self, frames: Frame) -> Frame:
            return self._inner(frames)

        def begin(self, small: Frames) -> PendingFrames:
            threading.Event().wait(0.001)
            return PendingFrames(lambda: (threading.Event().wait(0.33) and small) or small)

    session = LiveSession(
        film(fps=10), Slow, has_window=False,
        settings=StylizeSettings(), options=LiveOptions(target_fps=None),
    )  # fmt: skip
    with Running(session):
        wait_until(lambda: session.result.shown > 10)
        begun = session.result.shown
        wait_until(lambda: session.result.shown > begun + 20)
    assert session.result.is_ordered


def test_key_goes_through_the_steadiness_and_says_what_it_is() -> None:
    session = LiveSession(film(), unchanged, has_window=False, settings=StylizeSettings(steady=0.7))
    found = []
    for _ in range(4):
        assert press(session.actions, "t")
        found.append((session.state.request.settings.steady, session.state.toast.split(":")[0]))
    assert found == [
        (0.5, "Half steady"), (0.0, "Not steady"), (1.0, "Steady"), (0.5, "Half steady")
    ]  # fmt: skip
    assert session.state.request.settings == replace(StylizeSettings(), steady=0.5)
