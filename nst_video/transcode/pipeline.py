"""The loop: a decoder thread, the painter in the calling thread, an encoder thread."""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from nst_video.engines import PendingFrames
from nst_video.errors import EngineError
from nst_video.frames import Frame, Frames, Size, VideoInfo
from nst_video.system.output_files import OutputFile, check_outputs
from nst_video.system.path_lookup import user_path
from nst_video.transcode.pixel_format import (
    Painter,
    PixelPath,
    StreamPainter,
    negotiate_format,
)
from nst_video.transcode.progress import OnProgress, ProgressMeter
from nst_video.video.media.animation import slower_rate
from nst_video.video.media.codec_options import TranscodeOptions
from nst_video.video.media.containers import container_for
from nst_video.video.media.stream_copy import StreamCopyPlan, plan_stream_copy
from nst_video.video.queues import ReaderThread, WriterThread
from nst_video.video.sinks import NULL_SCHEME, FrameSink, open_sink
from nst_video.video.sources import FrameSource, VideoFileSource, open_source

MAX_BATCH = 4
"""Frames painted at once by default: each core has its own, and none waits for the others."""

MAX_BATCH_PIXELS = 2 * 1920 * 1080
"""Pixels of them all at most: every frame that is painted at the same time takes memory."""

MAX_PENDING_BATCHES = 1
"""Batches begun and not waited for while the next one begins."""


class Identity(Painter):
    """The painter that changes nothing."""

    def __call__(self, frames: Frames, /) -> Frames:
        """Return the batch as it is."""
        return frames


@dataclass(frozen=True, slots=True)
class TranscodeResult:
    """A finished transcode.

    Attributes:
        target: what was written.
        info: size, rate and number of its frames.
        elapsed_s: seconds it took.
        busy_s: seconds each stage worked.
        notes: sentences on what is not as in the source.
    """

    target: Path
    info: VideoInfo
    elapsed_s: float
    busy_s: dict[str, float]
    notes: tuple[str, ...]


def transcode(
    source: Path | str,
    target: Path | str,
    painter: Painter | StreamPainter,
    *,
    options: TranscodeOptions | None = None,
    on_progress: OnProgress | None = None,
    overwrite: bool = False,
) -> TranscodeResult:
    """Paint every frame of a video file; carry over its sound and everything else.

    Args:
        source: a video file, or "demo:".
        target: the file to write.
        painter: gets batches of at most `options.batch_size` frames, or the film as a whole.
        options: what to read and how to write it.
        on_progress: called in this thread after every batch.
        overwrite: an existing target is replaced once the new one is complete; without, a target
            that appears meanwhile is left alone, and the result says where this film is.

    Raises:
        SourceError: the source cannot be read, or not to its end.
        SinkError: the target cannot be written.
        UsageError: options that make no sense for this source or target, or the target exists.
        EngineError: the painter returned something else than as many frames of the same shape.
    """
    options = options or TranscodeOptions()
    target = Path(target)
    if str(target) != NULL_SCHEME:
        check_outputs([OutputFile(target)], [user_path(source)], overwrite=overwrite)
    options, slowed = _fit_rate(source, target, options)
    with open_source(source, options) as frames:
        stream_copy = _plan(frames, target)
        pixel_path = negotiate_format(frames, painter)
        with open_sink(
            target,
            frames.info,
            options,
            stream_copy,
            as_yuv=pixel_path.as_yuv,
            overwrite=overwrite,
        ) as sink:
            meter = ProgressMeter(frames.info.frame_count)
            batch_size = options.batch_size or default_batch_size(frames.info.size)
            busy_s = _run(frames, pixel_path, sink, batch_size, meter, on_progress)
        return TranscodeResult(
            target=sink.target or target,
            info=VideoInfo(frames.info.size, frames.info.fps, meter.frame),
            elapsed_s=meter.elapsed_s,
            busy_s=busy_s,
            notes=(*frames.notes, *slowed, *sink.notes),
        )


def _plan(source: FrameSource, target: Path) -> StreamCopyPlan | None:
    if not isinstance(source, VideoFileSource) or str(target) == NULL_SCHEME:
        return None
    return plan_stream_copy(source.media, source.track.stream, container_for(target), source.trim)


def _fit_rate(
    source: Path | str, target: Path, options: TranscodeOptions
) -> tuple[TranscodeOptions, tuple[str, ...]]:
    """Return options with a rate that suits pictures that move, and a note where it is a lower one.

    Frames that are left out are not painted either.
    """
    limit = None if str(target) == NULL_SCHEME else container_for(target).max_fps
    if limit is None or options.fps is not None:
        return options, ()
    with open_source(source, options) as frames:
        fps = frames.info.fps
    if fps <= limit:
        return options, ()
    slower = slower_rate(fps, limit)
    note = f"{float(fps):.5g} fps became {float(slower):.5g}; --fps chooses another rate."
    return replace(options, fps=slower), (note,)


