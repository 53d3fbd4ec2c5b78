"""What `PaintSettings.colors` means: before painting, for pictures and styles, and after it."""

import numpy as np
from numpy.typing import NDArray

from nst_video.image.color import gray, keep_colors, match_colors, match_luminance
from nst_video.optimization.settings import Colors

Floats = NDArray[np.float32]


def recolor_style(style: Floats, content: Floats, colors: Colors) -> Floats:
    """Return the style (h, w, 3), 0..1, with the colors it is to be painted in."""
    if colors in ("histogram", "covariance"):
        return match_colors(style, content, colors)
    return match_luminance(style, content) if colors == "luminance" else style


def before_painting(picture: Floats, colors: Colors) -> Floats:
    """Return a content, start or target (h, w, 3), 0..1, as the optimizer is to see it."""
    return gray(picture) if colors == "luminance" else picture


def after_painting(painted: Floats, content: Floats, colors: Colors) -> Floats:
    """Return the finished painting (h, w, 3), 0..1, of a content in its own colors."""
    return keep_colors(painted, content) if colors in ("keep", "luminance") else painted
