"""`nst-video styles`: what styles there are, adding your own, seeing them all on one photo."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nst_video.cli import common_options, completion
from nst_video.cli.console import result, say
from nst_video.cli.progress import progress
from nst_video.settings import DEFAULT_ENGINE, DEFAULT_MODEL, StylizeSettings
from nst_video.validation import COUNT

if TYPE_CHECKING:
    from nst_video.frames import Frame
    from nst_video.image.contact_sheet import SheetEntry
    from nst_video.style_library.library import Style
    from nst_video.stylizer import Stylizer

app = typer.Typer(help="List, add, remove and show styles.", no_args_is_help=True)

Name = Annotated[
    str,
    typer.Argument(help="A style's name.", metavar="NAME", autocompletion=completion.styles),
]

PHOTO_SIDE_PX = 768
"""Long side to which a photo is shrunk before it is painted for a sheet of small pictures."""


@app.command("list")
def list_styles() -> None:
    """List every style: name, whose it is, title."""
    from nst_video.style_library.library import StyleLibrary

    found = StyleLibrary().read()
    for note in found.notes:
        say(note)
    styles = _without_broken(found.styles)
    width = max((len(style.name) for style in styles), default=0)
    for style in styles:
        result(f"{style.name:{width}}  {style.origin:8}  {style.title}")


@app.command()
def add(
    picture: Annotated[Path, typer.Argument(help="Any picture.", metavar="PICTURE")],
    name: Annotated[
        str | None, typer.Option("--name", help="What to call it; by default the file's name.")
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="For display.")] = None,
    description: Annotated[str, typer.Option("--description", help="One sentence.")] = "",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", "-y", help="Replace your style of that name.")
    ] = False,
) -> None:
    """Copy a picture into your own styles and print its name."""
    from nst_video.style_library.library import StyleLibrary

    style = StyleLibrary().add(
        picture, name, title=title, description=description, overwrite=overwrite
    )
    say(f"Added {style.path}; use it with --style {style.name}")
    result(style.name)


@app.command()
def remove(name: Name) -> None:
    """Delete one of your own styles."""
    from nst_video.style_library.library import StyleLibrary

    say(f"Removed {StyleLibrary().remove(name).path}")


@app.command()
def show(name: Name) -> None:
    """Show what is known of a style, and where its picture is."""
    from nst_video.frames import size_of
    from nst_video.style_library.library import StyleLibrary

    style = StyleLibrary().get(name)
    width, height = size_of(style.load())
    facts = {
        "name": style.name,
        "title": style.title,
        "description": style.description,
        "license": style.license,
        "origin": style.origin,
        "size": f"{width}x{height}",
        "path": style.path,
    }
    for fact, value in facts.items():
        if value:
            result(f"{fact:11}  {value}")


@app.command()
def sheet(
    photo: Annotated[Path, typer.Argument(help="The photo to paint.", metavar="PHOTO")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the sheet goes.")] = Path(
        "sheet.jpg"
    ),
    style: Annotated[
        list[str] | None,
        typer.Option(
            "--style",
            "-s",
            autocompletion=completion.styles,
            help="Only this style; repeat it for more.",
        ),
    ] = None,
    columns: Annotated[
        int | None, common_options.number(COUNT, "--columns", help="Pictures in a row.")
    ] = None,
    intensity: common_options.IntensityOption = StylizeSettings.intensity,
    keep_colors: common_options.KeepColorsOption = StylizeSettings.keep_colors,
    model: common_options.ModelOption = DEFAULT_MODEL,
    models_dir: common_options.ModelsDirOption = None,
    offline: common_options.OfflineOption = False,
    engine: common_options.EngineOption = DEFAULT_ENGINE,
    overwrite: common_options.OverwriteOption = False,
    quiet: common_options.QuietOption = False,
) -> None:
    """Write a contact sheet: every style applied to a photo, with captions."""
    from nst_video.errors import StyleError
    from nst_video.image.contact_sheet import contact_sheet
    from nst_video.image.files import WRITABLE_SUFFIXES, load_picture, save_picture
    from nst_video.style_library.library import StyleLibrary
    from nst_video.system.output_files import OutputFile
    from nst_video.system.path_lookup import user_path

    replaced = common_options.check_outputs(
        [OutputFile(output, "sheet", WRITABLE_SUFFIXES)], [user_path(photo)], overwrite=overwrite
    )
    content = _shrunk(load_picture(photo))
    names = style or [each.name for each in _without_broken(StyleLibrary().styles())]
    if not names:
        raise StyleError("There are no styles yet: add a picture with `nst-video styles add`.")
    stylizer = common_options.build_stylizer(
        style=names[:1],
        mix=None,
        intensity=intensity,
        blend=StylizeSettings.blend,
        keep_colors=keep_colors,
        work_size=None,
        model=model,
        models_dir=models_dir,
        offline=offline,
        engine=engine,
        quiet=quiet,
    )
    shown = contact_sheet(_entries(content, names, stylizer, quiet), columns)
    result(save_picture(output, shown, overwrite=output in replaced))


def _without_broken(styles: "Sequence[Style]") -> "list[Style]":
    """Return the styles whose pictures can be decoded, and say which of the user's cannot."""
    from nst_video.errors import SourceError

    good = []
    for style in styles:
        try:
            if style.origin == "yours":
                style.load(small=True)
            good.append(style)
        except SourceError as error:
            say(f"Your style '{style.name}' is left out: {error}")
    return good


def _shrunk(photo: "Frame") -> "Frame":
    """Return the photo with a long side of at most PHOTO_SIDE_PX."""
    from nst_video.frames import fit_within, size_of
    from nst_video.image.resize import resize_area

    return resize_area(photo, fit_within(size_of(photo), (PHOTO_SIDE_PX, PHOTO_SIDE_PX)))


def _entries(
    content: "Frame", names: list[str], stylizer: "Stylizer", quiet: bool
) -> "Iterator[SheetEntry]":
    """Paint the photo in one style after the other."""
    from nst_video.image.contact_sheet import SheetEntry

    yield SheetEntry("Original", content)
    with progress("Painting", shown=not quiet) as report:
        for done, name in enumerate(names):
            if report:
                report(done, len(names), [f"style {done + 1}/{len(names)}", name])
            stylizer.set_style(name)
            stylizer.reset()
            (style,) = stylizer.styles
            yield SheetEntry(style.title, stylizer(content), style.load())
