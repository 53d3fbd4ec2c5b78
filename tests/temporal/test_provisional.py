"""What is shown where nothing has been painted yet."""

import numpy as np

from nst_video.frames import Floats
from nst_video.temporal import Canvas
from nst_video.temporal.motion import Motion
from nst_video.temporal.planes import planes_of_rgb
from nst_video.temporal.provisional import ToneMap, fill

SIZE = (160, 96)
GRAY = np.full((SIZE[1], SIZE[0], 3), 100, np.uint8)
BRIGHT = np.full_like(GRAY, 200)


def shown(new: slice) -> Floats:
    """Return how much of the source is shown, 0..1, along a row; columns `new` lack a painting."""
    black = np.zeros(SIZE[::-1], np.uint8)
    half = np.full((SIZE[1] // 2, SIZE[0] // 2), 128, np.uint8)
    canvas = Canvas((black, half, half), SIZE)
    canvas.trust[:, new] = 0
    tones = ToneMap.fit(planes_of_rgb(GRAY), planes_of_rgb(BRIGHT))
    source = planes_of_rgb(GRAY)
    planes = fill(canvas.picture(), canvas.trust_now(), lambda: source, tones, canvas.strokes)
    assert canvas.planes[0].max() == 0
    return planes[0][SIZE[1] // 2] / 200


def test_large_area_has_no_seam() -> None:
    row = shown(slice(80, None))
    assert np.abs(np.diff(row)).max() < 0.4
    assert row[:70].max() < 0.01
    assert row[90:].min() > 0.95


def test_thin_area_is_covered() -> None:
    row = shown(slice(80, 84))
    assert row[81:83].min() > 0.9
    assert row[:70].max() < 0.01


def test_nothing_is_shown_where_all_is_painted() -> None:
    assert shown(slice(0, 0)).max() == 0


def painted_noise() -> Canvas:
    """Return a canvas of fine strokes."""
    strokes = np.random.default_rng(0).integers(0, 255, SIZE[::-1], np.uint8)
    half = np.full((SIZE[1] // 2, SIZE[0] // 2), 128, np.uint8)
    return Canvas((strokes, half, half), SIZE)


def test_strokes_are_seen_where_nothing_was_painted() -> None:
    canvas = painted_noise()
    canvas.trust[:] = 0
    tones = ToneMap.fit(planes_of_rgb(GRAY), planes_of_rgb(BRIGHT))
    source, deviation = planes_of_rgb(GRAY), canvas.planes[0].std()
    shown = fill(canvas.picture(), canvas.trust_now(), lambda: source, tones, canvas.strokes)
    assert 190 < shown[0].mean() < 210
    assert 0.7 * deviation < shown[0].std() < 1.1 * deviation


def test_smeared_strokes_are_not_shown() -> None:
    canvas = painted_noise()
    ones = np.ones(SIZE[::-1], np.float32)
    flow = np.zeros((*ones.shape, 2), np.float32)
    flow[:, 80:, 0] = -0.9 * np.arange(80)  # the right half is stretched ten times
    canvas.carry(Motion(flow, ones, ones))
    shown = canvas.picture()[0]
    strokes = canvas.strokes(shown)
    assert np.array_equal(strokes[:, :60], shown[:, :60])
    assert np.allclose(strokes[:, 110:145], canvas.planes[0][:, 110:145])
