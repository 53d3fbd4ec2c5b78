"""The real timestamps of frames, from a scan of the packets, and the constant rate to use."""

import itertools
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from statistics import median_low
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from nst_video.video.media.probe import MediaInfo, VideoTrack, open_container

if TYPE_CHECKING:
    import av.packet

MAX_VARIABLE_RATE = Fraction(60)
"""Highest output rate of a variable-rate source; more would only cost painting time."""

NTSC_TOLERANCE = Fraction(3, 10_000)
"""Relative tolerance for N*1000/1001: 23.98 is within it, 24 (0.1 % off) is not."""

HEADER_TOLERANCE = Fraction(5, 1000)
"""Relative difference from the measured rate up to which the header's rate is used."""

VARIABLE_TOLERANCE = Fraction(2, 100)
"""Relative difference up to which a variable rate is rounded to a standard rate."""

STANDARD_RATES = tuple(
    Fraction(rate)
    for rate in ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60")
)


MAX_BACK_S = Fraction(1, 10)
"""How far decoding timestamps may go back before it counts as a reset."""

MAX_AHEAD_S = Fraction(10)
"""How far they may jump ahead. Both are ffmpeg's limits; beyond, it removes the jump."""


OUTLIER_GAP_S, LONGEST_GAP_S = Fraction(600), Fraction(86_400)
"""Gap before outliers: after the duration in the header; and where the header has none."""


@dataclass(frozen=True, slots=True)
class PacketScan:
    """Timestamps found in a scan of the packets of a file, up to a time.

    Attributes:
        times_s: presentation timestamps of the video frames, ascending.
        keyframes_s: those of keyframes among them, where they are known.
        end_s: end of the last frame (its timestamp plus its duration).
        last_packet_s: latest end of any packet of any stream.
        discarded_frames: frames in the file that are marked as not to be shown.
        is_whole: the scan reached the end of the file.
        is_broken: reading stopped with an error.
        has_no_timestamps: the file has no timestamps; times are computed from frame numbers.
        has_timestamp_resets: timestamps jump midway; times are those after the correction.
        outlier_frames: frames left out, because damaged timestamps put them far after all others.
        outliers_from_s: a time between the others and the outliers; None without outliers.
    """

    times_s: tuple[Fraction, ...]
    end_s: Fraction
    last_packet_s: Fraction
    discarded_frames: int = 0
    is_whole: bool = True
    is_broken: bool = False
    has_no_timestamps: bool = False
    has_timestamp_resets: bool = False
    outlier_frames: int = 0
    outliers_from_s: Fraction | None = None
    keyframes_s: tuple[Fraction, ...] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """The constant rate chosen for a stream.

    Attributes:
        fps: exact frames per second.
        is_variable: the source has a variable rate.
    """

    fps: Fraction
    is_variable: bool

    def notes(self, delivered: Fraction) -> tuple[str, ...]:
        """Return a note for the user where a variable rate was made constant."""
        if not self.is_variable:
            return ()
        return (f"The frame rate varies; it was made constant at {float(delivered):.5g} fps.",)


class FramePacket(NamedTuple):
    """A video packet.

    Attributes:
        shown_s: presentation timestamp; None where only the decoding timestamp is known.
        decoded_s: decoding timestamp; None where it is unknown.
        duration_s: duration.
        is_key: it is a keyframe.
    """

    shown_s: Fraction | None
    decoded_s: Fraction | None
    duration_s: Fraction
    is_key: bool = False

    @property
    def time_s(self) -> Fraction:
        """Presentation timestamp, or else the decoding timestamp, or else 0."""
        known = self.decoded_s if self.shown_s is None else self.shown_s
        return Fraction(0) if known is None else known


class ClockJumpError(Exception):
    """Timestamps jump or streams change midway: only ffmpeg itself reads the whole file."""


