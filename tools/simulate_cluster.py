"""Simulates many workers on one film or many: where more of them stop helping, and why.

    python tools/simulate_cluster.py                        # a film of two hours
    python tools/simulate_cluster.py --films 1000 --minutes 1
    python tools/simulate_cluster.py --paint-s 5            # GPUs

The schedule is that of `--workers` and `--ray` itself; times and bytes are measured ones, see the
options. A worker paints, sends its chunk over the network of the driver, and the driver checks it,
flushes it to the disk and writes the journal. At the end the driver joins the film.
"""

import argparse
import heapq
import random
from dataclasses import dataclass, field
from itertools import count

from nst_video.jobs.chunks import USUAL_S, Chunk
from nst_video.transcode.parallel.schedule import ChunkSchedule, Task

WORKERS = (1, 2, 4, 8, 16, 32, 64, 100, 200, 400, 1000)
RUN_IN = 48
"""Frames painted twice where a worker does not go on with the next chunk."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What was measured.

    Attributes:
        paint_s: seconds in which a worker paints a chunk.
        start_s: seconds until a worker begins.
        chunk_mb: bytes of a chunk, in MB.
        source_mb: bytes of the source of a chunk, in MB; 0 where folders are shared.
        network_mb_s: of the driver, in each direction.
        record_s: seconds in which the driver checks, flushes and records a chunk.
        message_s: seconds in which it takes a message.
        messages: messages for each chunk: one for each batch of frames.
        plan_s: seconds in which it plans a film.
        join_mb_s: how fast it joins.
        jitter: relative standard deviation of the painting.
    """

    paint_s: float
    start_s: float
    chunk_mb: float
    source_mb: float
    network_mb_s: float
    record_s: float
    message_s: float
    messages: float
    plan_s: float
    join_mb_s: float
    jitter: float


@dataclass
class Result:
    """What a simulation found.

    Attributes:
        total_s: seconds until everything is complete.
        driver_s: of these the driver worked.
        network_s: its network was busy.
        join_s: it joined after the last chunk.
        run_ins: chunks that were not begun where the worker had been.
        busy: share of the workers' time in which they painted.
    """

    total_s: float = 0.0
    driver_s: float = 0.0
    network_s: float = 0.0
    join_s: float = 0.0
    run_ins: int = 0
    busy: float = 0.0


@dataclass
class Server:
    """Something that does one thing at a time.

    Attributes:
        free_s: time at which it is free.
        busy_s: seconds that it has worked.
    """

    free_s: float = 0.0
    busy_s: float = 0.0

    def use(self, at_s: float, seconds: float) -> float:
        """Use it from a time on; return when it is done."""
        self.free_s = max(at_s, self.free_s) + seconds
        self.busy_s += seconds
        return self.free_s


@dataclass
class Simulation:
    """One run with a number of workers."""

    costs: Costs
    chunks: int
    films: int
    workers: int
    frames: int
    rng: random.Random = field(default_factory=lambda: random.Random(1))

    def run(self) -> Result:
        """Simulate."""
        costs, found, order = self.costs, Result(), count()
        schedule, driver, network = ChunkSchedule(), Server(), Server()
        unplanned, left = list(range(self.films)), {}
        painting_s = last_s = 0.0
        events: list[tuple[float, int, Task | None]] = [
            (costs.start_s, next(order), None) for _ in range(self.workers)
        ]
        heapq.heapify(events)
        while events:
            now, _, done = heapq.heappop(events)
            if done is not None:
                # What workers say of their progress keeps the driver busy, but nobody waits for it.
                driver.use(now - costs.paint_s, costs.message_s * costs.messages)
                arrived = network.use(now, costs.chunk_mb / costs.network_mb_s)
                recorded = driver.use(arrived, costs.record_s)
                left[done.film] -= 1
                last_s = max(last_s, recorded)
                if not left[done.film]:
                    # In a thread of its own: it takes the disk, not the driver.
                    found.join_s = costs.chunk_mb * self.chunks / costs.join_mb_s
            asked = driver.use(now, costs.message_s)
            while unplanned and schedule.fresh_films < 1:
                film = unplanned.pop(0)
                asked = driver.use(asked, costs.plan_s)
                schedule.add(film, [Chunk(n, n, n + 1) for n in range(self.chunks)])
                left[film] = self.chunks
            task = schedule.take(done)
            if task is None:
                continue
            seconds = max(0.2, self.rng.gauss(1, costs.jitter)) * costs.paint_s
            goes_on = done is not None and task == Task(done.film, done.number + 1)
            if task.number and not goes_on:
                seconds += costs.paint_s * RUN_IN / self.frames
                found.run_ins += 1
            sent = network.use(asked, costs.source_mb / costs.network_mb_s)
            painting_s += seconds
            heapq.heappush(events, (sent + seconds, next(order), task))
        found.total_s = last_s + found.join_s
        found.driver_s, found.network_s = driver.busy_s, network.busy_s
        found.busy = painting_s / (self.workers * found.total_s)
        return found


def limit_of(found: Result, chunks: int, workers: int) -> str:
    """Name what holds a run up most."""
    if workers > chunks:
        return "chunks"
    shares = {
        "driver": found.driver_s / found.total_s,
        "network": found.network_s / found.total_s,
        "joining": found.join_s / found.total_s,
        "painting": found.busy,
    }
    return max(shares, key=lambda name: shares[name])


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--films", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=120, help="of each film")
    parser.add_argument("--fps", type=float, default=25)
    parser.add_argument("--paint-s", type=float, default=62, help="4 fps on two cores at 540 lines")
    parser.add_argument("--start-s", type=float, default=4)
    parser.add_argument(
        "--chunk-mb", type=float, default=4.4, help="0.09 byte per pixel, 10 s, 540"
    )
    parser.add_argument("--source-mb", type=float, default=0, help="0 where folders are shared")
    parser.add_argument("--network-mb-s", type=float, default=110, help="1 Gbit/s")
    parser.add_argument("--record-s", type=float, default=0.02)
    parser.add_argument("--message-s", type=float, default=0.0002)
    parser.add_argument("--plan-s", type=float, default=0.3)
    parser.add_argument("--join-mb-s", type=float, default=100)
    parser.add_argument("--jitter", type=float, default=0.2)
    given = parser.parse_args()
    frames = round(USUAL_S * given.fps)
    chunks = max(1, round(given.minutes * 60 / USUAL_S))
    costs = Costs(
        given.paint_s,
        given.start_s,
        given.chunk_mb,
        given.source_mb,
        given.network_mb_s,
        given.record_s,
        given.message_s,
        frames / 4,
        given.plan_s,
        given.join_mb_s,
        given.jitter,
    )
    alone = Simulation(costs, chunks, given.films, 1, frames).run().total_s
    print("workers      time  speed-up  efficiency  run-ins  driver  network  limit")
    for workers in WORKERS:
        found = Simulation(costs, chunks, given.films, workers, frames).run()
        speed_up = alone / found.total_s
        print(
            f"{workers:7}  {found.total_s:7.0f}s  {speed_up:8.1f}  {speed_up / workers:10.2f}  "
            f"{found.run_ins:7}  {found.driver_s / found.total_s:6.1%}  "
            f"{found.network_s / found.total_s:7.1%}  "
            f"{limit_of(found, chunks * given.films, workers)}"
        )


if __name__ == "__main__":
    main()
