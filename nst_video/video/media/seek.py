"""Where to seek in a file so that a frame in its middle can be decoded."""

from fractions import Fraction

from nst_video.video.media.probe import MediaInfo, VideoTrack, open_container
from nst_video.video.media.timing import PacketScan

MARGINS_S = tuple(Fraction(margin) for margin in (0, 1, 4, 16))
"""How long before the wanted time to seek to, in the order of the attempts."""

B_FRAME_MARGIN_S = Fraction(3, 23)
"""ffmpeg itself seeks earlier by this where a container orders frames by decoding time."""

CHECKED_FRAMES = 16


def seek_point(
    media: MediaInfo, track: VideoTrack, scan: PacketScan, time_s: Fraction
) -> Fraction | None:
    """Return the time to seek to, so that ffmpeg decodes the frame shown at a time.

    In containers without an index (MPEG-TS, MPEG-PS) ffmpeg searches by bisection, which can end
    after the keyframe that is needed; and where packets lack timestamps, the computed ones can
    differ after a seek. So each seek is verified before it is used.

    Args:
        media: the file.
        track: its video stream.
        scan: the packets, read at least up to that time.
        time_s: timestamp of the frame.

    Returns:
        Seconds after the start of the file; None where it must be read from its beginning.
    """
    if scan.has_no_timestamps or scan.has_timestamp_resets or _needs_first_packet(track):
        return None
    for margin in MARGINS_S:
        seek = time_s - media.start_s - margin
        if seek <= 0:
            return None
        if _seek_works(media, track, scan, seek, time_s):
            return seek
    return None


def _needs_first_packet(track: VideoTrack) -> bool:
    """Return whether decoding depends on the first packet of the file.

    In 4:4:4, files of x264 before 2017 break the standard. FFmpeg decodes them all the same, if it
    has seen the version of x264, which the first packet holds; otherwise the picture is garbage.
    """
    return track.stream.codec == "h264" and track.pixel_format.startswith("yuv444")


def _seek_works(
    media: MediaInfo, track: VideoTrack, scan: PacketScan, seek_s: Fraction, time_s: Fraction
) -> bool:
    """Return whether a seek gives a keyframe before the time, and the timestamps of the scan."""
    import av
    import av.error

    known = frozenset(scan.times_s)
    has_key, checked = False, 0
    with open_container(media.path) as container:
        video = container.streams[track.stream.index]
        target = media.start_s + seek_s - B_FRAME_MARGIN_S
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
        except (
            av.error.FFmpegError,
            OSError,
            IndexError,
        ):  # IndexError: a stream that begins midway
            return False
    return has_key
