"""Sound that is carried over: what of it can be decoded, and what a container takes."""

import math
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nst_video.video.media.ffmpeg import FfmpegProcess
from nst_video.video.media.probe import MediaInfo, open_container

if TYPE_CHECKING:
    import av.audio.stream
    import av.container
    from av.packet import Packet as AnyPacket
    from av.stream import Stream

    Packet = AnyPacket[Stream]

LOOKED_AT_PACKETS = 50
"""Packets of a stream tried at most until one can be decoded: about a second."""

TRIAL_S = 1
TRIAL_TIMEOUT_S = 60

WARM_UP_SAMPLES = {
    "aac": 1024,
    "ac3": 256,
    "eac3": 256,
    "mp2": 512,
    "mp3": 1152,
    "opus": 3840,
    "vorbis": 1024,
}
"""Samples before the one from which on a decoder that begins there is right: blocks overlap."""

MP3_RESERVOIR_BYTES = 511
"""By which the data of an MP3 packet may begin early, in packets before it."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound stream, looked at closely.

    Attributes:
        problem: why it cannot be carried over, fit to follow a colon; None where it can.
        roll_s: seconds by which copied packets must begin before the first sample wanted.
    """

    problem: str | None = None
    roll_s: float = 0.0


def examine_sound(media: MediaInfo) -> dict[int, Sound]:
    """Decode the beginning of every sound stream, all of them in one pass.

    Returns:
        What was found, by the index of the stream.

    Raises:
        SourceError: the file cannot be opened.
    """
    wanted = [s for s in media.streams if s.kind == "audio"]
    found = {s.index: Sound("its codec is unknown") for s in wanted if not s.codec}
    open_ones = {s.index: s for s in wanted if s.codec}
    if not open_ones:
        return found
    tried = dict.fromkeys(open_ones, 0)
    delays_s: dict[int, float] = {}
    with open_container(media.path) as container:
        streams = [s for s in container.streams.audio if s.index in open_ones]
        for packet, rate in _decoded(container, streams):
            index = packet.stream_index
            if index not in open_ones:
                continue
            tried[index] += bool(packet.size)
            delays_s.setdefault(index, _delay_s(packet))
            if rate:
                warm_up_s = _warm_up_samples(open_ones.pop(index).codec, packet.size) / rate
                found[index] = Sound(roll_s=max(warm_up_s, delays_s[index]))
            elif tried[index] >= LOOKED_AT_PACKETS:
                del open_ones[index]
                found[index] = Sound("it cannot be decoded")
            if not open_ones:
                break
    for index in open_ones:
        found[index] = Sound("it cannot be decoded" if tried[index] else "there is nothing in it")
    return found


def can_be_written(arguments: Sequence[str], muxer: str) -> bool:
    """Return whether ffmpeg can write the beginning of an output, tried to nowhere.

    What a container takes depends on more than the name of a codec.

    Args:
        arguments: of the input and the output.
        muxer: ffmpeg's name of the container.
    """
    trial = ("-y", *arguments, "-t", str(TRIAL_S), "-f", muxer, os.devnull)
    with FfmpegProcess(trial) as process:
        try:
            return process.finish(TRIAL_TIMEOUT_S) == 0
        except subprocess.TimeoutExpired:
            # So slow a file is not tried any longer.
            return True


def _decoded(
    container: "av.container.InputContainer", streams: "list[av.audio.stream.AudioStream]"
) -> "Iterator[tuple[Packet, int]]":
    """Yield every packet and the sample rate of what it gave, 0 for nothing."""
    with _reading():
        for packet in container.demux(streams):
            rate = 0
            # The last, empty packet makes a decoder give what it holds back.
            with _reading():
                rate = max((int(getattr(f, "sample_rate", 0)) for f in packet.decode()), default=0)
            yield packet, rate


def _warm_up_samples(codec: str, packet_bytes: int) -> int:
    overlap = WARM_UP_SAMPLES.get(codec, 0)
    if codec == "mp3":
        return overlap * (1 + math.ceil(MP3_RESERVOIR_BYTES / max(1, packet_bytes)))
    return overlap


def _delay_s(first: "Packet") -> float:
    """Return the seconds that an encoder put before a stream's first sample."""
    start = first.stream.start_time
    if first.pts is None or start is None or first.time_base is None:
        return 0.0
    return max(0.0, float((start - first.pts) * first.time_base))


@contextmanager
def _reading() -> Iterator[None]:
    """End quietly where a file or its sound is damaged."""
    import av.error

    try:
        yield
    except (av.error.FFmpegError, OSError, ValueError, IndexError):
        return
