"""What is drawn over the picture: figures, thumbnails, messages, help. Frame in, frame out."""

import unicodedata
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np

from nst_video.frames import Frame

Color: TypeAlias = tuple[int, int, int]

BASE_HEIGHT = 480
"""Height in pixels at which everything has its natural size; taller frames scale it up."""

THUMBNAIL_PX = 52
"""Side of a thumbnail at the natural size."""

WHITE: Color = (255, 255, 255)
GRAY: Color = (190, 190, 190)
ACCENT: Color = (255, 196, 64)
RED: Color = (225, 40, 40)

_FONT = cv2.FONT_HERSHEY_DUPLEX
_SHADE = 0.4
"""What is left of the picture's light behind text."""


@dataclass(frozen=True, slots=True)
class Hud:
    """What to draw; every part that is empty is left out.

    Attributes:
        title: style and intensity.
        figures: lines below the title.
        thumbnails: square pictures of the styles.
        current: place of the style in use among them, -1 without.
        partner: place of the style mixed in, -1 without.
        badges: short words in the upper right corner, such as "REC 0:12".
        toast: a message.
        trouble: a message that cannot be missed.
        help: (key, what it does) rows; drawn instead of everything else.
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
    """Return a copy of `frame` (height, width, 3) with `hud` drawn on it.

    Sizes follow the height of the frame, so that text is equally legible on all of them.
    """
    canvas = np.ascontiguousarray(frame).copy()
    unit = max(0.6, canvas.shape[0] / BASE_HEIGHT)
    if hud.help:
        _draw_help(canvas, hud.help)
        return canvas
    _draw_figures(canvas, hud, unit)
    _draw_badges(canvas, hud.badges, unit)
    strip_top = _draw_thumbnails(canvas, hud, unit)
    if hud.toast:
        _draw_banner(canvas, hud.toast, strip_top - _px(34, unit), (24, 24, 24), unit)
    if hud.trouble:
        _draw_banner(canvas, hud.trouble, canvas.shape[0] // 2 - _px(17, unit), (120, 16, 16), unit)
    return canvas


def plain(text: str) -> str:
    """Return `text` in the letters that the font has: accents dropped, others as "?"."""
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return bare.encode("ascii", "replace").decode("ascii")


def _px(length: float, unit: float) -> int:
    return max(1, round(length * unit))


def _shade(canvas: Frame, left: int, top: int, right: int, bottom: int) -> None:
    """Darken a rectangle in place so that text can be read on it."""
    part = canvas[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    if part.size:
        part[:] = cv2.convertScaleAbs(part, alpha=_SHADE)


def _write(canvas: Frame, text: str, left: int, base: int, scale: float, color: Color) -> None:
    thickness = max(1, round(scale * 1.6))
    cv2.putText(canvas, plain(text), (left, base), _FONT, scale, color, thickness, cv2.LINE_AA)


def _width(text: str, scale: float) -> int:
    (width, _), _ = cv2.getTextSize(plain(text), _FONT, scale, max(1, round(scale * 1.6)))
    return int(width)


def _fitting(text: str, scale: float, room_px: int) -> float:
    """Return `scale`, or less where the text would be wider than the room."""
    return min(scale, scale * room_px / max(1, _width(text, scale)))


def _draw_figures(canvas: Frame, hud: Hud, unit: float) -> None:
    lines = [(line, scale, color) for line, scale, color in _lines(hud, unit) if line]
    if not lines:
        return
    pad, step = _px(8, unit), _px(20, unit)
    widest = max(_width(line, scale) for line, scale, _ in lines)
    _shade(canvas, 0, 0, widest + 2 * pad, step * len(lines) + 2 * pad)
    for row, (line, scale, color) in enumerate(lines):
        _write(canvas, line, pad, pad + step * row + _px(14, unit), scale, color)


def _lines(hud: Hud, unit: float) -> list[tuple[str, float, Color]]:
    return [
        (hud.title, 0.55 * unit, ACCENT),
        *((line, 0.42 * unit, WHITE) for line in hud.figures),
    ]


def _draw_badges(canvas: Frame, badges: tuple[str, ...], unit: float) -> None:
    scale, pad, step = 0.45 * unit, _px(8, unit), _px(24, unit)
    for row, badge in enumerate(badges):
        width = _width(badge, scale)
        left = canvas.shape[1] - width - 2 * pad
        top = row * step
        canvas[top : top + step, max(0, left) :] = RED
        _write(canvas, badge, left + pad, top + _px(17, unit), scale, WHITE)


def _draw_thumbnails(canvas: Frame, hud: Hud, unit: float) -> int:
    """Draw the strip along the bottom; return where it begins."""
    height, width = int(canvas.shape[0]), int(canvas.shape[1])
    if not hud.thumbnails:
        return height
    side, gap = _px(THUMBNAIL_PX, unit), _px(4, unit)
    fitting = min(len(hud.thumbnails), max(1, (width - gap) // (side + gap)))
    first = min(max(0, hud.current - fitting // 2), len(hud.thumbnails) - fitting)
    top = height - side - 2 * gap
    left = (width - fitting * (side + gap) + gap) // 2
    _shade(canvas, 0, top, width, height)
    for place in range(first, first + fitting):
        at = (left + (place - first) * (side + gap), top + gap)
        _draw_thumbnail(canvas, hud, place, at, side, unit)
    return top


def _draw_thumbnail(
    canvas: Frame, hud: Hud, place: int, at: tuple[int, int], side: int, unit: float
) -> None:
    left, top = at
    room = canvas[top : top + side, max(0, left) : left + side]
    small = cv2.resize(hud.thumbnails[place], (side, side), interpolation=cv2.INTER_AREA)
    is_chosen = place in (hud.current, hud.partner)
    # Those not in use stand back a little.
    shown = small if is_chosen else cv2.convertScaleAbs(small, alpha=0.7)
    room[:] = shown[: room.shape[0], : room.shape[1]]
    if is_chosen:
        color = ACCENT if place == hud.current else WHITE
        corner = (left + side - 1, top + side - 1)
        cv2.rectangle(canvas, at, corner, color, max(2, _px(3, unit)))
    if place < 9:
        base = top + _px(15, unit)
        _shade(canvas, left, top, left + _px(16, unit), top + _px(19, unit))
        _write(canvas, str(place + 1), left + _px(4, unit), base, 0.42 * unit, WHITE)


def _draw_banner(canvas: Frame, text: str, top: int, color: Color, unit: float) -> None:
    """Write a message in the middle of a bar from `top` on."""
    pad = _px(10, unit)
    room = canvas.shape[1] - 4 * pad
    scale = _fitting(text, 0.55 * unit, room)
    width = _width(text, scale)
    left = (canvas.shape[1] - width) // 2
    bottom = top + _px(28, unit)
    cv2.rectangle(canvas, (left - pad, top), (left + width + pad, bottom), color, cv2.FILLED)
    _write(canvas, text, left, top + _px(14, unit) + round(10 * scale), scale, WHITE)


def _draw_help(canvas: Frame, rows: tuple[tuple[str, str], ...]) -> None:
    """Cover the picture with the table of keys, in as many columns as its shape suggests."""
    height, width = canvas.shape[:2]
    canvas[:] = cv2.convertScaleAbs(canvas, alpha=0.25)
    columns = 2 if width > 0.9 * height else 1
    per_column = -(-len(rows) // columns)
    step = height / (per_column + 1.5)
    column_px = width / columns
    longest = max((text for _, text in rows), key=len)
    key_px = column_px * 0.17
    scale = min(_fitting(longest, step / 34, round(column_px - key_px - step)), height / 480 * 0.6)
    for index, (key, text) in enumerate(rows):
        column, row = divmod(index, per_column)
        left = round(column * column_px + step * 0.4)
        base = round((row + 1.2) * step)
        _write(canvas, key, left, base, scale * 1.1, ACCENT)
        _write(canvas, text, left + round(key_px), base, scale, WHITE)
