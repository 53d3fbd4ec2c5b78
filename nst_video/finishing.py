"""From the working size to the result: enlarged, with colors and intensity as wanted."""

import cv2
import numpy as np

from nst_video.frames import Frame, Frames, Luma, Size, fit_short_side, size_of
from nst_video.image.color import cross_fade, keep_colors
from nst_video.image.detail import restore_detail, restore_luma
from nst_video.image.resize import resize, resize_area
from nst_video.image.skin import lost_in_skin
from nst_video.image.yuv420 import YuvFrames, yuv_size
from nst_video.settings import AUTO_WORK_SIZE, StylizeSettings
from nst_video.temporal.planes import (
    Planes,
    full_planes_of_rgb,
    luma_of,
    planes_of_yuv,
    rgb_of_planes,
    yuv_of_planes,
)
from nst_video.validation import WORK_SIZE


def working_size(size: Size, settings: StylizeSettings) -> Size:
    """Return the size at which the network sees frames of `size`, both (width, height).

    With "auto" both sides are even, as 4:2:0 frames need, unless the frame is seen at full size. It
    is larger than `size` where the strokes are to be finer than the network's.
    """
    work_size = settings.work_size
    if work_size == "full":
        return size
    if work_size != "auto":
        return fit_short_side(size, work_size)
    wanted = max(min(AUTO_WORK_SIZE, *size) / settings.stroke_scale, min(WORK_SIZE.low, *size))
    scale = wanted / min(size)
    if scale == 1:
        return size
    width, height = (round(side * scale / 2) * 2 for side in size)
    return width, height


def restore_faces(painted: Frames, content: Frames, amount: float) -> Frames:
    """Return paintings with the structure of skin brought back, see `image.skin`.

    Args:
        painted: RGB uint8 (n, h, w, 3).
        content: what was painted, of the same shape.
        amount: 0..1, the share of the structure.
    """
    if not amount:
        return painted
    restored = painted.copy()
    for target, source in zip(restored, content, strict=True):
        luma, *colors = full_planes_of_rgb(source)
        lost = lost_in_skin(luma_of(target), luma, colors, amount)
        if lost is not None:
            cv2.add(target, cv2.merge((lost,) * 3), target, dtype=cv2.CV_8U)
    return restored


def restore_faces_yuv(painted: YuvFrames, content: YuvFrames, amount: float) -> YuvFrames:
    """Return 4:2:0 paintings, uint8 (n, h * 3 / 2, w), as `restore_faces` does."""
    if not amount:
        return painted
    restored = painted.copy()
    for target, source in zip(restored, content, strict=True):
        painted_luma = planes_of_yuv(target)[0]
        luma, blue, red = planes_of_yuv(source)
        lost = lost_in_skin(painted_luma, luma, (red, blue), amount)
        if lost is not None:
            cv2.add(painted_luma, lost, painted_luma, dtype=cv2.CV_8U)
    return restored


def resize_rgb(frames: Frames, size: Size) -> Frames:
    """Return RGB frames, uint8 (n, height, width, 3), at another (width, height)."""
    if size == size_of(frames):
        return frames
    return np.stack([resize(frame, size, enlarge="cubic") for frame in frames])


def resize_yuv(yuv: YuvFrames, size: Size) -> YuvFrames:
    """Return 4:2:0 frames, uint8 (n, height * 3 / 2, width), at another even (width, height)."""
    if size == yuv_size(yuv):
        return yuv
    width, height = size
    resized = []
    for frame in yuv:
        luma, *colors = planes_of_yuv(frame)
        blue, red = (resize(each, (width // 2, height // 2)) for each in colors)
        resized.append(yuv_of_planes((resize(luma, size, enlarge="cubic"), blue, red)))
    return np.stack(resized)


def finish_yuv(painted: YuvFrames, content: YuvFrames, small: YuvFrames) -> YuvFrames:
    """Return painted 4:2:0 frames at the size of `content`, enlarged with its fine detail.

    Args:
        painted: uint8 (n, h * 3 / 2, w).
        content: the frames that were painted, uint8 (n, height * 3 / 2, width).
        small: the same at the size of `painted`.
    """
    finished = np.empty_like(content)
    for target, *frames in zip(finished, painted, content, small, strict=True):
        luma, *colors = planes_of_yuv(frames[0])
        full_luma, *full_colors = planes_of_yuv(target)
        full_luma[:] = _finish_luma(luma, *(planes_of_yuv(frame)[0] for frame in frames[1:]))
        for plane, color in zip(full_colors, colors, strict=True):
            plane[:] = resize(color, (plane.shape[1], plane.shape[0]))
    return finished


def finish_rgb(
    painted: Frames, content: Frames, small: Frames, settings: StylizeSettings
) -> Frames:
    """Return the results for painted RGB frames, uint8 (n, height, width, 3).

    Args:
        painted: RGB uint8 (n, h, w, 3).
        content: the frames that were painted, RGB uint8 (n, height, width, 3).
        small: the same at the size of `painted`.
        settings: colors and intensity.
    """
    each = zip(painted, content, small, strict=True)
    return np.stack([_finish_frame(*frames, settings) for frames in each])


def _finish_frame(painted: Frame, content: Frame, small: Frame, settings: StylizeSettings) -> Frame:
    """Return one of these results."""
    if len(painted) < len(content):
        painted = restore_detail(painted, content, small)
    elif len(painted) > len(content):
        painted = resize_area(painted, size_of(content))
    return _finish_full(painted, content, settings)


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
    luma = _finish_luma(luma, luma_of(content), small)
    return _finish_full(rgb_of_planes((luma, red, blue)), content, settings)


def _finish_luma(painted: Luma, content: Luma, small: Luma) -> Luma:
    """Return the brightness of a painting, (h, w), at the size of `content`, (height, width)."""
    if len(painted) < len(content):
        return restore_luma(painted, content, small)
    return resize_area(painted, size_of(content[..., None]))


def _finish_full(painted: Frame, content: Frame, settings: StylizeSettings) -> Frame:
    """Bring one painted frame of full size to color and intensity."""
    if settings.keep_colors:
        painted = keep_colors(painted, content)
    fade = settings.fade
    return painted if fade == 1 else cross_fade(content, painted, fade)
