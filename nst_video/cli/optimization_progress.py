"""Painting one picture by optimization where a user watches: progress, previews, loss curves."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nst_video.cli.console import say
from nst_video.cli.progress import clock_time, progress
from nst_video.optimization.settings import PaintSettings

if TYPE_CHECKING:
    from nst_video.frames import Frame
    from nst_video.networks.vgg import LossNetwork
    from nst_video.optimization.gatys import OnStep
    from nst_video.optimization.painting import Painting, PaintStep, StylePicture


@dataclass(frozen=True, slots=True)
class Easel:
    """What one picture is painted with."""

    network: "LossNetwork"
    settings: PaintSettings
    work_size: int | None = None

    def paint(
        self,
        content: "Frame",
        styles: "Sequence[StylePicture]",
        target: Path,
        preview_every: int | None,
        *,
        quiet: bool,
    ) -> "Painting":
        """Paint a picture; tell on stderr how far it is, and show it beside `target` meanwhile.

        Raises:
            NstVideoError: it cannot be painted, or the preview cannot be written.
        """
        from nst_video.image.files import save_picture
        from nst_video.optimization.image import optimize_image

        preview = preview_path(target)

        def on_picture(step: "PaintStep", show: "Callable[[], Frame]") -> None:
            if preview_every and step.step % preview_every == 0:
                save_picture(preview, show(), overwrite=True)

        try:
            with step_progress(target.name, quiet=quiet) as on_step:
                return optimize_image(
                    content,
                    styles,
                    self.network,
                    self.settings,
                    work_size=self.work_size,
                    on_step=on_step,
                    on_picture=on_picture if preview_every else None,
                    on_note=None if quiet else say,
                )
        finally:
            if preview_every:
                preview.unlink(missing_ok=True)


def preview_path(target: Path) -> Path:
    """Return where a painting is shown while it is being made."""
    return target.with_name(f"{target.stem}-preview.png")


@contextmanager
def step_progress(name: str, *, quiet: bool) -> "Iterator[OnStep | None]":
    """Show how far an optimization is, its time left and losses; None where nothing is shown."""
    from nst_video.optimization.progress import RemainingTime, completed_fraction

    with progress(name, shown=not quiet) as report:
        if report is None:
            yield None
            return
        remaining = RemainingTime()

        def on_step(step: "PaintStep") -> None:
            scale, number, *losses = describe(step)
            left = f"{clock_time(remaining.after_step(step))} left"
            report(completed_fraction(step), 1, [number, left, scale, *losses])

        yield on_step


def describe(step: "PaintStep") -> tuple[str, ...]:
    """Return scale, step and losses of an optimization in a few words each."""
    losses = (f"{name} {value:.3g}" for name, value in step.losses.items() if value)
    return f"scale {step.scale}/{step.scales}", f"step {step.step}/{step.steps}", *losses


def plot_history(history: "Sequence[PaintStep]") -> "Frame":
    """Return a figure of every loss over all steps, RGB uint8.

    Raises:
        UsageError: matplotlib is not installed.
    """
    from nst_video.image.plots import plot_curves

    curves: dict[str, list[tuple[float, float]]] = {}
    for number, step in enumerate(history, 1):
        for name, value in step.losses.items():
            if value > 0:
                curves.setdefault(name, []).append((number, value))
    return plot_curves(curves, title="Losses, weighted", x="step", y="loss")