@dataclass(slots=True)
class _PacketCollector:
    """Collects the timestamps of packets.

    Attributes:
        frames: the video packets, in the order of the file.
        may_jump: timestamps can be reset midway in this container.
        bases: time base in seconds, by stream.
        ends: latest end of a packet in ticks, by stream.
        clocks: expected decoding timestamp of the next packet in ticks, by stream.
    """

    track: VideoTrack
    has_no_timestamps: bool
    may_jump: bool
    hidden: int = 0
    frames: list[FramePacket] = field(default_factory=list)
    bases: dict[int, Fraction] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    clocks: dict[int, int] = field(default_factory=dict)

    def add(self, packet: "av.packet.Packet[Any]") -> None:
        """Add a packet. Times are in ticks of its stream, because fractions are slow.

        Raises:
            ClockJumpError: its timestamp does not continue from the packet before.
        """
        index, base = packet.stream_index, packet.time_base
        if not packet.size or base is None:
            return
        shown, decoded, duration = packet.pts, packet.dts, packet.duration or 0
        known = decoded if shown is None else shown
        is_video = index == self.track.stream.index
        if known is not None and not self.has_no_timestamps:
            if self.may_jump and decoded is not None and packet.stream.type in ("video", "audio"):
                self._check_clock(index, decoded, duration, base)
            self.ends[index] = max(self.ends.get(index, known), known + duration)
            self.bases[index] = base
        if not is_video or (known is None and not self.has_no_timestamps):
            return
        if packet.is_discard:
            self.hidden += 1
            return
        self.frames.append(
            FramePacket(
                shown_s=None if shown is None else shown * base,
                decoded_s=None if decoded is None else decoded * base,
                duration_s=duration * base,
                is_key=packet.is_keyframe,
            )
        )

    def last_packet_s(self, start_s: Fraction) -> Fraction:
        """Return the latest end of any packet in seconds, `start_s` without packets."""
        return max((end * self.bases[index] for index, end in self.ends.items()), default=start_s)

    def _check_clock(self, index: int, time: int, duration: int, base: Fraction) -> None:
        expected = self.clocks.get(index)
        if expected is None:
            # A stream that begins far from all others has its own clock.
            places = [clock * self.bases[each] for each, clock in self.clocks.items()]
            is_jump = bool(places) and all(
                abs(time * base - place) > MAX_AHEAD_S for place in places
            )
        else:
            ahead = (time - expected) * base if time != expected else 0
            is_jump = not -MAX_BACK_S <= ahead <= MAX_AHEAD_S
        if is_jump:
            raise ClockJumpError
        self.clocks[index] = time + duration


def scan_packets(
    media: MediaInfo, track: VideoTrack, until_s: Fraction | None = None
) -> PacketScan:
    """Read packets without decoding them: headers can be wrong about rate, length and end.

    Args:
        media: the file.
        track: its video stream.
        until_s: timestamp soon after which to stop; None reads to the end.

    Raises:
        ClockJumpError: timestamps are reset midway, for example in joined recordings.
    """
    import av.error

    stop = None if until_s is None else until_s + 2
    is_whole, is_broken = True, False
    with open_container(media.path) as container:
        flags = container.format.flags
        seen = _PacketCollector(
            track=track,
            has_no_timestamps=_has(flags, "no_timestamps"),
            may_jump=_has(flags, "ts_discont"),
        )
        try:
            for packet in container.demux():
                seen.add(packet)
                if stop is not None and seen.frames and seen.frames[-1].time_s > stop:
                    is_whole = False
                    break
        except IndexError as error:
            # A stream that begins midway: PyAV fails on it, ffmpeg ignores it.
            raise ClockJumpError from error
        except (av.error.FFmpegError, OSError):
            is_broken = True
    frames = _with_constant_rate(track, seen.frames) if seen.has_no_timestamps else seen.frames
    return replace(
        summarize(media, frames, seen.last_packet_s(media.start_s)),
        discarded_frames=seen.hidden,
        is_whole=is_whole,
        is_broken=is_broken,
        has_no_timestamps=seen.has_no_timestamps,
    )


def _has(flags: int, name: str) -> bool:
    """Return whether a container format has a flag."""
    from av.format import Flags

    return bool(flags & cast(int, Flags[name].value))


def summarize(media: MediaInfo, frames: list[FramePacket], last_packet_s: Fraction) -> PacketScan:
    """Return the scan of a whole file from its video packets, in any order."""
    everything = sorted(_with_times(frames), key=lambda frame: frame.time_s)
    count = len(everything) - _count_outliers(media, [frame.time_s for frame in everything])
    frames = everything[:count]
    outliers = everything[count:]
    times = tuple(frame.time_s for frame in frames)
    end = media.start_s
    if frames:
        # Some muxers write a duration of one tick for the last frame.
        end = times[-1] + max(frames[-1].duration_s, typical_interval(times))
    return PacketScan(
        times_s=times,
        end_s=end,
        last_packet_s=last_packet_s,
        outlier_frames=len(outliers),
        outliers_from_s=(frames[-1].time_s + outliers[0].time_s) / 2 if outliers else None,
        keyframes_s=tuple(frame.time_s for frame in frames if frame.is_key),
    )


def _count_outliers(media: MediaInfo, times_s: Sequence[Fraction]) -> int:
    """Return how many of the last frames are far after the others and the duration claimed.

    A single flipped bit in a timestamp would otherwise make a video of several days.
    """
    claimed = None if media.duration_s is None else media.start_s + media.duration_s
    for index, (time, following) in enumerate(itertools.pairwise(times_s), start=1):
        gap = following - time
        is_beyond = gap > LONGEST_GAP_S if claimed is None else following > claimed + OUTLIER_GAP_S
        if gap > OUTLIER_GAP_S and is_beyond and 2 * index > len(times_s):
            return len(times_s) - index
    return 0


