"""How the commands speak: results on stdout, everything else on stderr."""

import contextlib
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NoReturn, cast

from rich.console import Console

from nst_video.system.stderr import UserStderr

FAILED, USAGE, INTERRUPTED = 1, 2, 130
"""Exit codes: what was asked could not be done, made no sense, or was ended by Ctrl-C."""

_ENDING = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
    if hasattr(signal, name)
)
"""Signals that ask a process to end; Windows knows the first two."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What moves the cursor, colors, or turns the order of letters around, instead of being shown."""

stderr = Console(
    file=cast("IO[str]", UserStderr()), stderr=True, highlight=False, soft_wrap=True, emoji=False
)


def say(text: str) -> None:
    """Tell the user something that is not the result, in one line."""
    stderr.print(shown(text), markup=False)


def result(value: object) -> None:
    """Print a line of the result on stdout, for eyes and scripts alike.

    A path that goes to another program is written byte by byte as the system knows it.
    """
    if isinstance(value, Path) and not sys.stdout.isatty() and hasattr(sys.stdout, "buffer"):
        sys.stdout.flush()
        sys.stdout.buffer.write(os.fsencode(value) + os.linesep.encode())
        sys.stdout.flush()
        return
    text = shown(value) if isinstance(value, Path) else str(value)
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))  # noqa: T201 - the one place


def complain(error: BaseException) -> None:
    """Print an error as one sentence."""
    stderr.print("[bold red]Error:[/]", end=" ")
    stderr.print(shown(error), markup=False)


def shown(value: object) -> str:
    """Return a text that may hold file names so that a terminal only shows it.

    Bytes that are no letters in the system's encoding, control characters and line breaks, all of
    which names of files can hold, are escaped.
    """
    text = str(value).encode("utf-8", "backslashreplace").decode()
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


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
