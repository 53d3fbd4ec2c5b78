"""`nst-video image`: paint one picture."""

from pathlib import Path
from typing import Annotated

import typer

from nst_video.cli import options
from nst_video.cli.console import result
from nst_video.look import DEFAULT_ENGINE, DEFAULT_MODEL, DEFAULT_STYLE, DEFAULT_TILE, Look


def image(
    photo: Annotated[Path, typer.Argument(help="The picture to paint.", metavar="PHOTO")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to; by default beside PHOTO."),
    ] = None,
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
    compare: Annotated[
        bool,
        typer.Option("--compare", help="Write picture, style and result side by side."),
    ] = False,
    overwrite: options.OverwriteOption = False,
    quiet: options.QuietOption = False,
) -> None:
    """Paint one picture in a style."""
    from nst_video.pictures import load_picture, save_picture

    target = output or photo.with_name(f"{photo.stem}-{'-'.join(Path(s).stem for s in style)}.png")
    options.refuse_existing(target, overwrite=overwrite)
    content = load_picture(photo)
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
    if compare:
        from nst_video.plots import compare_pictures

        named = [(each.title, load_picture(each.path)) for each in stylizer.styles]
        painted = compare_pictures([("Picture", content), *named, ("Result", painted)])
    save_picture(target, painted)
    result(target)
