"""From the working size to the result: enlarged, with colors and intensity as wanted."""

import numpy as np

from nst_video.frames import Frame, Frames, Luma, Size, fit_short_side
from nst_video.image.color import cross_fade, keep_colors
from nst_video.image.detail import restore_detail, restore_luma
from nst_video.image.resize import resize_area, resize_linear
from nst_video.image.yuv420 import YuvFrames
from nst_video.settings import AUTO_WORK_SIZE, StylizeSettings
from nst_video.temporal.planes import (
    Plane,
    Planes,
    luma_of,
    planes_of_yuv,
    rgb_of_planes,
    yuv_of_planes,
)
from nst_video.validation import WORK_SIZE


def working_size(size: Size, settings: StylizeSettings) -> Size:
    """Return the size at which the network sees frames of `size`, both (width, height).

    With "auto" both sides are even, as 4:2:0 frames need, unless the frame is seen at full size.
    """
    work_size = settings.work_size
    if work_size == "full":
        return size
    if work_size != "auto":
        return fit_short_side(size, work_size)
    lines = round(min(AUTO_WORK_SIZE, *size) / settings.stroke_scale)
    if lines >= min(size):
        return size
    width, height = fit_short_side(size, max(lines, round(WORK_SIZE.low)))
    return width + width % 2, height + height % 2


def shrink_yuv(yuv: Plane, size: Size) -> Plane:
    """Return a 4:2:0 frame, uint8 (height * 3 / 2, width), at a smaller even (width, height)."""
    width, height = size
    luma, *colors = planes_of_yuv(yuv)
    red, blue = (resize_area(each, (width // 2, height // 2)) for each in colors)
    return yuv_of_planes((resize_area(luma, size), red, blue))


def finish_yuv(painted: YuvFrames, content: YuvFrames, small: YuvFrames) -> YuvFrames:
    """Return painted 4:2:0 frames enlarged to the size of `content`, with its fine detail.

    Args:
        painted: uint8 (n, h * 3 / 2, w).
        content: the frames that were painted, uint8 (n, height * 3 / 2, width).
        small: the same at the size of `painted`.
    """
    finished = np.empty_like(content)
    for target, *frames in zip(finished, painted, content, small, strict=True):
        luma, *colors = planes_of_yuv(frames[0])
        full_luma, *full_colors = planes_of_yuv(target)
        full_luma[:] = restore_luma(luma, *(planes_of_yuv(frame)[0] for frame in frames[1:]))
        for plane, color in zip(full_colors, colors, strict=True):
            plane[:] = resize_linear(color, (plane.shape[1], plane.shape[0]))
    return finished


def finish_frame(painted: Frame, content: Frame, small: Frame, settings: StylizeSettings) -> Frame:
    """Return the result for a painted RGB frame, uint8 (height, width, 3).

    Args:
        painted: RGB uint8 (h, w, 3).
        content: the frame that was painted, RGB uint8 (height, width, 3).
        small: the same at the size of `painted`.
        settings: colors and intensity.
    """
    if painted.shape != content.shape:
        painted = restore_detail(painted, content, small)
    return _finish_full(painted, content, settings)


def finish_frames(
    painted: Frames, content: Frames, small: Frames, settings: StylizeSettings
) -> Frames:
    """Return the results for a batch; see `finish_frame`."""
    each = zip(painted, content, small, strict=True)
    return np.stack([finish_frame(*three, settings) for three in each])


def finish_planes(painted: Planes, content: Frame, small: Luma, settings: StylizeSettings) -> Frame:
    """Return the result for painted planes, RGB uint8 (height, width, 3).

    Less work than for RGB: detail is restored in brightness alone.

    Args:
        painted: brightness (h, w), and color.
        content: the frame that was painted, RGB uint8 (height, width, 3).
        small: its brightness at the size of `painted`.
        settings: colors and intensity.
    """
    luma, red, blue = painted
    if luma.shape != content.shape[:2]:
        luma = restore_luma(luma, luma_of(content), small)
    return _finish_full(rgb_of_planes((luma, red, blue)), content, settings)


def _finish_full(painted: Frame, content: Frame, settings: StylizeSettings) -> Frame:
    """Bring one painted frame of full size to color and intensity."""
    if settings.keep_colors:
        painted = keep_colors(painted, content)
    fade = settings.fade
    return painted if fade == 1 else cross_fade(content, painted, fade)
