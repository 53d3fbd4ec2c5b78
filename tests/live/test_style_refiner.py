"""The key `Y`: a style refined beside the painting. The other process is tested by itself."""

import threading
from typing import Any, ClassVar

import numpy as np
import pytest
from live_tools import Running, film, unchanged, wait_until

from nst_video.live import LiveOptions, LiveSession, style_refiner
from nst_video.optimization.background_refinement import RefineUpdate
from nst_video.style_library.library import StyleLibrary
from nst_video.stylizer import Stylizer


class Refinement:
    """Like `BackgroundRefinement`; makes the style better once, when it is told to."""

    begun: ClassVar[list[Any]] = []

    def __init__(self, style, library, options, settings):
        self.style, self.library, self.model = style, library, options.model
        self.go_on, self.stopped = threading.Event(), threading.Event()
        self.parameters = None
        self.begun.append(self)

    def stop(self):
        self.stopped.set()
        self.go_on.set()

    def updates(self):
        yield RefineUpdate(0.25, 30, 1.0, is_better=False)
        assert self.go_on.wait(30)
        if self.stopped.is_set():
            return
        key, self.parameters = self.made
        self.library.keep_refined(self.style, key, self.parameters)
        yield RefineUpdate(1.0, 0, 0.5, is_better=True)

    made = ("", np.zeros(0, np.float32))


@pytest.fixture
def refinements(monkeypatch):
    monkeypatch.setattr(style_refiner, "BackgroundRefinement", Refinement)
    monkeypatch.setattr(Refinement, "begun", [])
    return Refinement.begun


@pytest.fixture
def session(tmp_path):
    library = StyleLibrary(user_dir=tmp_path)
    plain = unchanged()

    def load() -> Stylizer:
        return Stylizer("wave", options=plain.options, library=library)

    options = LiveOptions(target_fps=None)
    with Running(LiveSession(film(), load, has_window=False, options=options)) as session:
        wait_until(lambda: session.result.shown > 1)
        yield session


def test_refined_style_is_faded_in_as_soon_as_it_is_better(session, refinements):
    stylizer = session.renderer.stylizer
    model = stylizer.model
    Refinement.made = model.transformer_key, np.full(model.config.style_size, 0.5, np.float32)
    session.press("y")
    wait_until(lambda: "25%" in session.actions.refiner.figure)
    assert refinements[0].style.name == "wave"
    assert not np.array_equal(stylizer.style_vector, Refinement.made[1])
    refinements[0].go_on.set()
    wait_until(lambda: np.array_equal(stylizer.style_vector, Refinement.made[1]))
    wait_until(lambda: session.actions.refiner.figure == "")


def test_second_press_ends_the_refinement_and_a_third_begins_again(session, refinements):
    session.press("y")
    wait_until(lambda: len(refinements) == 1)
    session.press("y")
    wait_until(lambda: refinements[0].stopped.is_set())
    assert "ends" in session.state.toast
    session.press("y")
    wait_until(lambda: len(refinements) == 2)
    assert not refinements[1].stopped.is_set()
    session.press("q")
    wait_until(refinements[1].stopped.is_set)


def test_master_is_not_refined(session, refinements):
    styles = session.state.styles
    place = next(i for i, style in enumerate(styles) if style.origin == "master")
    for _ in range(place - session.state.current):
        session.press("d")
    wait_until(lambda: session.state.request.selection.styles[0].origin == "master")
    session.press("y")
    wait_until(lambda: "cannot be refined" in session.state.toast)
    assert refinements == []
