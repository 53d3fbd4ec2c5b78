"""The command line: all commands, and how errors are printed."""

import logging
import os
import sys
from typing import Annotated

import typer

from nst_video import __version__
from nst_video.cli import console
from nst_video.cli.command_table import LazyGroup
from nst_video.cli.console import FAILED, USAGE
from nst_video.errors import NstVideoError, UsageError
from nst_video.system.stderr import QuietImports

app = typer.Typer(
    name="nst-video",
    cls=LazyGroup,
    rich_markup_mode=None,  # importing what draws boxes takes as long as everything else
    help="Neural style transfer for videos, pictures and live cameras.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        console.result(f"nst-video {__version__}")
        raise typer.Exit


@app.callback()
def common(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show version."),
    ] = False,
) -> None:
    """Neural style transfer for videos, pictures and live cameras."""
    if context.invoked_subcommand is None:
        console.result(context.get_help())
        raise typer.Exit(USAGE)


def run() -> None:
    """Run the command line; exit with 0 (done), 1 (failed), 2 (usage) or 130 (interrupted)."""
    quiet_libraries()
    try:
        with console.interruptible():
            # Not standalone: Typer would print its errors in a box of several lines.
            sys.exit(app(standalone_mode=False))
    except NstVideoError as error:
        console.complain(error)
        sys.exit(USAGE if isinstance(error, UsageError) else FAILED)
    except typer.TyperException as error:
        # Typer shows the text of Pydantic, which checks values for it, and has no text if it has
        # printed the help instead of running a command.
        if message := error.format_message().removesuffix("."):
            end = "" if message.endswith("?") else "."
            console.complain(f"{message.replace('Value error, ', '')}{end}")
        sys.exit(error.exit_code)
    except typer.Abort:
        console.say("Aborted.")
        sys.exit(FAILED)


def quiet_libraries() -> None:
    """Suppress the start-up messages of TensorFlow, OpenVINO, LiteRT, OpenCV and Qt."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
    os.environ.setdefault("QT_LOGGING_RULES", "*=false")
    sys.meta_path.insert(0, QuietImports("tensorflow", "openvino", "ai_edge_litert"))
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
