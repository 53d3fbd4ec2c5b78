"""`nst-video transcode`: paint video files."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nst_video.cli import common_options, video_options
from nst_video.cli.batch import pending_jobs, run_all
from nst_video.cli.console import interruptible, result, say
from nst_video.cli.jobs import DEFAULT_TEMPLATE, Job, plan_jobs
from nst_video.cli.preview import Preview, PreviewOption
from nst_video.cli.progress import Report, clock_time, progress
from nst_video.cli.unexpected_errors import bugs_of
from nst_video.settings import (
    DEFAULT_ENGINE,
    DEFAULT_MODEL,
    DEFAULT_STYLE,
    DEFAULT_TILE,
    StylizeSettings,
)
from nst_video.system.output_files import OutputFile
from nst_video.system.path_lookup import user_path
from nst_video.video.media.codec_options import BATCH_SIZE, TranscodeOptions
from nst_video.video.media.containers import CONTAINERS

if TYPE_CHECKING:
    from nst_video.transcode import Painter, Progress, TranscodeResult
    from nst_video.transcode.progress import OnProgress

_MODEL_PANEL = "Model"


def transcode(
    inputs: Annotated[
        list[str],
        typer.Argument(help="Videos, folders of videos, or patterns.", metavar="INPUT..."),
    ],
    output: video_options.OutputOption = None,
    style: common_options.StyleOption = [DEFAULT_STYLE],  # noqa: B006 - Typer copies it
    mix: common_options.MixOption = None,
    intensity: common_options.IntensityOption = StylizeSettings.intensity,
    blend: common_options.BlendOption = StylizeSettings.blend,
    keep_colors: common_options.KeepColorsOption = StylizeSettings.keep_colors,
    work_size: common_options.WorkSizeOption = StylizeSettings.work_size,
    model: common_options.ModelOption = DEFAULT_MODEL,
    models_dir: common_options.ModelsDirOption = None,
    offline: common_options.OfflineOption = False,
    engine: common_options.EngineOption = DEFAULT_ENGINE,
    tile: common_options.TileOption = DEFAULT_TILE,
    start: video_options.StartOption = None,
    end: video_options.EndOption = None,
    video_stream: video_options.VideoStreamOption = TranscodeOptions.video_stream,
    keep_partial: video_options.KeepPartialOption = TranscodeOptions.keep_partial,
    fps: video_options.FpsOption = None,
    size: video_options.SizeOption = None,
    crf: video_options.CrfOption = TranscodeOptions.crf,
    codec: video_options.CodecOption = TranscodeOptions.codec,
    encoder_preset: video_options.EncoderPresetOption = TranscodeOptions.preset,
    batch_size: Annotated[
        int | None,
        common_options.number(
            BATCH_SIZE,
            help="Frames painted at once; by default up to 4, fewer of large ones.",
            metavar="N",
            panel=_MODEL_PANEL,
        ),
    ] = TranscodeOptions.batch_size,
    template: video_options.TemplateOption = DEFAULT_TEMPLATE,
    recursive: video_options.RecursiveOption = False,
    overwrite: common_options.OverwriteOption = False,
    skip: video_options.SkipOption = False,
    show_progress: Annotated[
        bool, typer.Option("--progress/--no-progress", help="Show how far it is.")
    ] = True,
    preview: PreviewOption = None,
    quiet: common_options.QuietOption = False,
) -> None:
    """Paint video files, with their sound and everything else in them."""
    from nst_video.style_library.library import StyleLibrary
    from nst_video.video.sources import open_source

    wanted = video_options.transcode_options(
        start=start,
        end=end,
        fps=fps,
        size=size,
        video_stream=video_stream,
        keep_partial=keep_partial,
        codec=codec,
        crf=crf,
        encoder_preset=encoder_preset,
        batch_size=batch_size,
    )
    looks, output = _preview_of(preview, output)
    jobs = plan_jobs(
        inputs,
        output,
        style=StyleLibrary().label(style),
        template=template,
        is_recursive=recursive,
        on_note=None if quiet else say,
    )
    pending = pending_jobs(jobs, overwrite=overwrite, skip=skip, quiet=quiet)
    if not pending:
        return
    if len(pending) == 1:
        # A single hopeless input is refused before the model is loaded for it.
        with bugs_of(pending[0].source):
            open_source(pending[0].source, wanted)
    replaced = common_options.check_outputs(
        looks.outputs(pending)
        if looks
        else [OutputFile(job.target, suffixes=tuple(CONTAINERS)) for job in pending],
        [job.source for job in pending] + [user_path(each) for each in style],
        overwrite=overwrite,
        make_folders=output is not None and pending[0].target != user_path(output),
    )
    with interruptible():
        painter = common_options.build_stylizer(
            style=style,
            mix=mix,
            intensity=intensity,
            blend=blend,
            keep_colors=keep_colors,
            work_size=work_size,
            model=model,
            models_dir=models_dir,
            offline=offline,
            engine=engine,
            tile=tile,
            quiet=quiet,
        )
        if looks:
            looks.run(pending, painter, wanted, replaced=replaced, quiet=quiet)
            return
        run_jobs(
            pending, painter, wanted, replaced=replaced, quiet=quiet, show_progress=show_progress
        )


def _preview_of(seconds: float | None, output: str | None) -> tuple[Preview | None, str | None]:
    """Return the preview that is asked for, and where the films would go."""
    from nst_video.image.files import WRITABLE_SUFFIXES

    if seconds is None:
        return None, output
    picture = user_path(output or "")
    # What is a film as well, such as a GIF, is the film that the preview is of.
    if not seconds and picture.suffix.lower() in set(WRITABLE_SUFFIXES) - set(CONTAINERS):
        return Preview(seconds, picture), None
    return Preview(seconds), output


def run_jobs(
    jobs: Sequence[Job],
    painter: "Painter",
    wanted: TranscodeOptions,
    *,
    replaced: Collection[Path] = (),
    quiet: bool,
    show_progress: bool,
) -> None:
    """Transcode one file after the other; go on after a failure and report it at the end.

    Args:
        jobs: what to make of what.
        painter: paints the frames.
        wanted: what to read and how to write it.
        replaced: targets that exist and may be replaced.
        quiet: say nothing but errors.
        show_progress: show how far it is.

    Raises:
        NstVideoError: the only file failed.
        typer.Exit: with code 1, some of several files failed.
    """
    from nst_video.transcode import transcode

    def work(job: Job) -> None:
        with progress(job.source.name, shown=show_progress and not quiet) as report:
            done = transcode(
                job.source,
                job.target,
                painter,
                options=wanted,
                on_progress=reporting(report),
                overwrite=job.target in replaced,
            )
        if not quiet:
            _describe(job, done)
        result(done.target)

    run_all(jobs, work, "videos")


def _describe(job: Job, done: "TranscodeResult") -> None:
    for note in done.notes:
        say(f"{job.source.name}: {note}")
    frames = done.info.frame_count or 0
    slowest = max(done.busy_s, key=lambda stage: done.busy_s[stage])
    say(
        f"{job.source.name}: {frames} frames in {done.elapsed_s:.1f} s "
        f"({frames / max(done.elapsed_s, 1e-6):.1f} fps, limited by {slowest})."
    )


def reporting(report: Report | None) -> "OnProgress | None":
    """Return what shows the state of a transcode by `report`."""
    if report is None:
        return None
    return lambda state: report(state.frame, state.frame_count, progress_facts(state))


def progress_facts(state: "Progress") -> tuple[str, ...]:
    """Return "frame 30/377", "0:23 left" and so on, the most important first."""
    count = "?" if state.frame_count is None else str(state.frame_count)
    return (
        f"frame {state.frame}/{count}",
        f"{clock_time(state.remaining_s)} left",
        f"{state.fps:.1f} fps" if state.fps else "? fps",
        f"{clock_time(state.elapsed_s)} elapsed",
        f"limited by {state.limiting_stage}",
    )
