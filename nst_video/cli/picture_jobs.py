"""Stylizing one picture after the other, with the figures that are written beside each."""

import itertools
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from nst_video.cli import optimization_progress
from nst_video.cli.batch import run_all
from nst_video.cli.console import result, say
from nst_video.cli.jobs import Job
from nst_video.cli.optimization_options import PANEL
from nst_video.cli.options import number
from nst_video.cli.progress import clock_time, progress
from nst_video.cli.region_options import NOBODY_FOUND
from nst_video.errors import UsageError
from nst_video.system.output_files import OutputFile
from nst_video.validation import COUNT

if TYPE_CHECKING:
    from nst_video.frames import Frame
    from nst_video.optimization.painting import PaintStep
    from nst_video.stylizer import Stylizer

Paint: TypeAlias = "Callable[[Frame, Path], tuple[Frame, Sequence[PaintStep]]]"
"""Paints a picture for a target path; also returns the steps of an optimization, else none."""


def paint_by_network(stylizer: "Stylizer", *, quiet: bool) -> Paint:
    """Return a function that stylizes pictures independently of each other."""
    from nst_video.finishing import working_size
    from nst_video.frames import size_of

    def paint(content: "Frame", target: Path) -> "tuple[Frame, Sequence[PaintStep]]":
        stylizer.reset()
        painted = stylizer(content)
        width, height = working_size(size_of(content), stylizer.settings)
        is_enlarged = (width, height) != size_of(content) and not stylizer.settings.is_original
        if is_enlarged and not quiet:
            say(f"{target.name}: painted at {width}x{height} and enlarged.")
        if stylizer.found_nobody() and not quiet:
            say(f"{target.name}: {NOBODY_FOUND}")
        return painted, ()

    return paint


def paint_by_optimization(painter: optimization_progress.PicturePainter, intensity: float) -> Paint:
    """Return a function that paints pictures and cross-fades them with the input.

    Args:
        painter: paints them.
        intensity: 0..1, the share of the painting.
    """
    from nst_video.image.color import cross_fade

    def paint(content: "Frame", target: Path) -> "tuple[Frame, Sequence[PaintStep]]":
        painting = painter.paint(content, target)
        return cross_fade(content, painting.frame, intensity), painting.history

    return paint


@dataclass(frozen=True, kw_only=True)
class ExtraPictureOptions:
    """Pictures to write besides the results."""

    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="FILE",
            help="Plot the losses over the steps (one PHOTO only).",
            rich_help_panel=PANEL,
        ),
    ] = None
    preview_every: Annotated[
        int | None,
        number(
            COUNT,
            "--preview-every",
            metavar="N",
            help="Write the unfinished picture beside the output every N steps; it is removed at "
            "the end.",
            panel=PANEL,
        ),
    ] = None
    compare: Annotated[
        bool,
        typer.Option(
            "--compare", help="Also write a figure of input, style and result side by side."
        ),
    ] = False

    def outputs(self, jobs: Sequence[Job]) -> list[OutputFile]:
        """Return all files to be written, including the results.

        Raises:
            UsageError: the losses of several pictures would be plotted into one file, or
                matplotlib is needed and not installed.
        """
        from nst_video.image.files import WRITABLE_SUFFIXES
        from nst_video.image.plots import require_matplotlib

        if self.plot and len(jobs) > 1:
            raise UsageError(f"--plot plots the losses of one picture, not of {len(jobs)}.")
        if self.compare or self.plot:
            require_matplotlib()
        files = []
        for job in jobs:
            files.append(OutputFile(job.target, suffixes=WRITABLE_SUFFIXES))
            if self.compare:
                files.append(OutputFile(_comparison(job), "comparison", WRITABLE_SUFFIXES))
            if self.preview_every:
                path = optimization_progress.preview_path(job.target)
                files.append(OutputFile(path, "preview", WRITABLE_SUFFIXES))
        if self.plot:
            files.append(OutputFile(self.plot, "plot", WRITABLE_SUFFIXES))
        return files

    def figures(
        self,
        job: Job,
        content: "Frame",
        styles: Sequence[str],
        painted: "Frame",
        history: "Sequence[PaintStep]",
    ) -> "Iterator[tuple[Path, Frame]]":
        """Yield the figures of a finished picture and where they go."""
        if self.compare:
            yield _comparison(job), _compared(content, styles, painted)
        if self.plot:
            yield self.plot, optimization_progress.plot_history(history)


def paint_all(
    jobs: Sequence[Job],
    open_painter: Callable[[], Paint],
    styles: Sequence[str],
    extra: ExtraPictureOptions,
    replaced: Collection[Path],
    *,
    show_progress: bool,
) -> None:
    """Paint one picture after the other and write all outputs.

    Args:
        jobs: the files to make.
        open_painter: loads the model and returns the function that paints.
        styles: names of the styles, for figures.
        extra: what else to write.
        replaced: files that exist and may be replaced.
        show_progress: show which of several pictures is in progress.

    Raises:
        NstVideoError: the only picture failed, or the model is not available.
        typer.Exit: with code 1, some of several failed.
    """
    from nst_video.image.files import load_picture, save_picture

    painter = cache(open_painter)
    if len(jobs) > 1:
        painter()
    with _counter(len(jobs), shown=show_progress) as count:

        def work(job: Job) -> None:
            count(job)
            # A single unreadable picture fails before the model is loaded.
            content = load_picture(job.source)
            painted, history = painter()(content, job.target)
            result(save_picture(job.target, painted, overwrite=job.target in replaced))
            for path, figure in extra.figures(job, content, styles, painted, history):
                save_picture(path, figure, overwrite=path in replaced)

        run_all(jobs, work, "pictures")


@contextmanager
def _counter(total: int, *, shown: bool) -> Iterator[Callable[[Job], None]]:
    """Yield a function that shows the start of a job, if there are several jobs."""
    with progress("Stylizing", shown=shown and total > 1) as report:
        numbers, begun_s = itertools.count(), time.monotonic()

        def count(job: Job) -> None:
            done = next(numbers)
            left_s = (time.monotonic() - begun_s) / done * (total - done) if done else None
            if report:
                left = f"{clock_time(left_s)} left"
                report(done, total, [f"picture {done + 1}/{total}", left, job.source.name])

        yield count


def _comparison(job: Job) -> Path:
    return job.target.with_name(f"{job.target.stem}-comparison.png")


def _compared(content: "Frame", styles: Sequence[str], painted: "Frame") -> "Frame":
    """Return a figure of input, styles and result, side by side."""
    from nst_video.image.plots import compare_pictures
    from nst_video.style_library.library import StyleLibrary

    shown = [StyleLibrary().get(name) for name in styles]
    named = [(style.title, style.load()) for style in shown]
    return compare_pictures([("Picture", content), *named, ("Result", painted)])
