"""Faces in paintings: the structure of skin is brought back from the source.

A stroke as wide as an eye makes a face unrecognizable, where it would do no harm to a wall. Skin of
all tones has nearly the same hue, so a soft range of chroma finds faces and hands: no network.
Wood and sand are found too; these are then painted more closely.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Luma, size_of
from nst_video.image.resize import resize_area, resize_linear

CENTER, SPREAD, CORRELATION = (25.0, -20.0), 14.0, -0.45
"""Cr and Cb of skin, less 128; their standard deviation; and how they hang together."""

LEAST, FULL = 0.35, 1.0
"""Likelihood of skin from which structure begins to come back, and comes back in full."""

LARGEST = 20
"""Structures up to the short side divided by this come back: eyes and mouths, but no shading."""

TONES = 64
"""Points of the tone curve."""


def lost_in_skin(
    painted: Luma, content: Luma, colors: Sequence[Luma], amount: float
) -> NDArray[np.float32] | None:
    """Return what a painting lacks of the content's structure where there is skin.

    The structure is taken in the tones of the painting. What is smaller than two pixels, the finest
    strokes, and larger than a sixth or so of a face, its shading, stays as it was painted.

    Args:
        painted: brightness of the painting, uint8 (height, width).
        content: brightness of what was painted, uint8 (height, width).
        colors: its Cr and Cb, uint8 of the same or half the size.
        amount: 0..1, the share of the structure.

    Returns:
        Brightness to be added, float32 (height, width), or None where there is no skin at all.
    """
    height, width = painted.shape
    half, eighth = ((max(1, width // by), max(1, height // by)) for by in (2, 8))
    skin = _skin(*(resize_area(each, eighth) for each in colors))
    if not skin.any():
        return None
    painted_half, content_half = resize_area(painted, half), resize_area(content, half)
    wanted = cv2.LUT(content_half, _tone_curve(content_half, painted_half))
    missing = np.asarray(cv2.subtract(wanted, painted_half, dtype=cv2.CV_32F), np.float32)
    missing -= _blur(missing, min(half) / LARGEST)
    missing *= resize_linear(skin * np.float32(amount), half)
    return resize_linear(missing, (width, height))


def _skin(red: Luma, blue: Luma) -> NDArray[np.float32]:
    """Return how sure it is that there is skin, 0..1, float32 (h, w), soft at its edges."""
    u, v = (
        (each.astype(np.float32) - (128 + center)) / SPREAD
        for each, center in zip((red, blue), CENTER, strict=True)
    )
    distance = u * u + v * v - 2 * CORRELATION * u * v
    likelihood = np.exp(-0.6 * np.maximum(distance - 0.5, 0), dtype=np.float32)
    likelihood = _blur(likelihood, min(red.shape) / 40)
    return np.asarray(np.clip((likelihood - LEAST) / (FULL - LEAST), 0, 1), np.float32)


def _tone_curve(content: Luma, painted: Luma) -> NDArray[np.uint8]:
    """Return the table, uint8 (256,), that gives the content the tones of the painting."""
    shares = np.linspace(0, 1, TONES)
    source, target = (np.quantile(each[::4, ::4], shares) for each in (content, painted))
    return np.asarray(np.interp(np.arange(256), source, target).round(), np.uint8)


def _blur(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Return values (h, w) blurred by a Gaussian, at a quarter of the size where it is wide."""
    height, width = values.shape
    share = max(1, min(round(sigma / 2), height, width))
    small = resize_area(values, (max(1, width // share), max(1, height // share)))
    blurred = np.asarray(cv2.GaussianBlur(small, (0, 0), max(sigma / share, 0.5)), np.float32)
    return resize_linear(blurred, size_of(values[..., None]))
