"""What is written on the picture, by pixels."""

import numpy as np
import pytest

from nst_video.frames import Frame
from nst_video.image.overlay import ACCENT, RED, Hud, draw_hud, thumbnail_at
from nst_video.image.text import text_width, wrap_text
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
    unit = max(0.85, min(size[0] / 640, size[1] / 480))
    assert height >= 12 * unit
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

    def lines_in(columns: int) -> int:
        count = 0
        for column in range(columns):
            part = bright[:, column * size[0] // columns : (column + 1) * size[0] // columns]
            count += int((np.diff(part.any(axis=1).astype(int)) == 1).sum())
        return count

    assert max(map(lines_in, (1, 2, 3))) >= len(help_rows())


@pytest.mark.parametrize("size", [(320, 240), *SIZES])
def test_click_finds_the_thumbnail_that_is_drawn_there(size: tuple[int, int]) -> None:
    """Each thumbnail has a color of its own, which the picture shows at the point asked for."""
    count, current = 23, 12
    colors = [(10 + 10 * n, 250 - 10 * n, 128) for n in range(count)]
    pictures = tuple(np.full((64, 64, 3), color, np.uint8) for color in colors)
    drawn = draw_hud(gray(size), Hud(thumbnails=pictures, current=current))
    found = set()
    for x in range(0, size[0], 3):
        for y in (size[1] - size[1] // 40, size[1] - 1, size[1] // 2):
            place = thumbnail_at(size, count, current, (x, y))
            if place is not None:
                found.add(place)
                light = 1.0 if place == current else 0.7
                wanted = light * np.array(colors[place])
                is_frame = place == current and np.abs(drawn[y, x].astype(int) - ACCENT).max() < 30
                assert is_frame or np.abs(drawn[y, x] - wanted).max() < 12
    assert found == set(range(min(found), max(found) + 1))
    assert current in found


def test_nothing_is_found_where_there_are_no_thumbnails() -> None:
    assert thumbnail_at((640, 480), 0, -1, (320, 470)) is None
    assert thumbnail_at((640, 480), 3, -1, (0, 470)) is None
    assert thumbnail_at((640, 480), 3, -1, (320, 100)) is None


@pytest.mark.parametrize("background", [0, 128, 255])
@pytest.mark.parametrize("size", [(640, 480), (640, 360), (1280, 720)])
def test_messages_are_legible_on_any_picture(size: tuple[int, int], background: int) -> None:
    frame = np.full((size[1], size[0], 3), background, np.uint8)
    part = draw_hud(frame, Hud(toast="I"))
    rows = np.argwhere((part.min(axis=-1) > 240)[:, size[0] // 2 - 4 : size[0] // 2 + 4])[:, 0]
    if background == 255:
        rows = rows[(rows > size[1] * 0.9) & (rows < size[1] * 0.985)]
    letter = part[rows.min() : rows.max() + 1, size[0] // 2 - 8 : size[0] // 2 + 8]
    assert letter.shape[0] >= 0.017 * size[0]  # 11 of 640 columns
    assert letter.min() < 40  # dark behind the letter
    assert letter.max() > 240


def test_other_scripts_are_written() -> None:
    boxes = [draw_hud(gray(), Hud(toast=text)) for text in ("Große Wälle", "Grosse Walle", "????")]
    assert not np.array_equal(boxes[0], boxes[1])
    cyrillic, questions = (draw_hud(gray(), Hud(toast=text)) for text in ("привет", "??????"))
    assert not np.array_equal(cyrillic, questions)


def test_long_words_are_cut_and_nothing_is_lost() -> None:
    text = f"Saved /home/{'a' * 90}/nst-video.mp4 just now"
    lines = wrap_text(text, 20, 300)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(text_width(line, 20) <= 300 for line in lines)
    assert wrap_text("", 20, 300) == []
    assert wrap_text("wide", 20, 1) == list("wide")
