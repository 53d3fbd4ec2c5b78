"""A film that is painted in chunks: what it depends on, and how it is cut."""

from dataclasses import dataclass, fields
from pathlib import Path

from nst_video import __version__
from nst_video.jobs.chunks import plan_chunks
from nst_video.jobs.fingerprint import identify_source
from nst_video.jobs.journal import JobDescription
from nst_video.transcode.painters import Painter
from nst_video.transcode.pixel_format import negotiate_format
from nst_video.video.media.codec_options import DecodeOptions, TranscodeOptions
from nst_video.video.media.containers import codec_for, container_for
from nst_video.video.media.encoding import ENCODER_THREADS
from nst_video.video.media.ffmpeg import ffmpeg_exe
from nst_video.video.sinks import NULL_SCHEME
from nst_video.video.video_file_source import VideoFileSource


@dataclass(frozen=True, slots=True)
class ChunkedFilm:
    """A film to be painted chunk by chunk.

    Attributes:
        source: the file, opened.
        painter: paints it.
        options: how to read and encode it.
        target: the file to make.
        batch_size: frames painted at once.
        job: what all that amounts to, for the journal.
    """

    source: VideoFileSource
    painter: Painter
    options: TranscodeOptions
    target: Path
    batch_size: int
    job: JobDescription


def plan_film(
    source: VideoFileSource,
    painter: Painter,
    options: TranscodeOptions,
    target: Path,
    batch_size: int,
    *,
    min_chunks: int = 2,
) -> ChunkedFilm | None:
    """Return what a film depends on and how it is cut.

    Args:
        source: the film.
        painter: paints it.
        options: how to read and encode it.
        target: the file to make.
        batch_size: frames painted at once.
        min_chunks: films of fewer chunks are painted at once.

    Returns:
        None where chunks are of no use: the film is too short, the container holds no chunks, or
        the painter does not tell what its frames depend on.
    """
    if str(target) == NULL_SCHEME:
        return None
    container, count = container_for(target), source.info.frame_count
    chunks = plan_chunks(count or 0, source.info.fps, source.keyframes)
    if container.max_fps is not None or len(chunks) < min_chunks or not count:
        return None
    painter.make_reproducible()
    painting = painter.identity()
    if painting is None:
        return None
    # What may be missing does not change the frames that are there.
    decoding = {f.name: getattr(options, f.name) for f in fields(DecodeOptions)}
    del decoding["keep_partial"]
    codec = codec_for(container, options)
    inputs = {
        "source": identify_source(source.media.path),
        "reading": decoding,
        "painting": painting,
        "encoding": {
            "codec": codec.name,
            "crf": codec.crf if options.crf is None else options.crf,
            "preset": " ".join((*codec.speed(options.preset), *codec.extra)),
            "ffmpeg": Path(ffmpeg_exe()).name,
            "threads": ENCODER_THREADS,
        },
        "batch_size": batch_size,
        # A painter's state depends on it.
        "pixels": "yuv420p" if negotiate_format(source.unread(), painter).as_yuv else "rgb24",
        "version": __version__,
    }
    job = JobDescription(
        target=target,
        source=str(source.media.path.absolute()),
        program=f"nst-video {__version__}",
        inputs=inputs,
        chunks=chunks,
        fps=float(source.info.fps),
    )
    return ChunkedFilm(source, painter, options, target, batch_size, job)
