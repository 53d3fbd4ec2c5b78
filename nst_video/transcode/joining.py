"""Joins the finished chunks of a film to the target, on a disk with room for one of both."""

from collections.abc import Sequence

from nst_video.jobs.joining import GrowingFilm, restore_chunks
from nst_video.jobs.journal import Journal
from nst_video.transcode.chunked_film import ChunkedFilm
from nst_video.transcode.stream_copy import plan_copy
from nst_video.video.chunk_encoder import join_chunks
from nst_video.video.media.containers import codec_for, container_for
from nst_video.video.media.index_room import index_room
from nst_video.video.media.quicktime_tags import MUXERS
from nst_video.video.video_file_writer import Growth, IndexRoomError, VideoFileWriter

SPARED_FROM_BYTES = 16 << 20
"""Films from this size on are joined without a second copy on the disk. That of smaller ones takes
less than what it costs to do without."""


def join_film(film: ChunkedFilm, journal: Journal, *, overwrite: bool) -> VideoFileWriter:
    """Join the chunks of a film, all of which are finished.

    Raises:
        SinkError: it cannot be written, or a chunk cannot be read. The next run joins again.
        UsageError: the target exists.
    """
    finished = sorted(journal.finished.values(), key=lambda entry: entry.number)
    size = sum(journal.path_of(entry).stat().st_size for entry in finished)
    if size < SPARED_FROM_BYTES:
        return _join(film, journal, None, overwrite=overwrite)
    room = 0
    if container_for(film.target).muxer in MUXERS:
        frames = sum(entry.frame_count for entry in finished)
        room = index_room(film.source.media, film.source.trim, frames, size)
    try:
        return _join(film, journal, Growth(journal.joined_path, room), overwrite=overwrite)
    except IndexRoomError:
        restore_chunks(journal)
        return _join(film, journal, None, overwrite=overwrite)


def _join(
    film: ChunkedFilm, journal: Journal, growth: Growth | None, *, overwrite: bool
) -> VideoFileWriter:
    finished = sorted(journal.finished.values(), key=lambda entry: entry.number)
    # An index that does not fit into its room ends behind it.
    growing = None if growth is None else GrowingFilm(journal, first=2 * growth.index_bytes)

    def on_given(number: int, packets: Sequence[tuple[int, int]]) -> None:
        if growing is not None:
            growing.add(finished[number], packets)

    return join_chunks(
        film.target,
        film.source.info,
        codec_for(container_for(film.target), film.options),
        [journal.path_of(entry) for entry in finished],
        plan_copy(film.source, film.target),
        overwrite=overwrite,
        on_verified=journal.note_result,
        growth=growth,
        on_given=on_given,
    )
