"""Masks in a live session: the key, the badge, and frames laid over their background."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from nst_video.engines import PendingFrames
from nst_video.image.files import save_picture
from nst_video.live.display import make_hud
from nst_video.live.hotkeys import press
from nst_video.live.loader_thread import LoaderThread
from nst_video.live.render_thread import RenderThread
from nst_video.live.state import LiveState, RenderRequest
from nst_video.live.steady_renderer import SteadyRenderer
from nst_video.settings import ModelOptions, Regions, StylizeSettings
from nst_video.style_library.folder import Style
from nst_video.stylizer import Stylizer
from nst_video.video.queues import LatestQueue


def state():
    styles = [
        Style(name, Path(f"{name}.jpg"), "packaged", name.title()) for name in ("wave", "neon")
    ]
    made = LiveState(RenderRequest(None, StylizeSettings()), styles, clock=lambda: 0.0)
    made.current = 0
    return made


def test_m_goes_through_people_background_two_styles_and_none():
    session = SimpleNamespace(state=state())
    seen = []
    for _ in range(4):
        assert press(session, "m")
        seen.append(session.state.request.regions)
    assert seen == [Regions(), Regions(invert=True), Regions(rest="neon"), None]
    assert session.state.toast == "No mask"


def test_m_keeps_the_file_of_the_mask():
    session = SimpleNamespace(state=state())
    session.state.set_regions(Regions("mask.png", softness=0.2))
    press(session, "m")
    assert session.state.request.regions == Regions("mask.png", softness=0.2, invert=True)


def test_other_changes_keep_the_mask_and_a_badge_shows_it():
    live = state()
    live.set_regions(Regions())
    live.change(is_paused=True)
    assert live.request.regions == Regions()
    assert "MASK" in make_hud(live, (), (), is_loading=False).badges


def test_regions_that_cannot_be_loaded_are_said_and_left_out():
    live = state()
    live.set_regions(Regions(rest="mosiac"))
    renderer = RenderThread(LatestQueue(), live, None, 128)
    loader = LoaderThread(lambda: None, renderer, live, lambda *_: None)
    renderer.missing_regions = live.request.regions, (160, 128)
    assert loader._load_regions(Stylizer("wave", options=ModelOptions("builtin")))
    assert live.request.regions is None
    assert "mosiac" in live.toast
    assert not loader._load_regions(None)


class Masked(Stylizer):
    """Paints by inverting."""

    def begin(self, small, masks=None):
        return PendingFrames.done(255 - small)


def test_a_steady_frame_is_laid_over_its_own_background(tmp_path):
    gray = np.zeros((64, 96, 3), np.uint8)
    gray[:, :48] = 255
    mask = save_picture(tmp_path / "mask.png", gray)
    stylizer = Masked("wave", options=ModelOptions("builtin"), regions=Regions(str(mask)))
    renderer = SteadyRenderer()
    for value in (60, 64):
        content = np.full((64, 96, 3), value, np.uint8)
        frame = renderer.follow(stylizer, content, every=1, look="one", is_masked=True)
        shown = renderer.finish(frame)
        np.testing.assert_array_equal(shown[:, 52:], content[:, 52:])
        assert shown[:, :44].min() > 150
    renderer.close()
