"""From a painting of working size to the result: enlarged, with colors and intensity as wanted."""

from nst_video.frames import Frame, Luma
from nst_video.image.color import cross_fade, keep_colors
from nst_video.image.detail import restore_detail, restore_luma
from nst_video.settings import StylizeSettings
from nst_video.temporal.planes import Planes, rgb_of_planes


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
        luma = restore_luma(luma, content, small)
    return _finish_full(rgb_of_planes((luma, red, blue)), content, settings)


def _finish_full(painted: Frame, content: Frame, settings: StylizeSettings) -> Frame:
    """Bring one painted frame of full size to color and intensity."""
    if settings.keep_colors:
        painted = keep_colors(painted, content)
    fade = settings.fade
    return painted if fade == 1 else cross_fade(content, painted, fade)
