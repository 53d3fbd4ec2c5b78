"""Painting one picture after the other, with all that is written beside each."""

import itertools
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from nst_video.cli import optimization_progress
from nst_video.cli.batch import run_all
from nst_video.cli.console import result
from nst_video.cli.jobs import Job
from nst_video.cli.progress import clock_time, progress
from nst_video.errors import UsageError
from nst_video.system.output_files import OutputFile

if TYPE_CHECKING:
    from nst_video.frames import Frame
    from nst_video.optimization.painting import PaintStep, StylePicture
    from nst_video.stylizer import Stylizer

Paint: TypeAlias = "Callable[[Frame, Path], tuple[Frame, Sequence[PaintStep]]]"
"""Paints a picture that is to be written under a name; also returns the steps, if there are any."""


def fast(stylizer: "Stylizer") -> Paint:
    """Return what paints pictures by a network, each for itself."""

    def paint(content: "Frame", target: Path) -> "tuple[Frame, Sequence[PaintStep]]":
        stylizer.reset()
        return stylizer(content), ()

    return paint


def slow(
    stand: optimization_progress.Easel,
    styles: "Sequence[StylePicture]",
    intensity: float,
    preview_every: int | None,
    *,
    quiet: bool,
) -> Paint:
    """Return what paints pictures by optimization."""
    from nst_video.image.color import cross_fade

    def paint(content: "Frame", target: Path) -> "tuple[Frame, Sequence[PaintStep]]":
        painting = stand.paint(content, styles, target, preview_every, quiet=quiet)
        return cross_fade(content, painting.frame, intensity), painting.history

    return paint


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What is written beside the results.

    Attributes:
        styles: names of the styles.
        compare: a figure of picture, styles and result.
        plot: where the losses are drawn, of one picture.
        preview_every: steps from one unfinished picture to the next.
    """

    styles: Sequence[str]
    compare: bool
    plot: Path | None
    preview_every: int | None

    def outputs(self, jobs: Sequence[Job]) -> list[OutputFile]:
        """Return all files to be written, the results, too.

        Raises:
            UsageError: the losses of several pictures would be drawn into one file, or matplotlib
                is needed and not installed.
        """
        from nst_video.image.files import WRITABLE_SUFFIXES
        from nst_video.image.plots import require_matplotlib

        if self.plot and len(jobs) > 1:
            raise UsageError(f"--plot draws the losses of one picture, not of {len(jobs)}.")
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
        self, job: Job, content: "Frame", painted: "Frame", history: "Sequence[PaintStep]"
    ) -> "Iterator[tuple[Path, Frame]]":
        """Yield the figures of a finished picture and where they go."""
        if self.compare:
            yield _comparison(job), _compared(content, self.styles, painted)
        if self.plot:
            yield self.plot, optimization_progress.plot_history(history)


def paint_all(
    jobs: Sequence[Job],
    open_painter: Callable[[], Paint],
    sides: Sides,
    replaced: Collection[Path],
    *,
    show_progress: bool,
) -> None:
    """Paint one picture after the other and write all that was asked for.

    Args:
        jobs: what to make of what.
        open_painter: loads what paints.
        sides: what is written beside the results.
        replaced: files that exist and may be replaced.
        show_progress: show which of several pictures is painted.

    Raises:
        NstVideoError: the only picture failed, or nothing can be painted.
        typer.Exit: with code 1, some of several failed.
    """
    from nst_video.image.files import load_picture, save_picture

    painter = cache(open_painter)
    if len(jobs) > 1:
        painter()
    with _counter(len(jobs), shown=show_progress) as count:

        def work(job: Job) -> None:
            count(job)
            # A single hopeless picture is refused before the model is loaded for it.
            content = load_picture(job.source)
            painted, history = painter()(content, job.target)
            result(save_picture(job.target, painted, overwrite=job.target in replaced))
            for path, figure in sides.figures(job, content, painted, history):
                save_picture(path, figure, overwrite=path in replaced)

        run_all(jobs, work, "pictures")


@contextmanager
def _counter(total: int, *, shown: bool) -> Iterator[Callable[[Job], None]]:
    """Yield what shows that a job is begun, where there are several."""
    with progress("Painting", shown=shown and total > 1) as report:
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
    """Return a figure of picture, styles and result."""
    from nst_video.image.plots import compare_pictures
    from nst_video.style_library.library import StyleLibrary

    shown = [StyleLibrary().get(name) for name in styles]
    named = [(style.title, style.load()) for style in shown]
    return compare_pictures([("Picture", content), *named, ("Result", painted)])
