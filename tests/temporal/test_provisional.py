"""What is shown where nothing has been painted yet."""

import numpy as np

from nst_video.frames import Floats
from nst_video.temporal import Canvas
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
    planes = fill(canvas.picture(), canvas.trust_now(), lambda: planes_of_rgb(GRAY), tones)
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


def test_strokes_are_seen_where_nothing_was_painted() -> None:
    strokes = np.random.default_rng(0).integers(0, 255, SIZE[::-1], np.uint8)
    half = np.full((SIZE[1] // 2, SIZE[0] // 2), 128, np.uint8)
    canvas = Canvas((strokes, half, half), SIZE)
    canvas.trust[:] = 0
    tones = ToneMap.fit(planes_of_rgb(GRAY), planes_of_rgb(BRIGHT))
    luma = fill(canvas.picture(), canvas.trust_now(), lambda: planes_of_rgb(GRAY), tones)[0]
    assert luma.mean() == np.clip(luma.mean(), 190, 210)
    assert 0.7 * strokes.std() < luma.std() < strokes.std()
