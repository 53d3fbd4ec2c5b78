"""`nst-video image`: paint one picture."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nst_video.cli import easel, gatys, options
from nst_video.cli.console import result
from nst_video.errors import UsageError
from nst_video.look import DEFAULT_ENGINE, DEFAULT_MODEL, DEFAULT_STYLE, DEFAULT_TILE, Look
from nst_video.output_files import OutputFile
from nst_video.path_lookup import user_path

if TYPE_CHECKING:
    from nst_video.frames import Frame
    from nst_video.painter.painting import PaintStep


class Method(StrEnum):
    """How to paint."""

    FAST = "fast"
    GATYS = "gatys"


def image(
    photo: Annotated[Path, typer.Argument(help="The picture to paint.", metavar="PHOTO")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to; by default beside PHOTO."),
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
    overwrite: options.OverwriteOption = False,
    quiet: options.QuietOption = False,
) -> None:
    """Paint one picture in a style."""
    from nst_video.color import cross_fade
    from nst_video.library import StyleLibrary
    from nst_video.pictures import load_picture, save_picture

    target = output or photo.with_name(f"{photo.stem}-{StyleLibrary().label(style)}.png")
    comparison = target.with_name(f"{target.stem}-comparison.png") if compare else None
    replaced = _check_outputs(
        target, comparison, plot, preview_every, [photo, *style, *(mask or ())], overwrite
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
    content = load_picture(photo)
    history: Sequence[PaintStep] = ()
    if method is Method.GATYS:
        settings = choices.settings(keep_colors=keep_colors)
        look = Look(intensity, work_size=work_size)
        pictures = gatys.load_styles(style, options.parse_mix(mix), mask or ())
        stand = easel.Easel(
            gatys.load_network(
                network, weights, pooling, models_dir=models_dir, offline=offline, quiet=quiet
            ),
            settings,
            look.work_size,
        )
        painting = stand.paint(content, pictures, target, preview_every, quiet=quiet)
        painted = cross_fade(content, painting.frame, look.intensity)
        history = painting.history
    else:
        others = (mask, network, weights, pooling, plot, preview_every)
        if choices != gatys.Choices() or any(other is not None for other in others):
            raise UsageError("Settings of the optimization need --method gatys.")
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
        painted = stylizer(content)
    result(save_picture(target, painted, overwrite=target in replaced))
    if comparison:
        figure = _compared(content, style, painted)
        save_picture(comparison, figure, overwrite=comparison in replaced)
    if plot:
        save_picture(plot, easel.plot_history(history), overwrite=plot in replaced)


def _check_outputs(
    target: Path,
    comparison: Path | None,
    plot: Path | None,
    preview_every: int | None,
    inputs: "Sequence[str | Path]",
    overwrite: bool,
) -> frozenset[Path]:
    """Refuse what could not be written before anything is painted; return what is replaced."""
    from nst_video.pictures import WRITABLE_SUFFIXES
    from nst_video.plots import require_matplotlib

    outputs = [OutputFile(target, suffixes=WRITABLE_SUFFIXES)]
    if comparison:
        outputs.append(OutputFile(comparison, "comparison", WRITABLE_SUFFIXES))
    if plot:
        outputs.append(OutputFile(plot, "plot", WRITABLE_SUFFIXES))
    if preview_every:
        outputs.append(OutputFile(easel.preview_path(target), "preview", WRITABLE_SUFFIXES))
    if comparison or plot:
        require_matplotlib()
    return options.check_outputs(outputs, [user_path(each) for each in inputs], overwrite=overwrite)


def _compared(content: "Frame", styles: Sequence[str], painted: "Frame") -> "Frame":
    """Return a figure of picture, styles and result."""
    from nst_video.library import StyleLibrary
    from nst_video.plots import compare_pictures

    shown = [StyleLibrary().get(name) for name in styles]
    named = [(style.title, style.load()) for style in shown]
    return compare_pictures([("Picture", content), *named, ("Result", painted)])