def _with_constant_rate(track: VideoTrack, frames: list[FramePacket]) -> list[FramePacket]:
    """Give frames without timestamps those of a constant rate.

    The rate is the mean of the packet durations, which is right for telecined video (24 frames in
    60 fields) where the header is not.
    """
    if not frames:
        return []
    total = sum((frame.duration_s for frame in frames), Fraction(0))
    interval = total / len(frames) or 1 / (_plausible(track.header_rates) or Fraction(25))
    return [
        FramePacket(i * interval, None, interval, frame.is_key) for i, frame in enumerate(frames)
    ]


def _with_times(frames: list[FramePacket]) -> list[FramePacket]:
    """Give all frames presentation timestamps where only some have them, as in MPEG-PS.

    They are the decoding timestamps, shifted by a constant delay: only the order differs.
    """
    known = [frame.shown_s for frame in frames if frame.shown_s is not None]
    decoded = [frame.decoded_s for frame in frames if frame.decoded_s is not None]
    if not known or len(known) == len(frames) or len(decoded) < len(frames):
        return frames
    delay = min(known) - min(decoded)
    return [
        frame._replace(shown_s=time + delay) for frame, time in zip(frames, decoded, strict=True)
    ]


def choose_rate(times_s: Sequence[Fraction], header_rates: Sequence[Fraction] = ()) -> Rate:
    """Return the constant rate at which to decode a stream.

    A constant-rate stream keeps its exact rate. A variable one gets the rate of its median
    interval, at most `MAX_VARIABLE_RATE`, so that most frames are kept. The duration is unchanged.

    Args:
        times_s: presentation timestamps of its frames, ascending.
        header_rates: rates in the header, the most likely first.
    """
    gaps = [b - a for a, b in itertools.pairwise(times_s) if b > a]
    if not gaps:
        return Rate(snap_rate(_plausible(header_rates) or Fraction(25)), False)
    middle = median_low(gaps)
    # Whole milliseconds (Matroska) and the clocks of phones jitter by about this much.
    slack = max(Fraction(2, 1000), middle / 20)
    steady = [gap for gap in gaps if abs(gap - middle) <= slack]
    is_variable = len(steady) < 0.9 * len(gaps)
    measured = len(steady) / sum(steady, Fraction(0))
    if is_variable:
        return Rate(min(_nearest_standard(measured, VARIABLE_TOLERANCE), MAX_VARIABLE_RATE), True)
    near = [r for r in header_rates if abs(r - measured) <= measured * HEADER_TOLERANCE]
    named = next((r for r in map(snap_rate, near) if r in STANDARD_RATES), None)
    if named is not None:
        return Rate(named, False)
    if near:
        return Rate(snap_rate(near[0]), False)
    return Rate(_nearest_standard(measured, HEADER_TOLERANCE), False)


def snap_rate(rate: Fraction) -> Fraction:
    """Return the exact rate for a rounded one: 23.98 and 2997/125 become 24000/1001."""
    nominal = round(rate * Fraction(1001, 1000))
    whole = round(rate)
    if whole and abs(rate - whole) <= rate * NTSC_TOLERANCE:
        return Fraction(whole)
    exact = Fraction(nominal * 1000, 1001)
    if nominal and abs(rate - exact) <= rate * NTSC_TOLERANCE:
        return exact
    return rate.limit_denominator(1001) or rate


def frame_at(scan: PacketScan, time_s: Fraction) -> Fraction:
    """Return the timestamp of the frame nearest to `time_s`."""
    right = bisect_right(scan.times_s, time_s)
    around = scan.times_s[max(0, right - 1) : right + 1]
    return min(around, key=lambda time: abs(time - time_s))


def _nearest_standard(rate: Fraction, tolerance: Fraction) -> Fraction:
    nearest = min(STANDARD_RATES, key=lambda standard: abs(standard - rate))
    return nearest if abs(nearest - rate) <= rate * tolerance else snap_rate(rate)


def typical_interval(times: Sequence[Fraction]) -> Fraction:
    """Return the median difference of ascending times; 1/25 s for fewer than two."""
    gaps = [b - a for a, b in itertools.pairwise(times) if b > a]
    return median_low(gaps) if gaps else Fraction(1, 25)


def _plausible(rates: Sequence[Fraction]) -> Fraction | None:
    # 1000 and 90000 are time bases that some containers report as rates.
    return next((rate for rate in rates if 1 <= rate <= 240), None)
