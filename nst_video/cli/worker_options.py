"""Options of who paints: workers on this machine, or on a Ray cluster."""

from dataclasses import dataclass
from typing import Annotated

import typer

from nst_video.cli.options import checked, number
from nst_video.errors import UsageError
from nst_video.validation import WORKER_CORES, WORKER_GPUS
from nst_video.worker_options import WorkerCount, WorkerOptions

WORKERS_PANEL = "Workers"


def parse_workers(text: str) -> WorkerCount:
    """Return the number of workers that a text means.

    Raises:
        UsageError: neither "auto" nor a number of workers.
    """
    if text != "auto" and not text.isdecimal():
        raise UsageError(f"--workers must be auto or a number from 1 on, not {text!r}.")
    count: WorkerCount = "auto" if text == "auto" else int(text)
    WorkerOptions(count)
    return count


@dataclass(frozen=True, kw_only=True)
class WorkerArguments:
    """Who paints, as typed; see `WorkerOptions`."""

    workers: Annotated[
        str,
        typer.Option(
            "--workers",
            callback=checked(parse_workers),
            metavar="N|auto",
            help="Paint with so many processes: the same frames, faster on many cores. auto is "
            "one for every two cores, or with --ray as many as the cluster has room for.",
            rich_help_panel=WORKERS_PANEL,
        ),
    ] = str(WorkerOptions.workers)
    ray: Annotated[
        str | None,
        typer.Option(
            "--ray",
            metavar="auto|ADDRESS",
            help="Paint on a Ray cluster at this address, or with auto on the one that runs here.",
            rich_help_panel=WORKERS_PANEL,
        ),
    ] = WorkerOptions.ray
    worker_cores: Annotated[
        int | None,
        number(
            WORKER_CORES,
            "--worker-cores",
            metavar="N",
            help="Processor cores of each worker; by default this machine's are divided, and "
            "workers of a cluster have two.",
            panel=WORKERS_PANEL,
        ),
    ] = WorkerOptions.cores
    worker_gpus: Annotated[
        float,
        number(
            WORKER_GPUS,
            "--worker-gpus",
            metavar="N",
            help="GPUs of each worker of a cluster; 0.5 lets two workers share one.",
            panel=WORKERS_PANEL,
        ),
    ] = WorkerOptions.gpus
    keep_going: Annotated[
        bool,
        typer.Option(
            "--keep-going",
            help="Paint the rest of a video after a part of it has failed, so that the next run "
            "has less to do.",
            rich_help_panel=WORKERS_PANEL,
        ),
    ] = WorkerOptions.keep_going

    def parse(self) -> WorkerOptions:
        """Return these options with the number of workers parsed.

        Raises:
            UsageError: a value that makes no sense.
        """
        workers = parse_workers(self.workers)
        if self.ray is not None and self.workers == "1":
            workers = "auto"
        return WorkerOptions(
            workers, self.ray, self.worker_cores, self.worker_gpus, self.keep_going
        )
