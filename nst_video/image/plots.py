"""Figures drawn with matplotlib, which is an optional dependency."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nst_video.errors import MissingExtraError
from nst_video.frames import Frame

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEIGHT_IN = 4.0
"""Height of the images in a comparison in inches, at `DPI` dots per inch."""

DPI = 150


PANEL_IN = 2.2
"""Height of a panel of `plot_over_time` in inches."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One of several plots above each other.

    Attributes:
        title: what its y axis shows.
        curves: named curves through (x, y) points.
    """

    title: str
    curves: Mapping[str, Sequence[tuple[float, float]]]


def compare_pictures(pictures: Sequence[tuple[str, Frame]]) -> Frame:
    """Draw titled images side by side at the same height; RGB uint8 (height, width, 3).

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
    return _render(figure)


def plot_lines(
    lines: Mapping[str, Sequence[tuple[float, float]]], *, title: str, x: str, y: str
) -> Frame:
    """Draw named lines through (x, y) points on logarithmic axes; RGB uint8 (height, width, 3).

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
    return _render(figure)


def plot_curves(
    curves: Mapping[str, Sequence[tuple[float, float]]], *, title: str, x: str, y: str
) -> Frame:
    """Draw named curves through (x, y) points, y logarithmic; RGB uint8 (height, width, 3).

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
    return _render(figure)


def plot_over_time(panels: Sequence[Panel], *, x: str, marks: Sequence[float] = ()) -> Frame:
    """Draw panels above each other with one x axis, y logarithmic; RGB uint8 (height, width, 3).

    Args:
        panels: at least one; curves of the same name have the same color.
        x: title of the x axis.
        marks: positions of dashed vertical lines.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    figure = _figure(9, PANEL_IN * len(panels) + 0.8)
    axes = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
    for axis, panel in zip(axes, panels, strict=True):
        for name, points in panel.curves.items():
            axis.plot([at for at, _ in points], [value for _, value in points], label=name)
        for mark in marks:
            axis.axvline(mark, color="gray", linestyle="--", linewidth=1)
        axis.set_title(panel.title, loc="left")
        axis.set_yscale("log")
        axis.grid(visible=True, alpha=0.3)
    axes[-1].set_xlabel(x)
    lines, names = axes[0].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside upper center", ncols=min(len(names), 4))
    return _render(figure)


def require_matplotlib() -> None:
    """Check that figures can be drawn; call it before the work that a figure will show.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401 - only to see whether it is installed
    except ImportError as error:
        raise MissingExtraError("A figure", "matplotlib", "plot") from error


def _figure(width_in: float, height_in: float) -> "Figure":
    require_matplotlib()
    from matplotlib.figure import Figure

    return Figure((width_in, height_in), DPI, layout="constrained")


def _render(figure: "Figure") -> Frame:
    """Return the pixels of a figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])
