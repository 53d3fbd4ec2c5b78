"""Make the animation of README: the synthetic scene, as it is and then in one style after another.

Usage: `python tools/readme_animation.py docs/_static/demo.webp`
"""

import sys
from fractions import Fraction

import numpy as np

from nst_video.frames import Frames
from nst_video.stylizer import Stylizer
from nst_video.transcode import Painter, TranscodeOptions, transcode

STYLES = ("starfield", "wave", "stained-glass", "woodcut")
FPS = Fraction(12)
SIZE = (480, 270)
FRAMES_EACH = 10
"""Frames from one style to the next."""

WIPE_FRAMES = 4
"""Of these, frames in which the next style covers the picture from the left."""


class StyleTour(Painter):
    """A painter that shows the original and then every style, each wiped over the one before."""

    def __init__(self) -> None:
        self._stylizer = Stylizer(STYLES[0])
        self._index = 0

    def __call__(self, frames: Frames, /) -> Frames:
        """Paint a batch as its place in the scene wants it."""
        return np.stack([self._paint(frame[None]) for frame in frames])

    def reset(self) -> None:
        """Begin again."""
        self._index = 0

    def _paint(self, frame: Frames) -> Frames:
        number, step = divmod(self._index, FRAMES_EACH)
        self._index += 1
        shown = self._in_style(frame, number)
        wiped = (step - FRAMES_EACH + WIPE_FRAMES + 1) * SIZE[0] // (WIPE_FRAMES + 1)
        if wiped > 0:
            shown = shown.copy()
            shown[:, :, :wiped] = self._in_style(frame, number + 1)[:, :, :wiped]
        return shown[0]

    def _in_style(self, frame: Frames, number: int) -> Frames:
        """Paint a frame in style `number`; 0 is the original, and it comes back after the last."""
        number %= len(STYLES) + 1
        if number == 0:
            return frame
        self._stylizer.set_style(STYLES[number - 1])
        return np.asarray(self._stylizer(frame))


if __name__ == "__main__":
    transcode("demo:", sys.argv[1], StyleTour(), options=TranscodeOptions(fps=FPS, size=SIZE))
