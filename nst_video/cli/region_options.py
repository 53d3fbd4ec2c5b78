"""Options of masks: one style where the mask is, something else around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from nst_video.cli.options import number
from nst_video.errors import UsageError
from nst_video.settings import BACKGROUND_WORDS, DEFAULT_STYLE, PERSON, Regions, parse_color
from nst_video.system.path_lookup import user_path
from nst_video.validation import SOFTNESS

PANEL = "Mask"

NOBODY_FOUND = "nobody was found, so all of it is background."

ORIGINAL = BACKGROUND_WORDS[0]


@dataclass(frozen=True, kw_only=True)
class MaskOptions:
    """Where styles are painted."""

    mask: Annotated[
        list[Path] | None,
        typer.Option(
            "--mask",
            metavar="FILE|person",
            help="Gray picture or video, white where the style applies, or person for the people "
            "found. With --method gatys: person or pictures, one for each style in order; styles "
            "without a mask share the rest.",
            rich_help_panel=PANEL,
        ),
    ] = None

    @property
    def masks(self) -> Sequence[Path]:
        """What was given."""
        return self.mask or ()


@dataclass(frozen=True, kw_only=True)
class BackgroundOptions:
    """What is outside of --mask, and how soft its edge is."""

    background: Annotated[
        str | None,
        typer.Option(
            "--background",
            metavar="STYLE|original|blur|COLOR",
            help="With --mask: what is around it: another style, painted in the same pass; the "
            "input (original), also blurred (blur); or a color, such as green or #00b140. "
            "--style original --background STYLE leaves the masked part as it was.",
            rich_help_panel=PANEL,
        ),
    ] = None
    mask_softness: Annotated[
        float | None,
        number(
            SOFTNESS,
            "--mask-softness",
            help="Width of the mask's edge, from 0 (sharp) to 1 (as found, or as in the file).",
            panel=PANEL,
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class RegionOptions(BackgroundOptions, MaskOptions):
    """The mask, what is outside of it, and how soft its edge is."""


def choose_regions(
    styles: Sequence[str], masks: Sequence[Path], options: BackgroundOptions
) -> tuple[list[str], Regions | None]:
    """Return the styles of the first region, and the regions, None without a mask.

    Args:
        styles: of `--style`.
        masks: of `--mask`.
        options: the other options.

    Raises:
        UsageError: options that make no sense together.
        SourceError: the mask is neither a picture nor a video.
    """
    background = options.background
    if not masks:
        if background is not None or options.mask_softness is not None:
            raise UsageError("--background and --mask-softness need --mask, such as --mask person.")
        if ORIGINAL in styles:
            raise UsageError(
                f"--style {ORIGINAL} needs --mask and --background, such as --mask person "
                "--background wave."
            )
        return list(styles), None
    if len(masks) > 1:
        raise UsageError(f"One --mask is enough, not {len(masks)}: the rest is the background.")
    mask = PERSON if str(masks[0]) == PERSON else str(user_path(masks[0]))
    if mask != PERSON and not Path(mask).is_file():
        raise UsageError(f"No file {mask} for --mask: give a picture, a video, or {PERSON}.")
    if mask != PERSON:
        from nst_video.segmentation import FileMasks

        FileMasks(Path(mask))  # checks it before models are loaded
    if background is not None and background.startswith("#") and not parse_color(background):
        raise UsageError(f"{background} is no color: give red, green and blue, as in #00b140.")
    if ORIGINAL in styles and len(styles) > 1:
        raise UsageError(
            f"--style {ORIGINAL} leaves the masked part as it was, and cannot be mixed with other "
            "styles: give the style around it as --background."
        )
    if list(styles) != [ORIGINAL]:
        return list(styles), Regions(mask, background or ORIGINAL, options.mask_softness)
    if background is None or background == ORIGINAL:
        raise UsageError(
            "--style original leaves the masked part as it was: give --background a style, blur or "
            "a color, such as --background wave."
        )
    if background in BACKGROUND_WORDS or parse_color(background):
        return [DEFAULT_STYLE], Regions(mask, background, options.mask_softness, paints=False)
    return [background], Regions(mask, ORIGINAL, options.mask_softness, invert=True)


def mask_files(masks: Sequence[Path]) -> list[Path]:
    """Return those of `--mask` that are files."""
    return [user_path(mask) for mask in masks if str(mask) != PERSON]
