"""Whole sessions without a window: films, pauses, switches, mirrored outputs."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from live_tools import (
    FIXED,
    FRAME_BY_FRAME,
    Collector,
    Running,
    film,
    numbered,
    save_clip,
    unchanged,
    wait_until,
)

from nst_video.frames import Frame
from nst_video.image.files import load_picture, save_picture
from nst_video.image.resize import mirrored
from nst_video.live import (
    LiveSession,
    open_live_source,
    run_live,
)
from nst_video.live.state import Selection
from nst_video.settings import ModelOptions, StylizeSettings
from nst_video.stylizer import Stylizer


def test_finite_source_ends_the_session_with_its_last_frame(tmp_path: Path) -> None:
    save_clip(tmp_path / "clip.avi", [numbered(n) for n in range(40)], 30)
    seen = Collector()
    stylizer = unchanged()
    stylizer.prepare()
    done = run_live(tmp_path / "clip.avi", stylizer, [seen.output], options=FIXED)
    assert seen.numbers[-1] == 39
    assert seen.numbers == sorted(seen.numbers)
    assert done.first_painted_s + done.elapsed_s > 39 / 30 - 0.1  # it is played, not rushed through


@pytest.mark.parametrize("count", [1, 10])
def test_short_film_does_not_begin_before_the_model_is_there(tmp_path: Path, count: int) -> None:
    save_clip(tmp_path / "clip.avi", [numbered(n) for n in range(count)], 10)
    seen, over = Collector(), threading.Event()

    def load_late() -> Stylizer:
        over.wait(20)
        return unchanged()

    session = LiveSession(
        open_live_source(tmp_path / "clip.avi"),
        load_late,
        [seen.output],
        has_window=False,
        settings=FRAME_BY_FRAME,
        options=FIXED,
    )
    running = Running(session)
    wait_until(lambda: session.capture.frames.put_count)
    assert running.thread.is_alive()
    over.set()
    running.thread.join(30)
    assert running.error is None
    # A still frame may come twice; a busy machine may skip one.
    assert seen.numbers == sorted(seen.numbers)
    assert seen.numbers[0] == 0
    assert seen.numbers[-1] == count - 1
    assert len(set(seen.numbers)) >= count * 0.8


def test_still_picture_is_painted_once() -> None:
    with Running(
        LiveSession(
            film(fps=60, same=True),
            unchanged,
            has_window=False,
            settings=FRAME_BY_FRAME,
            options=FIXED,
        )
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
        has_window=False, settings=FRAME_BY_FRAME, options=FIXED,
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


def test_number_keys_reach_both_of_two_styles_of_one_name(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "mine.png" for folder in ("one", "two")]
    for number, path in enumerate(paths):
        path.parent.mkdir()
        save_picture(path, numbered(900 * number + 3, (256, 256)))

    def load() -> Stylizer:
        return Stylizer(paths, options=ModelOptions("builtin", "identity"))

    with Running(
        LiveSession(film(), load, has_window=False, settings=FRAME_BY_FRAME, options=FIXED)
    ) as session:
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
        StylizeSettings(0.4, "pixel", steady=0),
        StylizeSettings(keep_colors=True, steady=0),
        StylizeSettings(work_size=128, steady=0),
    ],
)
def test_paused_film_is_painted_again_when_the_settings_change(settings: StylizeSettings) -> None:
    seen = Collector()
    with Running(
        LiveSession(
            film(),
            unchanged,
            [seen.output],
            has_window=False,
            settings=FRAME_BY_FRAME,
            options=FIXED,
        )
    ) as session:
        wait_until(lambda: session.result.shown > 5)
        session.press("Space")
        wait_until(lambda: session.state.request.is_paused)
        captured = session.capture.frames.put_count
        wait_until(lambda: session.capture.frames.put_count > captured + 20)
        renderer, count = session.renderer, len(seen.numbers)
        session.state.change(settings=settings)
        wait_until(
            lambda: renderer.stylizer.settings == replace(settings, work_size=renderer.work_size)
        )
        wait_until(lambda: len(seen.numbers) > count)
    assert seen.numbers[-1] <= captured + 3


def test_changed_working_size_is_compiled_before_it_is_used() -> None:
    session = LiveSession(
        film(fps=30), unchanged, has_window=False, settings=FRAME_BY_FRAME, options=FIXED
    )
    with Running(session):
        wait_until(lambda: session.result.shown > 3)
        assert session.work_size == 240  # all lines of the film: fewer than 256
        session.press("-")
        wait_until(lambda: session.work_size == 208)
        assert session.renderer.stylizer.settings.work_size == 208


def test_pause_keeps_the_picture_and_goes_on() -> None:
    with Running(
        LiveSession(film(), unchanged, has_window=False, settings=FRAME_BY_FRAME, options=FIXED)
    ) as session:
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
        settings=StylizeSettings(steady=0), on_message=told.append,
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


@pytest.mark.parametrize(
    ("text", "is_mirrored"), [("0", True), ("/dev/video0", True), ("demo:", False)]
)
def test_only_cameras_are_shown_mirrored(text: str, is_mirrored: bool) -> None:
    session = LiveSession(
        open_live_source(text), unchanged, has_window=False, settings=FRAME_BY_FRAME
    )
    assert session.state.is_mirrored == is_mirrored
