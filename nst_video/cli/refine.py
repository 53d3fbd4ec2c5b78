"""`nst-video styles refine`: make a style look like its picture, in minutes."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nst_video.cli import completion
from nst_video.cli.console import result, say, shown
from nst_video.cli.options import grouped, number
from nst_video.cli.output_options import OverwriteOption, QuietOption, check_outputs
from nst_video.cli.progress import clock_time, fetch_progress, progress
from nst_video.cli.stylizer_options import MODEL_OPTION, ModelsDirOption, OfflineOption
from nst_video.optimization.refine_settings import RefineSettings
from nst_video.settings import ModelOptions
from nst_video.validation import BOLDNESS, MINUTES

if TYPE_CHECKING:
    from nst_video.frames import Frame
    from nst_video.optimization.refine_session import StyleRefinement
    from nst_video.style_library.library import Style


@grouped
def refine(
    style: Annotated[
        str,
        typer.Argument(
            help="A style's name, or any picture, which is added to your styles.",
            metavar="PICTURE|NAME",
            autocompletion=completion.styles,
        ),
    ],
    *,
    minutes: Annotated[
        float, number(MINUTES, "--minutes", metavar="N", help="How long to refine, at most.")
    ] = RefineSettings.minutes,
    bold: Annotated[
        float, number(BOLDNESS, "--bold", help="0 keeps more of the photo, 1 has more style.")
    ] = RefineSettings.bold,
    photos: Annotated[
        Path | None,
        typer.Option(
            "--photos",
            metavar="FOLDER",
            help="Photos like those to be painted; by default pictures made by code.",
        ),
    ] = None,
    preview: Annotated[
        Path | None,
        typer.Option(
            "--preview",
            metavar="FILE",
            help="Where to show, meanwhile, the style and a scene painted in it.",
        ),
    ] = None,
    model: Annotated[str, MODEL_OPTION] = ModelOptions.model,
    models_dir: ModelsDirOption = ModelOptions.models_dir,
    offline: OfflineOption = ModelOptions.offline,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
) -> None:
    """Refine a style: adapt its numbers, not the network, to its picture, and keep the result.

    Everything that paints in the style does so with the refined numbers from then on, as fast as
    before. An interruption with Ctrl-C keeps the best so far, and the same command goes on.
    """
    from nst_video.image.files import WRITABLE_SUFFIXES
    from nst_video.system.output_files import OutputFile

    settings = RefineSettings(minutes, bold)
    if preview is not None:
        check_outputs([OutputFile(preview, "preview", WRITABLE_SUFFIXES)], overwrite=overwrite)
    options = ModelOptions(model, models_dir=models_dir, offline=offline)
    refinement = _prepare(style, settings, options, _photos_in(photos), quiet)
    target = preview or refinement.preview_path
    if not quiet:
        say(f"Refining the style {refinement.style.name!r}; see {shown(target)}")
    try:
        _run(refinement, target, quiet)
    finally:
        if refinement.state is not None and not quiet:
            _say_result(refinement)
    result(refinement.style.name)


def _prepare(
    name: str,
    settings: RefineSettings,
    options: ModelOptions,
    photos: "Sequence[Frame] | None",
    quiet: bool,
) -> "StyleRefinement":
    """Load the model and the loss network."""
    from nst_video.api import open_refinement

    with fetch_progress(quiet=quiet) as on_fetch:
        return open_refinement(name, settings, options, photos=photos, on_fetch=on_fetch)


def _photos_in(folder: Path | None) -> "list[Frame] | None":
    """Return the pictures in a folder; None without one.

    Raises:
        SourceError: the folder or a picture cannot be read.
        UsageError: it has none.
    """
    if folder is None:
        return None
    from nst_video.errors import UsageError
    from nst_video.image.files import load_picture, pictures_in

    photos = [load_picture(path, small=True) for path in pictures_in(folder)]
    if not photos:
        raise UsageError(f"The folder {folder} has no pictures: name one with photos.")
    return photos


def _run(refinement: "StyleRefinement", target: Path, quiet: bool) -> None:
    """Do all steps, with progress on stderr, and show previews."""
    from nst_video.image.files import save_picture

    with progress(refinement.style.name, shown=not quiet) as report:
        for step in refinement.steps():
            if step.preview is not None:
                save_picture(target, _side_by_side(refinement.style, step.preview), overwrite=True)
            if report:
                facts = [f"{clock_time(step.remaining_s)} left", f"step {step.state.step}"]
                before, after = step.state.measures
                report(step.done, 1, [*facts, f"loss {after / before:.2f} of before"])


def _side_by_side(style: "Style", painted: "Frame") -> "Frame":
    """Return the style image and a painted scene beside each other."""
    import numpy as np

    from nst_video.image.resize import center_square

    return np.hstack([center_square(style.load(small=True), painted.shape[0]), painted])


def _say_result(refinement: "StyleRefinement") -> None:
    found = refinement.result()
    share = f"{found.after / found.before:.2f} of the loss before, in {found.steps} steps"
    if found.is_kept:
        say(f"The style {found.style.name!r} is refined: {share}.")
    else:
        say(f"The style {found.style.name!r} stays as it was: {share}.")
