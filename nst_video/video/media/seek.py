"""Where to begin reading a file so that a frame in its middle can be decoded."""

from fractions import Fraction

from nst_video.video.media.probe import MediaInfo, VideoTrack, open_container
from nst_video.video.media.timing import PacketScan

MARGINS_S = tuple(Fraction(margin) for margin in (0, 1, 4, 16))
"""How much before the wanted time to look, one after the other."""

B_FRAME_MARGIN_S = Fraction(3, 23)
"""By which ffmpeg itself seeks earlier where a container sorts frames by decoding time."""

CHECKED_FRAMES = 16


def seek_point(
    media: MediaInfo, track: VideoTrack, scan: PacketScan, time_s: Fraction
) -> Fraction | None:
    """Return what to tell ffmpeg to seek to, so that it decodes the frame shown at a time.

    Containers without an index (MPEG-TS, MPEG-PS) are searched by halving, which may end behind the
    keyframe that is needed; and some have no times on all packets, which then come out differently.
    So the place is tried before it is used.

    Args:
        media: the file.
        track: its video stream.
        scan: a pass over it that reached the time.
        time_s: as the file counts time.

    Returns:
        Seconds after the file's start; None where it must be read from its beginning.
    """
    if scan.has_no_timestamps or scan.has_timestamp_resets:
        return None
    for margin in MARGINS_S:
        place = time_s - media.start_s - margin
        if place <= 0:
            return None
        if _leads_to(media, track, scan, place, time_s):
            return place
    return None


def _leads_to(
    media: MediaInfo, track: VideoTrack, scan: PacketScan, place_s: Fraction, time_s: Fraction
) -> bool:
    """Whether reading from a place meets a keyframe in time, and the times known from the pass."""
    import av
    import av.error

    known = frozenset(scan.times_s)
    has_key, checked = False, 0
    with open_container(media.path) as container:
        video = container.streams[track.stream.index]
        target = media.start_s + place_s - B_FRAME_MARGIN_S
        try:
            container.seek(int(target * av.time_base))
            for packet in container.demux(video):
                stamp = packet.pts if packet.pts is not None else packet.dts
                if stamp is None or packet.time_base is None or packet.is_discard:
                    continue
                time = stamp * packet.time_base
                if not has_key and not packet.is_keyframe:
                    continue
                is_other = packet.pts is not None and time not in known
                if is_other or (not has_key and time > time_s):
                    return False
                has_key, checked = True, checked + 1
                if time > time_s and checked >= CHECKED_FRAMES:
                    break
        except (av.error.FFmpegError, OSError, IndexError):  # the last: of a stream that is new
            return False
    return has_key
