"""Slow work that a session does beside everything else, and the end of its threads."""

import threading
import time
from collections.abc import Callable, Sequence

from nst_video.errors import NstVideoError
from nst_video.live.outputs.threads import explain

SAVE_S = 10.0
"""Seconds that what must not be lost, as a snapshot, has at the end."""


class Helpers:
    """Threads that do one slow thing each; only the thread that made it may call it."""

    def __init__(self, on_failure: Callable[[str], None]) -> None:
        """Prepare; `on_failure` is told in a helper's thread, in a sentence, why it failed."""
        self._on_failure = on_failure
        self._threads: list[threading.Thread] = []
        self._saving: list[threading.Thread] = []

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """Those at work."""
        return tuple(self._threads)

    def start(self, work: Callable[[], None], *, saves: bool = False) -> None:
        """Do `work` in a thread of its own; what `saves` something is waited for at the end."""

        def run() -> None:
            try:
                work()
            except (NstVideoError, OSError) as error:
                self._on_failure(explain(error))

        thread = threading.Thread(target=run, name="helper", daemon=True)
        self._threads = [*(each for each in self._threads if each.is_alive()), thread]
        if saves:
            self._saving.append(thread)
        thread.start()

    def finish(self) -> None:
        """Wait for those that save something, `SAVE_S` at most for each."""
        for thread in self._saving:
            thread.join(SAVE_S)


def end_threads(threads: Sequence[threading.Thread], limit_s: float) -> list[threading.Thread]:
    """Wait for threads that have been told to end, all together `limit_s`; return who did not."""
    until_s = time.monotonic() + limit_s
    for thread in threads:
        if thread.ident is not None:
            thread.join(max(0.0, until_s - time.monotonic()))
    return [thread for thread in threads if thread.is_alive()]
