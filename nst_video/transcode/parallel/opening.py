"""Opens the workers that a user asks for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nst_video.transcode.painters import Painter
from nst_video.transcode.parallel.worker_pool import LocalWorkerPool, WorkerPool
from nst_video.worker_options import WorkerOptions


@contextmanager
def open_worker_pool(
    painter: Painter, options: WorkerOptions, on_note: Callable[[str], None] | None = None
) -> Iterator[WorkerPool]:
    """Yield the pool that the options describe.

    Args:
        painter: is copied to each worker.
        options: where the workers are, and how many.
        on_note: called with a sentence on the cluster.

    Raises:
        UsageError: Ray is not installed, or there is no cluster at the address.
    """
    if options.ray is None:
        yield LocalWorkerPool(painter, options)
        return
    from nst_video.transcode.parallel.ray_cluster import RayWorkerPool

    with RayWorkerPool(painter, options, on_note) as pool:
        yield pool
