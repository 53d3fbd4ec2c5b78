"""Slow tasks of a session in threads of their own, and joining of threads."""

import threading
import time
from collections.abc import Callable, Sequence

from nst_video.errors import NstVideoError
from nst_video.live.outputs.threads import error_text

SAVE_S = 10.0
"""Seconds that a task which saves something has at the end of the session."""


class BackgroundTasks:
    """Runs each slow task in a thread of its own. Only the thread that created it may call it."""

    def __init__(self, on_failure: Callable[[str], None]) -> None:
        """Prepare; `on_failure` receives the error message, in the thread of the failed task."""
        self._on_failure = on_failure
        self._threads: list[threading.Thread] = []
        self._saving: list[threading.Thread] = []

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """The running threads."""
        return tuple(self._threads)

    def start(self, work: Callable[[], None], *, saves: bool = False) -> None:
        """Run `work` in a new thread; `finish` waits for those that save something."""

        def run() -> None:
            try:
                work()
            except (NstVideoError, OSError) as error:
                self._on_failure(error_text(error))

        thread = threading.Thread(target=run, name="task", daemon=True)
        self._threads = [*(each for each in self._threads if each.is_alive()), thread]
        if saves:
            self._saving.append(thread)
        thread.start()

    def finish(self) -> None:
        """Wait for the tasks that save something, at most `SAVE_S` for each."""
        for thread in self._saving:
            thread.join(SAVE_S)


def join_threads(threads: Sequence[threading.Thread], limit_s: float) -> list[threading.Thread]:
    """Join threads, `limit_s` seconds in total; return those that are still running."""
    until_s = time.monotonic() + limit_s
    for thread in threads:
        if thread.ident is not None:
            thread.join(max(0.0, until_s - time.monotonic()))
    return [thread for thread in threads if thread.is_alive()]
