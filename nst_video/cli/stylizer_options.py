"""Options of style and model, and the stylizer made from them."""

import reprlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from nst_video.cli import completion
from nst_video.cli.console import say
from nst_video.cli.options import checked, number
from nst_video.cli.progress import fetch_progress
from nst_video.errors import UsageError
from nst_video.settings import (
    AUTO_WORK_SIZE,
    DEFAULT_STYLE,
    Blend,
    ModelOptions,
    Regions,
    StylizeSettings,
    TileRows,
    WorkSize,
)
from nst_video.validation import (
    GENTLE,
    INTENSITY,
    MIX_WEIGHT,
    PAINT_EVERY,
    STEADY,
    STROKE_SCALE,
    TILE_ROWS,
    WORK_SIZE,
    Range,
)

if TYPE_CHECKING:
    from nst_video.stylizer import Stylizer

STYLE_PANEL = "Style"
MODEL_PANEL = "Model"


def parse_mix(text: str | None) -> list[float] | None:
    """Turn "0.7,0.3" into numbers.

    Raises:
        UsageError: a part is not a number, or out of range.
    """
    if text is None:
        return None
    return [MIX_WEIGHT.parse(f"Each weight of --mix {text!r}", part) for part in text.split(",")]


def parse_tile(text: str) -> TileRows:
    """Turn "auto", "off" or a number of rows into the value that engines take.

    Raises:
        UsageError: it is none of these.
    """
    if text == "off":
        return "off"
    return _auto_or_number("--tile", TILE_ROWS, text, "auto or off")


def parse_work_size(text: str) -> WorkSize:
    """Turn "auto", "full" or a number of pixels into a `WorkSize`.

    Raises:
        UsageError: it is neither.
    """
    if text == "full":
        return "full"
    return _auto_or_number("--work-size", WORK_SIZE, text, "auto or full")


def parse_paint_every(text: str | None) -> int | Literal["auto"] | None:
    """Turn "auto" or a number of frames into `StylizeSettings.paint_every`.

    Raises:
        UsageError: it is neither.
    """
    if text is None:
        return None
    return _auto_or_number("--paint-every", PAINT_EVERY, text, "or auto")


def check_paint_every(steady: float | None, every: int | str | None) -> None:
    """Refuse to move strokes along without keeping them.

    Args:
        steady: of `--steady`, None if it was not given.
        every: of `--paint-every`, likewise.

    Raises:
        UsageError: frames would be moved along, but none may be.
    """
    if steady == 0 and isinstance(every, int) and every > 1:
        raise UsageError(
            f"--paint-every {every} moves strokes from frame to frame, and --steady 0 paints every "
            "frame by itself: leave out one of them."
        )


def _auto_or_number(name: str, allowed: Range, text: str, words: str) -> int | Literal["auto"]:
    """Parse the value of an option that is a whole number, "auto" or other `words`."""
    if text == "auto":
        return "auto"
    try:
        return int(allowed.parse(name, text))
    except UsageError:
        shown = reprlib.repr(text)
        raise UsageError(f"{name} must be {allowed}, {words}, not {shown}.") from None


STYLE_OPTION = typer.Option(
    "--style",
    "-s",
    metavar="STYLE",
    autocompletion=completion.styles,
    help="A style's name (see `styles list`) or any picture; repeat to mix several.",
    rich_help_panel=STYLE_PANEL,
)
GENTLE_OPTION = number(
    GENTLE,
    "--gentle",
    help="How much of the structure of faces and hands is brought back, from 0 to 1.",
    panel=STYLE_PANEL,
)
MODEL_OPTION = typer.Option(
    "--model",
    "-m",
    metavar="NAME",
    autocompletion=completion.models,
    help="A model's name (see `models list`); auto takes the best available.",
    rich_help_panel=MODEL_PANEL,
)
ENGINE_OPTION = typer.Option(
    "--engine",
    metavar="NAME",
    autocompletion=completion.among(completion.ENGINE_NAMES),
    help="Runtime of the network: auto, openvino (CPU), openvino-fast (CPU; bfloat16 where "
    "available: about twice as fast, nearly exact), openvino-gpu and openvino-npu (Intel), "
    "tensorflow (GPU). `doctor` lists what works on this machine.",
    rich_help_panel=MODEL_PANEL,
)
MixOption = Annotated[
    str | None,
    typer.Option(
        "--mix",
        callback=checked(parse_mix),
        metavar="W1,W2,...",
        help="Weights of the styles, such as 0.7,0.3; equal by default.",
        rich_help_panel=STYLE_PANEL,
    ),
]
KeepColorsOption = Annotated[
    bool,
    typer.Option(
        "--keep-colors",
        help="Keep the colors of the input; stylize luminance only.",
        rich_help_panel=STYLE_PANEL,
    ),
]
ModelsDirOption = Annotated[
    Path | None,
    typer.Option(
        "--models-dir",
        metavar="DIR",
        help="Folder searched for model files before the cache.",
        rich_help_panel=MODEL_PANEL,
    ),
]
OfflineOption = Annotated[
    bool, typer.Option("--offline", help="Never download.", rich_help_panel=MODEL_PANEL)
]


