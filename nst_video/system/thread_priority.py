"""Work in threads of lower priority than the rest of the program."""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")

NICENESS = 10
"""What is added to the niceness: such a thread gets a tenth of the time where others want it."""


def run_at_low_priority(work: Callable[[], T]) -> T:
    """Run `work` in a thread of low priority and return its result.

    All threads that it starts keep that priority: those in which a compiled network runs later,
    too. Only Linux has a priority for each thread; elsewhere it is the usual one.

    Raises:
        BaseException: what `work` raises.
    """
    done: Future[T] = Future()

    def run() -> None:
        try:
            _lower()
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again by `result`
            done.set_exception(error)

    threading.Thread(target=run, name="low priority", daemon=True).start()
    return done.result()


def _lower() -> None:
    """Lower the priority of the calling thread."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        now = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(19, now + NICENESS))
