"""Measures cases in alternation, each in its own process, so that all share the machine's noise."""

import math
import multiprocessing
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Literal, Self, TypeAlias, cast

import numpy as np

from nst_video.bench.machine import peak_memory_mb
from nst_video.bench.report import CaseMeasurement, Row
from nst_video.bench.runners import (
    OTHER_STYLE,
    BenchmarkCase,
    FrameFlops,
    Runner,
    open_runner,
    test_frame,
)
from nst_video.errors import EngineError, NstVideoError
from nst_video.frames import Frame
from nst_video.settings import DEFAULT_STYLE
from nst_video.system.stderr import quiet_stderr
from nst_video.validation import COUNT, SECONDS

WARM_UP_S = 1.0
"""Seconds of painting before the measurement."""

LOAD_TIMEOUT_S = 300.0
"""Limit for loading a case, and for each answer beyond its measuring time."""

MIN_SWITCHES = 3
"""Changes of style that are measured at least."""

PEAK_TIME_SHARE = 0.25
"""Seconds of matrix products for each second of painting."""

Command: TypeAlias = Literal["paint", "switch", "memory", "flops", "peak"]
"""The commands of a worker process."""


@dataclass(frozen=True, slots=True)
class LoadedCase:
    """A loaded case.

    Attributes:
        painted: the test frame, painted.
        device: where it runs.
        start_s: seconds from the start of the process to that first frame.
    """

    painted: Frame
    device: str
    start_s: float


class Worker:
    """A process that loads one case and measures it on command."""

    def __init__(self, case: BenchmarkCase) -> None:
        """Start the process and let it load."""
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        arguments = (theirs, case, time.time())
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        self.case = case

    def __enter__(self) -> Self:
        """Return itself; leaving kills the process."""
        return self

    def __exit__(self, *_: object) -> None:
        """Kill the process."""
        self._pipe.close()
        self._process.kill()
        self._process.join()

    def wait_loaded(self) -> LoadedCase:
        """Wait until the case is loaded and has painted the test frame.

        Raises:
            NstVideoError: the case cannot be run, or does not load in time.
        """
        return cast(LoadedCase, self._receive(LOAD_TIMEOUT_S))

    def paint(self, seconds: float) -> list[float]:
        """Paint for `seconds`, at least once; return the milliseconds of each frame."""
        return cast(list[float], self._ask("paint", seconds))

    def switch_ms(self, seconds: float) -> float:
        """Return the additional milliseconds of the first frame in another style."""
        return cast(float, self._ask("switch", seconds))

    def peak_mb(self) -> float | None:
        """Return the peak memory of the process in megabytes; None where unknown."""
        return cast(float | None, self._ask("memory"))

    def flops(self) -> FrameFlops:
        """Return the floating-point operations of a frame."""
        return cast(FrameFlops, self._ask("flops"))

    def peak(self, seconds: float) -> list[float]:
        """Multiply large matrices for `seconds`, at least once; return the GFLOP/s of each product.

        Empty for baselines, and for engines that compute nothing.
        """
        return cast(list[float], self._ask("peak", seconds))

    def _ask(self, command: Command, seconds: float = 0.0) -> object:
        self._pipe.send((command, seconds))
        return self._receive(LOAD_TIMEOUT_S + seconds)

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


def _serve(pipe: Connection, case: BenchmarkCase, started_s: float) -> None:
    """Load a case, then execute commands until the pipe closes.

    Args:
        pipe: to the `Worker`.
        case: the case.
        started_s: when the process was started, by the wall clock.
    """
    try:
        drawing_s = time.time()
        frame = test_frame(case.size)
        started_s += time.time() - drawing_s  # drawing the test frame does not count
        with quiet_stderr():
            runner = open_runner(case)
            painted = runner.paint(frame)
        pipe.send(LoadedCase(painted, runner.device, time.time() - started_s))
        while True:
            command, seconds = pipe.recv()
            pipe.send(_execute(command, runner, frame, seconds))
    except NstVideoError as error:
        pipe.send(error)
    except EOFError:
        return


def _execute(command: Command, runner: Runner, frame: Frame, seconds: float) -> object:
    commands: dict[Command, Callable[[], object]] = {
        "paint": lambda: _repeat_for(lambda: runner.paint(frame), seconds),
        "switch": lambda: _switch_for(runner, frame, seconds),
        "memory": peak_memory_mb,
        "flops": runner.flops,
        "peak": lambda: measure_peak(runner, seconds),
    }
    return commands[command]()


