"""`nst-video transcode --preview`: a still or a short excerpt, and an estimate for the whole."""

import math
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer.core import TyperCommand

from nst_video.cli.batch import run_all
from nst_video.cli.console import result, say
from nst_video.cli.jobs import Job
from nst_video.cli.options import number
from nst_video.cli.progress import clock_time
from nst_video.cli.video_options import OUTPUT_PANEL
from nst_video.system.output_files import OutputFile
from nst_video.system.path_lookup import user_path
from nst_video.validation import Range
from nst_video.video.media.codec_options import TranscodeOptions
from nst_video.video.media.containers import CONTAINERS

if TYPE_CHECKING:
    from typer import Context

    from nst_video.transcode import Painter
    from nst_video.transcode.preview import Estimate

_NAME = "--preview"

PreviewOption = Annotated[
    float | None,
    number(
        Range(0, 600, unit="seconds"),
        _NAME,
        metavar="[SECONDS]",
        help="Stylize only the middle frame, or this many seconds around it, and estimate time "
        "and size of the whole.",
        panel=OUTPUT_PANEL,
    ),
]
"""0 for a still picture."""

_BEGUN_S = time.monotonic()


class CommandWithPreview(TyperCommand):
    """A command whose `--preview` takes an optional number."""

    def parse_args(  # type: ignore[override]  # Typer's own context, by its public name
        self, ctx: "Context", args: list[str]
    ) -> list[str]:
        """Parse arguments in which `--preview` may have no number."""
        return super().parse_args(ctx, with_seconds(args))


def with_seconds(args: Sequence[str]) -> list[str]:
    """Return the arguments with "=0" appended to a `--preview` that no number follows."""
    given: list[str] = []
    for index, text in enumerate(args):
        if "--" in given:
            given.append(text)
        elif text == _NAME and not _is_number(args[index + 1 : index + 2]):
            given.append(f"{_NAME}=0")
        else:
            given.append(text)
    return given


def _is_number(following: Sequence[str]) -> bool:
    try:
        float(*following)
    except ValueError:
        return False
    return bool(following)


@dataclass(frozen=True, slots=True)
class Preview:
    """A preview of each video instead of the whole result.

    Attributes:
        seconds: length, taken from the middle; 0 for a still picture.
        picture: path of the still picture; None puts it beside the output.
    """

    seconds: float
    picture: Path | None = None

    def target(self, job: Job) -> Path:
        """Return the path of a job's preview."""
        suffix = job.target.suffix if self.seconds else ".png"
        return self.picture or job.target.with_name(f"{job.target.stem}-preview{suffix}")

    def outputs(self, jobs: Sequence[Job]) -> list[OutputFile]:
        """Return the files to write."""
        from nst_video.image.files import WRITABLE_SUFFIXES

        suffixes = tuple(CONTAINERS) if self.seconds else WRITABLE_SUFFIXES
        return [OutputFile(self.target(job), "preview", suffixes) for job in jobs]

    def run(
        self,
        jobs: Sequence[Job],
        painter: "Painter",
        wanted: TranscodeOptions,
        *,
        replaced: Collection[Path],
        quiet: bool,
    ) -> None:
        """Write the preview of every video, and print the estimated time and size of the whole.

        Raises:
            NstVideoError: the only video cannot be stylized.
            typer.Exit: with code 1, some of several cannot.
        """

        def work(job: Job) -> None:
            target = self.target(job)
            make = self._excerpt if self.seconds else self._still
            written, found = make(job, target, painter, wanted, target in replaced)
            if not quiet:
                say(f"{job.source.name}: {_estimate_text(found)}")
            result(written)

        run_all(jobs, work, "videos")

    def _still(
        self, job: Job, target: Path, painter: "Painter", wanted: TranscodeOptions, replace: bool
    ) -> "tuple[Path, Estimate | None]":
        from nst_video.image.files import save_picture
        from nst_video.transcode.preview import estimate, paint_middle_frame

        frame, frame_s = paint_middle_frame(job.source, painter, wanted)
        written = save_picture(target, frame, overwrite=replace)
        suffix = job.target.suffix
        ready_s = time.monotonic() - _BEGUN_S
        return written, estimate(job.source, suffix, painter, wanted, frame_s, ready_s=ready_s)

    def _excerpt(
        self, job: Job, target: Path, painter: "Painter", wanted: TranscodeOptions, replace: bool
    ) -> "tuple[Path, Estimate | None]":
        from nst_video.transcode.preview import transcode_excerpt

        done, found = transcode_excerpt(
            job.source,
            target,
            painter,
            wanted,
            self.seconds,
            ready_s=time.monotonic() - _BEGUN_S,
            overwrite=replace,
        )
        return done.target, found


def choose_preview(seconds: float | None, output: str | None) -> tuple[Preview | None, str | None]:
    """Return the preview to make, if any, and the `--output` of the videos themselves."""
    from nst_video.image.files import WRITABLE_SUFFIXES

    if seconds is None:
        return None, output
    picture = user_path(output or "")
    # A suffix that is also a video's, such as .gif, names the video and not the still picture.
    if not seconds and picture.suffix.lower() in set(WRITABLE_SUFFIXES) - set(CONTAINERS):
        return Preview(seconds, picture), None
    return Preview(seconds), output


def _estimate_text(found: "Estimate | None") -> str:
    if found is None:
        return "its length is unknown, so the time and size of the whole cannot be estimated."
    return (
        f"the whole, {found.frames} frames, will take about {clock_time(found.seconds)} "
        f"and {_size_text(found.bytes)}."
    )


def _size_text(count: float) -> str:
    """Return a number of bytes as people read it: 40 kB, 1.5 MB, 230 MB."""
    if count < 1e5:
        return f"{math.ceil(count / 1e3)} kB"
    return f"{count / 1e6:.{0 if count >= 1e7 else 1}f} MB"
