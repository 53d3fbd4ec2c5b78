"""Queues between threads, and threads that read ahead or write behind.

`BoundedQueue`, `ReaderThread` and `WriterThread` lose nothing: they are for files. `LatestQueue`
drops old items: it is for live video. An error in a thread is raised again in the thread that
uses its items.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

MAX_ITEMS = 4
MAX_BYTES = 96 << 20
"""Most bytes in one queue: a few 4K frames, many of a small clip. One item always fits."""

_POLL_S = 0.1
"""Longest single wait in seconds; short, so that Ctrl-C is noticed on every system."""


class SupportsNbytes(Protocol):
    """Anything with a size in bytes, such as a NumPy array."""

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        ...


T = TypeVar("T", bound=SupportsNbytes)
U = TypeVar("U")


class Cancelled(Exception):  # noqa: N818 - not a failure: the other side has stopped
    """The queue was cancelled: stop putting or getting."""


class BoundedQueue(Generic[T]):
    """A first-in, first-out queue between two threads that drops nothing.

    It is full when it holds `max_items` items or `max_bytes` bytes, whichever comes first.
    """

    def __init__(self, max_items: int = MAX_ITEMS, max_bytes: int = MAX_BYTES) -> None:
        self._items: deque[T] = deque()
        self._bytes = 0
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._closed = False
        self._cancelled = False
        self._error: BaseException | None = None

    def put(self, item: T) -> None:
        """Append `item`; wait while the queue is full.

        Raises:
            Cancelled: the queue was cancelled.
        """
        with self._changed:
            while not self._cancelled and self._is_full(item.nbytes):
                self._changed.wait(_POLL_S)
            if self._cancelled:
                raise Cancelled
            self._items.append(item)
            self._bytes += item.nbytes
            self._changed.notify_all()

    def get(self) -> T | None:
        """Remove and return the oldest item; wait for one. None after the last.

        Raises:
            Cancelled: the queue was cancelled.
            BaseException: the error given to `close`, once the items before it were taken.
        """
        with self._changed:
            while not (self._items or self._closed or self._cancelled):
                self._changed.wait(_POLL_S)
            if self._cancelled:
                raise Cancelled
            if self._items:
                item = self._items.popleft()
                self._bytes -= item.nbytes
                self._changed.notify_all()
                return item
            if self._error is not None:
                raise self._error
            return None

    def close(self, error: BaseException | None = None) -> None:
        """End the queue; after the last item, `get` raises `error` or returns None."""
        with self._changed:
            self._closed = True
            self._error = error
            self._changed.notify_all()

    def cancel(self) -> None:
        """Drop all items; `put` and `get` raise `Cancelled` from now on."""
        with self._changed:
            self._cancelled = True
            self._items.clear()
            self._bytes = 0
            self._changed.notify_all()

    def _is_full(self, extra_bytes: int) -> bool:
        if not self._items:
            return False
        return len(self._items) >= self._max_items or self._bytes + extra_bytes > self._max_bytes


class ReaderThread(Generic[T]):
    """Iterates `items` in a thread of its own, a few items ahead of the consumer.

    Attributes:
        busy_s: seconds the thread spent producing items, without waits for room in the queue.
    """

    def __init__(
        self,
        items: Iterable[T],
        *,
        stop: Callable[[], None] | None = None,
        max_items: int = MAX_ITEMS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """Prepare; the thread starts on entering the context.

        Args:
            items: iterated in the thread only.
            stop: ends an iteration of `items` that blocks; called on leaving the context.
            max_items: most items to read ahead.
            max_bytes: most bytes to read ahead; one item always fits.
        """
        self.busy_s = 0.0
        self._items = items
        self._stop = stop
        self._queue: BoundedQueue[T] = BoundedQueue(max_items, max_bytes)
        self._thread = threading.Thread(target=self._work, name="prefetch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._queue.cancel()
        if self._stop is not None:
            self._stop()
        self._thread.join()

    def __iter__(self) -> Iterator[T]:
        while (item := self._queue.get()) is not None:
            yield item

    def _work(self) -> None:
        try:
            items = iter(self._items)
            while True:
                begun = time.monotonic()
                item = next(items, None)
                self.busy_s += time.monotonic() - begun
                if item is None:
                    break
                self._queue.put(item)
            self._queue.close()
        except Cancelled:
            return
        except BaseException as error:  # noqa: BLE001 - raised again in the consumer
            self._queue.close(error)


class WriterThread(Generic[T]):
    """Passes items to a function in a thread of its own, a few items behind the producer.

    Leaving the context normally waits until every item is written. Leaving it with an error
    drops the items that are still queued.

    Attributes:
        busy_s: seconds the thread spent in `write`.
    """

    def __init__(
        self,
        write: Callable[[T], None],
        *,
        stop: Callable[[], None] | None = None,
        max_items: int = MAX_ITEMS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """Prepare; the thread starts on entering the context.

        Args:
            write: called in the thread only, with the items in order.
            stop: ends a `write` that blocks; called when the context is left with an error.
            max_items: most items queued.
            max_bytes: most bytes queued; one item always fits.
        """
        self.busy_s = 0.0
        self._write = write
        self._stop = stop
        self._error: BaseException | None = None
        self._queue: BoundedQueue[T] = BoundedQueue(max_items, max_bytes)
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._queue.close()
            try:
                self._join()
            except BaseException:
                self._abandon()
                raise
            self._raise_error()
        else:
            self._abandon()

    def put(self, item: T) -> None:
        """Queue `item` for writing; wait while the queue is full.

        Raises:
            BaseException: the error that an earlier `write` raised.
        """
        try:
            self._queue.put(item)
        except Cancelled:
            self._raise_error()
            raise

    def _join(self) -> None:
        while self._thread.is_alive():
            self._thread.join(_POLL_S)

    def _abandon(self) -> None:
        self._queue.cancel()
        if self._stop is not None:
            self._stop()
        self._thread.join()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        try:
            while (item := self._queue.get()) is not None:
                begun = time.monotonic()
                self._write(item)
                self.busy_s += time.monotonic() - begun
        except Cancelled:
            return
        except BaseException as error:  # noqa: BLE001 - raised again in the producer
            self._error = error
            self._queue.cancel()


class LatestQueue(Generic[U]):
    """The latest items between two threads: putting into a full queue drops the oldest.

    For live video, where being late is worse than losing a frame. `BoundedQueue` loses nothing.

    Attributes:
        put_count: number of items put.
        dropped: number of items dropped because nothing took them in time.
    """

    def __init__(self, depth: int = 1) -> None:
        """Hold at most `depth` items."""
        self.put_count = 0
        self.dropped = 0
        self._items: deque[U] = deque(maxlen=depth)
        self._changed = threading.Condition()
        self._closed = False
        self._error: BaseException | None = None

    @property
    def is_closed(self) -> bool:
        """True once the queue is closed and empty."""
        with self._changed:
            return self._closed and not self._items

    def put(self, item: U) -> None:
        """Append `item`; does nothing once closed."""
        with self._changed:
            if self._closed:
                return
            self.put_count += 1
            self.dropped += len(self._items) == self._items.maxlen
            self._items.append(item)
            self._changed.notify_all()

    def take(self, timeout_s: float) -> U | None:
        """Remove and return the oldest item; wait for one. None after `timeout_s` or once closed.

        Raises:
            BaseException: the error given to `close`, once the last item was taken.
        """
        with self._changed:
            if not self._items and not self._closed:
                self._changed.wait(timeout_s)
            if self._items:
                return self._items.popleft()
            if self._error is not None:
                raise self._error
            return None

    def close(self, error: BaseException | None = None) -> None:
        """End the queue: no more items will be put. Only the first call counts."""
        with self._changed:
            if not self._closed:
                self._closed, self._error = True, error
            self._changed.notify_all()
