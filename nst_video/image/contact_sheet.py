"""The contact sheet: one photo in many styles, each with a thumbnail of the style image."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from nst_video.frames import Frame, Size, size_of
from nst_video.image.resize import center_square, resize
from nst_video.image.text import text_width, write_text

CELL_PX = 420
"""Width of each painted image on the sheet."""

_MARGIN_PX = 36
_GAP_PX = 24
_STRIP_PX = 76
"""Height of the caption below each image, with the thumbnail of the style."""
_THUMB_PX = 58
_FONT_PX = 25
_PAGE_ASPECT = 1.4
"""Preferred aspect ratio of the sheet."""

_PAPER = (250, 248, 244)
_INK = (44, 42, 40)
_EDGE = (206, 201, 192)


@dataclass(frozen=True, slots=True)
class SheetEntry:
    """One cell of the sheet.

    Attributes:
        caption: one short line.
        picture: the painted photo, RGB uint8 of any size, all of the same aspect ratio.
        style: the style image for the thumbnail, RGB uint8; None for the photo itself.
    """

    caption: str
    picture: Frame
    style: Frame | None = None


def contact_sheet(entries: Iterable[SheetEntry], columns: int | None = None) -> Frame:
    """Draw a grid of images with captions, RGB uint8 (height, width, 3).

    Args:
        entries: row by row; each is shrunk at once, so a generator needs little memory.
        columns: by default the number that brings the sheet near the aspect ratio of a page.

    Raises:
        ValueError: there are no entries.
    """
    cells = [_draw_cell(entry) for entry in entries]
    if not cells:
        raise ValueError("a contact sheet needs at least one entry")
    height = max(cell.shape[0] for cell in cells)
    across = columns or best_columns(len(cells), (CELL_PX, height))
    down = math.ceil(len(cells) / across)
    sheet = _paper(
        (
            2 * _MARGIN_PX + across * (CELL_PX + _GAP_PX) - _GAP_PX,
            2 * _MARGIN_PX + down * (height + _GAP_PX) - _GAP_PX,
        )
    )
    for index, cell in enumerate(cells):
        row, column = divmod(index, across)
        _paste(
            sheet,
            cell,
            (_MARGIN_PX + column * (CELL_PX + _GAP_PX), _MARGIN_PX + row * (height + _GAP_PX)),
        )
    return sheet


def best_columns(count: int, cell: Size) -> int:
    """Return the number of columns that gives a page-like sheet with few empty cells."""

    def badness(columns: int) -> float:
        rows = math.ceil(count / columns)
        aspect = columns * cell[0] / (rows * cell[1])
        return abs(math.log(aspect / _PAGE_ASPECT)) + (rows * columns - count) / count

    return min(range(1, count + 1), key=badness)


def _draw_cell(entry: SheetEntry) -> Frame:
    """Draw the image with its caption below."""
    width, height = size_of(entry.picture)
    shown = max(1, round(height * CELL_PX / width))
    cell = _paper((CELL_PX, shown + _STRIP_PX))
    _paste(cell, resize(entry.picture, (CELL_PX, shown), enlarge="cubic"), (0, 0))
    top = shown + (_STRIP_PX - _THUMB_PX) // 2
    left = 0
    if entry.style is not None:
        _paste(cell, _thumbnail(entry.style), (0, top))
        left = _THUMB_PX + 14
    room = CELL_PX - left
    baseline = top + (_THUMB_PX + round(_FONT_PX * 0.7)) // 2
    write_text(cell, _fit_text(entry.caption, room), (left, baseline), _FONT_PX, _INK)
    return cell


def _thumbnail(style: Frame) -> Frame:
    """Return the middle square of a style image with a thin border."""
    small = center_square(style, _THUMB_PX).copy()
    cv2.rectangle(small, (0, 0), (_THUMB_PX - 1, _THUMB_PX - 1), _EDGE, 1)
    return small


def _paper(size: Size) -> Frame:
    return np.full((size[1], size[0], 3), _PAPER, np.uint8)


def _paste(page: Frame, picture: Frame, corner: tuple[int, int]) -> None:
    left, top = corner
    page[top : top + picture.shape[0], left : left + picture.shape[1]] = picture


def _fit_text(text: str, room: int) -> str:
    """Return the text, shortened with an ellipsis where it is wider than `room` pixels."""
    for length in range(len(text), 0, -1):
        shown = text if length == len(text) else text[:length].rstrip() + "..."
        if text_width(shown, _FONT_PX) <= room:
            return shown
    return ""
