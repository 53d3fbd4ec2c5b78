"""Transcoding a file: decoder thread, painter in the calling thread, encoder thread."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nst_video.errors import EngineError
from nst_video.frames import Frame, Frames, Size, VideoInfo
from nst_video.system.output_files import OutputFile, check_outputs
from nst_video.system.path_lookup import user_path
from nst_video.transcode.batches import default_batch_size, paint_batches, stack_batches
from nst_video.transcode.painters import Painter, StreamPainter
from nst_video.transcode.pixel_format import PixelPath, negotiate_format
from nst_video.transcode.progress import OnProgress, ProgressMeter
from nst_video.video.media.animation import slower_rate
from nst_video.video.media.codec_options import TranscodeOptions
from nst_video.video.media.containers import container_for
from nst_video.video.media.stream_copy import StreamCopyPlan, plan_stream_copy
from nst_video.video.queues import ReaderThread, WriterThread
from nst_video.video.sinks import NULL_SCHEME, FrameSink, open_sink
from nst_video.video.sources import FrameSource, VideoFileSource, open_source


@dataclass(frozen=True, slots=True)
class TranscodeResult:
    """A finished transcode.

    Attributes:
        target: the file that was written.
        info: size, rate and number of its frames.
        elapsed_s: seconds from start to end.
        busy_s: seconds that each stage worked: "decode", "paint" and "encode".
        notes: sentences for the user about differences from the source.
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
    """Paint every frame of a video file; copy its audio, subtitles and metadata.

    Args:
        source: a video file, or "demo:".
        target: the file to write, or "null:" to write none.
        painter: gets batches of at most `options.batch_size` frames, or the whole video.
        options: which part to read, and how to encode it.
        on_progress: called in this thread after every batch.
        overwrite: an existing target is replaced once the new file is complete. Without it, a
            target that appears meanwhile is kept, and the result says which name was used instead.

    Raises:
        SourceError: the source cannot be read, or not to its end.
        SinkError: the target cannot be written.
        UsageError: the options do not fit this source or target, or the target exists.
        EngineError: the painter returned frames of another shape, type or number.
    """
    options, target = options or TranscodeOptions(), Path(target)
    if str(target) != NULL_SCHEME:
        check_outputs([OutputFile(target)], [user_path(source)], overwrite=overwrite)
    options, rate_notes = _limit_rate(source, target, options)
    with open_source(source, options) as decoder:
        info = decoder.info
        stream_copy = _plan_stream_copy(decoder, target)
        pixel_path = negotiate_format(decoder, painter)
        with open_sink(
            target, info, options, stream_copy, as_yuv=pixel_path.as_yuv, overwrite=overwrite
        ) as encoder:
            meter = ProgressMeter(info.frame_count)
            batch_size = options.batch_size or _default_batch_size(painter, info.size)
            busy_s = _decode_paint_encode(
                decoder, pixel_path, encoder, batch_size, meter, on_progress
            )
        return TranscodeResult(
            target=encoder.target or target,
            info=VideoInfo(info.size, info.fps, meter.frame),
            elapsed_s=meter.elapsed_s,
            busy_s=busy_s,
            notes=(*decoder.notes, *rate_notes, *encoder.notes),
        )


def _default_batch_size(painter: Painter | StreamPainter, size: Size) -> int:
    """Return how many frames to give the painter at once."""
    if painter.paints == "video":
        return default_batch_size(size)
    return default_batch_size(size, painter.frames_per_painting)


def _decode_paint_encode(
    decoder: FrameSource,
    pixel_path: PixelPath[Painter | StreamPainter],
    encoder: FrameSink,
    batch_size: int,
    meter: ProgressMeter,
    on_progress: OnProgress | None,
) -> dict[str, float]:
    """Move every frame from the decoder through the painter to the encoder.

    Returns:
        Seconds that each stage worked.
    """

    def encode(batch: Frames) -> None:
        for frame in batch:
            encoder.write(frame)

    batches = stack_batches(pixel_path.frames, batch_size)
    decoding = ReaderThread(batches, stop=decoder.stop)
    encoding = WriterThread(encode, stop=encoder.stop)
    painting = _PaintTimer()

    def busy_s() -> dict[str, float]:
        return {"decode": decoding.busy_s, "paint": painting.busy_s, "encode": encoding.busy_s}

    with decoding, encoding:
        decoded = painting.without_waits(decoding)
        painted = _paint(pixel_path.painter, decoded, decoder.info)
        for batch in painting.measured(painted):
            encoding.put(batch)
            progress = meter.advance(len(batch), busy_s())
            if on_progress is not None:
                on_progress(progress)
    return busy_s()


def _paint(
    painter: Painter | StreamPainter, batches: Iterable[Frames], info: VideoInfo
) -> Iterator[Frames]:
    """Paint batch by batch, or the video as a whole; check the shapes."""
    if painter.paints == "video":
        yield from _paint_stream(painter, batches, info)
    else:
        painter.reset()
        yield from paint_batches(painter, batches)


def _paint_stream(
    painter: StreamPainter, batches: Iterable[Frames], info: VideoInfo
) -> Iterator[Frames]:
    """Paint a video as a whole; check the shape and the number of the frames."""
    read = painted = 0

    def frames() -> Iterator[Frame]:
        nonlocal read
        for batch in batches:
            read += len(batch)
            yield from batch

    expected = (info.size[1], info.size[0], 3)
    for frame in painter.stream(frames(), info):
        painted += 1
        if frame.shape != expected or frame.dtype != np.uint8:
            raise EngineError(f"The painter returned {frame.dtype} {frame.shape} for {expected}.")
        yield frame[None]
    if painted != read:
        raise EngineError(f"The painter returned {painted} frames for {read}.")


def _limit_rate(
    source: Path | str, target: Path, options: TranscodeOptions
) -> tuple[TranscodeOptions, tuple[str, ...]]:
    """Limit the frame rate for animated images, unless a rate was given.

    Frames that are skipped are not painted either.

    Returns:
        The options, and a note for the user where the rate is lower than the source's.
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


def _plan_stream_copy(source: FrameSource, target: Path) -> StreamCopyPlan | None:
    """Plan the copying of audio, subtitles and metadata; None without a source or target file."""
    if not isinstance(source, VideoFileSource) or str(target) == NULL_SCHEME:
        return None
    return plan_stream_copy(source.media, source.track.stream, container_for(target), source.trim)


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
