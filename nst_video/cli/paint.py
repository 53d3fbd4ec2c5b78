"""`nst-video paint`: a film by optimization, slower than `transcode`, and richer."""

from typing import TYPE_CHECKING, Annotated, get_args

import typer

from nst_video.cli import (
    common_options,
    completion,
    optimization_options,
    optimization_progress,
    video_options,
)
from nst_video.cli.console import interruptible, result, say
from nst_video.cli.jobs import DEFAULT_TEMPLATE, Job, plan_jobs
from nst_video.cli.progress import Report, clock_time, progress
from nst_video.cli.unexpected_errors import bugs_of
from nst_video.errors import UsageError
from nst_video.optimization.settings import WEIGHT
from nst_video.optimization.video_settings import (
    ADAPTIVE,
    INTERVAL,
    MAX_INTERVAL,
    KeyframeInterval,
    SceneStart,
    VideoSettings,
)
from nst_video.settings import DEFAULT_ENGINE, DEFAULT_MODEL, DEFAULT_STYLE, StylizeSettings
from nst_video.system.output_files import OutputFile
from nst_video.system.path_lookup import user_path
from nst_video.validation import COUNT
from nst_video.video.media.codec_options import TranscodeOptions
from nst_video.video.media.containers import CONTAINERS

if TYPE_CHECKING:
    from nst_video.optimization.gatys import GatysOptimizer
    from nst_video.optimization.progress import KeyframeProgress, OnKeyframe
    from nst_video.stylizer import Stylizer
    from nst_video.transcode import TranscodeResult

_FILM_PANEL = "Keyframes"


def paint(
    source: Annotated[str, typer.Argument(help="The video to paint.", metavar="INPUT")],
    output: video_options.OutputOption = None,
    style: common_options.StyleOption = [DEFAULT_STYLE],  # noqa: B006 - Typer copies it
    mix: common_options.MixOption = None,
    keep_colors: common_options.KeepColorsOption = StylizeSettings.keep_colors,
    work_size: common_options.WorkSizeOption = VideoSettings.work_size,
    every: Annotated[
        str,
        typer.Option(
            metavar=f"1..{MAX_INTERVAL}|{ADAPTIVE}",
            help="Frames from one keyframe to the next; adaptive: after enough motion.",
            rich_help_panel=_FILM_PANEL,
        ),
    ] = str(VideoSettings.keyframe_interval),
    next_steps: Annotated[
        int,
        common_options.number(
            COUNT,
            help="Steps at most for keyframes that start from another.",
            panel=_FILM_PANEL,
        ),
    ] = VideoSettings.next_steps,
    scene_start: Annotated[
        str,
        typer.Option(
            autocompletion=completion.among(get_args(SceneStart)),
            metavar="|".join(get_args(SceneStart)),
            help="What a scene's first keyframe starts from: --init, or a fast painting.",
            rich_help_panel=_FILM_PANEL,
        ),
    ] = VideoSettings.scene_start,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh",
            help="Do not go on where an interrupted run was; begin again.",
            rich_help_panel=_FILM_PANEL,
        ),
    ] = False,
    preset: optimization_options.PresetOption = None,
    steps: optimization_options.StepsOption = None,
    optimizer: optimization_options.OptimizerOption = None,
    scales: optimization_options.ScalesOption = None,
    content_layers: optimization_options.ContentLayersOption = None,
    style_layers: optimization_options.StyleLayersOption = None,
    content_weight: optimization_options.ContentWeightOption = None,
    style_weight: optimization_options.StyleWeightOption = None,
    tv_weight: optimization_options.TvWeightOption = None,
    temporal_weight: Annotated[
        float | None,
        common_options.number(
            WEIGHT,
            help="Of staying close to the keyframe before, moved along the flow.",
            panel=_FILM_PANEL,
        ),
    ] = None,
    init: optimization_options.InitOption = None,
    seed: optimization_options.SeedOption = None,
    style_scale: optimization_options.StyleScaleOption = None,
    colors: optimization_options.ColorsOption = None,
    mask: optimization_options.MaskOption = None,
    network: optimization_options.NetworkOption = None,
    weights: optimization_options.WeightsOption = None,
    pooling: optimization_options.PoolingOption = None,
    model: common_options.ModelOption = DEFAULT_MODEL,
    engine: common_options.EngineOption = DEFAULT_ENGINE,
    models_dir: common_options.ModelsDirOption = None,
    offline: common_options.OfflineOption = False,
    start: video_options.StartOption = None,
    end: video_options.EndOption = None,
    video_stream: video_options.VideoStreamOption = TranscodeOptions.video_stream,
    keep_partial: video_options.KeepPartialOption = TranscodeOptions.keep_partial,
    fps: video_options.FpsOption = None,
    size: video_options.SizeOption = None,
    crf: video_options.CrfOption = TranscodeOptions.crf,
    codec: video_options.CodecOption = TranscodeOptions.codec,
    encoder_preset: video_options.EncoderPresetOption = TranscodeOptions.preset,
    overwrite: common_options.OverwriteOption = False,
    quiet: common_options.QuietOption = False,
) -> None:
    """Paint a video by optimization: keyframes one after the other, flow between them.

    Finished keyframes are kept beside the output until it is complete: after an interruption the
    same command goes on where it was.
    """
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
    )
    film = VideoSettings(
        keyframe_interval=parse_interval(every),
        next_steps=next_steps,
        scene_start=scene_start,  # type: ignore[arg-type]  # VideoSettings checks it
        work_size=work_size,
    )
    settings = optimization_options.Choices(
        preset=preset,
        steps=steps,
        optimizer=optimizer,
        scales=scales,
        content_layers=content_layers,
        style_layers=style_layers,
        content_weight=content_weight,
        style_weight=style_weight,
        tv_weight=tv_weight,
        temporal_weight=temporal_weight,
        start=init,
        seed=seed,
        style_scale=style_scale,
        colors=colors,
    ).settings(keep_colors=keep_colors)
    job = _plan(source, output, style)
    replaced = common_options.check_outputs(
        [OutputFile(job.target, suffixes=tuple(CONTAINERS))],
        [job.source, *(user_path(each) for each in style), *(mask or ())],
        overwrite=overwrite,
        make_folders=output is not None and job.target != user_path(output),
    )
    # A hopeless input is refused before any network is loaded for it.
    with bugs_of(job.source):
        open_source(job.source, wanted)
    with interruptible():
        from nst_video.optimization.gatys import GatysOptimizer

        pictures = optimization_options.load_styles(
            style, common_options.parse_mix(mix), mask or ()
        )
        judge = optimization_options.load_network(
            network, weights, pooling, models_dir=models_dir, offline=offline, quiet=quiet
        )
        fast = common_options.build_stylizer(
            style=style,
            mix=mix,
            intensity=StylizeSettings.intensity,
            blend=StylizeSettings.blend,
            keep_colors=settings.colors in ("keep", "luminance"),
            work_size=None,
            model=model,
            models_dir=models_dir,
            offline=offline,
            engine=engine,
            quiet=quiet,
        )
        painter = GatysOptimizer(judge, pictures, settings)
        done = run_job(
            job,
            painter,
            fast,
            film,
            wanted,
            fresh=fresh,
            overwrite=job.target in replaced,
            quiet=quiet,
        )
    if not quiet:
        for note in done.notes:
            say(f"{job.source.name}: {note}")
        say(f"{job.source.name}: {done.info.frame_count} frames in {clock_time(done.elapsed_s)}.")
    result(done.target)


