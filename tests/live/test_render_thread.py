"""The render thread: what it paints of a frame while styles and sizes are being loaded."""

import time
from dataclasses import replace

import numpy as np
from live_tools import FRAME_BY_FRAME, numbered, unchanged

from nst_video.image.files import save_picture
from nst_video.live.capture_thread import CapturedFrame
from nst_video.live.render_thread import RenderedFrame, RenderThread
from nst_video.live.state import LiveState, RenderRequest, Selection
from nst_video.settings import ModelOptions, Regions, StylizeSettings
from nst_video.style_library.library import Style
from nst_video.stylizer import Stylizer
from nst_video.video.queues import LatestQueue


class Rendering:
    """A render thread that is shown one still picture again and again."""

    def __init__(self, stylizer: Stylizer, *, is_compiled: bool = True) -> None:
        self.state = LiveState(RenderRequest(None, FRAME_BY_FRAME), clock=time.monotonic)
        self.frame = numbered(5, (512, 320))
        self.stylizer = stylizer
        self._frames: LatestQueue[CapturedFrame] = LatestQueue()
        self.renderer = RenderThread(self._frames, self.state, None, 160)
        self.renderer.stylizer = stylizer
        self._count = 0
        if is_compiled:
            self.renderer.add_size((256, 160))

    def __enter__(self) -> "Rendering":
        self.renderer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.renderer.stop()
        self.renderer.thread.join(20)

    def select(self, style: Style) -> None:
        """Ask for a style."""
        wanted = Selection((style,), (1.0,))
        self.state.request = replace(self.state.request, selection=wanted)

    def render(self) -> RenderedFrame:
        """Show the picture; return what becomes of it."""
        self._count += 1
        self._frames.put(CapturedFrame(self.frame, self._count, time.monotonic()))
        while True:
            rendered = self.renderer.rendered.take(20)
            assert rendered is not None
            if rendered.number == self._count:
                return rendered

    def see(self) -> np.ndarray:
        """Show the picture; return what is painted of it."""
        return self.render().painting

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
    stylizer = Stylizer("wave", options=ModelOptions("builtin"), fade_s=0.5, clock=clock)
    with Rendering(stylizer) as seen:
        seen.settle()
        style = stylizer.library.get("neon")
        seen.select(style)
        old = seen.settle()  # not loaded yet
        clock.now_s = 3.0
        stylizer.load_style(style)
        assert np.array_equal(seen.see(), old)  # the fade begins
        clock.now_s = 9.0  # and is over before the next frame
        new = expected("neon", StylizeSettings(steady=0, work_size=160), seen.frame)
        assert np.array_equal(seen.settle(), new)
    assert not np.array_equal(old, new)


def test_still_is_painted_in_a_size_that_has_to_be_compiled_first() -> None:
    larger = StylizeSettings(steady=0, work_size=192)
    with Rendering(Stylizer("wave", options=ModelOptions("builtin"))) as seen:
        old = seen.settle()
        seen.state.change(settings=larger)
        assert np.array_equal(seen.settle(), old)
        assert seen.renderer.missing_size == (307, 192)
        seen.renderer.add_size(seen.renderer.missing_size)
        new = seen.settle()
    assert np.array_equal(
        new, expected("wave", StylizeSettings(steady=0, work_size=192), seen.frame)
    )


def test_a_mask_is_used_once_it_is_loaded(tmp_path) -> None:
    gray = np.zeros((32, 64, 3), np.uint8)
    gray[:, :32] = 255
    regions = Regions(str(save_picture(tmp_path / "mask.png", gray)), "#102030")
    with Rendering(Stylizer("wave", options=ModelOptions("builtin"))) as seen:
        seen.renderer.loads_regions = True
        old = seen.settle()
        seen.state.set_regions(regions)
        assert np.array_equal(seen.settle(), old)
        assert seen.renderer.missing_regions == (regions, (256, 160))
        seen.stylizer.load_regions(*seen.renderer.missing_regions)
        seen.renderer.add_regions(*seen.renderer.missing_regions)
        new = seen.settle()
        seen.state.set_regions(None)
        assert np.array_equal(seen.settle(), old)
    np.testing.assert_array_equal(new[:, :240], old[:, :240])
    assert (new[:, 272:] == (16, 32, 48)).all()


def test_frames_pass_through_until_the_first_size_is_compiled() -> None:
    stylizer = Stylizer("wave", options=ModelOptions("builtin"))
    with Rendering(stylizer, is_compiled=False) as seen:
        passed = seen.render()
        assert not passed.is_painted
        assert np.array_equal(passed.painting, seen.frame)
        seen.renderer.add_size(seen.renderer.missing_size)
        painted = seen.render()
    assert painted.is_painted
    assert not np.array_equal(painted.painting, seen.frame)


def test_intensity_shows_at_once_and_is_blended_between_styles_when_that_is_loaded() -> None:
    with Rendering(Stylizer("wave", options=ModelOptions("builtin"))) as seen:
        seen.settle()
        seen.state.change(settings=StylizeSettings(0.9, steady=0))
        plain = expected("wave", StylizeSettings(0.9, "pixel", steady=0, work_size=160), seen.frame)
        assert not seen.stylizer.has_predictor
        assert np.array_equal(seen.settle(), plain)
        seen.stylizer.load_predictor()
        rich = expected("wave", StylizeSettings(0.9, steady=0, work_size=160), seen.frame)
        assert np.array_equal(seen.settle(), rich)
    assert not np.array_equal(plain, rich)


def test_style_is_switched_with_the_next_frame_once_it_is_loaded() -> None:
    with Rendering(unchanged()) as seen:
        before, stylizer = seen.stylizer.styles, seen.stylizer
        _, first, second, *_ = stylizer.library.styles()
        seen.select(first)
        seen.see()
        assert stylizer.styles == before  # does not wait for it
        stylizer.load_style(first)
        seen.see()
        assert stylizer.styles == (first,)
        seen.select(second)
        seen.see()
        assert stylizer.styles == (first,)
