"""`nst-video transcode` and its short form `paint`: stylize video files."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nst_video.cli.batch import BatchOptions
from nst_video.cli.console import say
from nst_video.cli.jobs import Job, plan_jobs
from nst_video.cli.keyframe_options import KeyframeOptions
from nst_video.cli.optimization_options import (
    LossNetworkOptions,
    MethodOption,
    OptimizationOptions,
    PaintMethod,
    load_styles,
)
from nst_video.cli.options import grouped, number, option_names, refuse_given
from nst_video.cli.output_options import check_outputs
from nst_video.cli.parallel_jobs import transcode_by_workers
from nst_video.cli.preview import CommandWithPreview, Preview, PreviewOption, choose_preview
from nst_video.cli.region_options import (
    ORIGINAL,
    BackgroundOptions,
    MaskOptions,
    RegionOptions,
    choose_regions,
    mask_files,
)
from nst_video.cli.steady_options import FilmStyleOptions
from nst_video.cli.stylizer_options import (
    MODEL_PANEL,
    ModelArguments,
    StyleOptions,
    build_stylizer,
    parse_work_size,
)
from nst_video.cli.unexpected_errors import report_bugs
from nst_video.cli.video_jobs import RunOptions, optimize_all, transcode_all
from nst_video.cli.video_options import OUTPUT_PANEL, OutputOption, VideoOptions
from nst_video.cli.worker_options import WorkerArguments
from nst_video.errors import UsageError
from nst_video.settings import Regions
from nst_video.system.output_files import OutputFile
from nst_video.system.path_lookup import user_path
from nst_video.video.media.codec_options import BATCH_SIZE, TranscodeOptions
from nst_video.video.media.containers import CONTAINERS, codec_for, container_for

if TYPE_CHECKING:
    from nst_video.frames import Frame


@dataclass(frozen=True, kw_only=True)
class VideoFileOptions:
    """Which videos to read and where to write the results."""

    inputs: Annotated[
        list[str],
        typer.Argument(help="Videos, folders of videos, or patterns.", metavar="INPUT..."),
    ]
    output: OutputOption = None
    restart: Annotated[
        bool,
        typer.Option(
            "--restart",
            help="Begin anew instead of going on where an interrupted run was.",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = False
    video: VideoOptions = field(default_factory=VideoOptions)
    batch: BatchOptions = field(default_factory=BatchOptions)
    show_progress: Annotated[
        bool, typer.Option("--progress/--no-progress", help="Show a progress bar.")
    ] = True


@dataclass(frozen=True, kw_only=True)
class GatysOptions:
    """How a video is painted by optimization."""

    optimization: OptimizationOptions = field(default_factory=OptimizationOptions)
    network: LossNetworkOptions = field(default_factory=LossNetworkOptions)
    keyframes: KeyframeOptions = field(default_factory=KeyframeOptions)


_FAST_ONLY = option_names(FilmStyleOptions, RegionOptions, WorkerArguments) - option_names(
    StyleOptions, MaskOptions
) | {"batch_size", "preview"}

transcode_app = typer.Typer(add_completion=False)


@transcode_app.command(cls=CommandWithPreview)
@grouped
def transcode(
    context: typer.Context,
    *,
    files: VideoFileOptions,
    method: MethodOption = PaintMethod.FAST,
    style: FilmStyleOptions,
    region: RegionOptions,
    model: ModelArguments,
    batch_size: Annotated[
        int | None,
        number(
            BATCH_SIZE,
            "--batch-size",
            help="Frames per run of the network; by default up to 4, fewer for large frames.",
            metavar="N",
            panel=MODEL_PANEL,
        ),
    ] = TranscodeOptions.batch_size,
    preview: PreviewOption = None,
    workers: WorkerArguments,
    gatys: GatysOptions,
) -> None:
    """Stylize video files; sound, subtitles and metadata are kept.

    The options under Optimization, Loss network and Keyframes need
    --method gatys.
    """
    if method is PaintMethod.GATYS:
        refuse_given(context, _FAST_ONLY, "--method fast")
        _optimize(files, style, model, gatys, region)
        return
    refuse_given(context, option_names(GatysOptions), "--method gatys")
    styles, regions = choose_regions(style.style, region.masks, region)
    style = replace(style, style=styles)
    options, quiet, pool = files.video.parse(batch_size), files.batch.quiet, workers.parse()
    excerpt, output = choose_preview(preview, files.output)
    jobs, replaced = _plan(
        replace(files, output=output), style.style, options, masks=region.masks, preview=excerpt
    )
    if not jobs:
        return
    painter = build_stylizer(style, style.choose_engine(model), quiet=quiet, regions=regions)
    if excerpt:
        excerpt.run(jobs, painter, options, replaced=replaced, quiet=quiet)
        return
    run = RunOptions(options, files.restart, replaced, quiet, files.show_progress and not quiet)
    if pool.is_parallel:
        transcode_by_workers(jobs, painter, pool, run)
    else:
        transcode_all(jobs, painter, run)


@grouped
def paint(
    *,
    files: VideoFileOptions,
    style: StyleOptions,
    mask: MaskOptions,
    model: ModelArguments,
    gatys: GatysOptions,
) -> None:
    """Stylize videos by optimization: `transcode --method gatys`.

    The frames between keyframes follow the optical flow. Finished keyframes
    are kept beside the output until it is complete; to resume an interrupted
    run, repeat the command.
    """
    _optimize(files, style, model, gatys, mask)


def _optimize(
    files: VideoFileOptions,
    style: StyleOptions,
    model: ModelArguments,
    gatys: GatysOptions,
    mask: MaskOptions,
) -> None:
    """Paint videos by optimization."""
    options, quiet = files.video.parse(), files.batch.quiet
    video_settings = gatys.keyframes.settings(parse_work_size(style.work_size))
    settings = gatys.optimization.settings(
        keep_colors=style.keep_colors, temporal_weight=gatys.keyframes.temporal_weight
    )
    jobs, replaced = _plan(files, style.style, options, masks=mask.masks)
    if not jobs:
        return
    from nst_video.optimization.gatys import GatysOptimizer
    from nst_video.transcode.gatys_video import KeyframeMethod

    pictures = load_styles(style, mask.masks, model)
    network = gatys.network.load(model, quiet=quiet)
    styles, regions = _fill_regions(style.style, mask.masks)
    fill_style = FilmStyleOptions(
        style=styles,
        mix=style.mix,
        keep_colors=settings.colors in ("keep", "luminance"),
        steady=0,  # it paints one frame here and one there
    )
    stylizer = build_stylizer(fill_style, model, quiet=quiet, regions=regions)
    # It paints single frames in any order: nothing is carried from one to the next.
    stylizer.settings = replace(stylizer.settings, steady=0)

    def fill(frame: "Frame") -> "Frame":
        stylizer.reset()
        return stylizer(frame)

    run = RunOptions(options, files.restart, replaced, quiet, files.show_progress and not quiet)
    optimizer = GatysOptimizer(network, pictures, settings)
    optimize_all(jobs, KeyframeMethod(optimizer, video_settings, fill), run)


def _fill_regions(styles: list[str], masks: Sequence[Path]) -> tuple[list[str], Regions | None]:
    """Return styles and regions of what keyframes do not show; of several masks none is used."""
    if len(masks) != 1 or len(styles) > 2:
        return styles, None
    rest = styles[1] if styles[1:] else ORIGINAL
    return choose_regions(styles[:1], masks, BackgroundOptions(background=rest))


def _plan(
    files: VideoFileOptions,
    styles: Sequence[str],
    options: TranscodeOptions,
    *,
    masks: Sequence[Path] = (),
    preview: Preview | None = None,
) -> tuple[list[Job], frozenset[Path]]:
    """Return the files to make, and which of them exist and may be replaced.

    Raises:
        NstVideoError: inputs, outputs or encoder options with which nothing can be made.
    """
    from nst_video.jobs.records import remove_completed
    from nst_video.style_library.library import StyleLibrary
    from nst_video.video.sources import open_source

    batch = files.batch
    jobs = batch.pending(
        plan_jobs(
            files.inputs,
            files.output,
            style=StyleLibrary().file_stem(styles),
            template=batch.template,
            is_recursive=batch.recursive,
            on_note=None if batch.quiet else say,
        )
    )
    if not jobs:
        return [], frozenset()
    _check_encoder(jobs, options)
    if len(jobs) == 1:
        # A single unreadable input fails before the model is loaded.
        with report_bugs(jobs[0].source):
            open_source(jobs[0].source, options)
    for job in jobs:
        remove_completed(job.target)
    outputs = [OutputFile(job.target, suffixes=tuple(CONTAINERS)) for job in jobs]
    replaced = check_outputs(
        preview.outputs(jobs) if preview else outputs,
        [*(job.source for job in jobs), *map(user_path, styles), *mask_files(masks)],
        overwrite=batch.overwrite,
        make_folders=files.output is not None and jobs[0].target != user_path(files.output),
    )
    return jobs, replaced


def _check_encoder(jobs: Sequence[Job], options: TranscodeOptions) -> None:
    """Check codec, quality and preset before any work.

    Raises:
        UsageError: they suit none of the outputs; files that they do not suit fail one by one.
    """
    refused: list[UsageError] = []
    for job in jobs:
        try:
            codec_for(container_for(job.target), options)
        except UsageError as error:
            refused.append(error)
    if len(refused) == len(jobs):
        raise refused[0]
