"""Runs a function in a forked process with a time limit, for the fuzzing tools. POSIX only."""

import contextlib
import os
import resource
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

CRASHED = 99
"""Exit status of a child whose function raised an exception."""

GRACE_S = 3
"""Seconds in which processes that the child started must end after it."""

NICENESS = 5
"""Added to the child's, so that the machine stays responsive."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a forked process ended.

    Attributes:
        exit_code: negative for a signal; None if it was killed at the time limit.
        peak_mb: its peak resident memory in megabytes.
        left_running: whether processes that it started still ran, and were killed.
    """

    exit_code: int | None
    peak_mb: int = 0
    left_running: bool = False


def run_forked(function: Callable[[], int], timeout_s: float) -> Finished:
    """Run a function in a process group of its own; return how it ended.

    Args:
        function: returns the exit code. An exception is printed, and its exit code is `CRASHED`.
        timeout_s: after this time the whole group is killed.
    """
    child = os.fork()
    if child == 0:
        os._exit(_run(function))
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.setpgid(child, child)
    deadline = time.monotonic() + timeout_s
    while True:
        ended, status, usage = os.wait4(child, os.WNOHANG)
        if ended:
            break
        if time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return Finished(None)
        time.sleep(0.02)
    code = os.waitstatus_to_exitcode(status)
    return Finished(code, usage.ru_maxrss // 1024, left_running=_kill_rest(child))


def is_sentence(text: str) -> bool:
    """Return whether an error message is one line that ends with a period."""
    return text.rstrip().endswith(".") and "\n" not in text.strip()


def _run(function: Callable[[], int]) -> int:
    try:
        os.setpgid(0, 0)
        os.nice(NICENESS)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        return function()
    except BaseException:  # noqa: BLE001 - nothing may reach the parent's code in the child
        traceback.print_exc()
        return CRASHED


def _kill_rest(group: int) -> bool:
    """Return whether processes of a group still run after `GRACE_S`; kill them."""
    deadline = time.monotonic() + GRACE_S
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(0.05)
        os.killpg(group, signal.SIGKILL)
        return True
    return False
