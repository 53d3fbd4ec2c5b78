"""Painting pictures by optimization on the command line: progress, previews, loss curves."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nst_video.cli.console import say
from nst_video.cli.progress import clock_time, progress

if TYPE_CHECKING:
    from nst_video.frames import Frame
    from nst_video.optimization.gatys import GatysOptimizer, OnStep
    from nst_video.optimization.painting import Painting, PaintStep


@dataclass(frozen=True, slots=True, kw_only=True)
class PicturePainter:
    """Paints pictures by optimization, with progress on stderr.

    Attributes:
        optimizer: has the styles, the loss network and the settings.
        work_size: short side in pixels at which pictures are painted; None for their own.
        preview_every: steps between previews of the unfinished picture; None for no previews.
        quiet: print nothing.
    """

    optimizer: "GatysOptimizer"
    work_size: int | None = None
    preview_every: int | None = None
    quiet: bool = False

    def paint(self, content: "Frame", target: Path) -> "Painting":
        """Paint a picture, RGB uint8; previews are written beside `target` meanwhile.

        Raises:
            NstVideoError: it cannot be painted, or the preview cannot be written.
        """
        from nst_video.image.files import save_picture
        from nst_video.optimization.image import optimize_image

        preview = preview_path(target)

        def on_picture(step: "PaintStep", show: "Callable[[], Frame]") -> None:
            if self.preview_every and step.step % self.preview_every == 0:
                save_picture(preview, show(), overwrite=True)

        try:
            with step_progress(target.name, quiet=self.quiet) as on_step:
                return optimize_image(
                    content,
                    self.optimizer,
                    work_size=self.work_size,
                    on_step=on_step,
                    on_picture=on_picture if self.preview_every else None,
                    on_note=None if self.quiet else say,
                )
        finally:
            if self.preview_every:
                preview.unlink(missing_ok=True)


def preview_path(target: Path) -> Path:
    """Return where the preview of an unfinished picture is written."""
    return target.with_name(f"{target.stem}-preview.png")


@contextmanager
def step_progress(name: str, *, quiet: bool) -> "Iterator[OnStep | None]":
    """Show the progress, remaining time and losses of an optimization; None if `quiet`."""
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
    """Return scale, step and losses of an optimization, such as "step 20/300"."""
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
