"""`nst-video demo`: a stylized video without a camera, an input file or a network connection."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from nst_video.cli.console import result, say
from nst_video.cli.options import grouped
from nst_video.cli.output_options import OverwriteOption, QuietOption, check_outputs
from nst_video.cli.stylizer_options import ModelArguments, StylizeOptions, build_stylizer
from nst_video.system.output_files import OutputFile
from nst_video.video.media.containers import CONTAINERS

DEFAULT_OUTPUT = Path("nst-video-demo.mp4")


@grouped
def demo(
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Video to write; only the default is replaced without asking.",
        ),
    ] = DEFAULT_OUTPUT,
    style: StylizeOptions,
    model: ModelArguments,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
) -> None:
    """Generate a short video with sound, stylize it, and print where it is."""
    from nst_video.transcode import transcode, write_demo_clip

    wanted = OutputFile(output, suffixes=tuple(CONTAINERS), overwrite=output == DEFAULT_OUTPUT)
    replaced = check_outputs([wanted], overwrite=overwrite)
    stylizer = build_stylizer(style, model, quiet=quiet)
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "scene.mp4"
        write_demo_clip(clip)
        done = transcode(clip, output, stylizer, overwrite=output in replaced)
    if not quiet:
        say(f"Stylized in {stylizer.styles[0].title!r}:")
    result(done.target.resolve())
