"""How the commands speak: results on stdout, everything else on stderr."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from rich.console import Console

FAILED, USAGE, INTERRUPTED = 1, 2, 130
"""Exit codes: what was asked could not be done, made no sense, or was ended by Ctrl-C."""

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


def is_watched() -> bool:
    """Return whether standard error is a terminal on which lines can be drawn over."""
    return stderr.is_interactive and stderr.file.isatty()


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
    """Say so and end the process."""
    with contextlib.suppress(OSError, ValueError):
        # The terminal may be the very thing that has gone away.
        say("Interrupted.")
    end_process(INTERRUPTED)


def end_process(code: int) -> NoReturn:
    """End at once, whatever other threads hang in: unloading TensorFlow would take seconds more."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
