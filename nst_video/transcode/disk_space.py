"""Whether the disk has room for a film and for what exists twice while its chunks are joined."""

import shutil

from nst_video.jobs.journal import Journal
from nst_video.transcode.chunked_film import ChunkedFilm
from nst_video.transcode.joining import SPARED_FROM_BYTES
from nst_video.video.media.containers import codec_for, container_for

BYTES_PER_PIXEL = 0.1
"""Of a painted film at a codec's usual quality, before anything is known of it. Measured with h264:
traffic 0.09, an animation 0.12."""

CRF_STEP = 6
"""Steps of the CRF by which a film becomes twice as large."""

CHUNKS_TWICE = 4
"""So many chunks wait until the film has all their bytes; measured with 30 of them: 2 to 3."""

MARGIN = 1.05


def space_warning(film: ChunkedFilm, journal: Journal) -> str | None:
    """Return a sentence where the disk will probably be full before the film is complete.

    Chunks that are finished already tell how large the others will be.
    """
    finished, total = journal.finished.values(), film.source.info.frame_count or 0
    held = sum(entry.frame_count for entry in finished)
    try:
        taken = sum(journal.path_of(entry).stat().st_size for entry in finished)
        free = shutil.disk_usage(journal.folder).free
    except OSError:
        return None
    each = taken / held if held else _usual_bytes(film)
    needed = MARGIN * (each * (total - held) + _bytes_twice(film, each))
    if free >= needed:
        return None
    return (
        f"About {needed / 1e9:.2g} GB are needed in {film.target.absolute().parent}, and "
        f"{free / 1e9:.2g} GB are free: make room, or the run will stop when the disk is full. "
        "What is finished by then is kept."
    )


def _bytes_twice(film: ChunkedFilm, each: float) -> float:
    """Return how many bytes exist twice while chunks of so many bytes a frame are joined."""
    lengths = [chunk.frame_count for chunk in film.job.chunks]
    is_spared = each * sum(lengths) >= SPARED_FROM_BYTES
    return each * (min(sum(lengths), CHUNKS_TWICE * max(lengths)) if is_spared else sum(lengths))


def _usual_bytes(film: ChunkedFilm) -> float:
    """Return the bytes of a frame as far as size and quality tell."""
    codec = codec_for(container_for(film.target), film.options)
    crf = codec.crf if film.options.crf is None else film.options.crf
    width, height = film.source.info.size
    return float(BYTES_PER_PIXEL * width * height * 2 ** ((codec.crf - crf) / CRF_STEP))
