"""Implements `PaintSettings.colors`: color changes of styles and pictures before and after."""

from nst_video.frames import Floats
from nst_video.image.color import gray, keep_colors, match_colors, match_luminance
from nst_video.optimization.settings import Colors


def recolor_style(style: Floats, content: Floats, colors: Colors) -> Floats:
    """Return the style image (h, w, 3), 0..1, with the content's colors where `colors` says so."""
    if colors in ("histogram", "covariance"):
        return match_colors(style, content, colors)
    return match_luminance(style, content) if colors == "luminance" else style


def before_painting(picture: Floats, colors: Colors) -> Floats:
    """Return a content, initial or target picture (h, w, 3), 0..1, as the optimizer gets it."""
    return gray(picture) if colors == "luminance" else picture


def after_painting(painted: Floats, content: Floats, colors: Colors) -> Floats:
    """Return the painting (h, w, 3), 0..1, in the content's chrominance where `colors` says so."""
    return keep_colors(painted, content) if colors in ("keep", "luminance") else painted
