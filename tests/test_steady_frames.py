"""Films painted steady, in batches: order, resets, what is painted and what is carried."""

import copy
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
from moving_pictures import pan
from numpy.typing import NDArray

from nst_video.engines import PendingFrames
from nst_video.errors import UsageError
from nst_video.frames import Frames
from nst_video.image.yuv420 import YuvColors
from nst_video.settings import ModelOptions, StylizeSettings
from nst_video.steady_frames import SteadyFrames
from nst_video.stylizer import Stylizer
from nst_video.temporal.planes import RGB

BUILTIN = ModelOptions("builtin", "openvino")
Mend = Callable[[Stylizer], None]


def _film(count: int = 6, seed: int = 0) -> Frames:
    return np.stack(pan(count, seed=seed))


def _make(**settings: object) -> Stylizer:
    return Stylizer("wave", StylizeSettings(**settings), BUILTIN)


class _Painter:
    """Paints the negative, and counts how many frames it got, batch by batch."""

    def __init__(self) -> None:
        self.counts: list[int] = []

    def __call__(self, frames: NDArray[np.uint8]) -> PendingFrames:
        self.counts.append(len(frames))
        return PendingFrames(lambda: 255 - frames)


def _submit(
    steady: SteadyFrames, frames: Frames, painter: _Painter, *, every: int = 1, look: str = "a"
) -> PendingFrames:
    return steady.submit(frames, painter, RGB, StylizeSettings(paint_every=every), look=look)


def _change(film: Frames) -> float:
    """Return the mean squared change from frame to frame, from the second on.

    The first is shown as painted, with color at full size.
    """
    film = film[1:]
    return float(np.square(np.diff(film.astype(np.float32), axis=0)).mean())


def _boiling(count: int = 6) -> Frames:
    """Return a film of a picture at rest, with noise of its own in each frame."""
    noise = np.random.default_rng(3).normal(0, 2, (count, 64, 96, 3))
    return np.clip(pan(1)[0] + noise, 0, 255).astype(np.uint8)


def test_a_film_is_the_same_in_batches_and_frame_by_frame() -> None:
    film, stylizer = _film(), _make()
    whole = stylizer(film)
    stylizer.reset()
    np.testing.assert_array_equal(np.concatenate([stylizer(film[:4]), stylizer(film[4:])]), whole)
    stylizer.reset()
    single = np.stack([stylizer(frame) for frame in film])
    assert np.abs(single.astype(int) - whole).max() <= 1  # engines round batches differently


def test_batches_may_be_waited_for_in_any_order() -> None:
    film = _film()
    steady, painter = SteadyFrames(), _Painter()
    expected = _submit(steady, film, painter).wait()
    steady.reset()
    pending = [_submit(steady, film[i : i + 2], painter) for i in (0, 2, 4)]
    last = pending[2].wait()
    np.testing.assert_array_equal(last, expected[4:])
    np.testing.assert_array_equal(pending[0].wait(), expected[:2])
    np.testing.assert_array_equal(pending[1].wait(), expected[2:4])
    np.testing.assert_array_equal(pending[2].wait(), last)


def test_steady_films_flicker_less() -> None:
    film = _boiling()
    assert _change(_make()(film)) < _change(_make(steady=0)(film)) / 10


def test_the_dial_moves_smoothly() -> None:
    film = _boiling()
    changes = [_change(_make(steady=steady)(film)) for steady in (0, 0.25, 0.5, 0.75, 1)]
    assert changes == sorted(changes, reverse=True)


def test_no_steadiness_is_frame_by_frame_to_the_bit() -> None:
    film, stylizer = _film(), _make(steady=0, gentle=0)
    painted = stylizer(film)
    parameters = stylizer.model.to_parameters(stylizer.style_vector[None])
    np.testing.assert_array_equal(painted, stylizer.engine(film, parameters))


@pytest.mark.parametrize(
    "change",
    [
        Stylizer.reset,
        lambda stylizer: stylizer.set_style("mosaic"),
        lambda stylizer: stylizer.set_style(["wave", "mosaic"], [1, 2]),
        lambda stylizer: setattr(
            stylizer, "settings", replace(stylizer.settings, keep_colors=True)
        ),
        lambda stylizer: setattr(stylizer, "settings", replace(stylizer.settings, work_size=48)),
    ],
)
def test_strokes_begin_anew_after_a_change(change: Mend) -> None:
    film, stylizer, other = _film(), _make(), _make()
    stylizer(film[:3])
    change(stylizer)
    change(other)
    np.testing.assert_array_equal(stylizer(film[3]), other(film[3]))


