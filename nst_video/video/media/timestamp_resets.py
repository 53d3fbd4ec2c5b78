"""Files whose timestamps jump midway: joined recordings, or recordings that lost their signal.

ffmpeg corrects such jumps while it reads, depending on what it has read before. So the timestamps
to use are those that ffmpeg itself gives when it reads the file from its beginning, with all audio
and video: only then do audio and video stay in sync.
"""

from dataclasses import replace
from fractions import Fraction

from nst_video.video.media.ffmpeg import FfmpegProcess, ffmpeg_path
from nst_video.video.media.probe import MediaInfo, VideoTrack
from nst_video.video.media.timing import FramePacket, PacketScan, summarize

LISTED_BYTES = 1 << 16

NO_TIME = -(1 << 63)
"""What ffmpeg prints for a packet without a timestamp."""


def scan_with_resets(media: MediaInfo, track: VideoTrack) -> PacketScan:
    """Read the packets as `timing.scan_packets` does, with ffmpeg's correction of jumps.

    Args:
        media: the file.
        track: its video stream.
    """
    lines, status = _list_packets(media, track)
    bases: dict[str, Fraction] = {}
    frames: list[FramePacket] = []
    furthest = media.start_s
    for line in lines:
        if line.startswith("#tb "):
            stream, ticks = line[4:].split(":")
            bases[stream] = Fraction(ticks.strip())
        if line.startswith("#") or not line.strip():
            continue
        # stream, decoding timestamp, presentation timestamp, duration, ...
        stream, decoded, shown, length = (part.strip() for part in line.split(",")[:4])
        base = bases[stream]
        frame = FramePacket(
            shown_s=_time(media, shown, base),
            decoded_s=_time(media, decoded, base),
            duration_s=int(length) * base,
        )
        if frame.shown_s is None and frame.decoded_s is None:
            continue
        furthest = max(furthest, frame.time_s + frame.duration_s)
        if stream == "0":
            frames.append(frame)
    return replace(
        summarize(media, frames, furthest), is_broken=status != 0, has_timestamp_resets=True
    )


def _time(media: MediaInfo, ticks: str, base: Fraction) -> Fraction | None:
    return None if int(ticks) == NO_TIME else media.start_s + int(ticks) * base


def audio_reading_arguments(media: MediaInfo, length_s: Fraction | None = None) -> list[str]:
    """Return arguments of a null output that makes ffmpeg read the audio of its first input.

    Args:
        media: that input.
        length_s: seconds to read; None reads all of it.
    """
    if not any(stream.kind == "audio" for stream in media.streams):
        return []
    limit = [] if length_s is None else ["-t", f"{float(length_s):.6f}"]
    return ["-map", "0:a", "-c", "copy", *limit, "-f", "null", "-"]


def _list_packets(media: MediaInfo, track: VideoTrack) -> tuple[list[str], int]:
    arguments = ["-i", ffmpeg_path(media.path), "-map", f"0:{track.stream.index}", "-map", "0:a?"]
    arguments += ["-c", "copy", "-copyinkf", "-f", "framecrc", "pipe:1"]
    listed = bytearray()
    with FfmpegProcess(arguments, drain=True) as process:
        block = memoryview(bytearray(LISTED_BYTES))
        while count := process.read_into(block):
            listed += block[:count]
        return listed.decode("ascii", "replace").splitlines(), process.finish()
