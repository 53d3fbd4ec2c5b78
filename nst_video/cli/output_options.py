"""Options of what a command writes and prints, and the checks of its output files."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from nst_video.cli.console import say
from nst_video.system import output_files
from nst_video.system.output_files import OutputFile
from nst_video.system.path_lookup import user_path

QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", "-y", help="Replace existing output files.")
]


def check_outputs(
    outputs: Sequence[OutputFile],
    inputs: Iterable[Path] = (),
    *,
    overwrite: bool,
    make_folders: bool = False,
) -> frozenset[Path]:
    """Check every file that a command will write, before any work; ask about those that exist.

    Args:
        outputs: all files to write.
        inputs: every file that the command reads.
        overwrite: replace existing files without asking.
        make_folders: make the folders of outputs.

    Returns:
        The outputs that exist and may be replaced.

    Raises:
        NstVideoError: see `output_files.check_outputs`; on a terminal the user is asked whether an
            existing file may be replaced, elsewhere it may not.
    """

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


def check_plot(
    plot: Path | None, inputs: Iterable[str] = (), *, overwrite: bool
) -> frozenset[Path]:
    """Check, before any work, that a plot can be drawn and written; see `check_outputs`.

    Args:
        plot: its file, None for no plot.
        inputs: every file that the command reads.
        overwrite: replace an existing file without asking.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    if plot is None:
        return frozenset()
    from nst_video.image.files import WRITABLE_SUFFIXES
    from nst_video.image.plots import require_matplotlib

    require_matplotlib()
    return check_outputs(
        [OutputFile(plot, "plot", WRITABLE_SUFFIXES)],
        [user_path(each) for each in inputs],
        overwrite=overwrite,
    )