def test_a_change_does_not_disturb_batches_that_are_not_shown_yet() -> None:
    film = _film()
    steady, painter = SteadyFrames(), _Painter()
    expected = _submit(steady, film, painter).wait()
    steady.reset()
    first, second = _submit(steady, film[:3], painter), _submit(steady, film[3:], painter)
    third = _submit(steady, film, painter, look="b")
    np.testing.assert_array_equal(third.wait(), expected)
    np.testing.assert_array_equal(np.concatenate([first.wait(), second.wait()]), expected)


def test_strength_may_change_without_losing_the_strokes() -> None:
    film, stylizer = _boiling(), _make()
    before = stylizer(film[:3])[-1]
    stylizer.settings = replace(stylizer.settings, steady=0.9)
    after = stylizer(film[3])
    alone = _make()(film[3])
    assert (
        np.square(after - before.astype(float)).mean()
        < np.square(alone - before.astype(float)).mean() / 4
    )


def test_only_some_frames_are_painted_and_the_others_follow_the_motion() -> None:
    film = _film(9)
    painter = _Painter()
    shown = _submit(SteadyFrames(), film, painter, every=4).wait()
    assert painter.counts == [3]
    inside = np.s_[:, 8:-8, 8:-8]
    error = np.abs(shown[inside].astype(float) - (255 - film[inside]))
    assert error.mean() < 6


def test_a_batch_in_which_nothing_is_painted_is_shown() -> None:
    film = _film(4)
    steady, painter = SteadyFrames(), _Painter()
    _submit(steady, film[:1], painter, every=12).wait()
    shown = _submit(steady, film[1:], painter, every=12).wait()
    assert painter.counts == [1]
    assert shown.shape == film[1:].shape


def test_a_cut_is_painted_out_of_turn_and_leaves_no_ghost() -> None:
    film = np.concatenate([_film(3, seed=1), 255 - _film(3, seed=2)])
    painter = _Painter()
    shown = _submit(SteadyFrames(), film, painter, every=12).wait()
    assert painter.counts == [2]
    np.testing.assert_array_equal(shown[3], 255 - film[3])


def test_yuv_frames_are_as_steady_as_rgb_frames() -> None:
    film = _boiling()
    yuv = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420) for frame in film])
    colors = YuvColors("bt601", is_full_range=False)

    def luma(**settings: object) -> Frames:
        return _make(**settings).submit_yuv(yuv, colors).wait()[:, :64]

    assert _change(luma()) < _change(luma(steady=0)) / 10


def test_frames_may_be_reused_by_the_caller_once_they_are_painted() -> None:
    film = _film()
    expected = _make()(film)
    stylizer, buffer = _make(), np.empty_like(film[0])
    for index, frame in enumerate(film):
        buffer[:] = frame
        shown = stylizer(buffer)
        assert np.abs(shown.astype(int) - expected[index]).max() <= 2


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_copies_begin_another_film(duplicate: Callable[[SteadyFrames], SteadyFrames]) -> None:
    film, steady = _film(), SteadyFrames()
    _submit(steady, film[:3], _Painter()).wait()
    shown = _submit(duplicate(steady), film[3:], _Painter()).wait()
    np.testing.assert_array_equal(shown[0], 255 - film[3])


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), "much", None, True])
def test_steadiness_out_of_range_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match="steady must be"):
        StylizeSettings(steady=value)


@pytest.mark.parametrize("value", [0, 13, 1.5, "often", None])
def test_painting_rate_out_of_range_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match="paint_every must be"):
        StylizeSettings(paint_every=value)


def test_threads_may_share_a_stylizer() -> None:
    film, stylizer = _film(4), _make()

    def paint(_: int) -> None:
        for frame in film:
            assert stylizer(frame).shape == frame.shape

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(paint, range(4)))
    stylizer.reset()
    expected = _make()(film)
    assert np.abs(stylizer(film).astype(int) - expected).max() <= 1
