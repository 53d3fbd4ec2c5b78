"""Work that goes on at the same time as ours: bounded, with errors brought home.

Lossless for files, newest only for what is live.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

MAX_ITEMS = 4
MAX_BYTES = 96 << 20
"""Bytes waiting in one queue: a few frames of 4K, many of a small clip; one always fits."""

_POLL_S = 0.1
"""Waits are cut into pieces of this length so that Ctrl-C is noticed on every system."""


class SupportsNbytes(Protocol):
    """Anything that says how many bytes it holds; arrays do."""

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        ...


T = TypeVar("T", bound=SupportsNbytes)
U = TypeVar("U")


class Cancelled(Exception):  # noqa: N818 - not a failure: the other side has given up
    """The queue was cancelled; whoever puts or gets should stop."""


class BoundedQueue(Generic[T]):
    """First in, first out between two threads; nothing is ever dropped.

    Bounded by number and by bytes, whichever fills first.
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
        """Append `item`, waiting for room.

        Raises:
            Cancelled: nobody will take it.
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
        """Take the oldest item, waiting for one; None at the end.

        Raises:
            Cancelled: the queue was cancelled.
            BaseException: what the producer closed the queue with, after the items before it.
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
        """Say that nothing more will be put; `error` is raised at the other end."""
        with self._changed:
            self._closed = True
            self._error = error
            self._changed.notify_all()

    def cancel(self) -> None:
        """Drop everything and release both sides."""
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
    """Iterates something in a thread, a few items ahead of whoever iterates this.

    Attributes:
        busy_s: seconds the thread spent waiting for the items themselves.
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
            stop: makes an iteration that hangs in `items` end soon; called on leaving.
            max_items: items held at most.
            max_bytes: bytes held at most, one item aside.
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
        except BaseException as error:  # noqa: BLE001 - raised again where the items are taken
            self._queue.close(error)


class WriterThread(Generic[T]):
    """Hands items to a function in a thread, a few items behind whoever puts them.

    Leaving the context normally waits until everything is written; leaving it with an error
    drops what waits.

    Attributes:
        busy_s: seconds the thread spent writing.
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
            stop: makes a `write` that hangs end soon; called when leaving with an error.
            max_items: items held at most.
            max_bytes: bytes held at most, one item aside.
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
        """Queue `item` for writing, waiting for room.

        Raises:
            BaseException: what an earlier `write` raised.
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
        except BaseException as error:  # noqa: BLE001 - raised again where the items are put
            self._error = error
            self._queue.cancel()


class LatestQueue(Generic[U]):
    """The newest few items between two threads: putting into a full one drops the oldest.

    What files need, losing nothing, is `BoundedQueue`; what a live picture needs, never being
    late, is this.

    Attributes:
        put_count: items put.
        dropped: items pushed out before anyone took them.
    """

    def __init__(self, depth: int = 1) -> None:
        """Hold `depth` items at most."""
        self.put_count = 0
        self.dropped = 0
        self._items: deque[U] = deque(maxlen=depth)
        self._changed = threading.Condition()
        self._closed = False
        self._error: BaseException | None = None

    @property
    def is_closed(self) -> bool:
        """True when no more will come and nothing is left to take."""
        with self._changed:
            return self._closed and not self._items

    def put(self, item: U) -> None:
        """Append `item`; nothing happens once closed."""
        with self._changed:
            if self._closed:
                return
            self.put_count += 1
            self.dropped += len(self._items) == self._items.maxlen
            self._items.append(item)
            self._changed.notify_all()

    def take(self, timeout_s: float) -> U | None:
        """Take the oldest item held, waiting for one; None after `timeout_s` or when closed.

        Raises:
            BaseException: what it was closed with, once the last item is taken.
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
        """Say that no more will come; the first call counts."""
        with self._changed:
            if not self._closed:
                self._closed, self._error = True, error
            self._changed.notify_all()