def parse_interval(text: str) -> KeyframeInterval:
    """Turn "10" or "adaptive" into what `VideoSettings` takes.

    Raises:
        UsageError: it is neither.
    """
    if text == ADAPTIVE:
        return ADAPTIVE
    try:
        return int(INTERVAL.parse("--every", text))
    except UsageError as error:
        raise UsageError(f"{str(error).removesuffix('.')}; {ADAPTIVE} goes as well.") from None


def run_job(
    job: Job,
    optimizer: "GatysOptimizer",
    fast: "Stylizer",
    film: VideoSettings,
    wanted: TranscodeOptions,
    *,
    fresh: bool,
    overwrite: bool = False,
    quiet: bool,
) -> "TranscodeResult":
    """Paint one film, going on where an interrupted run was; say how to, when interrupted.

    Raises:
        NstVideoError: the film cannot be painted.
    """
    from nst_video.transcode.gatys_video import find_store, optimize_video

    store = find_store(job.source, job.target, optimizer, fast, film, wanted)
    if fresh:
        store.discard()
    elif (kept := store.count()) and not quiet:
        say(f"{kept} finished keyframes of an interrupted run are used; --fresh begins again.")
    try:
        with progress(job.source.name, shown=not quiet) as report:
            return optimize_video(
                job.source,
                job.target,
                optimizer,
                fill=fast,
                settings=film,
                options=wanted,
                store=store,
                on_keyframe=_reporting(report),
                overwrite=overwrite,
            )
    except KeyboardInterrupt:
        if kept := store.count():
            say(f"{kept} keyframes are kept in {store.folder}: the same command goes on there.")
        raise


def _reporting(report: Report | None) -> "OnKeyframe | None":
    """Return what shows the state of a film's keyframes by `report`."""
    if report is None:
        return None
    from nst_video.optimization.progress import completed_fraction

    def on_keyframe(state: "KeyframeProgress") -> None:
        report(
            state.keyframe - 1 + completed_fraction(state.step),
            state.keyframes,
            keyframe_facts(state),
        )

    return on_keyframe


def keyframe_facts(state: "KeyframeProgress") -> tuple[str, ...]:
    """Return "keyframe 3/12", "2:10 left" and so on, the most important first."""
    count = "?" if state.keyframes is None else str(state.keyframes)
    scale, step, *losses = optimization_progress.describe(state.step)
    return (
        f"keyframe {state.keyframe}/{count}",
        f"{clock_time(state.remaining_s)} left",
        step,
        scale,
        f"{clock_time(state.elapsed_s)} elapsed",
        *losses,
    )


def _plan(source: str, output: str | None, style: list[str]) -> Job:
    from nst_video.style_library.library import StyleLibrary

    name = StyleLibrary().label(style)
    jobs = plan_jobs([source], output, style=name, template=DEFAULT_TEMPLATE)
    if len(jobs) != 1:
        raise UsageError(f"paint takes one video at a time, and {source} stands for {len(jobs)}.")
    return jobs[0]
