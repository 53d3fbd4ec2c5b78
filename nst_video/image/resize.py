"""A frame into a place of another size: whole, centered, with its aspect, on black."""

import cv2
import numpy as np

from nst_video.frames import Frame, Size, size_of


def letterbox(frame: Frame, size: Size) -> Frame:
    """Return `frame` scaled to fit into `size` (width, height), centered on black."""
    if size_of(frame) == size:
        return frame
    width, height = size
    scale = min(width / frame.shape[1], height / frame.shape[0])
    inner = resize(frame, (_scaled(frame.shape[1], scale), _scaled(frame.shape[0], scale)))
    if size_of(inner) == size:
        return inner
    canvas = np.zeros((height, width, 3), np.uint8)
    top, left = (height - inner.shape[0]) // 2, (width - inner.shape[1]) // 2
    canvas[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return canvas


def fill(frame: Frame, size: Size) -> Frame:
    """Return the middle of `frame` scaled to cover `size` (width, height)."""
    width, height = size
    scale = max(width / frame.shape[1], height / frame.shape[0])
    inner_width, inner_height = round(width / scale), round(height / scale)
    top, left = (frame.shape[0] - inner_height) // 2, (frame.shape[1] - inner_width) // 2
    return resize(frame[top : top + inner_height, left : left + inner_width], size)


def resize(frame: Frame, size: Size) -> Frame:
    """Return `frame` scaled to `size` (width, height), by area when shrinking."""
    if size_of(frame) == size:
        return frame
    shrinks = size[0] < frame.shape[1]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(frame, size, interpolation=interpolation), np.uint8)


def mirrored(frame: Frame, is_wanted: bool = True) -> Frame:
    """Return `frame` with left and right swapped, itself where that is not wanted."""
    return np.asarray(cv2.flip(frame, 1), np.uint8) if is_wanted else frame


def _scaled(side: int, scale: float) -> int:
    return max(1, round(side * scale))
