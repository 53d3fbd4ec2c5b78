"""How the commands speak: results on stdout, everything else on stderr."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from nst_video.weights import FetchProgress, OnProgress

INTERRUPTED = 130
"""Exit code after Ctrl-C."""

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
    """Let Ctrl-C and SIGTERM clean up (no partial file, no child process), then exit at once."""
    import os
    import signal
    import sys

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        say("Interrupted.")
        sys.stdout.flush()
        # All of ours is closed by now; unloading TensorFlow would take seconds more.
        os._exit(INTERRUPTED)
    finally:
        signal.signal(signal.SIGTERM, before)
