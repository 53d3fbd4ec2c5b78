"""A small moving scene that the tests of video painted by optimization share."""

from fractions import Fraction

import cv2
import numpy as np

from nst_video.frames import Frame

FPS = Fraction(24)
SIZE = (96, 64)


def pan(count: int, step_px: int = 1, seed: int = 0) -> list[Frame]:
    """Return a window that moves over a smooth random picture."""
    noise = np.random.default_rng(seed).random((SIZE[1], SIZE[0] + count * step_px, 3))
    wide = cv2.GaussianBlur(noise.astype(np.float32), (0, 0), 2.5)
    wide = (wide - wide.min()) / (wide.max() - wide.min())
    return [
        np.ascontiguousarray(np.rint(wide[:, i * step_px : i * step_px + SIZE[0]] * 255), np.uint8)
        for i in range(count)
    ]
