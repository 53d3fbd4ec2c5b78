"""Options of painting videos by many workers: how many, and on which machines."""

import os
from dataclasses import dataclass
from typing import Literal, TypeAlias

from nst_video.errors import UsageError
from nst_video.validation import WORKER_CORES, WORKER_GPUS

WorkerCount: TypeAlias = int | Literal["auto"]
"""A number of workers, or as many as are faster than one."""

CORES_EACH = 2
"""Cores of a worker with "auto". One process keeps two cores busy by itself: its decoder, painter
and encoder work at the same time."""


@dataclass(frozen=True)
class WorkerOptions:
    """Who paints films.

    Attributes:
        workers: processes on this machine, or actors of Ray, where "auto" is as many as it has
            room for.
        ray: address of a Ray cluster, or "auto" for the one that runs here or else a new one; None
            for this machine alone.
        cores: processor cores of each worker; None divides those of this machine.
        gpus: GPUs of each worker of Ray; fractions share one.
        keep_going: after a chunk has failed, its film's others are painted all the same, so that
            the next run has less to do.

    Raises:
        UsageError: a value out of its range.
    """

    workers: WorkerCount = 1
    ray: str | None = None
    cores: int | None = None
    gpus: float = 0.0
    keep_going: bool = False

    def __post_init__(self) -> None:
        if self.workers != "auto" and not (
            isinstance(self.workers, int) and 1 <= self.workers <= 10_000
        ):
            raise UsageError(
                f"The number of workers must be auto or 1 to 10000, not {self.workers!r}."
            )
        WORKER_CORES.check_optional("The number of cores", self.cores)
        WORKER_GPUS.check("The number of GPUs", self.gpus)
        if self.gpus and self.ray is None:
            raise UsageError(
                "Only workers of a Ray cluster are given GPUs: name it (--ray), or leave out the "
                "number of GPUs (--worker-gpus)."
            )

    @property
    def is_parallel(self) -> bool:
        """Whether other processes paint."""
        return self.ray is not None or self.count > 1

    @property
    def ray_cores(self) -> int:
        """Cores of each worker of a Ray cluster."""
        return self.cores or CORES_EACH

    @property
    def count(self) -> int:
        """How many workers to start on this machine."""
        if self.workers == "auto":
            return max(1, (os.cpu_count() or 1) // (self.cores or CORES_EACH))
        return self.workers

    @property
    def cores_each(self) -> int:
        """Cores of each worker on this machine."""
        return self.cores or max(1, (os.cpu_count() or 1) // self.count)
