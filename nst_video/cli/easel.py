"""Painting one picture by optimization where a user watches: progress, previews, loss curves."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nst_video.cli.console import say, stderr
from nst_video.painter.settings import PaintSettings

if TYPE_CHECKING:
    from nst_video.frames import Frame
    from nst_video.networks.vgg import LossNetwork
    from nst_video.painter.optimizer import OnStep
    from nst_video.painter.painting import Painting, PaintStep, StylePicture


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
        from nst_video.painter.image import paint_image
        from nst_video.pictures import save_picture

        preview = preview_path(target)

        def on_picture(step: "PaintStep", show: "Callable[[], Frame]") -> None:
            if preview_every and step.step % preview_every == 0:
                save_picture(preview, show())

        try:
            with step_progress(self.settings.steps, quiet=quiet) as on_step:
                return paint_image(
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
def step_progress(steps: int, *, quiet: bool) -> "Iterator[OnStep | None]":
    """Show how far an optimization is, and its losses; None where nothing is to be shown."""
    if quiet or not stderr.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=stderr, transient=True) as bars:
        task = bars.add_task("starting", total=steps)

        def on_step(step: "PaintStep") -> None:
            # Where a scale ends early, its share of the bar is passed over.
            before = steps // step.scales * (step.scale - 1)
            bars.update(task, completed=before + step.step, description=describe(step))

        yield on_step


def describe(step: "PaintStep") -> str:
    """Return a step and its losses in a few words."""
    shown = "  ".join(f"{name} {value:.3g}" for name, value in step.losses.items() if value)
    return f"scale {step.scale}/{step.scales}  step {step.step}/{step.steps}  {shown}"


def plot_history(history: "Sequence[PaintStep]") -> "Frame":
    """Return a figure of every loss over all steps, RGB uint8.

    Raises:
        UsageError: matplotlib is not installed.
    """
    from nst_video.plots import plot_curves

    curves: dict[str, list[tuple[float, float]]] = {}
    for number, step in enumerate(history, 1):
        for name, value in step.losses.items():
            if value > 0:
                curves.setdefault(name, []).append((number, value))
    return plot_curves(curves, title="Losses, weighted", x="step", y="loss")
