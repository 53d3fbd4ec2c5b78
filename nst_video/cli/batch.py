"""Several input files: options for them, and going on after one of them fails."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from nst_video.cli.console import complain, say
from nst_video.cli.jobs import DEFAULT_TEMPLATE, MAX_LISTED, Job
from nst_video.cli.output_options import OverwriteOption, QuietOption
from nst_video.cli.unexpected_errors import report_bugs
from nst_video.cli.video_options import INPUT_PANEL, OUTPUT_PANEL
from nst_video.errors import NstVideoError, UsageError


@dataclass(frozen=True, kw_only=True)
class BatchOptions:
    """Which files to take from folders, names of the outputs, and what to do if they exist."""

    recursive: Annotated[
        bool,
        typer.Option(
            "--recursive",
            "-r",
            help="Take files from subfolders, too; with -o, subfolders are kept.",
            rich_help_panel=INPUT_PANEL,
        ),
    ] = False
    template: Annotated[
        str,
        typer.Option(
            "--template",
            help="File name of the output where -o is not a file; may hold {stem}, {style} and "
            "{ext}.",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = DEFAULT_TEMPLATE
    overwrite: OverwriteOption = False
    skip: Annotated[
        bool, typer.Option("--skip-existing", "-n", help="Skip inputs whose output exists.")
    ] = False
    quiet: QuietOption = False

    def pending(self, jobs: Sequence[Job]) -> list[Job]:
        """Return the jobs to do; with `skip`, those whose output does not exist.

        Raises:
            UsageError: outputs cannot be both replaced and skipped.
        """
        if self.overwrite and self.skip:
            raise UsageError("-y replaces existing outputs and -n skips them: use one of them.")
        skipped = [job for job in jobs if self.skip and job.target.exists()]
        pending = [job for job in jobs if job not in skipped]
        if skipped and not self.quiet:
            say(_describe_skipped(skipped, left=len(pending)))
        return pending


def _describe_skipped(skipped: Sequence[Job], left: int) -> str:
    """Return a sentence on jobs whose output exists, and on how many others there are."""
    if len(skipped) == 1 and not left:
        return f"{skipped[0].target} exists; {skipped[0].source.name} was skipped."
    names = ", ".join(job.source.name for job in skipped[:MAX_LISTED])
    more = len(skipped) - MAX_LISTED
    listed = f"{names} and {more} more" if more > 0 else names
    return f"Skipped {len(skipped)} of {len(skipped) + left}, whose outputs exist: {listed}."


def run_all(jobs: Sequence[Job], work: Callable[[Job], None], kind: str) -> None:
    """Run every job; go on after a failure and report all failures at the end.

    Args:
        jobs: the files to make.
        work: does one job.
        kind: what the inputs are called, such as "videos".

    Raises:
        NstVideoError: the only job failed.
        typer.Exit: with code 1, some of several failed.
    """
    failures: list[tuple[Job, NstVideoError]] = []
    for job in jobs:
        try:
            with report_bugs(job.source):
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
