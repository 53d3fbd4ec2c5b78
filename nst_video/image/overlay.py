"""The overlay of the live window: title, figures, thumbnails, messages, help."""

from dataclasses import dataclass

import cv2
import numpy as np

from nst_video.frames import Frame, Size, size_of
from nst_video.image.resize import shrink
from nst_video.image.text import Color, text_width, wrap_text, write_text

BASE_SIZE = (640, 480)
"""(width, height) at which the overlay has scale 1; it grows with the frame."""

MIN_UNIT = 0.85
"""Smallest scale that is legible."""

TITLE_PX, TEXT_PX, MESSAGE_PX, BADGE_PX, THUMBNAIL_PX = 19, 15, 20, 17, 52
"""Heights of text, and side of a thumbnail, at scale 1."""

WHITE: Color = (255, 255, 255)
ACCENT: Color = (255, 196, 64)
RED: Color = (225, 40, 40)

_SHADE = 0.35
"""Brightness of the frame behind text."""

_BOLD = 600
_MESSAGE_LINES = 5
_GAP_PX = 4


@dataclass(frozen=True, slots=True)
class Hud:
    """The content of the overlay; empty parts are not drawn.

    Attributes:
        title: style and intensity.
        figures: lines below the title.
        thumbnails: square images of the styles, RGB uint8.
        current: index of the current style among them, -1 for none.
        partner: index of the style mixed in, -1 for none.
        badges: short texts in the upper right corner, such as "REC 0:12".
        toast: a message.
        trouble: an error message, drawn in the middle.
        help: rows of (key, what it does); drawn instead of everything else.
    """

    title: str = ""
    figures: tuple[str, ...] = ()
    thumbnails: tuple[Frame, ...] = ()
    current: int = -1
    partner: int = -1
    badges: tuple[str, ...] = ()
    toast: str = ""
    trouble: str = ""
    help: tuple[tuple[str, str], ...] = ()


def draw_hud(frame: Frame, hud: Hud) -> Frame:
    """Return a copy of `frame`, RGB uint8 (height, width, 3), with `hud` drawn on it.

    The overlay scales with the size of the frame.
    """
    canvas = np.ascontiguousarray(frame).copy()
    if hud.help:
        _draw_help(canvas, hud.help)
        return canvas
    unit = _unit(size_of(canvas))
    _draw_figures(canvas, hud, unit)
    _draw_badges(canvas, hud.badges, unit)
    strip_top = _draw_thumbnails(canvas, hud)
    if hud.toast:
        _draw_message(canvas, hud.toast, strip_top - _px(8, unit), (24, 24, 24), unit)
    if hud.trouble:
        _draw_message(canvas, hud.trouble, None, (120, 16, 16), unit)
    return canvas


def thumbnail_at(size: Size, count: int, current: int, point: tuple[int, int]) -> int | None:
    """Return the index of the thumbnail that `draw_hud` draws at a point, None without one.

    Args:
        size: (width, height) of the frame.
        count: number of thumbnails.
        current: index of the current style among them.
        point: (x, y) in pixels.
    """
    strip = _lay_out(size, count, current)
    column, inside_x = divmod(point[0] - strip.left, strip.side + strip.gap)
    inside_y = point[1] - strip.top - strip.gap
    if 0 <= column < strip.count and inside_x < strip.side and 0 <= inside_y < strip.side:
        return strip.first + column
    return None


def _unit(size: Size) -> float:
    """Return the scale of the overlay, 1 at `BASE_SIZE`."""
    return max(MIN_UNIT, min(size[0] / BASE_SIZE[0], size[1] / BASE_SIZE[1]))


def _px(length: float, unit: float) -> int:
    return max(1, round(length * unit))


