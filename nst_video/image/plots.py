"""Figures for people, drawn with matplotlib, which is an extra."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nst_video.errors import MissingExtraError
from nst_video.frames import Frame

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEIGHT_IN = 4.0
"""Height of each picture of a comparison in inches, at `DPI` dots each."""

DPI = 150


def compare_pictures(pictures: Sequence[tuple[str, Frame]]) -> Frame:
    """Return a figure of titled pictures side by side, each as high as the others, RGB uint8.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    aspects = [picture.shape[1] / picture.shape[0] for _, picture in pictures]
    figure = _figure(HEIGHT_IN * sum(aspects), HEIGHT_IN * 1.1)
    axes = figure.subplots(1, len(pictures), width_ratios=aspects, squeeze=False)[0]
    for axis, (title, picture) in zip(axes, pictures, strict=True):
        axis.imshow(picture, interpolation="lanczos")
        axis.set_title(title)
        axis.axis("off")
    return _drawn(figure)


def plot_lines(
    lines: Mapping[str, Sequence[tuple[float, float]]], *, title: str, x: str, y: str
) -> Frame:
    """Return a figure of named lines of (x, y) points on logarithmic axes, RGB uint8.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    figure = _figure(8, 5)
    axis = figure.subplots()
    for name, points in lines.items():
        axis.plot(*zip(*sorted(points), strict=True), marker="o", label=name)
    axis.set(title=title, xlabel=x, ylabel=y, xscale="log", yscale="log")
    axis.grid(visible=True, which="both", alpha=0.3)
    axis.legend()
    return _drawn(figure)


def plot_curves(
    curves: Mapping[str, Sequence[tuple[float, float]]], *, title: str, x: str, y: str
) -> Frame:
    """Return a figure of named curves through (x, y), y on a logarithmic axis, RGB uint8.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    figure = _figure(8, 5)
    axis = figure.subplots()
    for name, points in curves.items():
        axis.plot(*zip(*points, strict=True), label=name)
    axis.set(title=title, xlabel=x, ylabel=y, yscale="log")
    axis.grid(visible=True, alpha=0.3)
    axis.legend()
    return _drawn(figure)


def require_matplotlib() -> None:
    """Make sure that figures can be drawn, before work is done that a figure is to show.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise MissingExtraError("A figure", "matplotlib", "plot") from error


def _figure(width_in: float, height_in: float) -> "Figure":
    require_matplotlib()
    from matplotlib.figure import Figure

    return Figure((width_in, height_in), DPI, layout="constrained")


def _drawn(figure: "Figure") -> Frame:
    """Return the pixels of a figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])
