"""Checks all output files of a command before any work.

A command lists its outputs, including secondary ones, and its inputs. `check_outputs` refuses
outputs that cannot be written, that are inputs, or that exist and may not be replaced.
"""

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nst_video.errors import SinkError, UsageError
from nst_video.system.partial_file import (
    PartialFile,
    is_being_written,
    remove_abandoned,
    resolve_link,
)
from nst_video.system.path_lookup import PathKind, address_scheme, look_up, os_reason, short_name


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file that a command will write.

    Attributes:
        path: its final name.
        purpose: its contents, for messages, such as "loss curve".
        suffixes: the lower-case suffixes that can be written; None for any.
        overwrite: whether the file may be replaced without asking.
    """

    path: Path
    purpose: str = "output"
    suffixes: Collection[str] | None = None
    overwrite: bool = False


def check_outputs(
    outputs: Sequence[OutputFile],
    inputs: Iterable[Path] = (),
    *,
    overwrite: bool = False,
    confirm: Callable[[str], bool] | None = None,
    make_folders: bool = False,
    on_note: Callable[[str], None] | None = None,
) -> frozenset[Path]:
    """Check outputs; remove temporary files that killed runs left beside them.

    Args:
        outputs: every file that the command will write.
        inputs: every file that it will read; none of them may be an output, also not through links
            or other spellings.
        overwrite: whether existing files may be replaced.
        confirm: asks the user whether to replace a file; None to refuse.
        make_folders: whether to create missing folders.
        on_note: called with a sentence on what was removed.

    Returns:
        The outputs that exist and may be replaced.

    Raises:
        UsageError: an output has the wrong type, is an input, is named twice, or exists.
        SinkError: an output cannot be written where it is.
    """
    inputs = [*inputs]
    for index, output in enumerate(outputs):
        _check_name(output)
        for source in inputs:
            if is_same_file(output.path, source):
                raise UsageError(
                    f"{_named(output)} would replace the input {source}: choose another name."
                )
        for other in outputs[:index]:
            if is_same_file(output.path, other.path):
                both = f"The {other.purpose} and the {output.purpose}"
                if other.purpose == output.purpose:
                    both = f"One {output.purpose} and another"
                raise UsageError(
                    f"{both} would both be {short_name(output.path)}: choose different names."
                )
    for folder in dict.fromkeys(resolve_link(output.path).parent for output in outputs):
        check_folder(folder, make_folders=make_folders)
        removed = remove_abandoned(folder)
        if removed and on_note is not None:
            files = "1 unfinished file" if len(removed) == 1 else f"{len(removed)} unfinished files"
            on_note(f"Removed {files} of killed runs from {folder}.")
    return frozenset(
        output.path
        for output in outputs
        if _is_replaced(output, overwrite=overwrite or output.overwrite, confirm=confirm)
    )


def is_same_file(path: Path, other: Path) -> bool:
    """Return whether two paths lead, or would lead, to the same file."""
    with contextlib.suppress(OSError, ValueError):
        return path.samefile(other)
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        return os.path.normcase(path.resolve()) == os.path.normcase(other.resolve())
    return path == other


def suffix_list(suffixes: Iterable[str]) -> str:
    """Return ".mp4, .mov or .mkv"."""
    *most, last = suffixes
    return f"{', '.join(most)} or {last}" if most else last


def _check_name(output: OutputFile) -> None:
    """Raise UsageError if a name cannot be that of a file of this kind."""
    path = output.path
    if (scheme := address_scheme(path)) is not None:
        raise UsageError(f"{_named(output)} is an address ({scheme}): name a file to write.")
    suffix = path.suffix.lower()
    if output.suffixes is not None and suffix not in output.suffixes:
        ending = f"the ending {suffix}" if suffix else "no ending"
        raise UsageError(
            f"{_named(output)} has {ending}: the {output.purpose} is written as "
            f"{suffix_list(output.suffixes)}."
        )


def check_folder(folder: Path, *, make_folders: bool = False) -> None:
    """Check that a file can be created in a folder.

    Raises:
        SinkError: it cannot; the message gives the reason.
    """
    try:
        kind = look_up(folder).kind
        if kind is PathKind.FILE:
            raise SinkError(f"{short_name(folder)} is a file: name a folder.")
        if make_folders:
            folder.mkdir(parents=True, exist_ok=True)
        elif kind is PathKind.MISSING:
            raise SinkError(f"There is no folder {short_name(folder)}: make it first.")
        with PartialFile(folder / "probe"):
            pass
    except (OSError, ValueError) as error:
        raise SinkError(
            f"Nothing can be written to {short_name(folder)}: {os_reason(error)}."
        ) from error


def _is_replaced(
    output: OutputFile, *, overwrite: bool, confirm: Callable[[str], bool] | None
) -> bool:
    """Return whether an output exists and may be replaced.

    Raises:
        UsageError: it exists and may not be replaced, is not a file, or another process writes it.
        SinkError: its name cannot be used.
    """
    if is_being_written(output.path):
        raise UsageError(
            f"{_named(output)} is being written by another nst-video: wait for it, or choose "
            "another name."
        )
    found = look_up(output.path)
    if found.kind is PathKind.MISSING:
        return False
    if found.kind is PathKind.FOLDER:
        raise UsageError(f"{_named(output)} is a folder: name a file in it.")
    if found.kind is PathKind.SPECIAL:
        raise UsageError(f"{_named(output)} is a device or pipe: name a file.")
    if found.kind is PathKind.UNREADABLE and not os.path.lexists(output.path):
        raise SinkError(f"{_named(output)} cannot be written: {found.problem}.")
    if not overwrite and not (confirm and confirm(f"{output.path} exists. Replace it?")):
        raise UsageError(f"{_named(output)} exists. Use -y to replace it, or choose another name.")
    return True


def _named(output: OutputFile) -> str:
    purpose = "" if output.purpose == "output" else f"The {output.purpose} "
    return f"{purpose}{short_name(output.path)}"
