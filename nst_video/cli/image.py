"""`nst-video image`: paint pictures."""

from enum import StrEnum
from typing import Annotated

import typer

from nst_video.cli import (
    common_options,
    kinds,
    optimization_options,
    optimization_progress,
    video_options,
)
from nst_video.cli.batch import pending_jobs
from nst_video.cli.console import say
from nst_video.cli.jobs import DEFAULT_TEMPLATE, plan_jobs
from nst_video.cli.photos import Paint, Sides, fast, paint_all, slow
from nst_video.errors import UsageError
from nst_video.settings import (
    DEFAULT_ENGINE,
    DEFAULT_MODEL,
    DEFAULT_STYLE,
    DEFAULT_TILE,
    StylizeSettings,
)
from nst_video.system.path_lookup import user_path


class Method(StrEnum):
    """How to paint."""

    FAST = "fast"
    GATYS = "gatys"


def image(
    photos: Annotated[
        list[str],
        typer.Argument(help="Pictures, folders of pictures, or patterns.", metavar="PHOTO..."),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Picture (for one PHOTO) or folder; by default beside PHOTO.",
        ),
    ] = None,
    method: Annotated[
        Method,
        typer.Option(help="A fast network, or Gatys' optimization: minutes, and richer."),
    ] = Method.FAST,
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
    preset: optimization_options.PresetOption = None,
    steps: optimization_options.StepsOption = None,
    optimizer: optimization_options.OptimizerOption = None,
    scales: optimization_options.ScalesOption = None,
    content_layers: optimization_options.ContentLayersOption = None,
    style_layers: optimization_options.StyleLayersOption = None,
    content_weight: optimization_options.ContentWeightOption = None,
    style_weight: optimization_options.StyleWeightOption = None,
    tv_weight: optimization_options.TvWeightOption = None,
    init: optimization_options.InitOption = None,
    seed: optimization_options.SeedOption = None,
    style_scale: optimization_options.StyleScaleOption = None,
    colors: optimization_options.ColorsOption = None,
    mask: optimization_options.MaskOption = None,
    network: optimization_options.NetworkOption = None,
    weights: optimization_options.WeightsOption = None,
    pooling: optimization_options.PoolingOption = None,
    plot: optimization_options.PlotOption = None,
    preview_every: optimization_options.PreviewOption = None,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare",
            help="Also write picture, style and result side by side.",
        ),
    ] = False,
    template: video_options.TemplateOption = DEFAULT_TEMPLATE,
    recursive: video_options.RecursiveOption = False,
    overwrite: common_options.OverwriteOption = False,
    skip: video_options.SkipOption = False,
    quiet: common_options.QuietOption = False,
) -> None:
    """Paint pictures in a style."""
    from nst_video.style_library.library import StyleLibrary

    jobs = plan_jobs(
        photos,
        output,
        style=StyleLibrary().label(style),
        template=template,
        kind=kinds.pictures(),
        is_recursive=recursive,
        on_note=None if quiet else say,
    )
    pending = pending_jobs(jobs, overwrite=overwrite, skip=skip, quiet=quiet)
    if not pending:
        return
    sides = Sides(styles=style, compare=compare, plot=plot, preview_every=preview_every)
    replaced = common_options.check_outputs(
        sides.outputs(pending),
        [job.source for job in pending] + [user_path(each) for each in (*style, *(mask or ()))],
        overwrite=overwrite,
        make_folders=output is not None and pending[0].target != user_path(output),
    )
    choices = optimization_options.Choices(
        preset=preset,
        steps=steps,
        optimizer=optimizer,
        scales=scales,
        content_layers=content_layers,
        style_layers=style_layers,
        content_weight=content_weight,
        style_weight=style_weight,
        tv_weight=tv_weight,
        start=init,
        seed=seed,
        style_scale=style_scale,
        colors=colors,
    )
    if method is Method.GATYS:
        settings = choices.settings(keep_colors=keep_colors)
        look = StylizeSettings(intensity, work_size=work_size)

        def open_painter() -> Paint:
            pictures = optimization_options.load_styles(
                style, common_options.parse_mix(mix), mask or ()
            )
            judge = optimization_options.load_network(
                network, weights, pooling, models_dir=models_dir, offline=offline, quiet=quiet
            )
            stand = optimization_progress.Easel(judge, settings, look.work_size)
            return slow(stand, pictures, look.intensity, preview_every, quiet=quiet)
    else:
        others = (mask, network, weights, pooling, plot, preview_every)
        if choices != optimization_options.Choices() or any(other is not None for other in others):
            raise UsageError("Settings of the optimization need --method gatys.")

        def open_painter() -> Paint:
            stylizer = common_options.build_stylizer(
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
            return fast(stylizer)

    # An optimization shows its own progress.
    shown = method is Method.FAST and not quiet
    paint_all(pending, open_painter, sides, replaced, show_progress=shown)
