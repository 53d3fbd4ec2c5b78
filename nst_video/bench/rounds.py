"""Measuring cases in turn, each in a process of its own, so that a noisy machine hits all alike."""

import math
import multiprocessing
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection
from typing import Self, cast

import numpy as np

from nst_video.bench.machine import peak_memory_mb
from nst_video.bench.report import Row
from nst_video.bench.runners import Case, open_runner, test_frame
from nst_video.errors import EngineError, NstVideoError
from nst_video.frames import Frame
from nst_video.quiet import quiet_stderr

BURN_IN_S = 1.0
"""Seconds of painting before anything counts: clocks rise, caches fill, code is compiled."""

LOAD_TIMEOUT_S = 300.0


class Worker:
    """A process that loads one case and paints when told."""

    def __init__(self, case: Case) -> None:
        """Start the process; it loads while others start."""
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, case), daemon=True)
        self._process.start()
        theirs.close()
        self.case = case

    def __enter__(self) -> Self:
        """Return itself; leaving ends the process."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process, whatever it is doing."""
        self._pipe.close()
        self._process.kill()
        self._process.join()

    def ready(self) -> tuple[Frame, str, float]:
        """Wait until it is loaded; return the painted test frame, the device and the seconds."""
        return cast(tuple[Frame, str, float], self._receive(LOAD_TIMEOUT_S))

    def run(self, seconds: float) -> list[float]:
        """Paint for so long, at least once; return milliseconds per frame."""
        self._pipe.send(seconds)
        return cast(list[float], self._receive(LOAD_TIMEOUT_S + seconds))

    def peak_mb(self) -> float | None:
        """Return its peak memory in megabytes."""
        self._pipe.send(None)
        return cast(float | None, self._receive(LOAD_TIMEOUT_S))

    def _receive(self, timeout_s: float) -> object:
        what = f"{self.case.engine} on {self.case.model}"
        if not self._pipe.poll(timeout_s):
            raise EngineError(f"{what} did not answer within {timeout_s:.0f} s.")
        try:
            answer = self._pipe.recv()
        except EOFError as error:
            raise EngineError(f"{what} died, perhaps of too little memory.") from error
        if isinstance(answer, NstVideoError):
            raise answer
        return answer


def _serve(pipe: Connection, case: Case) -> None:
    """Load a case, then paint for as long as told, until the pipe closes."""
    try:
        start = time.perf_counter()
        frame = test_frame(case.size)
        with quiet_stderr():
            paint, device = open_runner(case)
            painted = paint(frame)
        pipe.send((painted, device, time.perf_counter() - start))
        while True:
            seconds = pipe.recv()
            pipe.send(peak_memory_mb() if seconds is None else _paint_for(paint, frame, seconds))
    except NstVideoError as error:
        pipe.send(error)
    except EOFError:
        return


def _paint_for(paint: Callable[[Frame], Frame], frame: Frame, seconds: float) -> list[float]:
    """Return milliseconds per frame of painting for so long, at least once."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        paint(frame)
        times.append((time.perf_counter() - start) * 1e3)
    return times


def run_bench(
    cases: Sequence[Case],
    *,
    rounds: int = 5,
    round_s: float = 2.0,
    on_row: Callable[[Row], None] | None = None,
) -> list[Row]:
    """Measure cases; those of the same model and size alternate, `rounds` turns each.

    Args:
        cases: what to measure.
        rounds: turns of each case.
        round_s: seconds of a turn.
        on_row: called with each finished row.

    Raises:
        NstVideoError: a case cannot be run.
    """
    rows = []
    for model, size in dict.fromkeys((case.model, case.size) for case in cases):
        group = [case for case in cases if (case.model, case.size) == (model, size)]
        for row in _run_group(group, rounds, round_s):
            rows.append(row)
            if on_row:
                on_row(row)
    return rows


def _run_group(cases: Sequence[Case], rounds: int, round_s: float) -> list[Row]:
    """Measure cases of one model and size in turn."""
    first = cases[0]
    with Worker(Case("plain", first.model, first.size, first.models_dir)) as plain:
        exact = plain.ready()[0]
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(case)) for case in cases]
        ready = [worker.ready() for worker in workers]
        times: list[list[float]] = [[] for _ in workers]
        for worker in workers:
            worker.run(BURN_IN_S)
        for _ in range(rounds):
            for worker, mine in zip(workers, times, strict=True):
                mine.extend(worker.run(round_s))
        peaks = [worker.peak_mb() for worker in workers]
    return [
        Row.of(case, device, mine, start_s, peak, psnr_db(painted, exact))
        for case, mine, peak, (painted, device, start_s) in zip(
            cases, times, peaks, ready, strict=True
        )
    ]


def psnr_db(painted: Frame, exact: Frame) -> float:
    """Return the peak signal-to-noise ratio of two frames in dB, infinite where they are equal."""
    error = float(np.square(painted.astype(np.float64) - exact).mean())
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)
