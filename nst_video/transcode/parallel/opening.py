"""Opens the crew that a user asks for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nst_video.transcode.painters import Painter
from nst_video.transcode.parallel.crew import Crew, LocalCrew
from nst_video.worker_options import WorkerOptions


@contextmanager
def open_crew(
    painter: Painter, options: WorkerOptions, on_note: Callable[[str], None] | None = None
) -> Iterator[Crew]:
    """Yield the crew that the options describe.

    Args:
        painter: is copied to each worker.
        options: where the workers are, and how many.
        on_note: called with a sentence on the cluster.

    Raises:
        UsageError: Ray is not installed, or there is no cluster at the address.
    """
    if options.ray is None:
        yield LocalCrew(painter, options)
        return
    from nst_video.transcode.parallel.ray_cluster import RayCrew

    with RayCrew(painter, options, on_note) as crew:
        yield crew
