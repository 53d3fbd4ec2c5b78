"""Which frames of a file to decode, and how its other streams are trimmed to match."""

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from nst_video.errors import SourceError
from nst_video.video.media.codec_options import DecodeOptions
from nst_video.video.media.probe import MediaInfo, VideoTrack
from nst_video.video.media.stream_copy import Trim
from nst_video.video.media.timing import (
    LONGEST_GAP_S,
    OUTLIER_GAP_S,
    PacketScan,
    Rate,
    choose_rate,
    frame_at,
    typical_interval,
)

LATE_FRAMES = 3
"""Frames that may be missing at the start without a note: decoders delay some."""

CLOCK_TICK_S = Fraction(1, 500_000)
"""Largest rounding difference between the time base of a stream and microseconds."""

NOTED_GAP_S = Fraction(2)
"""Shortest gap between frames of a constant-rate video that gets a note."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The frames to decode.

    Attributes:
        origin_s: timestamp in the file of the first frame.
        fps: output rate.
        frame_count: number of output frames.
        trim: the matching part of the other streams.
        rate: the rate of the file itself.
        notes: sentences for the user about gaps and missing frames.
    """

    origin_s: Fraction
    fps: Fraction
    frame_count: int
    trim: Trim
    rate: Rate
    notes: tuple[str, ...] = ()


def plan_timeline(
    media: MediaInfo, track: VideoTrack, scan: PacketScan, options: DecodeOptions
) -> Timeline:
    """Choose the time of every output frame.

    Without a start, the first output frame is the first frame of the file, and the other streams
    keep their offset to it. With a start, the other streams are trimmed at the time of a frame.

    Raises:
        SourceError: the file ends before the start.
    """
    rate = choose_rate(scan.times_s, track.header_rates)
    fps = options.fps or rate.fps
    first, end = _first_shown(track, scan), scan.end_s
    start = media.start_s + exact(options.start_s)
    if start >= end:
        length = float(end - media.start_s)
        raise SourceError(
            f"{media.path} has video up to {length:.2f} s: nothing left from {options.start_s:g} s."
        )
    if start <= first + CLOCK_TICK_S:
        origin, start = first, min(start, first)
    else:
        origin = start if rate.is_variable else frame_at(scan, start)
        start = origin
    if options.end_s is not None:
        end = min(end, max(origin, media.start_s + exact(options.end_s)))
    count = max(1, math.floor((end - origin) * fps + Fraction(1, 2)))
    offset = origin - start
    is_limited = options.end_s is not None or _has_outliers(media, scan)
    trim = Trim(
        start_s=start - media.start_s,
        length_s=offset + count / fps if is_limited else None,
        video_offset_s=offset,
        has_timestamp_resets=scan.has_timestamp_resets,
    )
    notes = _gap_notes(media, scan, rate, origin, end)
    if scan.outlier_frames:
        notes = (f"Frames with damaged timestamps were left out: {scan.outlier_frames}.", *notes)
    if scan.has_timestamp_resets:
        notes = (
            "The timestamps jump midway; the parts were joined without a gap.",
            *notes,
        )
    if start <= first and first > scan.times_s[0]:
        late = float(first - scan.times_s[0])
        notes = (f"The first {late:.2f} s of the video cannot be decoded; it begins later.", *notes)
    return Timeline(origin, fps, count, trim, rate, notes)


def _has_outliers(media: MediaInfo, scan: PacketScan) -> bool:
    """Return whether packets of any stream are far after the video and the duration claimed."""
    known = max(scan.end_s, media.start_s + (media.duration_s or LONGEST_GAP_S))
    return scan.outlier_frames > 0 or scan.last_packet_s > known + OUTLIER_GAP_S


def exact(seconds: float) -> Fraction:
    """Return seconds given by a user as an exact fraction, to the microsecond."""
    return Fraction(seconds).limit_denominator(1_000_000)


def _first_shown(track: VideoTrack, scan: PacketScan) -> Fraction:
    """Return the timestamp of the first frame that can be decoded."""
    first, decoded = scan.times_s[0], track.first_time_s
    if decoded is None or scan.has_no_timestamps:
        return first
    slack = LATE_FRAMES * typical_interval(scan.times_s)
    return frame_at(scan, decoded) if first + slack < decoded < scan.end_s else first


def _gap_notes(
    media: MediaInfo, scan: PacketScan, rate: Rate, begin_s: Fraction, end_s: Fraction
) -> tuple[str, ...]:
    """Return a note on long gaps of a constant-rate video, where the frame before is repeated."""
    if rate.is_variable:
        return ()
    gaps = [
        (float(a - media.start_s), float(b - media.start_s))
        for a, b in pairwise(scan.times_s)
        if b - a >= NOTED_GAP_S and a >= begin_s and b <= end_s
    ]
    if not gaps or 10 * len(gaps) > len(scan.times_s):
        return ()
    where = ", ".join(f"{a:.1f} to {b:.1f} s" for a, b in gaps[:3])
    more = f" and {len(gaps) - 3} times more" if len(gaps) > 3 else ""
    return (f"The file has no frames from {where}{more}: the frame before is repeated there.",)
