"""Batches of frames: how large they are, how they are made and how they are painted."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from nst_video.engines import PendingFrames
from nst_video.errors import EngineError
from nst_video.frames import Frame, Frames, Size
from nst_video.transcode.painters import Painter

MAX_BATCH = 4
"""Default number of frames painted at once, so that every core has a frame to work on."""

MAX_BATCH_PIXELS = 2 * 1920 * 1080
"""Most pixels in a default batch: memory use grows with every frame painted at the same time."""

MAX_PENDING_BATCHES = 1
"""Batches that may be unfinished when the next one is submitted."""


def default_batch_size(size: Size, frames_per_painting: int = 1) -> int:
    """Return how many frames of `size` (width, height) to give a painter at once by default.

    Args:
        size: (width, height).
        frames_per_painting: see `Painter`. With fewer frames than that times the paintings that
            run at the same time, cores are idle.
    """
    width, height = size
    return max(1, min(MAX_BATCH, MAX_BATCH_PIXELS // (width * height))) * frames_per_painting


def stack_batches(frames: Iterable[Frame], size: int) -> Iterator[Frames]:
    """Stack frames to batches of `size`; the last batch may be smaller."""
    remaining = iter(frames)
    while group := list(islice(remaining, size)):
        yield group[0][None] if len(group) == 1 else np.stack(group)


def paint_batches(painter: Painter, batches: Iterable[Frames]) -> Iterator[Frames]:
    """Paint batch by batch, in order; submit the next one before waiting for the one before.

    Raises:
        EngineError: the painter returned a batch of another shape or type.
    """
    pending: deque[tuple[tuple[int, ...], PendingFrames]] = deque()
    for batch in batches:
        pending.append((batch.shape, painter.submit(batch)))
        while pending and (len(pending) > MAX_PENDING_BATCHES or pending[0][1].is_done):
            yield _wait(*pending.popleft())
    while pending:
        yield _wait(*pending.popleft())


def _wait(shape: tuple[int, ...], pending: PendingFrames) -> Frames:
    painted = pending.wait()
    if painted.shape != shape or painted.dtype != np.uint8:
        raise EngineError(f"The painter returned {painted.dtype} {painted.shape} for {shape}.")
    return painted
