"""One file after the other: a failure does not stop the others, and is told again at the end."""

from collections.abc import Callable, Sequence

import typer

from nst_video.cli.console import complain, say
from nst_video.cli.jobs import Job
from nst_video.cli.unexpected_errors import bugs_of
from nst_video.errors import NstVideoError, UsageError


def run_all(jobs: Sequence[Job], work: Callable[[Job], None], kind: str) -> None:
    """Do the work of every job; go on after a failure and report it at the end.

    Args:
        jobs: what to make of what.
        work: does one job.
        kind: what there are several of, such as "videos".

    Raises:
        NstVideoError: the only job failed.
        typer.Exit: with code 1, some of several failed.
    """
    failures: list[tuple[Job, NstVideoError]] = []
    for job in jobs:
        try:
            with bugs_of(job.source):
                work(job)
        except NstVideoError as error:
            if len(jobs) == 1:
                raise
            complain(error)
            failures.append((job, error))
    if failures:
        say(f"{len(failures)} of {len(jobs)} {kind} failed:")
        for job, reason in failures:
            name = "" if str(job.source) in str(reason) else f"{job.source}: "
            say(f"  {name}{reason}")
        raise typer.Exit(1)


def pending_jobs(jobs: Sequence[Job], *, overwrite: bool, skip: bool, quiet: bool) -> list[Job]:
    """Return the jobs to do: without those whose output exists, where these are to be skipped."""
    if overwrite and skip:
        raise UsageError("-y replaces existing outputs and -n skips them: use one of them.")
    pending = []
    for job in jobs:
        if skip and job.target.exists():
            if not quiet:
                say(f"{job.target} exists; {job.source.name} was skipped.")
            continue
        pending.append(job)
    return pending