STEADY_OPTION = number(
    STEADY,
    "--steady",
    help="How firmly strokes stay on what they are painted on, from 0 (every frame by itself, "
    "which flickers) to 1.",
    panel=STYLE_PANEL,
)


def paint_every_option(auto: str) -> object:
    """Declare `--paint-every`; `auto` says what auto does."""
    return typer.Option(
        "--paint-every",
        callback=checked(parse_paint_every),
        metavar="N|auto",
        help="Paint one of N frames, and move the others along from it; more where much is new. "
        f"{auto}",
        rich_help_panel=STYLE_PANEL,
    )


INTENSITY_OPTION = number(
    INTENSITY,
    "--intensity",
    help="Strength of the style, from 0 (the input) to 1 (fully stylized).",
    panel=STYLE_PANEL,
)


@dataclass(frozen=True, kw_only=True)
class StyleOptions:
    """The style, and settings that both methods have."""

    style: Annotated[list[str], STYLE_OPTION] = field(default_factory=lambda: [DEFAULT_STYLE])
    mix: MixOption = None
    keep_colors: KeepColorsOption = StylizeSettings.keep_colors
    work_size: Annotated[
        str,
        typer.Option(
            "--work-size",
            metavar="PIXELS|auto|full",
            help="Short side at which the network runs; smaller is faster, with larger strokes. "
            f"auto is at most {AUTO_WORK_SIZE}, so that strokes do not shrink in large frames "
            "(with --method gatys, 480 for videos and full for pictures).",
            rich_help_panel=STYLE_PANEL,
        ),
    ] = StylizeSettings.work_size  # type: ignore[assignment]  # "auto"


@dataclass(frozen=True, kw_only=True)
class StylizeOptions(StyleOptions):
    """The style and everything about how a stylizer applies it."""

    intensity: Annotated[float, INTENSITY_OPTION] = StylizeSettings.intensity
    blend: Annotated[
        str,
        typer.Option(
            "--blend",
            autocompletion=completion.among(get_args(Blend)),
            metavar="|".join(get_args(Blend)),
            help="How --intensity works: between styles (latent), or as a cross-fade of pixels.",
            rich_help_panel=STYLE_PANEL,
        ),
    ] = StylizeSettings.blend
    stroke_scale: Annotated[
        float,
        number(
            STROKE_SCALE,
            "--stroke-scale",
            help="Width of the strokes: 2 for twice as wide; 0.5 for half, four times the work.",
            panel=STYLE_PANEL,
        ),
    ] = StylizeSettings.stroke_scale
    gentle: Annotated[float, GENTLE_OPTION] = StylizeSettings.gentle

    def settings(self) -> StylizeSettings:
        """Return everything but the style.

        Raises:
            UsageError: a value that makes no sense.
        """
        return StylizeSettings(
            self.intensity,
            self.blend,  # type: ignore[arg-type]  # StylizeSettings checks it
            self.keep_colors,
            parse_work_size(self.work_size),
            self.stroke_scale,
            self.gentle,
        )


@dataclass(frozen=True, kw_only=True)
class ModelArguments:
    """The network and what runs it, as typed; see `settings.ModelOptions`."""

    model: Annotated[str, MODEL_OPTION] = ModelOptions.model
    models_dir: ModelsDirOption = ModelOptions.models_dir
    offline: OfflineOption = ModelOptions.offline
    engine: Annotated[str, ENGINE_OPTION] = ModelOptions.engine
    tile: Annotated[
        str,
        typer.Option(
            "--tile",
            callback=checked(parse_tile),
            autocompletion=completion.among(("auto", "off")),
            metavar="auto|off|ROWS",
            help="Run large frames in tiles of this many rows: same result, less memory. auto "
            "uses tiles where whole frames do not fit in memory.",
            rich_help_panel=MODEL_PANEL,
        ),
    ] = str(ModelOptions.tile)

    def parse(self) -> ModelOptions:
        """Return these options with the tile parsed.

        Raises:
            UsageError: the tile makes no sense.
        """
        tile = parse_tile(self.tile)
        return ModelOptions(self.model, self.engine, tile, self.models_dir, self.offline)


def build_stylizer(
    style: StylizeOptions,
    model: ModelArguments,
    *,
    quiet: bool,
    regions: Regions | None = None,
) -> "Stylizer":
    """Return the loaded stylizer that the options describe, and print what it runs on.

    Args:
        style: how it paints.
        model: with what.
        quiet: print nothing.
        regions: where it paints something else.

    Raises:
        NstVideoError: an option makes no sense, or the model is not available.
    """
    from nst_video.stylizer import Stylizer

    with fetch_progress(quiet=quiet) as on_fetch:
        stylizer = Stylizer(
            style.style,
            style.settings(),
            model.parse(),
            mix=parse_mix(style.mix),
            on_note=None if quiet else say,
            on_fetch=on_fetch,
            regions=regions,
        )
        stylizer.prepare()
    if not quiet and not stylizer.settings.is_original:
        choice, device = stylizer.choice, stylizer.engine.device
        say(f"Model {choice.name} ({choice.reason}); {device.reason}.")
    return stylizer
