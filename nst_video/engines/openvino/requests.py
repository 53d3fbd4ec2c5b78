"""A pool of OpenVINO inference requests that run in parallel."""

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
"""Longest single wait in milliseconds: between two of them Python handles Ctrl-C."""


class Inference:
    """One frame being computed.

    Attributes:
        request: the request that computes it.
        error: the error it failed with, None before it ends or if it succeeded.
    """

    def __init__(self, request: "openvino.InferRequest", arrays: Sequence[NDArray[Any]]) -> None:
        """Track a request that has been started.

        Args:
            request: it reads and writes the arrays without copying them.
            arrays: kept alive until it has ended.
        """
        self.request = request
        self.error: RuntimeError | None = None
        self._arrays: Sequence[NDArray[Any]] | None = arrays
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait until it has ended; store an error in `error`, as another batch may wait here."""
        with self._lock:
            if self._arrays is None:
                return
            try:
                while not self.request.wait_for(POLL_MS):
                    pass
            except RuntimeError as error:
                self.error = error
            self._arrays = None


class InferRequestPool:
    """Inference requests of one compiled network; a free one takes the next frame.

    Frames of the next batch start before all frames of the last one have ended, so no core is idle
    between two batches.
    """

    def __init__(self, model: "openvino.CompiledModel", count: int) -> None:
        """Create `count` requests for a compiled network."""
        self.model = model
        self._idle = [model.create_infer_request() for _ in range(count)]
        self._busy: deque[Inference] = deque()
        self._lock = threading.Lock()

    def submit(self, inputs: Sequence[NDArray[Any]], painted: NDArray[np.uint8]) -> Inference:
        """Start to compute a frame; where no request is free, wait for the oldest one.

        Args:
            inputs: of the network; used without a copy.
            painted: its output is written here.

        Raises:
            RuntimeError: OpenVINO cannot start.
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
            inference = Inference(request, [*inputs, painted])
            self._busy.append(inference)
            return inference

    def wait(self, inferences: Sequence[Inference]) -> None:
        """Wait until all have ended; if the wait is interrupted, cancel every request.

        Raises:
            RuntimeError: the error of the first one that failed.
        """
        try:
            for inference in inferences:
                inference.wait()
        except BaseException:
            self.stop()
            raise
        for inference in inferences:
            if inference.error is not None:
                raise inference.error

    def stop(self) -> None:
        """Cancel every request and wait for it: it writes into memory that the caller frees."""
        busy = list(self._busy)
        for inference in busy:
            inference.request.cancel()
        for inference in busy:
            with suppress(RuntimeError):  # a canceled request raises
                inference.request.wait()

    def _take_oldest(self) -> "openvino.InferRequest":
        oldest = self._busy[0]
        try:
            oldest.wait()
        except BaseException:
            self.stop()
            raise
        return self._busy.popleft().request