def _shade(canvas: Frame, left: int, top: int, right: int, bottom: int) -> None:
    """Darken a rectangle in place, as a background for text."""
    part = canvas[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    if part.size:
        part[:] = cv2.convertScaleAbs(part, alpha=_SHADE)


def _fitting(text: str, height_px: int, room_px: int) -> int:
    """Return `height_px`, or less where the text would be wider than `room_px`."""
    return max(1, min(height_px, height_px * room_px // max(1, text_width(text, height_px, _BOLD))))


def _draw_figures(canvas: Frame, hud: Hud, unit: float) -> None:
    pad, step = _px(8, unit), _px(21, unit)
    sized = [(hud.title, TITLE_PX, ACCENT), *((line, TEXT_PX, WHITE) for line in hud.figures)]
    room = canvas.shape[1] - 2 * pad
    lines = [(t, _fitting(t, _px(px, unit), room), color) for t, px, color in sized if t]
    if not lines:
        return
    widest = max(text_width(text, px, _BOLD) for text, px, _ in lines)
    _shade(canvas, 0, 0, widest + 2 * pad, step * len(lines) + 2 * pad)
    for row, (text, px, color) in enumerate(lines):
        base = pad + step * row + _px(15, unit)
        write_text(canvas, text, (pad, base), px, color, _BOLD)


def _draw_badges(canvas: Frame, badges: tuple[str, ...], unit: float) -> None:
    px, pad, step = _px(BADGE_PX, unit), _px(8, unit), _px(26, unit)
    for row, badge in enumerate(badges):
        left = max(0, canvas.shape[1] - text_width(badge, px, _BOLD) - 2 * pad)
        top = row * step
        canvas[top : top + step, left:] = RED
        write_text(canvas, badge, (left + pad, top + _px(19, unit)), px, WHITE, _BOLD)


@dataclass(frozen=True, slots=True)
class _Strip:
    """Layout of the thumbnails: index of the first, number, side, left, top and gap in pixels."""

    first: int
    count: int
    side: int
    left: int
    top: int
    gap: int


def _lay_out(size: Size, count: int, current: int) -> _Strip:
    """Return the layout of the thumbnails along the bottom, the current one near the middle."""
    unit, (width, height) = _unit(size), size
    side, gap = _px(THUMBNAIL_PX, unit), _px(_GAP_PX, unit)
    shown = min(count, max(1, (width - gap) // (side + gap)))
    first = min(max(0, current - shown // 2), count - shown)
    left = (width - shown * (side + gap) + gap) // 2
    return _Strip(first, shown, side, left, height - side - 2 * gap, gap)


def _draw_thumbnails(canvas: Frame, hud: Hud) -> int:
    """Draw the thumbnails along the bottom; return the top of the strip."""
    width, height = size_of(canvas)
    if not hud.thumbnails:
        return height
    strip = _lay_out((width, height), len(hud.thumbnails), hud.current)
    _shade(canvas, 0, strip.top, width, height)
    for column in range(strip.count):
        left = strip.left + column * (strip.side + strip.gap)
        _draw_thumbnail(canvas, hud, strip.first + column, (left, strip.top + strip.gap), strip)
    return strip.top


def _draw_thumbnail(
    canvas: Frame, hud: Hud, place: int, at: tuple[int, int], strip: _Strip
) -> None:
    (left, top), side, unit = at, strip.side, strip.side / THUMBNAIL_PX
    room = canvas[top : top + side, max(0, left) : left + side]
    small = shrink(hud.thumbnails[place], (side, side))
    is_chosen = place in (hud.current, hud.partner)
    # Styles that are not in use are darker.
    shown = small if is_chosen else cv2.convertScaleAbs(small, alpha=0.7)
    room[:] = shown[: room.shape[0], : room.shape[1]]
    if is_chosen:
        color = ACCENT if place == hud.current else WHITE
        corner = (left + side - 1, top + side - 1)
        cv2.rectangle(canvas, at, corner, color, max(2, _px(3, unit)))
    if place < 9:
        _shade(canvas, left, top, left + _px(16, unit), top + _px(19, unit))
        at = (left + _px(4, unit), top + _px(15, unit))
        write_text(canvas, str(place + 1), at, _px(TEXT_PX, unit), WHITE, _BOLD)


def _draw_message(canvas: Frame, text: str, bottom: int | None, color: Color, unit: float) -> None:
    """Draw a message in a box that ends at `bottom`, or in the middle where that is None."""
    (width, height), pad = size_of(canvas), _px(10, unit)
    room = width - 4 * pad
    px = _px(MESSAGE_PX, unit)
    lines = wrap_text(text, px, room, _BOLD)
    while len(lines) > _MESSAGE_LINES and px > 1:
        px = px * 9 // 10
        lines = wrap_text(text, px, room, _BOLD)
    step = round(1.3 * px)
    box = step * len(lines) + pad
    top = (height - box) // 2 if bottom is None else max(0, bottom - box)
    half = max(text_width(line, px, _BOLD) for line in lines) // 2 + pad
    left, right = width // 2 - half, width // 2 + half
    cv2.rectangle(canvas, (left, top), (right, top + box), color, cv2.FILLED)
    for row, line in enumerate(lines):
        at = (width - text_width(line, px, _BOLD)) // 2, top + pad // 2 + round((row + 0.78) * step)
        write_text(canvas, line, at, px, WHITE, _BOLD)


def _draw_help(canvas: Frame, rows: tuple[tuple[str, str], ...]) -> None:
    """Draw the table of keys over the frame, in as many columns as allow the largest text."""
    canvas[:] = cv2.convertScaleAbs(canvas, alpha=0.2)
    (width, height), unit = size_of(canvas), _unit(size_of(canvas))
    reference = 100
    key_share = (max(text_width(key, reference, _BOLD) for key, _ in rows) + reference) / reference
    text_share = max(text_width(text, reference) for _, text in rows) / reference + 1

    def letters(columns: int) -> float:
        by_height = 0.75 * height / (-(-len(rows) // columns) + 1)
        return min(by_height, width / columns / (key_share + text_share), 1.3 * MESSAGE_PX * unit)

    columns = max((1, 2, 3), key=letters)
    per_column, px = -(-len(rows) // columns), int(letters(columns))
    step = height / (per_column + 1)
    for index, (key, text) in enumerate(rows):
        column, row = divmod(index, per_column)
        left, base = round(column * width / columns + px / 2), round((row + 1.2) * step)
        write_text(canvas, key, (left, base), px, ACCENT, _BOLD)
        write_text(canvas, text, (left + round(key_share * px), base), px, WHITE)
