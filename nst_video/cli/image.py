"""`nst-video image`: paint pictures."""

from enum import StrEnum
from typing import Annotated

import typer

from nst_video.cli import easel, films, gatys, kinds, options
from nst_video.cli.batch import pending_jobs
from nst_video.cli.console import say
from nst_video.cli.jobs import DEFAULT_TEMPLATE, plan_jobs
from nst_video.cli.photos import Paint, Sides, fast, paint_all, slow
from nst_video.errors import UsageError
from nst_video.look import DEFAULT_ENGINE, DEFAULT_MODEL, DEFAULT_STYLE, DEFAULT_TILE, Look
from nst_video.path_lookup import user_path


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
    style: options.StyleOption = [DEFAULT_STYLE],  # noqa: B006 - Typer copies it
    mix: options.MixOption = None,
    intensity: options.IntensityOption = Look.intensity,
    blend: options.BlendOption = Look.blend,
    keep_colors: options.KeepColorsOption = Look.keep_colors,
    work_size: options.WorkSizeOption = Look.work_size,
    model: options.ModelOption = DEFAULT_MODEL,
    models_dir: options.ModelsDirOption = None,
    offline: options.OfflineOption = False,
    engine: options.EngineOption = DEFAULT_ENGINE,
    tile: options.TileOption = DEFAULT_TILE,
    preset: gatys.PresetOption = None,
    steps: gatys.StepsOption = None,
    optimizer: gatys.OptimizerOption = None,
    scales: gatys.ScalesOption = None,
    content_layers: gatys.ContentLayersOption = None,
    style_layers: gatys.StyleLayersOption = None,
    content_weight: gatys.ContentWeightOption = None,
    style_weight: gatys.StyleWeightOption = None,
    tv_weight: gatys.TvWeightOption = None,
    init: gatys.InitOption = None,
    seed: gatys.SeedOption = None,
    style_scale: gatys.StyleScaleOption = None,
    colors: gatys.ColorsOption = None,
    mask: gatys.MaskOption = None,
    network: gatys.NetworkOption = None,
    weights: gatys.WeightsOption = None,
    pooling: gatys.PoolingOption = None,
    plot: gatys.PlotOption = None,
    preview_every: gatys.PreviewOption = None,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare",
            help="Also write picture, style and result side by side.",
        ),
    ] = False,
    template: films.TemplateOption = DEFAULT_TEMPLATE,
    recursive: films.RecursiveOption = False,
    overwrite: options.OverwriteOption = False,
    skip: films.SkipOption = False,
    quiet: options.QuietOption = False,
) -> None:
    """Paint pictures in a style."""
    from nst_video.library import StyleLibrary

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
    replaced = options.check_outputs(
        sides.outputs(pending),
        [job.source for job in pending] + [user_path(each) for each in (*style, *(mask or ()))],
        overwrite=overwrite,
        make_folders=output is not None and pending[0].target != user_path(output),
    )
    choices = gatys.Choices(
        preset=preset,
        steps=steps,
        method=optimizer,
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
        look = Look(intensity, work_size=work_size)

        def open_painter() -> Paint:
            pictures = gatys.load_styles(style, options.parse_mix(mix), mask or ())
            judge = gatys.load_network(
                network, weights, pooling, models_dir=models_dir, offline=offline, quiet=quiet
            )
            stand = easel.Easel(judge, settings, look.work_size)
            return slow(stand, pictures, look.intensity, preview_every, quiet=quiet)
    else:
        others = (mask, network, weights, pooling, plot, preview_every)
        if choices != gatys.Choices() or any(other is not None for other in others):
            raise UsageError("Settings of the optimization need --method gatys.")

        def open_painter() -> Paint:
            stylizer = options.build_stylizer(
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
