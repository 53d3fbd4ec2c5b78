"""`nst-video demo`: from nothing to a painted film, with no camera, no file and no network."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from nst_video.cli import common_options
from nst_video.cli.console import result, say
from nst_video.settings import DEFAULT_ENGINE, DEFAULT_MODEL, DEFAULT_STYLE, StylizeSettings
from nst_video.system.output_files import OutputFile
from nst_video.video.media.containers import CONTAINERS

DEFAULT_OUTPUT = Path("nst-video-demo.mp4")


def demo(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Where to; only the default is replaced unasked."),
    ] = DEFAULT_OUTPUT,
    style: common_options.StyleOption = [DEFAULT_STYLE],  # noqa: B006 - Typer copies it
    model: common_options.ModelOption = DEFAULT_MODEL,
    models_dir: common_options.ModelsDirOption = None,
    offline: common_options.OfflineOption = False,
    overwrite: common_options.OverwriteOption = False,
    quiet: common_options.QuietOption = False,
) -> None:
    """Make a short moving scene with sound, paint it, and say where the film is."""
    from nst_video.transcode import transcode, write_demo_clip

    wanted = OutputFile(output, suffixes=tuple(CONTAINERS), overwrite=output == DEFAULT_OUTPUT)
    replaced = common_options.check_outputs([wanted], overwrite=overwrite)
    stylizer = common_options.build_stylizer(
        style=style,
        mix=None,
        intensity=StylizeSettings.intensity,
        blend=StylizeSettings.blend,
        keep_colors=StylizeSettings.keep_colors,
        work_size=StylizeSettings.work_size,
        model=model,
        models_dir=models_dir,
        offline=offline,
        engine=DEFAULT_ENGINE,
        quiet=quiet,
    )
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "scene.mp4"
        write_demo_clip(clip)
        done = transcode(clip, output, stylizer, overwrite=output in replaced)
    if not quiet:
        say(f"Painted in the style {stylizer.styles[0].title!r}. Watch it in any player:")
    result(done.target.resolve())
