"""What is written on the picture, by pixels."""

import numpy as np
import pytest

from nst_video.frames import Frame
from nst_video.hud import ACCENT, RED, Hud, draw_hud, plain
from nst_video.live.hotkeys import help_rows

SIZES = [(640, 480), (1280, 720), (3840, 2160), (480, 854)]


def gray(size: tuple[int, int] = (640, 480)) -> Frame:
    return np.full((size[1], size[0], 3), 128, np.uint8)


def places_of(frame: Frame, color: tuple[int, int, int]) -> np.ndarray:
    """Rows and columns of the pixels of a color, (n, 2)."""
    return np.argwhere((np.abs(frame.astype(int) - color) < 30).all(axis=-1))


def test_empty_hud_changes_nothing() -> None:
    frame = gray()
    drawn = draw_hud(frame, Hud())
    assert np.array_equal(drawn, frame)
    assert drawn is not frame


def test_hud_leaves_its_input_alone() -> None:
    frame = gray()
    draw_hud(frame, Hud("Wave", ("30 fps",), help=help_rows(), toast="hello"))
    assert (frame == 128).all()


@pytest.mark.parametrize("size", SIZES)
def test_text_height_follows_the_picture(size: tuple[int, int]) -> None:
    rows = places_of(draw_hud(gray(size), Hud("WAVE 100%")), ACCENT)[:, 0]
    height = rows.max() - rows.min() + 1
    assert height >= 0.019 * size[1]  # 10 of 480 lines, 42 of 2160
    assert rows.max() < size[1] / 10


@pytest.mark.parametrize("size", SIZES)
def test_figures_are_readable_on_white(size: tuple[int, int]) -> None:
    white = np.full((size[1], size[0], 3), 255, np.uint8)
    corner = draw_hud(white, Hud("Wave", ("30.0 fps",)))[: size[1] // 12, : size[0] // 12]
    assert corner.min() < 110  # the shade
    assert corner.max() > 230  # the letters


def test_figures_stay_in_their_corner() -> None:
    drawn = draw_hud(gray(), Hud("Wave", ("30.0 fps", "paint 3 ms")))
    changed = np.argwhere((drawn != 128).any(axis=-1))
    assert changed.max(axis=0)[0] < 100
    assert changed.max(axis=0)[1] < 320


def thumbnails(count: int) -> tuple[Frame, ...]:
    return tuple(np.full((64, 64, 3), 10 + 8 * n, np.uint8) for n in range(count))


@pytest.mark.parametrize("current", [0, 7, 22])
def test_current_style_is_marked_and_in_view(current: int) -> None:
    drawn = draw_hud(gray(), Hud(thumbnails=thumbnails(23), current=current))
    rows, columns = places_of(drawn, ACCENT).T
    assert rows.min() > 400
    middle = (int(columns.min()) + int(columns.max())) // 2
    assert abs(int(drawn[475, middle - 8 : middle + 8].max()) - ACCENT[0]) < 30
    inside = drawn[rows.min() + 30, columns.max() - 10]
    assert abs(int(inside[0]) - (10 + 8 * current)) < 12


def test_toast_and_trouble_are_drawn_where_they_belong() -> None:
    toast = np.argwhere((draw_hud(gray(), Hud(toast="Saved")) != 128).any(axis=-1))
    trouble = np.argwhere((draw_hud(gray(), Hud(trouble="No camera")) != 128).any(axis=-1))
    assert toast[:, 0].min() > 400
    assert abs(trouble[:, 0].mean() - 240) < 10
    for places in (toast, trouble):
        assert abs(places[:, 1].mean() - 320) < 5


def test_long_messages_are_written_smaller_instead_of_cut() -> None:
    drawn = draw_hud(gray(), Hud(trouble="x" * 120))
    columns = np.argwhere((drawn != 128).any(axis=-1))[:, 1]
    assert columns.min() > 0
    assert columns.max() < 639


def test_badges_are_red_and_in_the_upper_right() -> None:
    rows, columns = places_of(draw_hud(gray(), Hud(badges=("REC 0:12", "PAUSED"))), RED).T
    assert columns.min() > 480
    assert 30 < rows.max() < 60


@pytest.mark.parametrize("size", SIZES)
def test_help_has_a_line_for_every_key_and_fits(size: tuple[int, int]) -> None:
    drawn = draw_hud(gray(size), Hud("hidden", help=help_rows()))
    bright = (drawn.max(axis=-1) > 150).astype(np.uint8)
    assert bright[:, -2:].sum() == 0
    assert bright[-2:].sum() == 0
    columns = 2 if size[0] > 0.9 * size[1] else 1
    lines = 0
    for column in range(columns):
        part = bright[:, column * size[0] // columns : (column + 1) * size[0] // columns]
        has_text = part.any(axis=1).astype(int)
        lines += int((np.diff(has_text) == 1).sum())
    assert lines >= len(help_rows())


def test_names_beyond_the_font_are_written_in_plain_letters() -> None:
    assert plain("Große Wälle é") == "Gro?e Walle e"
