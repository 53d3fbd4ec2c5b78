"""Options that several commands share, each declared once, and the stylizer they describe."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from nst_video.look import DEFAULT_TILE, Blend

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nst_video.engines import Tile
    from nst_video.output_files import OutputFile
    from nst_video.stylizer import Stylizer

_STYLE_PANEL = "Style"
_MODEL_PANEL = "Model"

StyleOption = Annotated[
    list[str],
    typer.Option(
        "--style",
        "-s",
        help="A style's name (see `styles list`) or any picture; repeat it to mix.",
        rich_help_panel=_STYLE_PANEL,
    ),
]
MixOption = Annotated[
    str | None,
    typer.Option(
        "--mix",
        metavar="W1,W2,...",
        help="Weights of the styles, such as 0.7,0.3; equal by default.",
        rich_help_panel=_STYLE_PANEL,
    ),
]
IntensityOption = Annotated[
    float,
    typer.Option(
        "--intensity",
        help="How far to go, from 0 (the picture) to 1 (the style).",
        rich_help_panel=_STYLE_PANEL,
    ),
]
BlendOption = Annotated[
    str,
    typer.Option(
        "--blend",
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
    typer.Option(
        "--work-size",
        metavar="PIXELS",
        help="Short side at which the network paints; smaller is faster, with larger strokes.",
        rich_help_panel=_STYLE_PANEL,
    ),
]
ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
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


def parse_mix(text: str | None) -> list[float] | None:
    """Turn "0.7,0.3" into numbers.

    Raises:
        UsageError: something in it is not a number.
    """
    from nst_video.errors import UsageError

    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"--mix takes numbers such as 0.7,0.3, not {text!r}.") from None


def parse_tile(text: str) -> "Tile":
    """Turn "auto", "off" or a number of rows into what engines take.

    Raises:
        UsageError: it is none of these.
    """
    from nst_video.errors import UsageError

    if text == "auto":
        return "auto"
    if text == "off":
        return "off"
    if text.isdigit():
        return int(text)
    raise UsageError(f"--tile takes auto, off or a number of rows, not {text!r}.")


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
    from nst_video.cli.console import fetch_progress, say
    from nst_video.quiet import quiet_stderr

    with quiet_stderr():
        from nst_video.stylizer import Stylizer

    with fetch_progress(quiet=quiet) as on_fetch:
        stylizer = Stylizer(
            model,
            style,
            mix=parse_mix(mix),
            intensity=intensity,
            blend=blend,  # type: ignore[arg-type]  # Look checks it
            keep_colors=keep_colors,
            work_size=work_size,
            engine=engine,
            tile=parse_tile(tile),
            on_note=None if quiet else say,
            models_dir=models_dir,
            offline=offline,
            on_fetch=on_fetch,
        )
        stylizer.prepare()
    if not quiet and not stylizer.look.is_original:
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

    from nst_video import output_files
    from nst_video.cli.console import say

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
