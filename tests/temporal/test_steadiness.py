"""Steadiness: strokes rest with what rests, move with what moves, and are new in a new shot."""

import cv2
import numpy as np
import pytest

from nst_video.errors import UsageError
from nst_video.frames import Floats, Frame, Frames
from nst_video.temporal import Steadiness
from nst_video.temporal.canvas import Canvas
from nst_video.temporal.motion import Motion
from nst_video.temporal.planes import luma_of, planes_of_rgb, rgb_of_planes

HEIGHT, WIDTH = 96, 128


def _texture(seed: int, *, shape: tuple[int, int] = (HEIGHT, WIDTH), scale: int = 4) -> Floats:
    """Return smooth noise, 0..255, with a structure of about `scale` pixels."""
    small = np.random.default_rng(seed).random((shape[0] // scale + 2, shape[1] // scale + 2))
    return 255 * small.repeat(scale, 0).repeat(scale, 1)[: shape[0], : shape[1]].astype(np.float32)


def _gray(levels: Floats) -> Frame:
    return np.repeat(levels.clip(0, 255).astype(np.uint8)[..., None], 3, axis=-1)


def _pan(count: int, step: int, seed: int = 1) -> Frames:
    wide = _texture(seed, shape=(HEIGHT, WIDTH + step * count))
    return np.stack([_gray(wide[:, step * i : step * i + WIDTH]) for i in range(count)])


def _flickering(source: Frames, strength: float = 60) -> Frames:
    """Return a painting of each frame: the frame, and strokes that differ in every frame."""
    strokes = [strength * (_texture(100 + i) / 255 - 0.5) for i in range(len(source))]
    return np.stack([_gray(s[..., 0] + t) for s, t in zip(source, strokes, strict=True)])


def _steady(source: Frames, painted: Frames, steadiness: Steadiness) -> Frames:
    shown = []
    for frame, painting in zip(source, painted, strict=True):
        step = steadiness.follow(luma_of(frame))
        planes = steadiness.show(step, planes_of_rgb(painting) if step.paint else None)
        shown.append(rgb_of_planes(planes))
    return np.stack(shown)


def _change(film: Frames, shift: int = 0) -> float:
    """Return the mean squared change from frame to frame, along a pan by `shift` pixels."""
    gray = film[..., 0].astype(np.float32)
    now, before = gray[1:, 8:-8, 8 : WIDTH - 8 - shift], gray[:-1, 8:-8, 8 + shift : WIDTH - 8]
    return float(np.square(now - before).mean())


def test_strokes_of_a_resting_picture_stay() -> None:
    source = np.stack([_gray(_texture(1))] * 8)
    painted = _flickering(source)
    steady = _steady(source, painted, Steadiness(1))
    assert _change(steady) < _change(painted) / 50


def test_strokes_move_with_a_pan() -> None:
    source = _pan(8, 2)
    painted = _flickering(source)
    steady = _steady(source, painted, Steadiness(1))
    assert _change(steady[2:], 2) < _change(painted[2:], 2) / 8


def test_steadiness_keeps_the_contrast_of_the_paintings() -> None:
    source = _pan(12, 3)
    painted = _flickering(source)
    steady = _steady(source, painted, Steadiness(1))
    assert steady[-1].std() == pytest.approx(painted[-1].std(), rel=0.1)


def test_strength_0_mixes_nothing_of_earlier_frames() -> None:
    source = _pan(4, 2)
    painted = _flickering(source)
    steady = _steady(source, painted, Steadiness(0))
    assert np.abs(steady.astype(int) - painted).mean() < 1.5  # of 255, by rounding


def test_the_dial_moves_smoothly() -> None:
    source = _pan(8, 2)
    painted = _flickering(source)
    changes = [_change(_steady(source, painted, Steadiness(s)), 2) for s in (0, 0.25, 0.5, 1)]
    assert changes == sorted(changes, reverse=True)


def test_a_cut_shows_the_new_painting_at_once() -> None:
    source = np.concatenate([_pan(4, 2, seed=1), _pan(4, 2, seed=9)])
    painted = _flickering(source)
    steady = _steady(source, painted, Steadiness(1))
    assert np.abs(steady[4].astype(int) - painted[4]).mean() < 1.5


def test_every_third_frame_is_painted() -> None:
    steadiness = Steadiness(1, every=3)
    steps = [steadiness.follow(luma_of(frame)).paint for frame in _pan(9, 1)]
    assert steps == [True, False, False] * 3


def test_a_new_shot_is_painted_out_of_turn() -> None:
    source = np.concatenate([_pan(2, 1, seed=1), _pan(3, 1, seed=9)])
    steadiness = Steadiness(1, every=4)
    steps = [steadiness.follow(luma_of(frame)).paint for frame in source]
    assert steps == [True, False, True, False, False]


def test_a_painting_after_some_frames_comes_in_as_many() -> None:
    """Otherwise what could be relied on in part only would change with a jerk."""
    source = np.repeat(_pan(1, 0), 9, axis=0)
    painted = source.copy()
    painted[4:] = 255 - painted[4:]
    steadiness = Steadiness(1, every=4)
    film = _steady(source, painted, steadiness).astype(np.float32)
    steps = np.abs(np.diff(film, axis=0)).mean((1, 2, 3))
    assert steps[3:7].min() > 0.7 * steps[3:7].max() > 0


def test_what_comes_from_outside_has_no_streaks() -> None:
    planes = planes_of_rgb(_gray(_texture(1)))
    flow = np.full((HEIGHT, WIDTH, 2), (0, -6), np.float32)
    canvas = Canvas(planes, (WIDTH, HEIGHT))
    ones = np.ones((HEIGHT, WIDTH), np.float32)
    canvas.carry(Motion(flow, ones, ones))
    shown = canvas.show()[0].astype(int)
    changes = np.abs(np.diff(shown, axis=0)).mean(1)
    assert changes[:5].mean() > changes.mean() / 2


def test_what_is_moved_by_half_a_pixel_stays_sharp() -> None:
    noise = np.random.default_rng(4).normal(0, 60, (HEIGHT, WIDTH))
    canvas = Canvas(
        planes_of_rgb(_gray(128 + cv2.GaussianBlur(noise, (0, 0), 0.7))), (WIDTH, HEIGHT)
    )
    ones = np.ones((HEIGHT, WIDTH), np.float32)
    before = cv2.Laplacian(canvas.show()[0], cv2.CV_32F).var()
    canvas.carry(Motion(np.full((HEIGHT, WIDTH, 2), 0.5, np.float32), ones, ones))
    after = cv2.Laplacian(canvas.show()[0], cv2.CV_32F).var()
    assert after == pytest.approx(before, rel=0.12)


def test_a_frame_without_its_painting_is_refused() -> None:
    steadiness = Steadiness(1)
    step = steadiness.follow(luma_of(_gray(_texture(1))))
    with pytest.raises(ValueError, match="has to be painted"):
        steadiness.show(step, None)


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("cut", [None, 5, 8, 11])
def test_renewed_film_goes_on_as_one_that_begins_there(every: int, cut: int | None) -> None:
    source = _pan(16, 2)
    if cut is not None:
        source[cut:] = _pan(16, 2, seed=7)[cut:]
    painted = _flickering(source)
    plain = _steady(source, painted, Steadiness(1, every))
    later = _steady(source[5:], painted[5:], Steadiness(1, every))
    steadiness = Steadiness(1, every)
    begin = _steady(source[:5], painted[:5], steadiness)
    steadiness.renew(6)
    end = _steady(source[5:], painted[5:], steadiness)
    assert np.array_equal(begin, plain[:5])
    assert np.array_equal(end[6:], later[6:])


def test_renewal_passes_gradually_and_keeps_contrast() -> None:
    source = np.stack([_gray(_texture(1))] * 30)
    painted = _flickering(source)
    plain, steadiness = _steady(source, painted, Steadiness(1)), Steadiness(1)
    begin = _steady(source[:5], painted[:5], steadiness)
    steadiness.renew(20)
    film = np.concatenate([begin, _steady(source[5:], painted[5:], steadiness)])
    jump = float(np.square(plain[4].astype(float) - painted[5]).mean())
    changes = [_change(film[n : n + 2]) for n in range(4, 26)]
    assert max(changes) < jump / 50
    assert film[15].std() > 0.9 * plain[15].std()


def test_reset_forgets_everything() -> None:
    source = _pan(4, 2)
    painted = _flickering(source)
    steadiness = Steadiness(1)
    first = _steady(source, painted, steadiness)
    steadiness.reset()
    assert np.array_equal(_steady(source, painted, steadiness), first)


@pytest.mark.parametrize("size", [(9, 13), (33, 47), (17, 600)])
def test_odd_and_small_sizes_work(size: tuple[int, int]) -> None:
    levels = np.random.default_rng(0).random((3, *size)).astype(np.float32) * 255
    source = np.stack([_gray(each) for each in levels])
    assert _steady(source, source, Steadiness(1)).shape == source.shape


def test_noise_on_a_resting_picture_does_not_drift() -> None:
    rng = np.random.default_rng(3)
    base = _texture(1)[:, :, None].repeat(3, 2)
    source = (base + rng.normal(0, 3, (60, *base.shape))).clip(0, 255).astype(np.uint8)
    painted = _flickering(source, strength=20)
    steady = _steady(source, painted, Steadiness(1))
    early, late = steady[5:10].astype(np.float32), steady[-5:].astype(np.float32)
    assert late.mean() == pytest.approx(early.mean(), rel=0.01)
    assert late.std() == pytest.approx(early.std(), rel=0.02)


def test_a_strength_outside_its_range_is_refused() -> None:
    with pytest.raises(UsageError, match="steadiness"):
        Steadiness(1.5)


def test_colors_do_not_fade_where_strokes_of_several_colors_are_mixed() -> None:
    source = _pan(24, 3)
    random = np.random.default_rng(5)
    colors = random.integers(0, 2, (24, HEIGHT // 8, WIDTH // 8)).repeat(8, 1).repeat(8, 2)
    painted = np.stack([colors * 160 + 40, np.full_like(colors, 120), 200 - colors * 160], -1)
    shown = _steady(source, painted.astype(np.uint8), Steadiness(0.5))[-1].astype(np.float32)
    contrast = (shown[..., 0] - shown[..., 2])[8:-8, 8:-8].std()
    assert contrast > 0.65 * (painted[-1, ..., 0] - painted[-1, ..., 2]).std()


@pytest.mark.parametrize("axis", [1, 2])
def test_a_pan_does_not_comb_the_picture(axis: int) -> None:
    """What moves along one axis keeps as much fine structure across it as along it."""
    random = np.random.default_rng(6)
    wide = cv2.GaussianBlur(random.normal(0, 1, (HEIGHT + 80, WIDTH + 80)), (0, 0), 4)
    wide = np.asarray(128 + 30 * wide / wide.std(), np.float32)
    moves = [np.array([[1, 0, -40], [0, 1, -40]], np.float32) for _ in range(40)]
    for index, move in enumerate(moves):
        move[2 - axis, 2] -= 0.37 * index
    source = np.stack([_gray(cv2.warpAffine(wide, m, (WIDTH, HEIGHT), flags=2)) for m in moves])
    noise = [cv2.GaussianBlur(random.normal(0, 60, (HEIGHT, WIDTH)), (0, 0), 0.7) for _ in moves]
    painted = np.stack([_gray(s[..., 0] + n) for s, n in zip(source, noise, strict=True)])
    shown = _steady(source, painted, Steadiness(1))[-1, 16:-16, 16:-16, 0].astype(np.float32)
    fine = [np.diff(shown, n=2, axis=each) for each in (axis - 1, 2 - axis)]
    along, across = (float(np.square(each).mean()) for each in fine)
    assert 0.6 < across / along < 1.6


@pytest.mark.parametrize("every", [1, 4])
def test_a_fade_to_black_ends_black(every: int) -> None:
    picture = _texture(1)
    levels = np.concatenate([np.ones(4), np.linspace(1, 0, 10), np.zeros(every + 3)])
    source = np.stack([_gray(picture * level) for level in levels])
    painted = np.stack([_gray(255 - _texture(2) * 0.5) * (level > 0.02) for level in levels])
    shown = _steady(source, painted.astype(np.uint8), Steadiness(1, every))
    assert shown[-1].max() <= 6


def test_frames_of_one_color_keep_it_while_it_changes() -> None:
    levels = np.concatenate([np.arange(0, 248, 8), np.arange(248, 0, -8)])
    film = np.stack([np.full((HEIGHT, WIDTH, 3), level, np.uint8) for level in levels])
    shown = _steady(film, film, Steadiness(1)).astype(int)
    assert np.abs(shown - film).max() <= 12
