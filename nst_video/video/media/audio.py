"""Audio streams to copy: whether they can be decoded, and whether a container takes them."""

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
"""Packets of a stream to try until one can be decoded: about a second."""

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
"""Samples that a decoder needs before its output is right, by codec: blocks overlap."""

MP3_RESERVOIR_BYTES = 511
"""How far back, in packets before it, the data of an MP3 packet can begin (bit reservoir)."""


@dataclass(frozen=True, slots=True)
class AudioCheck:
    """The result of trying to decode an audio stream.

    Attributes:
        problem: why it cannot be copied, to be shown after a colon; None where it can.
        preroll_s: seconds before the first wanted sample at which copied packets must start.
    """

    problem: str | None = None
    preroll_s: float = 0.0


def check_audio(media: MediaInfo) -> dict[int, AudioCheck]:
    """Decode the beginning of every audio stream, all in one pass.

    Returns:
        The results by stream index.

    Raises:
        SourceError: the file cannot be opened.
    """
    wanted = [s for s in media.streams if s.kind == "audio"]
    found = {s.index: AudioCheck("its codec is unknown") for s in wanted if not s.codec}
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
                found[index] = AudioCheck(preroll_s=max(warm_up_s, delays_s[index]))
            elif tried[index] >= LOOKED_AT_PACKETS:
                del open_ones[index]
                found[index] = AudioCheck("it cannot be decoded")
            if not open_ones:
                break
    for index in open_ones:
        found[index] = AudioCheck(
            "it cannot be decoded" if tried[index] else "there is nothing in it"
        )
    return found


def can_be_written(arguments: Sequence[str], muxer: str) -> bool:
    """Return whether ffmpeg can write the first second of an output, tried with a null output.

    What a container takes depends on more than the name of the codec.

    Args:
        arguments: ffmpeg's arguments of the input and the output.
        muxer: ffmpeg's name of the container.
    """
    trial = ("-y", *arguments, "-t", str(TRIAL_S), "-f", muxer, os.devnull)
    with FfmpegProcess(trial) as process:
        try:
            return process.finish(TRIAL_TIMEOUT_S) == 0
        except subprocess.TimeoutExpired:
            # The trial takes too long: assume that it works.
            return True


def _decoded(
    container: "av.container.InputContainer", streams: "list[av.audio.stream.AudioStream]"
) -> "Iterator[tuple[Packet, int]]":
    """Yield every packet and the sample rate of its decoded samples, 0 where there are none."""
    with _reading():
        for packet in container.demux(streams):
            rate = 0
            # The last packet is empty: it flushes the decoder.
            with _reading():
                rate = max((int(getattr(f, "sample_rate", 0)) for f in packet.decode()), default=0)
            yield packet, rate


def _warm_up_samples(codec: str, packet_bytes: int) -> int:
    overlap = WARM_UP_SAMPLES.get(codec, 0)
    if codec == "mp3":
        return overlap * (1 + math.ceil(MP3_RESERVOIR_BYTES / max(1, packet_bytes)))
    return overlap


def _delay_s(first: "Packet") -> float:
    """Return the encoder delay in seconds: what is before a stream's first sample."""
    start = first.stream.start_time
    if first.pts is None or start is None or first.time_base is None:
        return 0.0
    return max(0.0, float((start - first.pts) * first.time_base))


@contextmanager
def _reading() -> Iterator[None]:
    """Stop reading, without an error, where a file or its audio is damaged."""
    import av.error

    try:
        yield
    except (av.error.FFmpegError, OSError, ValueError, IndexError):
        return
