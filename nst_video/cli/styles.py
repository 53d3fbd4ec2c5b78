"""`nst-video styles`: list, add, remove, show and refine styles, and draw a contact sheet."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nst_video.cli import completion
from nst_video.cli.console import result, say
from nst_video.cli.options import grouped, number
from nst_video.cli.output_options import OverwriteOption, QuietOption, check_outputs
from nst_video.cli.progress import progress
from nst_video.cli.refine import refine
from nst_video.cli.stylizer_options import (
    INTENSITY_OPTION,
    KeepColorsOption,
    ModelArguments,
    StylizeOptions,
    build_stylizer,
)
from nst_video.settings import StylizeSettings
from nst_video.validation import COUNT

if TYPE_CHECKING:
    from nst_video.frames import Frame
    from nst_video.image.contact_sheet import SheetEntry
    from nst_video.style_library.library import Style
    from nst_video.stylizer import Stylizer

app = typer.Typer(
    help="List, add, remove, show and refine styles.", no_args_is_help=True, add_completion=False
)
app.command()(refine)

Name = Annotated[
    str,
    typer.Argument(help="A style's name.", metavar="NAME", autocompletion=completion.styles),
]

PHOTO_SIDE_PX = 768
"""Maximum long side of the photo on a contact sheet, whose pictures are small."""


@app.command("list")
def list_styles() -> None:
    """List all styles: name, origin, whether refined, title."""
    from nst_video.style_library.library import StyleLibrary

    library = StyleLibrary()
    found = library.read()
    for note in found.notes:
        say(note)
    styles = _without_broken(found.styles)
    width = max((len(style.name) for style in styles), default=0)
    for style in styles:
        refined = "refined" if library.is_refined(style) else ""
        title = f"{style.title} ({style.artist})" if style.artist else style.title
        result(f"{style.name:{width}}  {style.origin:8}  {refined:7}  {title}")


@app.command()
def add(
    pictures: Annotated[
        list[Path],
        typer.Argument(
            help="Any picture, or several of one style. A name may come first.",
            metavar="[NAME] PICTURE...",
        ),
    ],
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the style; by default that of the file.")
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="Title to display.")] = None,
    description: Annotated[str, typer.Option("--description", help="One sentence.")] = "",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", "-y", help="Replace your style of the same name.")
    ] = False,
) -> None:
    """Copy a picture, or several of one painter, into your styles and print the style's name."""
    from nst_video.style_library.library import StyleLibrary

    if name is None and len(pictures) > 1 and not pictures[0].exists():
        name, pictures = str(pictures[0]), pictures[1:]
    style = StyleLibrary().add(
        pictures, name, title=title, description=description, overwrite=overwrite
    )
    say(f"Added {style.place}; use it with --style {style.name}")
    result(style.name)


@app.command()
def remove(
    name: Name,
    only_refined: Annotated[
        bool,
        typer.Option("--refined", help="Remove only what `styles refine` made; keep the style."),
    ] = False,
) -> None:
    """Delete one of your styles, or what was refined of any style."""
    from nst_video.style_library.library import StyleLibrary

    library = StyleLibrary()
    if not only_refined:
        say(f"Removed {library.remove(name).place}")
    elif library.forget_refined(library.get(name)):
        say(f"The style {name!r} is no longer refined.")
    else:
        say(f"The style {name!r} was not refined.")


@app.command()
def show(name: Name) -> None:
    """Show title, origin, license and path of a style."""
    from nst_video.frames import size_of
    from nst_video.style_library.library import StyleLibrary

    library = StyleLibrary()
    style = library.get(name)
    width, height = size_of(style.load())
    facts = {
        "name": style.name,
        "title": style.title,
        "artist": style.artist,
        "description": style.description,
        "license": style.license,
        "origin": style.origin,
        "size": f"{width}x{height}",
        "pictures": len(style.parts) if style.others else "",
        "refined": "yes" if library.is_refined(style) else "",
        "path": style.place,
    }
    for fact, value in facts.items():
        if value:
            result(f"{fact:11}  {value}")


@app.command()
@grouped
def sheet(
    photo: Annotated[Path, typer.Argument(help="The photo to stylize.", metavar="PHOTO")],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Picture to write.")
    ] = Path("sheet.jpg"),
    style: Annotated[
        list[str] | None,
        typer.Option(
            "--style",
            "-s",
            metavar="STYLE",
            autocompletion=completion.styles,
            help="Show only this style; repeat for several.",
        ),
    ] = None,
    columns: Annotated[int | None, number(COUNT, "--columns", help="Pictures per row.")] = None,
    intensity: Annotated[float, INTENSITY_OPTION] = StylizeSettings.intensity,
    keep_colors: KeepColorsOption = StylizeSettings.keep_colors,
    model: ModelArguments,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
) -> None:
    """Draw a contact sheet: a photo in every style, with captions."""
    from nst_video.errors import StyleError
    from nst_video.image.contact_sheet import contact_sheet
    from nst_video.image.files import WRITABLE_SUFFIXES, load_picture, save_picture
    from nst_video.style_library.library import StyleLibrary
    from nst_video.system.output_files import OutputFile
    from nst_video.system.path_lookup import user_path

    replaced = check_outputs(
        [OutputFile(output, "sheet", WRITABLE_SUFFIXES)], [user_path(photo)], overwrite=overwrite
    )
    content = _downscaled(load_picture(photo))
    names = style or [each.name for each in _without_broken(StyleLibrary().styles())]
    if not names:
        raise StyleError("There are no styles yet: add a picture with `nst-video styles add`.")
    first = StylizeOptions(style=names[:1], intensity=intensity, keep_colors=keep_colors)
    stylizer = build_stylizer(first, model, quiet=quiet)
    shown = contact_sheet(_entries(content, names, stylizer, quiet), columns)
    result(save_picture(output, shown, overwrite=output in replaced))


def _without_broken(styles: "Sequence[Style]") -> "list[Style]":
    """Return the styles whose pictures can be decoded; print which of the user's cannot."""
    from nst_video.errors import SourceError

    good = []
    for style in styles:
        try:
            if style.origin == "yours":
                style.load(small=True)
            good.append(style)
        except SourceError as error:
            say(f"Your style '{style.name}' is skipped: {error}")
    return good


def _downscaled(photo: "Frame") -> "Frame":
    """Return the photo with a long side of at most PHOTO_SIDE_PX."""
    from nst_video.frames import fit_within, size_of
    from nst_video.image.resize import resize_area

    return resize_area(photo, fit_within(size_of(photo), (PHOTO_SIDE_PX, PHOTO_SIDE_PX)))


def _entries(
    content: "Frame", names: list[str], stylizer: "Stylizer", quiet: bool
) -> "Iterator[SheetEntry]":
    """Stylize the photo in one style after the other."""
    from nst_video.image.contact_sheet import SheetEntry

    yield SheetEntry("Original", content)
    with progress("Stylizing", shown=not quiet) as report:
        for done, name in enumerate(names):
            if report:
                report(done, len(names), [f"style {done + 1}/{len(names)}", name])
            stylizer.set_style(name)
            stylizer.reset()
            (style,) = stylizer.styles
            yield SheetEntry(style.title, stylizer(content), style.load())
