"""Figures for people, drawn with matplotlib, which is an extra."""

from collections.abc import Sequence

import numpy as np

from nst_video.errors import UsageError
from nst_video.frames import Frame

HEIGHT_IN = 4.0
"""Height of each picture of a comparison in inches, at `DPI` dots each."""

DPI = 150


def compare_pictures(pictures: Sequence[tuple[str, Frame]]) -> Frame:
    """Return a figure of titled pictures side by side, each as high as the others, RGB uint8.

    Raises:
        UsageError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError(
            "A comparison needs matplotlib: install it with `pip install nst-video[plot]`."
        ) from error
    aspects = [picture.shape[1] / picture.shape[0] for _, picture in pictures]
    figure = Figure((HEIGHT_IN * sum(aspects), HEIGHT_IN * 1.1), DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots(1, len(pictures), width_ratios=aspects, squeeze=False)[0]
    for axis, (title, picture) in zip(axes, pictures, strict=True):
        axis.imshow(picture, interpolation="lanczos")
        axis.set_title(title)
        axis.axis("off")
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])
