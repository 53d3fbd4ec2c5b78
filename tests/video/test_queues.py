"""The bounded queue and the two workers around it."""

import threading
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_video.video.queues import BoundedQueue, Cancelled, ReaderThread, WriterThread


def item(number: int, size: int = 8) -> np.ndarray:
    return np.full(size, number, np.uint8)


def put_all(
    writer: WriterThread[np.ndarray], count: int, then: Callable[[], None] = lambda: None
) -> None:
    for number in range(count):
        writer.put(item(number))
    then()


def interrupt_after(begun: threading.Event) -> None:
    assert begun.wait(5)
    raise KeyboardInterrupt


@given(st.lists(st.integers(0, 255), max_size=50), st.integers(1, 4), st.integers(1, 40))
def test_prefetcher_delivers_everything_in_order(
    numbers: list[int], max_items: int, max_bytes: int
):
    with ReaderThread(map(item, numbers), max_items=max_items, max_bytes=max_bytes) as ahead:
        assert [int(each[0]) for each in ahead] == numbers


@pytest.mark.parametrize(("max_items", "max_bytes", "held"), [(3, 1000, 3), (10, 20, 2), (5, 1, 1)])
def test_prefetcher_runs_no_further_ahead_than_its_bounds(
    max_items: int, max_bytes: int, held: int
):
    taken = threading.Semaphore(0)

    def endless():
        while True:
            taken.release()
            yield item(1)

    with ReaderThread(endless(), max_items=max_items, max_bytes=max_bytes) as ahead:
        # What is held, and the one in hand that waits for room.
        for _ in range(held + 1):
            assert taken.acquire(timeout=5)
        assert not taken.acquire(timeout=0.05)
        next(iter(ahead))
        assert taken.acquire(timeout=5)


def test_prefetcher_raises_the_error_after_the_items_before_it():
    def failing():
        yield item(1)
        yield item(2)
        raise ValueError("broken")

    with ReaderThread(failing()) as ahead:
        flow = iter(ahead)
        assert [int(next(flow)[0]), int(next(flow)[0])] == [1, 2]
        with pytest.raises(ValueError, match="broken"):
            next(flow)


def test_prefetcher_stops_a_source_that_hangs():
    released = threading.Event()

    def hanging():
        yield item(1)
        released.wait(30)

    with ReaderThread(hanging(), stop=released.set) as ahead:
        next(iter(ahead))
    assert released.is_set()
    assert not any(thread.name == "prefetch" for thread in threading.enumerate())


def test_writer_writes_everything_before_the_context_ends():
    written: list[int] = []
    with WriterThread(lambda each: written.append(int(each[0])), max_items=2) as writer:
        for number in range(20):
            writer.put(item(number))
    assert written == list(range(20))


def test_writer_brings_its_error_to_whoever_puts():
    def failing(_: np.ndarray) -> None:
        raise OSError("full")

    with pytest.raises(OSError, match="full"), WriterThread(failing) as writer:
        put_all(writer, 1000)


def test_writer_brings_the_error_of_its_last_item():
    def failing(_: np.ndarray) -> None:
        raise OSError("full")

    with pytest.raises(OSError, match="full"), WriterThread(failing) as writer:
        writer.put(item(1))


def test_writer_drops_what_waits_when_left_with_an_error():
    begun, released = threading.Event(), threading.Event()
    written = []

    def slow(each: np.ndarray) -> None:
        begun.set()
        released.wait(30)
        written.append(int(each[0]))

    writer = WriterThread(slow, stop=released.set)
    with pytest.raises(KeyboardInterrupt), writer:
        put_all(writer, 3, then=lambda: interrupt_after(begun))
    assert written == [0]


def test_queue_releases_both_sides_when_cancelled():
    queue: BoundedQueue[np.ndarray] = BoundedQueue(1)
    queue.put(item(1))
    queue.cancel()
    with pytest.raises(Cancelled):
        queue.put(item(2))
    with pytest.raises(Cancelled):
        queue.get()
