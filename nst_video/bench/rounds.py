"""Measuring cases in turn, each in a process of its own, so that a noisy machine hits all alike."""

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
from nst_video.bench.report import Row
from nst_video.bench.runners import OTHER_STYLE, Case, Runner, Work, open_runner, test_frame
from nst_video.errors import EngineError, NstVideoError
from nst_video.frames import Frame
from nst_video.settings import DEFAULT_STYLE
from nst_video.system.stderr import quiet_stderr
from nst_video.validation import COUNT, SECONDS

BURN_IN_S = 1.0
"""Seconds of painting before anything counts: clocks rise, caches fill, code is compiled."""

LOAD_TIMEOUT_S = 300.0

MIN_SWITCHES = 3

PRODUCT_SHARE = 0.25
"""Seconds of matrix products for each second of painting."""

Task: TypeAlias = Literal["paint", "switch", "memory", "work", "multiply"]
"""What a worker can be told to do."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A loaded case.

    Attributes:
        painted: the test frame, painted.
        device: where it runs.
        start_s: from the start of the process to that first frame.
    """

    painted: Frame
    device: str
    start_s: float


class Worker:
    """A process that loads one case and paints when told."""

    def __init__(self, case: Case) -> None:
        """Start the process, which begins to load."""
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        arguments = (theirs, case, time.time())
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
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

    def ready(self) -> Ready:
        """Wait until it is loaded and has painted the test frame."""
        return cast(Ready, self._receive(LOAD_TIMEOUT_S))

    def run(self, seconds: float) -> list[float]:
        """Paint for so long, at least once; return milliseconds per frame."""
        return cast(list[float], self._ask("paint", seconds))

    def switch_ms(self, seconds: float) -> float:
        """Return how much longer a frame takes that is the first in another style."""
        return cast(float, self._ask("switch", seconds))

    def peak_mb(self) -> float | None:
        """Return its peak memory in megabytes."""
        return cast(float | None, self._ask("memory"))

    def work(self) -> Work:
        """Return what a frame takes."""
        return cast(Work, self._ask("work"))

    def multiply(self, seconds: float) -> list[float]:
        """Multiply large matrices for so long, at least once; return GFLOP/s of each product.

        Empty where there is no runtime to judge.
        """
        return cast(list[float], self._ask("multiply", seconds))

    def _ask(self, task: Task, seconds: float = 0.0) -> object:
        self._pipe.send((task, seconds))
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


def _serve(pipe: Connection, case: Case, begun_s: float) -> None:
    """Load a case, then do as told until the pipe closes.

    Args:
        pipe: to who tells.
        case: what to load.
        begun_s: when the process was started, of the clock that all processes share.
    """
    try:
        drawing_s = time.time()
        frame = test_frame(case.size)
        begun_s += time.time() - drawing_s  # who has a picture need not draw one
        with quiet_stderr():
            runner = open_runner(case)
            painted = runner.paint(frame)
        pipe.send(Ready(painted, runner.device, time.time() - begun_s))
        while True:
            task, seconds = pipe.recv()
            pipe.send(_do(task, runner, frame, seconds))
    except NstVideoError as error:
        pipe.send(error)
    except EOFError:
        return


def _do(task: Task, runner: Runner, frame: Frame, seconds: float) -> object:
    """Do what a worker is told."""
    tasks: dict[Task, Callable[[], object]] = {
        "paint": lambda: _repeat_for(lambda: runner.paint(frame), seconds),
        "switch": lambda: _switch_for(runner, frame, seconds),
        "memory": peak_memory_mb,
        "work": runner.work,
        "multiply": lambda: multiply_for(runner, seconds),
    }
    return tasks[task]()


def _repeat_for(action: Callable[[], object], seconds: float) -> list[float]:
    """Return the milliseconds that an action took each time, for so long, at least once."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        action()
        times.append((time.perf_counter() - start) * 1e3)
    return times


def multiply_for(runner: Runner, seconds: float) -> list[float]:
    """Return GFLOP/s of matrix products for so long, at least one."""
    product = runner.product()
    if product is None:
        return []
    return [product.gflop / ms * 1e3 for ms in _repeat_for(product.run, seconds)]


def _switch_for(runner: Runner, frame: Frame, seconds: float) -> float:
    """Return the extra milliseconds of the first frame in another style.

    Each switch is followed by another frame in the same style; the shortest time of each kind is
    what other work on the machine disturbed least.
    """
    for name in (OTHER_STYLE, DEFAULT_STYLE):  # reading a style is no switch
        runner.choose(name)
        runner.paint(frame)
    firsts: list[float] = []
    others: list[float] = []
    end = time.perf_counter() + seconds
    while len(firsts) < MIN_SWITCHES or time.perf_counter() < end:
        begun = time.perf_counter()
        runner.choose(DEFAULT_STYLE if len(firsts) % 2 else OTHER_STYLE)
        runner.paint(frame)
        switched = time.perf_counter()
        runner.paint(frame)
        firsts.append((switched - begun) * 1e3)
        others.append((time.perf_counter() - switched) * 1e3)
    return min(firsts) - min(others)


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
        UsageError: a number out of its range.
        NstVideoError: a case cannot be run.
    """
    COUNT.check("The rounds", rounds)
    SECONDS.check("A turn", round_s)
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
        exact = plain.ready().painted
    with ExitStack() as stack:
        started = [_start_warm(stack, case) for case in cases]
        workers = [worker for worker, _ in started]
        times: list[list[float]] = [[] for _ in workers]
        rates: list[list[float]] = [[] for _ in workers]
        for worker in workers:
            worker.run(BURN_IN_S)
        switches = [worker.switch_ms(round_s) for worker in workers]
        peaks = [worker.peak_mb() for worker in workers]  # before matrices take some, too
        works = [worker.work() for worker in workers]
        for _ in range(rounds):
            for worker, mine, reached in zip(workers, times, rates, strict=True):
                mine.extend(worker.run(round_s))
                reached.extend(worker.multiply(PRODUCT_SHARE * round_s))
    return [
        Row.of(
            case, ready.device, mine, work, reached,
            switch_ms=switch, start_s=ready.start_s, peak_mb=peak,
            psnr_db=psnr_db(ready.painted, exact),
        )
        for case, (_, ready), mine, work, reached, switch, peak in zip(
            cases, started, times, works, rates, switches, peaks, strict=True
        )
    ]  # fmt: skip


def _start_warm(stack: ExitStack, case: Case) -> tuple[Worker, Ready]:
    """Start a case twice, alone: the second start finds what the first one left on the disk."""
    with Worker(case) as cold:
        cold.ready()
    worker = stack.enter_context(Worker(case))
    return worker, worker.ready()


def psnr_db(painted: Frame, exact: Frame) -> float:
    """Return the peak signal-to-noise ratio of two frames in dB, infinite where they are equal."""
    error = float(np.square(painted.astype(np.float64) - exact).mean())
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)
