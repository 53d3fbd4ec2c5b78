"""`nst-video mask`: the people in a picture or film, as a mask or with transparency around them."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nst_video.cli.console import result, say
from nst_video.cli.options import grouped, number
from nst_video.cli.output_options import OverwriteOption, QuietOption, check_outputs
from nst_video.cli.progress import fetch_progress
from nst_video.cli.region_options import NOBODY_FOUND, RegionOptions
from nst_video.cli.stylizer_options import ModelsDirOption, OfflineOption
from nst_video.errors import SourceError, UsageError
from nst_video.settings import ModelOptions
from nst_video.system.output_files import OutputFile
from nst_video.system.path_lookup import require_file, user_path
from nst_video.validation import SOFTNESS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nst_video.segmentation import PersonMasks

PICTURES = (".png", ".webp")
"""Pictures that can be transparent."""


@grouped
def mask(
    source: Annotated[str, typer.Argument(metavar="INPUT", help="Picture or video.")],
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help=".png, .webp, .webm (VP9) and .mov (ProRes 4444) are transparent around people; "
            ".mp4 and .mkv show the mask, white on black.",
        ),
    ],
    gray: Annotated[
        bool, typer.Option("--gray", help="A picture of the mask, white on black.")
    ] = False,
    softness: Annotated[
        float | None,
        number(SOFTNESS, "--mask-softness", help="Width of the mask's edge."),
    ] = RegionOptions.mask_softness,
    segmenter: Annotated[
        str,
        typer.Option(
            "--segmenter",
            metavar="auto|builtin|selfie",
            help="What finds people; auto is selfie where it is on disk.",
        ),
    ] = "auto",
    models_dir: ModelsDirOption = ModelOptions.models_dir,
    offline: OfflineOption = ModelOptions.offline,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write the mask of the people in a picture or video."""
    from nst_video.image.files import load_picture
    from nst_video.segmentation import PersonMasks, open_segmenter
    from nst_video.settings import Regions
    from nst_video.transcode.mask_film import FORMATS, mask_picture

    Regions(softness=softness)  # checks it
    path = user_path(source)
    require_file(path)
    suffixes = (*PICTURES, *FORMATS)
    replaced = check_outputs([OutputFile(output, suffixes=suffixes)], [path], overwrite=overwrite)
    with fetch_progress(quiet=quiet) as on_fetch:
        found = open_segmenter(
            segmenter, models_dir=models_dir, offline=offline, on_progress=on_fetch
        )
    masks = PersonMasks(found, softness)
    if not quiet:
        say(f"Segmenter {found.name}.")
    if output.suffix.lower() in FORMATS:
        if gray and FORMATS[output.suffix.lower()].has_alpha:
            raise UsageError("--gray is for pictures; write a video of the mask to .mp4 or .mkv.")
        result(_write_film(path, output, masks, overwrite=output in replaced))
        return
    try:
        frame = load_picture(path)
    except SourceError as error:
        raise UsageError(
            f"{error} The mask of a video is written to {', '.join(FORMATS)}."
        ) from error
    region = masks(frame)
    if not (region.any() or quiet):
        say(f"{path.name}: {NOBODY_FOUND}")
    picture = mask_picture(frame, region, has_alpha=not gray)
    result(_write_picture(picture, output, overwrite=output in replaced))


def _write_film(path: Path, output: Path, masks: "PersonMasks", *, overwrite: bool) -> Path:
    from nst_video.transcode.mask_film import write_mask_film
    from nst_video.video.sources import open_source

    with open_source(path) as film:
        return write_mask_film(film, film.info, output, masks, overwrite=overwrite)


def _write_picture(picture: "NDArray[np.uint8]", output: Path, *, overwrite: bool) -> Path:
    from PIL import Image

    from nst_video.system.paths import write_atomically

    packed = io.BytesIO()
    # Pillow ignores what a format does not know.
    Image.fromarray(picture).save(packed, output.suffix[1:].upper(), lossless=True)
    return write_atomically(output, lambda file: file.write(packed.getvalue()), overwrite=overwrite)
