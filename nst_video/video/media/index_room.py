"""How much room to leave for the index at the beginning of an MP4 file that grows in its place."""

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nst_video.video.media.probe import MediaInfo, open_container
from nst_video.video.media.stream_copy import Trim

if TYPE_CHECKING:
    from av.packet import Packet

BASE_BYTES = 96 << 10
"""For headers and all tags."""

CHAPTER_BYTES = 500

PACKET_BYTES = 16
"""For each packet of any stream; measured: 9 with video of 24 fps and AAC sound. Offsets of more
than four gigabytes need `WIDE_BYTES` more."""

WIDE_BYTES = 4
_WIDE_FROM = 3 << 30


def index_room(media: MediaInfo, trim: Trim, frame_count: int, video_bytes: int) -> int:
    """Return bytes that are very probably enough.

    Args:
        media: the file from which all streams but the video come.
        trim: the part of it.
        frame_count: of the video.
        video_bytes: all of it.

    Raises:
        SourceError: the file cannot be opened.
    """
    count, cover_bytes, other_bytes = frame_count, 0, 0
    covers = {stream.index for stream in media.streams if stream.is_cover}
    for packet in _other_packets(media):
        if packet.stream.index in covers:
            cover_bytes += packet.size
        elif _is_inside(packet, media, trim):
            count += 1
            other_bytes += packet.size
    is_wide = video_bytes + other_bytes > _WIDE_FROM
    each = PACKET_BYTES + (WIDE_BYTES if is_wide else 0)
    return BASE_BYTES + cover_bytes + CHAPTER_BYTES * media.chapter_count + each * count


def _other_packets(media: MediaInfo) -> Iterator["Packet[Any]"]:
    """Yield the packets of all streams but the videos, as far as the file can be read."""
    import av.error

    videos = {stream.index for stream in media.videos}
    with open_container(media.path) as container:
        streams = [stream for stream in container.streams if stream.index not in videos]
        with suppress(av.error.FFmpegError):
            yield from (packet for packet in container.demux(streams) if packet.size)


def _is_inside(packet: "Packet[Any]", media: MediaInfo, trim: Trim) -> bool:
    if packet.pts is None or packet.time_base is None:
        return True
    time_s = packet.pts * packet.time_base - media.start_s - trim.start_s
    return time_s >= -1 and (trim.length_s is None or time_s <= trim.length_s + 1)
