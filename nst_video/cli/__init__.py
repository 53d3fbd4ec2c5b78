"""The `nst-video` command: a module for each command or command group, assembled in `app`."""

import os
import signal

__all__ = ["main"]

_INTERRUPTED = 130
"""Exit code after Ctrl-C."""


def main() -> None:
    """Run the command line; exit with 0 (done), 1 (failed), 2 (usage) or 130 (interrupted)."""
    # During imports nothing needs cleaning up, so Ctrl-C exits at once. An exception inside an
    # import would show a traceback, or be taken for a missing module.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda number, frame: os._exit(_INTERRUPTED))
    from nst_video.cli.app import run

    run()