def _repeat_for(action: Callable[[], object], seconds: float) -> list[float]:
    """Repeat an action for `seconds`, at least once; return the milliseconds of each time."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        action()
        times.append((time.perf_counter() - start) * 1e3)
    return times


def measure_peak(runner: Runner, seconds: float) -> list[float]:
    """Run matrix products for `seconds`, at least one; return the GFLOP/s of each."""
    product = runner.matrix_product()
    if product is None:
        return []
    return [product.gflop / ms * 1e3 for ms in _repeat_for(product.run, seconds)]


def _switch_for(runner: Runner, frame: Frame, seconds: float) -> float:
    """Return the additional milliseconds of the first frame in another style.

    Each switch is followed by another frame in the same style. The minimum of both times is used,
    which other load on the machine affects least.
    """
    for name in (OTHER_STYLE, DEFAULT_STYLE):  # reading a style does not count
        runner.select_style(name)
        runner.paint(frame)
    firsts: list[float] = []
    others: list[float] = []
    end = time.perf_counter() + seconds
    while len(firsts) < MIN_SWITCHES or time.perf_counter() < end:
        begun = time.perf_counter()
        runner.select_style(DEFAULT_STYLE if len(firsts) % 2 else OTHER_STYLE)
        runner.paint(frame)
        switched = time.perf_counter()
        runner.paint(frame)
        firsts.append((switched - begun) * 1e3)
        others.append((time.perf_counter() - switched) * 1e3)
    return min(firsts) - min(others)


def run_bench(
    cases: Sequence[BenchmarkCase],
    *,
    rounds: int = 5,
    round_s: float = 2.0,
    on_row: Callable[[Row], None] | None = None,
) -> list[Row]:
    """Measure cases; those of the same model and size alternate in rounds.

    Args:
        cases: the cases.
        rounds: number of rounds.
        round_s: seconds per case and round.
        on_row: called with each row as soon as it is complete.

    Raises:
        UsageError: a number is out of its range.
        NstVideoError: a case cannot be run.
    """
    COUNT.check("The rounds", rounds)
    SECONDS.check("A round", round_s)
    rows = []
    for model, size in dict.fromkeys((case.model, case.size) for case in cases):
        group = [case for case in cases if (case.model, case.size) == (model, size)]
        for row in _run_group(group, rounds, round_s):
            rows.append(row)
            if on_row:
                on_row(row)
    return rows


def _run_group(cases: Sequence[BenchmarkCase], rounds: int, round_s: float) -> list[Row]:
    """Measure cases of one model and size in alternation."""
    first = cases[0]
    with Worker(BenchmarkCase("plain", first.model, first.size, first.models_dir)) as plain:
        exact = plain.wait_loaded().painted
    with ExitStack() as stack:
        started = [_start_warm(stack, case) for case in cases]
        for worker, _ in started:
            worker.paint(WARM_UP_S)
        measured = [
            CaseMeasurement(
                case,
                loaded.device,
                loaded.start_s,
                switch_ms=worker.switch_ms(round_s),
                peak_mb=worker.peak_mb(),  # before the matrix products need memory
                psnr_db=psnr_db(loaded.painted, exact),
                flops=worker.flops(),
            )
            for case, (worker, loaded) in zip(cases, started, strict=True)
        ]
        for _ in range(rounds):
            for (worker, _), each in zip(started, measured, strict=True):
                each.times_ms.extend(worker.paint(round_s))
                each.peak_rates.extend(worker.peak(PEAK_TIME_SHARE * round_s))
    return [Row.of(each) for each in measured]


def _start_warm(stack: ExitStack, case: BenchmarkCase) -> tuple[Worker, LoadedCase]:
    """Start a case twice; the second start finds the caches that the first one filled."""
    with Worker(case) as cold:
        cold.wait_loaded()
    worker = stack.enter_context(Worker(case))
    return worker, worker.wait_loaded()


def psnr_db(painted: Frame, exact: Frame) -> float:
    """Return the peak signal-to-noise ratio of two frames in dB, infinite for equal frames."""
    error = float(np.square(painted.astype(np.float64) - exact).mean())
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)
