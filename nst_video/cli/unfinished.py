"""`nst-video jobs`: list, show and remove what interrupted runs have finished."""

import contextlib
import datetime
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from nst_video.cli.console import result, say, shown
from nst_video.cli.progress import clock_time
from nst_video.errors import UsageError
from nst_video.jobs import folders
from nst_video.jobs.records import read_record
from nst_video.system.path_lookup import PathKind, look_up, user_path
from nst_video.system.words import counted

app = typer.Typer(
    help="List, show and remove unfinished videos of interrupted runs.",
    no_args_is_help=True,
    add_completion=False,
)

Places = Annotated[
    list[str] | None,
    typer.Argument(
        help="Folders with outputs, or outputs; by default the current folder.", metavar="[PATH]..."
    ),
]
RecursiveOption = Annotated[bool, typer.Option("--recursive", "-r", help="Search subfolders, too.")]


@dataclass(frozen=True, slots=True)
class _Job:
    """An unfinished job.

    Attributes:
        folder: where its finished chunks are.
        record: its journal; None where it cannot be read.
    """

    folder: Path
    record: dict[str, Any] | None

    @property
    def target(self) -> Path:
        """The file that it makes; its folder where that is not known."""
        return self.folder if self.record is None else self.folder.parent / self.record["target"]

    def state(self) -> str:
        """Return "12 of 36 chunks, 2:03 of 6:01, 31 MB" and so on."""
        size = f"{folders.size_of(self.folder) / 1e6:.1f} MB"
        if self.record is None:
            return f"not readable by this version, {size}"
        chunks, finished = self.record["chunks"], self.record["finished"]
        if not chunks:
            return f"{counted(len(finished), 'keyframe')}, {size}"
        fps = self.record["fps"]
        done_s = sum(each["frame_count"] for each in finished) / fps
        whole_s = chunks[-1] / fps
        return (
            f"{len(finished)} of {counted(len(chunks), 'chunk')}, "
            f"{clock_time(done_s)} of {clock_time(whole_s)}, {size}"
        )

    def activity(self) -> str:
        """Return whether it runs, or since when it does not."""
        if folders.is_running(self.folder):
            return "running"
        with contextlib.suppress(OSError):
            stamp = (self.folder / folders.JOURNAL).stat().st_mtime
            return f"since {datetime.datetime.fromtimestamp(stamp):%Y-%m-%d %H:%M}"
        return "interrupted"


@app.command("list")
def list_jobs(places: Places = None, recursive: RecursiveOption = False) -> None:
    """List unfinished videos: what is finished, since when, and the output."""
    jobs = list(_find(places, is_recursive=recursive))
    if not jobs:
        say("No unfinished videos here." + ("" if recursive else " -r searches subfolders, too."))
    for job in jobs:
        result(f"{job.state()}  {job.activity()}  {shown(job.target)}")


@app.command()
def show(
    output: Annotated[str, typer.Argument(help="The output of an interrupted run.")],
) -> None:
    """Show all about the unfinished video of one output."""
    for job in _find([output], is_recursive=False):
        result(f"output    {shown(job.target)}")
        result(f"folder    {shown(job.folder)}")
        result(f"finished  {job.state()}, {job.activity()}")
        if job.record is None:
            continue
        result(f"source    {shown(job.record['source'])}")
        result(f"version   {job.record['program']}")
        if job.record["command"]:
            result(f"command   {shown(job.record['command'])}")
        for name, value in _flat(job.record["inputs"]):
            result(f"  {name}: {shown(value)}")


@app.command()
def clean(
    places: Places = None,
    recursive: RecursiveOption = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove what interrupted runs have finished; running ones are left alone."""
    found = list(_find(places, is_recursive=recursive))
    jobs = [job for job in found if job.activity() != "running"]
    if not jobs:
        say(f"Nothing to remove: {len(found)} running." if found else "Nothing to remove.")
        return
    for job in jobs:
        say(f"{job.state()}  {job.target}")
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("Use -y to remove them: there is no terminal to ask on.")
        typer.confirm(f"Remove {counted(len(jobs), 'unfinished video')}?", err=True, abort=True)
    for job in jobs:
        if folders.remove(job.folder):
            result(job.target)
        else:
            say(f"{job.folder} could not be removed.")


def _find(places: Sequence[str] | None, *, is_recursive: bool) -> Iterator[_Job]:
    """Yield the unfinished jobs in folders or of outputs.

    Raises:
        UsageError: an output has none.
    """
    for place in places or ["."]:
        path = user_path(place)
        if path.suffix == folders.SUFFIX and path.name.startswith(".") and path.is_dir():
            found = [path]
        elif look_up(path).kind is PathKind.FOLDER:
            found = list(folders.find_folders(path, is_recursive=is_recursive))
        elif not (found := folders.folders_of(path)):
            raise UsageError(_nothing_of(path))
        yield from (_Job(folder, read_record(folder)) for folder in found)


def _nothing_of(path: Path) -> str:
    """Return the sentence on a place that is no folder, and no output of an unfinished video."""
    if not path.parent.is_dir():
        return f"There is no folder {path.parent}."
    if not path.exists() and not path.suffix:
        return f"There is no folder {path}."
    return f"There is no unfinished video of {path}: `nst-video jobs list {path.parent}` lists all."


def _flat(inputs: dict[str, Any], group: str = "") -> Iterator[tuple[str, Any]]:
    """Yield names and values; names of groups come before those in them."""
    for name, value in inputs.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{group}{name} ")
        else:
            yield f"{group}{name}", value
