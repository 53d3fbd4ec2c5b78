"""When frames really appear: a pass over the packets, and the constant rate that follows."""

import itertools
from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from statistics import median_low

from nst_video.media.probe import MediaInfo, VideoTrack, open_container

MAX_VARIABLE_RATE = Fraction(60)
"""Frames per second at most for a variable-rate source; more only costs painting time."""

NTSC_TOLERANCE = Fraction(3, 10_000)
"""Relative distance at which a rate counts as N*1000/1001: 23.98 does, 24 (0.1 % off) does not."""

HEADER_TOLERANCE = Fraction(5, 1000)
"""Relative distance at which the header's rate is believed against measured, jittering times."""

VARIABLE_TOLERANCE = Fraction(2, 100)
"""Relative distance at which the rate of a variable stream is rounded to a standard one."""

STANDARD_RATES = tuple(
    Fraction(rate)
    for rate in ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60")
)


@dataclass(frozen=True, slots=True)
class PacketScan:
    """What a pass over the packets of a file found, up to the time asked for.

    Attributes:
        times_s: presentation times of the video frames, ascending, as the file counts time.
        end_s: end of the last frame (its time plus its duration).
        furthest_s: latest time of any packet of any stream.
        hidden_frames: frames that the file holds but tells players not to show.
        is_whole: the pass reached the end of the file.
        is_broken: reading stopped with an error.
    """

    times_s: tuple[Fraction, ...]
    end_s: Fraction
    furthest_s: Fraction
    hidden_frames: int
    is_whole: bool
    is_broken: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """The constant rate chosen for a stream.

    Attributes:
        fps: exact frames per second.
        is_variable: the source itself has no constant rate.
    """

    fps: Fraction
    is_variable: bool


def scan_packets(
    media: MediaInfo, track: VideoTrack, until_s: Fraction | None = None
) -> PacketScan:
    """Read packets without decoding them: headers may be wrong about rate, length and end.

    Args:
        media: the file.
        track: its video stream.
        until_s: stop soon after this time, as the file counts time; None reads to the end.
    """
    import av.error

    times: list[Fraction] = []
    last, last_duration = Fraction(-1), Fraction(0)
    furthest = media.start_s
    stop = None if until_s is None else until_s + 2
    is_whole, is_broken = True, False
    hidden = 0
    with open_container(media.path) as container:
        try:
            for packet in container.demux():
                stamp = packet.pts if packet.pts is not None else packet.dts
                if stamp is None or not packet.size or packet.time_base is None:
                    continue
                time = stamp * packet.time_base
                duration = (packet.duration or 0) * packet.time_base
                furthest = max(furthest, time + duration)
                if packet.stream_index != track.stream.index:
                    continue
                if packet.is_discard:
                    hidden += 1
                    continue
                times.append(time)
                if time > last:
                    last, last_duration = time, duration
                if stop is not None and time > stop:
                    is_whole = False
                    break
        except (av.error.FFmpegError, OSError):
            is_broken = True
    times.sort()
    return PacketScan(
        times_s=tuple(times),
        # Some muxers give the last frame a duration of one tick.
        end_s=last + max(last_duration, _typical_interval(times)) if times else media.start_s,
        furthest_s=furthest,
        hidden_frames=hidden,
        is_whole=is_whole,
        is_broken=is_broken,
    )


def choose_rate(track: VideoTrack, scan: PacketScan) -> Rate:
    """Return the constant rate at which to deliver a stream.

    A steady stream gets its own rate, exactly; a variable one the rate of its median interval,
    at most `MAX_VARIABLE_RATE`, so that most frames are kept and the duration is the same.
    """
    gaps = [b - a for a, b in zip(scan.times_s, scan.times_s[1:], strict=False) if b > a]
    if not gaps:
        return Rate(snap_rate(_plausible(track.header_rates) or Fraction(25)), False)
    middle = median_low(gaps)
    # Times in whole milliseconds (Matroska) or of a phone's clock jitter by about this much.
    slack = max(Fraction(2, 1000), middle / 20)
    steady = [gap for gap in gaps if abs(gap - middle) <= slack]
    is_variable = len(steady) < 0.9 * len(gaps)
    measured = len(steady) / sum(steady, Fraction(0))
    if is_variable:
        return Rate(min(_nearest_standard(measured, VARIABLE_TOLERANCE), MAX_VARIABLE_RATE), True)
    near = [r for r in track.header_rates if abs(r - measured) <= measured * HEADER_TOLERANCE]
    named = next((r for r in map(snap_rate, near) if r in STANDARD_RATES), None)
    if named is not None:
        return Rate(named, False)
    if near:
        return Rate(snap_rate(near[0]), False)
    return Rate(_nearest_standard(measured, HEADER_TOLERANCE), False)


def snap_rate(rate: Fraction) -> Fraction:
    """Return the exact rate that a rounded one stands for: 23.98 and 2997/125 are 24000/1001."""
    nominal = round(rate * Fraction(1001, 1000))
    whole = round(rate)
    if whole and abs(rate - whole) <= rate * NTSC_TOLERANCE:
        return Fraction(whole)
    exact = Fraction(nominal * 1000, 1001)
    if nominal and abs(rate - exact) <= rate * NTSC_TOLERANCE:
        return exact
    return rate.limit_denominator(1001) or rate


def frame_at(scan: PacketScan, time_s: Fraction) -> Fraction:
    """Return the time of the frame nearest to `time_s`."""
    right = bisect_right(scan.times_s, time_s)
    around = scan.times_s[max(0, right - 1) : right + 1]
    return min(around, key=lambda time: abs(time - time_s))


def _nearest_standard(rate: Fraction, tolerance: Fraction) -> Fraction:
    nearest = min(STANDARD_RATES, key=lambda standard: abs(standard - rate))
    return nearest if abs(nearest - rate) <= rate * tolerance else snap_rate(rate)


def _typical_interval(times: list[Fraction]) -> Fraction:
    gaps = [b - a for a, b in itertools.pairwise(times) if b > a]
    return median_low(gaps) if gaps else Fraction(1, 25)


def _plausible(rates: tuple[Fraction, ...]) -> Fraction | None:
    # 1000 and 90000 are time bases that some containers report as rates.
    return next((rate for rate in rates if 1 <= rate <= 240), None)
