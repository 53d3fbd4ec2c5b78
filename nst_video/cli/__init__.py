"""The `nst-video` command: one module a command or group, assembled in `app`."""

import os
import signal

__all__ = ["main"]

_INTERRUPTED = 130
"""Exit code after Ctrl-C."""


def main() -> None:
    """Run the command line; exit with 0 done, 1 failed, 2 usage, 130 interrupted."""
    # While modules are imported nothing is open yet: Ctrl-C ends the process at once. An exception
    # in the middle of an import would show a traceback, or be taken for a missing module.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda number, frame: os._exit(_INTERRUPTED))
    from nst_video.cli.app import run

    run()
