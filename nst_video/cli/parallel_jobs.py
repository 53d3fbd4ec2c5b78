"""Stylizing videos by many workers, with one progress bar; results appear as they finish."""

import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

import typer

from nst_video.cli.console import complain, result, say
from nst_video.cli.jobs import Job
from nst_video.cli.progress import progress
from nst_video.cli.video_jobs import RunOptions, describe, progress_facts
from nst_video.errors import NstVideoError
from nst_video.worker_options import WorkerOptions

if TYPE_CHECKING:
    from nst_video.stylizer import Stylizer
    from nst_video.transcode import Progress, ResumeOptions
    from nst_video.transcode.parallel.films import Outcome
    from nst_video.transcode.parallel.state import FilmJob


def transcode_by_workers(
    jobs: Sequence[Job], painter: "Stylizer", workers: WorkerOptions, options: RunOptions
) -> None:
    """Stylize videos by many workers; see `video_jobs.transcode_all`.

    Raises:
        NstVideoError: the only video failed.
        typer.Exit: with code 1, some of several videos failed.
    """
    from nst_video.transcode import ResumeOptions
    from nst_video.transcode.parallel.films import transcode_films
    from nst_video.transcode.parallel.opening import open_worker_pool
    from nst_video.transcode.parallel.state import FilmJob

    films = [FilmJob(job.source, job.target, job.target in options.replaced) for job in jobs]
    command = shlex.join(["nst-video", *sys.argv[1:]])
    failed: list[tuple[FilmJob, NstVideoError]] = []

    def resume(film: FilmJob) -> "ResumeOptions":
        def note(text: str) -> None:
            say(f"{film.source.name}: {text}")

        return ResumeOptions(options.restart, command, None if options.quiet else note)

    def on_film(film: FilmJob, outcome: "Outcome") -> None:
        if isinstance(outcome, NstVideoError):
            failed.append((film, outcome))
            if len(films) > 1:
                complain(outcome)
            return
        if not options.quiet:
            describe(Job(film.source, film.target), outcome, painter)
        result(outcome.target)

    name = films[0].source.name if len(films) == 1 else f"{len(films)} videos"
    with progress(name, shown=options.show_progress) as report:

        def on_progress(state: "Progress") -> None:
            if report is not None:
                report(state.frame, state.frame_count, progress_facts(state))

        with open_worker_pool(painter, workers, on_note=None if options.quiet else say) as pool:
            transcode_films(
                films,
                painter,
                pool,
                options.coding,
                resume=resume,
                keep_going=workers.keep_going,
                on_progress=on_progress,
                on_film=on_film,
            )
    if failed:
        _end_with(failed, len(films))


def _end_with(failed: "Sequence[tuple[FilmJob, NstVideoError]]", count: int) -> NoReturn:
    """Raise the error of the only video, or say which of `count` failed, and exit with 1."""
    if count == 1:
        raise failed[0][1]
    say(f"{len(failed)} of {count} videos failed:")
    for film, reason in failed:
        start = "" if str(film.source) in str(reason) else f"{film.source}: "
        say(f"  {start}{reason}")
    raise typer.Exit(1)
