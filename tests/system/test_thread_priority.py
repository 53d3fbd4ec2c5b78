"""Threads of lower priority."""

import os
import sys
import threading

import pytest

from nst_video.system.thread_priority import NICENESS, run_at_low_priority


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_result_and_error_come_back() -> None:
    assert run_at_low_priority(lambda: 5) == 5
    with pytest.raises(KeyError, match="nothing"):
        run_at_low_priority(lambda: {}["nothing"])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities of threads")
def test_it_and_the_threads_that_it_starts_have_a_low_priority_and_nothing_else() -> None:
    found = []

    def work() -> None:
        found.append(niceness())
        inner = threading.Thread(target=lambda: found.append(niceness()))
        inner.start()
        inner.join()

    before = niceness()
    run_at_low_priority(work)
    assert found == [min(19, before + NICENESS)] * 2
    assert niceness() == before
