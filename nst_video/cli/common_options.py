"""Options that several commands share, each declared once, and the stylizer they describe."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from nst_video.cli import completion
from nst_video.errors import UsageError
from nst_video.settings import DEFAULT_TILE, Blend, ModelOptions, StylizeSettings
from nst_video.validation import INTENSITY, MIX_WEIGHT, TILE_ROWS, WORK_SIZE, Range

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nst_video.settings import TileRows
    from nst_video.stylizer import Stylizer
    from nst_video.system.output_files import OutputFile

_STYLE_PANEL = "Style"
_MODEL_PANEL = "Model"


def number(
    allowed: Range,
    *names: str,
    help: str,
    metavar: str | None = None,
    panel: str | None = None,
) -> Any:  # noqa: ANN401 - as `typer.Option` is declared
    """Declare an option that takes a number of a range; others end with exit code 2.

    Args:
        allowed: the numbers; None passes as "not given".
        names: such as "--intensity"; by default the parameter's own.
        help: what it is for.
        metavar: what the help shows for the value; by default the limits.
        panel: heading in the help.
    """

    def check(param: typer.CallbackParam, value: float | None) -> float | None:
        allowed.check_optional(param.opts[0], value)
        return value

    return typer.Option(
        *names,
        callback=check,
        metavar=metavar or f"{allowed.low:g}..{allowed.high:g}",
        help=help,
        rich_help_panel=panel,
    )


def checked(parse: Callable[[str], object]) -> Callable[[str | None], str | None]:
    """Return a callback of an option that lets only text pass which `parse` takes."""

    def check(text: str | None) -> str | None:
        if text is not None:
            parse(text)
        return text

    return check


def parse_mix(text: str | None) -> list[float] | None:
    """Turn "0.7,0.3" into numbers.

    Raises:
        UsageError: something in it is no number, or out of range.
    """
    if text is None:
        return None
    return [MIX_WEIGHT.parse(f"Each weight of --mix {text!r}", part) for part in text.split(",")]


def parse_tile(text: str) -> "TileRows":
    """Turn "auto", "off" or a number of rows into what engines take.

    Raises:
        UsageError: it is none of these.
    """
    if text == "auto":
        return "auto"
    if text == "off":
        return "off"
    try:
        return int(TILE_ROWS.parse("--tile", text))
    except UsageError as error:
        raise UsageError(f"{str(error).removesuffix('.')}; auto and off go as well.") from None


StyleOption = Annotated[
    list[str],
    typer.Option(
        "--style",
        "-s",
        autocompletion=completion.styles,
        help="A style's name (see `styles list`) or any picture; repeat it to mix.",
        rich_help_panel=_STYLE_PANEL,
    ),
]
MixOption = Annotated[
    str | None,
    typer.Option(
        "--mix",
        callback=checked(parse_mix),
        metavar="W1,W2,...",
        help="Weights of the styles, such as 0.7,0.3; equal by default.",
        rich_help_panel=_STYLE_PANEL,
    ),
]
IntensityOption = Annotated[
    float,
    number(
        INTENSITY,
        "--intensity",
        help="How far to go, from 0 (the picture) to 1 (the style).",
        panel=_STYLE_PANEL,
    ),
]
BlendOption = Annotated[
    str,
    typer.Option(
        "--blend",
        autocompletion=completion.among(get_args(Blend)),
        metavar="|".join(get_args(Blend)),
        help="How intensity works: between styles (latent) or as a cross-fade (pixel).",
        rich_help_panel=_STYLE_PANEL,
    ),
]
KeepColorsOption = Annotated[
    bool,
    typer.Option(
        "--keep-colors",
        help="Keep the picture's own colors; only light and texture are painted.",
        rich_help_panel=_STYLE_PANEL,
    ),
]
WorkSizeOption = Annotated[
    int | None,
    number(
        WORK_SIZE,
        "--work-size",
        metavar="PIXELS",
        help="Short side at which the network paints; smaller is faster, with larger strokes.",
        panel=_STYLE_PANEL,
    ),
]
ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        autocompletion=completion.models,
        help="See `models list`; auto takes the best at hand.",
        rich_help_panel=_MODEL_PANEL,
    ),
]
ModelsDirOption = Annotated[
    Path | None,
    typer.Option(
        "--models-dir",
        help="Folder to look for model files in, before the cache.",
        rich_help_panel=_MODEL_PANEL,
    ),
]
OfflineOption = Annotated[
    bool,
    typer.Option("--offline", help="Never download anything.", rich_help_panel=_MODEL_PANEL),
]
EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        autocompletion=completion.among(completion.ENGINE_NAMES),
        help="What runs the network: auto, openvino (CPU), openvino-fast (CPU, about twice as "
        "fast where it has bfloat16, near exact), openvino-gpu and openvino-npu (Intel's), "
        "tensorflow (GPU). `doctor` says what runs here.",
        rich_help_panel=_MODEL_PANEL,
    ),
]
TileOption = Annotated[
    str,
    typer.Option(
        "--tile",
        callback=checked(parse_tile),
        autocompletion=completion.among(("auto", "off")),
        metavar="auto|off|ROWS",
        help="Paint large frames in tiles of so many rows, the same picture in less memory; auto: "
        "where whole frames do not fit.",
        rich_help_panel=_MODEL_PANEL,
    ),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", "-y", help="Replace the output where it exists.")
]


def build_stylizer(
    *,
    style: list[str],
    mix: str | None,
    intensity: float,
    blend: str,
    keep_colors: bool,
    work_size: int | None,
    model: str,
    models_dir: Path | None,
    offline: bool,
    engine: str,
    tile: str = DEFAULT_TILE,
    quiet: bool = False,
) -> "Stylizer":
    """Make the stylizer that the shared options describe, loaded, and say what it runs on.

    Raises:
        NstVideoError: an option makes no sense, or the model cannot be had.
    """
    from nst_video.cli.console import say
    from nst_video.cli.progress import fetch_progress
    from nst_video.stylizer import Stylizer

    with fetch_progress(quiet=quiet) as on_fetch:
        stylizer = Stylizer(
            style,
            StylizeSettings(
                intensity,
                blend,  # type: ignore[arg-type]  # StylizeSettings checks it
                keep_colors,
                work_size,
            ),
            ModelOptions(model, engine, parse_tile(tile), models_dir, offline),
            mix=parse_mix(mix),
            on_note=None if quiet else say,
            on_fetch=on_fetch,
        )
        stylizer.prepare()
    if not quiet and not stylizer.settings.is_original:
        choice, device = stylizer.choice, stylizer.engine.device
        say(f"Model {choice.name} ({choice.reason}); {device.reason}.")
    return stylizer


def check_outputs(
    outputs: "Sequence[OutputFile]",
    inputs: "Iterable[Path]" = (),
    *,
    overwrite: bool,
    make_folders: bool = False,
) -> frozenset[Path]:
    """Check every file that a command will write, before any work; ask about those that exist.

    Args:
        outputs: all of them.
        inputs: every file that the command reads.
        overwrite: replace existing files without asking.
        make_folders: make the folders of outputs.

    Returns:
        The outputs that exist and may be replaced.

    Raises:
        NstVideoError: see `output_files.check_outputs`; on a terminal the user is asked whether an
            existing file may be replaced, elsewhere it may not.
    """
    import sys

    from nst_video.cli.console import say
    from nst_video.system import output_files

    def confirm(question: str) -> bool:
        return typer.confirm(question, err=True)

    return output_files.check_outputs(
        outputs,
        inputs,
        overwrite=overwrite,
        confirm=confirm if sys.stdin.isatty() else None,
        make_folders=make_folders,
        on_note=say,
    )
