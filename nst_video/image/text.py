"""Text on images: OpenCV 5 has an outline font for most scripts, OpenCV 4 only stroke fonts."""

from functools import cache
from typing import Any, TypeAlias

import cv2

from nst_video.frames import Frame

Color: TypeAlias = tuple[int, int, int]

WEIGHT = 500
"""Font weight, from 100 (thin) to 900 (black)."""

if hasattr(cv2, "FontFace"):

    @cache
    def _font() -> Any:  # noqa: ANN401 - OpenCV's stubs differ from version to version
        return cv2.FontFace("sans")

    def text_width(text: str, height_px: int, weight: int = WEIGHT) -> int:
        """Return the width of `text` in pixels at a height of `height_px`."""
        box = cv2.getTextSize((0, 0), text, (0, 0), _font(), height_px, weight)
        return int(box[0] + box[2])

    def write_text(
        page: Frame,
        text: str,
        origin: tuple[int, int],
        height_px: int,
        color: Color,
        weight: int = WEIGHT,
    ) -> None:
        """Draw `text` on `page` in place; `origin` is (x, y) of the left end of the baseline."""
        cv2.putText(page, text, origin, color, _font(), height_px, weight)

else:
    _STROKES = cv2.FONT_HERSHEY_DUPLEX
    _PX = 34
    """Height of the stroke font at scale 1, in the units of `height_px`."""

    def text_width(text: str, height_px: int, weight: int = WEIGHT) -> int:
        """Return the width of `text` in pixels at a height of `height_px`."""
        return int(cv2.getTextSize(text, _STROKES, height_px / _PX, 1)[0][0])

    def write_text(
        page: Frame,
        text: str,
        origin: tuple[int, int],
        height_px: int,
        color: Color,
        weight: int = WEIGHT,
    ) -> None:
        """Draw `text` on `page` in place; `origin` is (x, y) of the left end of the baseline."""
        scale = height_px / _PX
        cv2.putText(page, text, origin, _STROKES, scale, color, 1, cv2.LINE_AA)


def wrap_text(text: str, height_px: int, room_px: int, weight: int = WEIGHT) -> list[str]:
    """Return `text` wrapped to lines of at most `room_px`; longer words are split."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if line and text_width(longer, height_px, weight) > room_px:
            lines.append(line)
            longer = word
        while len(longer) > 1 and text_width(longer, height_px, weight) > room_px:
            cut = next(
                (n for n in range(len(longer) - 1, 1, -1)
                 if text_width(longer[:n], height_px, weight) <= room_px), 1,
            )  # fmt: skip
            lines.append(longer[:cut])
            longer = longer[cut:]
        line = longer
    return [*lines, line] if line else lines