def _run(
    source: FrameSource,
    pixel_path: PixelPath[Painter | StreamPainter],
    sink: FrameSink,
    batch_size: int,
    meter: ProgressMeter,
    on_progress: OnProgress | None,
) -> dict[str, float]:
    """Move every picture from source to sink; return the seconds that each stage worked."""

    def write(batch: Frames) -> None:
        for frame in batch:
            sink.write(frame)

    reader = ReaderThread(batches(pixel_path.pictures, batch_size), stop=source.stop)
    writer = WriterThread(write, stop=sink.stop)
    with reader, writer:
        work = _Work(reader)
        for painted in work.timed(_paint(pixel_path.painter, work.read(), source.info)):
            writer.put(painted)
            if on_progress is not None:
                busy_s = _busy(reader, work.painted_s, writer)
                on_progress(meter.advance(len(painted), busy_s))
            else:
                meter.frame += len(painted)
    return _busy(reader, work.painted_s, writer)


def _paint(
    painter: Painter | StreamPainter, batches: Iterable[Frames], info: VideoInfo
) -> Iterator[Frames]:
    """Paint batch by batch, or the film as a whole, and check what comes of it."""
    if isinstance(painter, StreamPainter):
        yield from _paint_film(painter, batches, info)
        return
    painter.reset()
    yield from paint_batches(painter, batches)


def paint_batches(painter: Painter, batches: Iterable[Frames]) -> Iterator[Frames]:
    """Paint batch by batch; where the painter can, begin the next before waiting for one.

    Raises:
        EngineError: the painter returned something else than as many pictures of the same shape.
    """
    begun: deque[tuple[tuple[int, ...], PendingFrames]] = deque()
    for batch in batches:
        begun.append((batch.shape, painter.submit(batch)))
        while begun and (len(begun) > MAX_PENDING_BATCHES or begun[0][1].is_done):
            yield _finish(*begun.popleft())
    while begun:
        yield _finish(*begun.popleft())


def _finish(shape: tuple[int, ...], painting: PendingFrames) -> Frames:
    painted = painting.wait()
    if painted.shape != shape or painted.dtype != np.uint8:
        raise EngineError(f"The painter returned {painted.dtype} {painted.shape} for {shape}.")
    return painted


def _paint_film(
    painter: StreamPainter, batches: Iterable[Frames], info: VideoInfo
) -> Iterator[Frames]:
    taken = given = 0

    def frames() -> Iterator[Frame]:
        nonlocal taken
        for batch in batches:
            taken += len(batch)
            yield from batch

    expected = (info.size[1], info.size[0], 3)
    for frame in painter.stream(frames(), info):
        given += 1
        if frame.shape != expected or frame.dtype != np.uint8:
            raise EngineError(f"The painter returned {frame.dtype} {frame.shape} for {expected}.")
        yield frame[None]
    if given != taken:
        raise EngineError(f"The painter returned {given} frames for {taken}.")


class _Work:
    """Tells the time that painting takes from the time it waits for frames.

    Attributes:
        painted_s: seconds painted.
    """

    def __init__(self, batches: Iterable[Frames]) -> None:
        self.painted_s = 0.0
        self._batches = batches

    def read(self) -> Iterator[Frames]:
        """Pass the batches on; waiting for them is no painting."""
        begun = time.monotonic()
        for batch in self._batches:
            self.painted_s -= time.monotonic() - begun
            yield batch
            begun = time.monotonic()
        self.painted_s -= time.monotonic() - begun

    def timed(self, painted: Iterable[Frames]) -> Iterator[Frames]:
        """Pass the painted batches on; all the time until they come counts."""
        begun = time.monotonic()
        for batch in painted:
            self.painted_s += time.monotonic() - begun
            yield batch
            begun = time.monotonic()
        self.painted_s += time.monotonic() - begun


def _busy(
    reader: ReaderThread[Frames], painted_s: float, writer: WriterThread[Frames]
) -> dict[str, float]:
    return {"decode": reader.busy_s, "paint": painted_s, "encode": writer.busy_s}


def default_batch_size(size: Size) -> int:
    """Return how many frames of `size` to paint at once where nobody says."""
    width, height = size
    return max(1, min(MAX_BATCH, MAX_BATCH_PIXELS // (width * height)))


def batches(frames: Iterable[Frame], size: int) -> Iterator[Frames]:
    """Group frames into batches of `size`; the last may be smaller."""
    flow = iter(frames)
    while group := list(islice(flow, size)):
        yield group[0][None] if len(group) == 1 else np.stack(group)
