"""Transcoding a file: in chunks where that is possible, so that it can be resumed, else whole."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from nst_video.errors import EngineError
from nst_video.frames import Frame, Frames, Size, VideoInfo
from nst_video.jobs.folders import check_free
from nst_video.jobs.records import remove_completed
from nst_video.system.output_files import OutputFile, check_outputs
from nst_video.system.path_lookup import user_path
from nst_video.transcode.batches import default_batch_size, paint_batches, stack_batches
from nst_video.transcode.chunked import transcode_by_chunks
from nst_video.transcode.chunked_film import plan_film
from nst_video.transcode.painters import Painter, StreamPainter
from nst_video.transcode.pixel_format import negotiate_format
from nst_video.transcode.progress import OnProgress, ProgressMeter
from nst_video.transcode.result import ResumeOptions, TranscodeResult
from nst_video.transcode.stages import Stages, run_stages
from nst_video.transcode.stream_copy import plan_copy
from nst_video.video.media.animation import slower_rate
from nst_video.video.media.codec_options import TranscodeOptions
from nst_video.video.media.containers import container_for
from nst_video.video.sinks import NULL_SCHEME, open_sink
from nst_video.video.sources import FrameSource, VideoFileSource, open_source


def transcode(
    source: Path | str,
    target: Path | str,
    painter: Painter | StreamPainter,
    *,
    options: TranscodeOptions | None = None,
    resume: ResumeOptions | None = None,
    on_progress: OnProgress | None = None,
    overwrite: bool = False,
) -> TranscodeResult:
    """Paint every frame of a video file; copy its audio, subtitles and metadata.

    Video files of 15 seconds and more are painted in chunks, if the painter tells what its frames
    depend on (`Painter.identity`). Finished chunks are kept in a hidden folder beside the target
    until it is complete, so that the same call goes on after an interruption.

    Args:
        source: a video file, or "demo:".
        target: the file to write, or "null:" to write none.
        painter: gets batches of at most `options.batch_size` frames, or the whole video.
        options: which part to read, and how to encode it.
        resume: whether finished chunks are used, and who is told.
        on_progress: called in this thread after every batch.
        overwrite: an existing target is replaced once the new file is complete. Without it, a
            target that appears meanwhile is kept, and the result says which name was used instead.

    Raises:
        SourceError: the source cannot be read, or not to its end.
        SinkError: the target cannot be written.
        UsageError: the options do not fit this source or target, the target exists, or another
            process works on it.
        EngineError: the painter returned frames of another shape, type or number.
    """
    options, target = options or TranscodeOptions(), Path(target)
    resume = resume or ResumeOptions()
    prepare_target(source, target, overwrite=overwrite, own=resume.own)
    options, rate_notes = _limit_rate(source, target, options)
    with open_source(source, options) as decoder:
        batch_size = options.batch_size or usual_batch_size(painter, decoder.info.size)
        film = None
        if painter.paints == "batches" and isinstance(decoder, VideoFileSource):
            film = plan_film(decoder, painter, options, target, batch_size)
        if film is not None:
            done = transcode_by_chunks(film, resume, on_progress, overwrite=overwrite)
        else:
            done = _transcode_at_once(
                decoder, target, painter, options, batch_size, on_progress, overwrite=overwrite
            )
    return replace(done, notes=(*rate_notes, *done.notes))


def prepare_target(
    source: Path | str, target: Path, *, overwrite: bool, own: Path | None = None
) -> None:
    """Check that a target can be made, and tidy up after a run that has completed it.

    Raises:
        SinkError: its folder cannot be written.
        UsageError: it exists, or another process works on it.
    """
    if str(target) == NULL_SCHEME:
        return
    remove_completed(target)
    check_outputs([OutputFile(target)], [user_path(source)], overwrite=overwrite)
    check_free(target, own)


def _transcode_at_once(
    decoder: FrameSource,
    target: Path,
    painter: Painter | StreamPainter,
    options: TranscodeOptions,
    batch_size: int,
    on_progress: OnProgress | None,
    *,
    overwrite: bool,
) -> TranscodeResult:
    """Transcode without keeping anything for a later run."""
    info = decoder.info
    if painter.paints == "batches":
        painter.make_reproducible()
    pixel_path = negotiate_format(decoder, painter)
    with open_sink(
        target,
        info,
        options,
        plan_copy(decoder, target),
        as_yuv=pixel_path.as_yuv,
        overwrite=overwrite,
    ) as encoder:
        meter = ProgressMeter(info.frame_count)
        stages = Stages(
            batches=stack_batches(pixel_path.frames, batch_size),
            paint=lambda batches: _paint(pixel_path.painter, batches, info),
            sink=encoder,
            stop_source=decoder.stop,
        )
        busy_s = run_stages(stages, meter, on_progress)
    return TranscodeResult(
        target=encoder.target or target,
        info=VideoInfo(info.size, info.fps, meter.frame),
        elapsed_s=meter.elapsed_s,
        busy_s=busy_s,
        notes=(*decoder.notes, *encoder.notes),
    )


def usual_batch_size(painter: Painter | StreamPainter, size: Size) -> int:
    """Return how many frames to give the painter at once."""
    if painter.paints == "video":
        return default_batch_size(size)
    return default_batch_size(size, painter.frames_per_painting)


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
