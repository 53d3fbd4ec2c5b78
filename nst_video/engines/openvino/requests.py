"""Frames on their way through OpenVINO, side by side, batch after batch without a pause."""

import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import openvino

POLL_MS = 100
"""Waits are cut into pieces of this length so that Ctrl-C is noticed."""


class Run:
    """One frame on its way.

    Attributes:
        request: what runs it.
        error: what it failed with.
    """

    def __init__(self, request: "openvino.InferRequest", arrays: Sequence[NDArray[Any]]) -> None:
        """Take a request that was started.

        Args:
            request: it reads and writes the arrays where they lie.
            arrays: kept until it is over.
        """
        self.request = request
        self.error: RuntimeError | None = None
        self._arrays: Sequence[NDArray[Any]] | None = arrays
        self._lock = threading.Lock()

    def finish(self) -> None:
        """Wait until it is over; an error is kept, to be raised by whom it concerns."""
        with self._lock:
            if self._arrays is None:
                return
            try:
                while not self.request.wait_for(POLL_MS):
                    pass
            except RuntimeError as error:
                self.error = error
            self._arrays = None


class Runs:
    """Requests that work side by side; each takes the next frame as soon as it is through.

    Batches need not end together, so that no core waits for another between two of them.
    """

    def __init__(self, model: "openvino.CompiledModel", count: int) -> None:
        """Make `count` requests for a compiled network."""
        self.model = model
        self._idle = [model.create_infer_request() for _ in range(count)]
        self._busy: deque[Run] = deque()
        self._lock = threading.Lock()

    def submit(self, inputs: Sequence[NDArray[Any]], painted: NDArray[np.uint8]) -> Run:
        """Begin a frame, once a request is free for it.

        Args:
            inputs: of the network, read where they lie.
            painted: where to write its output.

        Raises:
            RuntimeError: OpenVINO fails to begin.
        """
        import openvino

        with self._lock:
            request = self._idle.pop() if self._idle else self._take_oldest()
            try:
                request.set_output_tensor(0, openvino.Tensor(painted, shared_memory=True))
                request.start_async(list(inputs), share_inputs=True)
            except RuntimeError:
                self._idle.append(request)
                raise
            run = Run(request, [*inputs, painted])
            self._busy.append(run)
            return run

    def finish(self, runs: Sequence[Run]) -> None:
        """Wait until runs are over; when that is interrupted, stop all before passing it on.

        Raises:
            RuntimeError: what the first of them to fail failed with.
        """
        try:
            for run in runs:
                run.finish()
        except BaseException:
            self.stop()
            raise
        for run in runs:
            if run.error is not None:
                raise run.error

    def stop(self) -> None:
        """Stop whatever runs, and wait for that: it writes into memory that is given back then."""
        busy = list(self._busy)
        for run in busy:
            run.request.cancel()
        for run in busy:
            with suppress(RuntimeError):  # what was stopped says so
                run.request.wait()

    def _take_oldest(self) -> "openvino.InferRequest":
        oldest = self._busy[0]
        try:
            oldest.finish()
        except BaseException:
            self.stop()
            raise
        return self._busy.popleft().request
