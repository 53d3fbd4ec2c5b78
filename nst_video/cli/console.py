"""Printing and signals: results go to stdout, everything else to stderr."""

import contextlib
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn, cast

from nst_video.system.stderr import UserStderr

if TYPE_CHECKING:
    from rich.console import Console

FAILED, USAGE, INTERRUPTED = 1, 2, 130
"""Exit codes: failed, wrong arguments, interrupted by Ctrl-C."""

_ENDING = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
    if hasattr(signal, name)
)
"""Signals that ask a process to end; Windows knows the first two."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Characters that control a terminal or the direction of text."""


@cache
def stderr() -> "Console":
    """Return the user's standard error; Rich is imported with the first message."""
    from rich.console import Console

    file = cast("IO[str]", UserStderr())
    return Console(file=file, stderr=True, highlight=False, soft_wrap=True, emoji=False)


def say(text: str) -> None:
    """Print a message that is not the result, as one line on stderr."""
    stderr().print(shown(text), markup=False)


def result(value: object) -> None:
    """Print a line of the result on stdout.

    A path that goes to another program is written as the bytes that the system knows it by.
    """
    if isinstance(value, Path) and not sys.stdout.isatty() and hasattr(sys.stdout, "buffer"):
        sys.stdout.flush()
        sys.stdout.buffer.write(os.fsencode(value) + os.linesep.encode())
        sys.stdout.flush()
        return
    text = shown(value) if isinstance(value, Path) else str(value)
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))  # noqa: T201 - the one place


def complain(error: BaseException | str) -> None:
    """Print an error as one sentence on stderr."""
    stderr().print("[bold red]Error:[/]", end=" ")
    stderr().print(shown(error), markup=False)


def shown(value: object) -> str:
    """Return a text in one line that is safe to print on a terminal.

    Undecodable bytes, control characters and line breaks, all of which file names can hold, are
    escaped.
    """
    text = str(value).encode("utf-8", "backslashreplace").decode()
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def is_watched() -> bool:
    """Return whether stderr is a terminal on which a progress bar can be drawn."""
    return stderr().is_interactive and stderr().file.isatty()


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn signals that end the process into KeyboardInterrupt, so that everything is cleaned up.

    Ctrl-C, a closed terminal and SIGTERM remove partial files and child processes, then the
    process exits with 130. A second signal exits at once.
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
        # Signals ignored from the start stay ignored, as `nohup` intends.
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
    """Print a message and exit."""
    with contextlib.suppress(OSError, ValueError):
        # The terminal may be gone.
        say("Interrupted.")
    end_process(INTERRUPTED)


def end_process(code: int) -> NoReturn:
    """Exit without waiting for other threads; unloading TensorFlow alone would take seconds."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
