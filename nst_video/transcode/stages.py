"""The stages of a transcode at the same time: decoder thread, painter, encoder thread."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from nst_video.frames import Frames
from nst_video.transcode.progress import OnProgress, ProgressMeter
from nst_video.video.queues import ReaderThread, WriterThread
from nst_video.video.sinks import FrameSink


@dataclass(frozen=True, slots=True)
class Stages:
    """What the stages do.

    Attributes:
        batches: the frames of the source; iterated in a thread of its own.
        paint: paints them, in order.
        sink: gets the painted frames, in a thread of its own.
        stop_source: ends a running iteration of the batches.
    """

    batches: Iterable[Frames]
    paint: Callable[[Iterable[Frames]], Iterable[Frames]]
    sink: FrameSink
    stop_source: Callable[[], None]


def run_stages(
    stages: Stages, meter: ProgressMeter, on_progress: OnProgress | None = None
) -> dict[str, float]:
    """Move every frame from the source through the painter to the sink.

    Args:
        stages: what to do.
        meter: counts the painted frames.
        on_progress: called in this thread after every batch.

    Returns:
        Seconds that each stage worked: "decode", "paint" and "encode".
    """

    def encode(batch: Frames) -> None:
        for frame in batch:
            stages.sink.write(frame)

    decoding = ReaderThread(stages.batches, stop=stages.stop_source)
    encoding = WriterThread(encode, stop=stages.sink.stop)
    painting = _PaintTimer()

    def busy_s() -> dict[str, float]:
        return {"decode": decoding.busy_s, "paint": painting.busy_s, "encode": encoding.busy_s}

    with decoding, encoding:
        painted = stages.paint(painting.without_waits(decoding))
        for batch in painting.measured(painted):
            encoding.put(batch)
            progress = meter.advance(len(batch), busy_s())
            if on_progress is not None:
                on_progress(progress)
    return busy_s()


class _PaintTimer:
    """Measures the time spent painting, without the time spent waiting for decoded frames.

    Attributes:
        busy_s: seconds spent painting.
    """

    def __init__(self) -> None:
        self.busy_s = 0.0

    def measured(self, painted: Iterable[Frames]) -> Iterator[Frames]:
        """Pass painted batches on; add the time until each is available."""
        begun_s = time.monotonic()
        for batch in painted:
            self.busy_s += time.monotonic() - begun_s
            yield batch
            begun_s = time.monotonic()
        self.busy_s += time.monotonic() - begun_s

    def without_waits(self, decoded: Iterable[Frames]) -> Iterator[Frames]:
        """Pass decoded batches on; subtract the time spent waiting for each."""
        begun_s = time.monotonic()
        for batch in decoded:
            self.busy_s -= time.monotonic() - begun_s
            yield batch
            begun_s = time.monotonic()
        self.busy_s -= time.monotonic() - begun_s
