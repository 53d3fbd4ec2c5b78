"""How the commands speak: results on stdout, everything else on stderr."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from rich.console import Console

if TYPE_CHECKING:
    from nst_video.weights import FetchProgress, OnProgress

INTERRUPTED = 130
"""Exit code after Ctrl-C."""

_ENDING = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
    if hasattr(signal, name)
)
"""Signals that ask a process to end; Windows knows the first two."""

stderr = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Tell the user something that is not the result."""
    stderr.print(text, markup=False)


def result(text: object) -> None:
    """Print a line of the result on stdout, for eyes and scripts alike."""
    print(text)  # noqa: T201 - the one place that prints


def complain(error: BaseException) -> None:
    """Print an error as one sentence."""
    stderr.print("[bold red]Error:[/]", end=" ")
    stderr.print(str(error), markup=False)


@contextmanager
def fetch_progress(*, quiet: bool) -> "Iterator[OnProgress | None]":
    """Show a bar for each model file downloaded within; None where nothing is to be shown."""
    if quiet:
        yield None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as bars:
        tasks: dict[str, object] = {}

        def on_progress(progress: "FetchProgress") -> None:
            if progress.name not in tasks:
                tasks[progress.name] = bars.add_task(progress.name, total=progress.total)
            bars.update(tasks[progress.name], completed=progress.done)  # type: ignore[arg-type]

        yield on_progress


@contextmanager
def interruptible() -> Iterator[None]:
    """Let a signal to end clean up (no partial file, no child process), then exit at once.

    Within, Ctrl-C, a closed terminal and a request to end raise KeyboardInterrupt. A second one
    ends the process without waiting for what the first one began.
    """
    interrupted = False

    def interrupt(number: int, frame: object) -> None:
        nonlocal interrupted
        if interrupted:
            _exit_interrupted()
        interrupted = True
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in _ENDING}
    for number, handler in before.items():
        # What is ignored from the start stays so: a program begun by `nohup` is to go on.
        if handler is not signal.SIG_IGN:
            signal.signal(number, interrupt)
    try:
        yield
    except BaseException as error:
        # A library may turn the KeyboardInterrupt into an exception of its own.
        if interrupted or isinstance(error, KeyboardInterrupt):
            _exit_interrupted()
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit_interrupted() -> NoReturn:
    """Say so and end the process: unloading TensorFlow would take seconds more."""
    with contextlib.suppress(OSError, ValueError):
        # The terminal may be the very thing that has gone away.
        say("Interrupted.")
        sys.stdout.flush()
    os._exit(INTERRUPTED)
