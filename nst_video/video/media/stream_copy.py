"""Everything of a file but its painted video: how the encoder's ffmpeg carries it over."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from nst_video.video.media.audio import Sound, can_be_written, examine_sound
from nst_video.video.media.containers import TEXT_SUBTITLES, Container
from nst_video.video.media.ffmpeg import ffmpeg_path
from nst_video.video.media.file_type import PAINTED_BY
from nst_video.video.media.probe import MediaInfo, StreamInfo
from nst_video.video.media.quicktime_tags import MUXERS, room_arguments

KBPS_PER_CHANNEL = {"aac": 96, "libopus": 64}

_CODEC_NAMES = {
    "aac": "AAC",
    "libopus": "Opus",
    "mov_text": "MP4 text",
    "srt": "SubRip",
    "webvtt": "WebVTT",
}
_NOT_BEFORE_ZERO = "noise=amount=0:drop=lt(pts\\,0)"
"""Drops subtitles that began before the start: ffmpeg would delay everything else for them."""

_NOT_LONG_BEFORE_ZERO = "noise=amount=0:drop=lte((pts+d)*tb\\,-{roll_s:.6f})"
"""Drops sound before the start, except what a decoder needs to be right from the start on. ffmpeg
itself would drop all, or keep it back to the last keyframe of the video. MP4 tells players to be
silent meanwhile; elsewhere the picture begins some hundredths of a second later."""

_REPACK = {"aac": ",aac_adtstoasc"}
"""Filters that ffmpeg adds by itself too, but then ends where one packet is damaged. They come
last: the first packet that passes has to bring the header of the stream."""

_FROM_ZERO = "atrim=start=0"

_TOLERANT = ("-max_error_rate", "1")
"""Sound of which most is damaged is converted all the same, as it is copied all the same."""

_DISCONTINUOUS = frozenset({"mpegts", "mpeg", "ogg"})
"""Formats without an index, whose times may jump."""

_OPUS_LAYOUTS = "aformat=channel_layouts=7.1|5.1|quad|stereo|mono"


@dataclass(frozen=True, slots=True)
class Trim:
    """The stretch of the original that the painted video covers.

    Attributes:
        start_s: seconds after the file's own start; 0 where nothing is cut off.
        length_s: None where nothing is cut off at the end.
        video_offset_s: how much later than the start the first frame appears.
        has_timestamp_resets: timestamps jump midway. ffmpeg corrects the jumps. The result is the
            same each time only if it reads from the beginning, both the video and the sound.
    """

    start_s: Fraction = Fraction(0)
    length_s: Fraction | None = None
    video_offset_s: Fraction = Fraction(0)
    has_timestamp_resets: bool = False


@dataclass(frozen=True, slots=True)
class StreamCopyPlan:
    """Arguments that add another input's streams to the encoder's ffmpeg.

    Attributes:
        inputs: arguments of the inputs after the video pipe, `-i` included.
        outputs: its maps, codecs and metadata; the painted video is output stream 0.
        video_offset_s: how much later than time 0 the first frame appears.
        stream_count: streams added.
        notes: one sentence for each stream that is not carried over as it was.
        tags: all of the original, for `quicktime_tags.keep_tags` once the file is finished; empty
            where ffmpeg keeps them itself.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    video_offset_s: Fraction = Fraction(0)
    stream_count: int = 0
    notes: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Way:
    """How a stream of sound is carried over: its encoder or "copy", and what belongs to that.

    A "#" in the arguments stands for the number of the stream in the output.
    """

    encoder: str
    extra: tuple[str, ...] = ()


@dataclass(slots=True)
class _Plan:
    """Arguments under construction; the painted video is stream 0 of the output."""

    is_trimmed: bool
    sounds: Mapping[int, Sound] = field(default_factory=dict)
    ways: Mapping[int, _Way | None] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    count: int = 0
    has_cover: bool = False

    def add(self, stream: StreamInfo, encoder: str = "copy", extra: tuple[str, ...] = ()) -> None:
        self.count += 1
        number = str(self.count)
        file = 2 if stream.is_cover else 1
        self.has_cover |= stream.is_cover
        self.outputs += ["-map", f"{file}:{stream.index}", f"-c:{number}", encoder]
        if self.is_trimmed and stream.kind == "subtitle":
            self.outputs += [f"-bsf:{number}", _NOT_BEFORE_ZERO]
        self.outputs += [text.replace("#", number) for text in extra]

    def convert(
        self, stream: StreamInfo, container: Container, encoder: str, extra: tuple[str, ...] = ()
    ) -> None:
        self.add(stream, encoder, extra)
        self.notes.append(
            f"{_name(stream)} was converted to {_CODEC_NAMES[encoder]}: "
            f"{container.name} files do not take it as it is."
        )

    def drop(self, stream: StreamInfo, container: Container) -> None:
        self.leave_out(stream, f"{container.name} files cannot hold it")

    def leave_out(self, stream: StreamInfo, reason: str) -> None:
        self.notes.append(f"{_name(stream)} was left out: {reason}.")


def plan_stream_copy(
    media: MediaInfo, painted: StreamInfo, container: Container, trim: Trim
) -> StreamCopyPlan:
    """Plan how every stream but the painted one gets into a file of kind `container`.

    Args:
        media: the original.
        painted: its stream that is replaced.
        container: kind of the new file.
        trim: the stretch of the original to carry over.

    Raises:
        SourceError: the original cannot be opened.
    """
    if container.max_fps is not None:
        has_sound = any(s.kind == "audio" for s in media.streams)
        silent = f"The sound was left out: {container.name} files hold only pictures."
        return StreamCopyPlan((), (), notes=(silent,) if has_sound else ())
    sounds = examine_sound(media)
    plan = _Plan(trim.start_s > 0, sounds, _choose_ways(media, sounds, container, trim))
    for stream in media.streams:
        if stream.index != painted.index:
            _PLANNERS.get(stream.kind, _plan_data)(plan, stream, container)
    others = [s for s in media.videos if s.index != painted.index]
    if others:
        number = media.videos.index(painted) + 1
        plan.notes.insert(
            0,
            f"Video stream {number} of {len(media.videos)} was painted, "
            "the others were left out; --video-stream chooses another.",
        )
    room = room_arguments(media.tags) if container.muxer in MUXERS else ()
    return StreamCopyPlan(
        inputs=_input_arguments(media, painted, trim, has_cover=plan.has_cover),
        outputs=(
            *plan.outputs,
            *_metadata_arguments(media, painted),
            *room,
            *_length_arguments(trim),
        ),
        video_offset_s=trim.video_offset_s,
        stream_count=plan.count,
        notes=tuple(plan.notes),
        tags=media.tags if room else {},
    )


def _input_arguments(
    media: MediaInfo, painted: StreamInfo, trim: Trim, *, has_cover: bool
) -> tuple[str, ...]:
    original = ("-i", ffmpeg_path(media.path))
    # A cover has the time 0, so it is taken from the original as a whole.
    cover = original if has_cover else ()
    length, seek = _length_arguments(trim), _seek_arguments(media, trim)
    if not _is_discontinuous(media, trim):
        return (*_TOLERANT, *seek, *length, *original, *cover)
    # Time 0 is where the streams in use begin, so the video has to be one of them.
    clock = ("-map", f"1:{painted.index}", "-c", "copy", *length, "-f", "null", os.devnull)
    return (*_TOLERANT, *seek, *original, *cover, *clock)


def _is_discontinuous(media: MediaInfo, trim: Trim) -> bool:
    return media.container in _DISCONTINUOUS or trim.has_timestamp_resets


def _seek_arguments(media: MediaInfo, trim: Trim) -> tuple[str, ...]:
    if not trim.start_s:
        return ()
    if _is_discontinuous(media, trim):
        # Seeking there ends seconds too late, so all is read and what comes too early is dropped.
        return "-itsoffset", f"{-float(trim.start_s):.6f}"
    return "-ss", f"{float(trim.start_s):.6f}"


def _length_arguments(trim: Trim) -> tuple[str, ...]:
    # Of an input it ends streams, of the output it ends the last chapter too.
    return () if trim.length_s is None else ("-t", f"{float(trim.length_s):.6f}")


def _metadata_arguments(media: MediaInfo, painted: StreamInfo) -> list[str]:
    arguments = ["-map_metadata", "1", "-map_chapters", "1"]
    # What an MP4 says of itself would turn into tags that lie in another container.
    for key in ("major_brand", "minor_version", "compatible_brands"):
        arguments += ["-metadata", f"{key}="]
    if created := media.tags.get("creation_time"):
        # Files of some programs hold it twice, which ffmpeg makes no time of.
        arguments += ["-metadata", f"creation_time={created.split(';')[0]}"]
    tags = {"language": painted.language, "title": painted.title, "encoder": PAINTED_BY}
    for key, value in tags.items():
        if value:
            arguments += ["-metadata:s:0", f"{key}={value}"]
    return arguments


def _choose_ways(
    media: MediaInfo, sounds: Mapping[int, Sound], container: Container, trim: Trim
) -> dict[int, _Way | None]:
    """Return the first way that works for each stream of sound, None where none does."""
    possible = {
        stream.index: _possible_ways(stream, sounds[stream.index], container)
        for stream in media.streams
        if stream.index in sounds and sounds[stream.index].problem is None
    }

    def works(ways: Mapping[int, _Way]) -> bool:
        original = (*_TOLERANT, *_seek_arguments(media, trim), "-i", ffmpeg_path(media.path))
        outputs = [
            text.replace("#", str(number))
            for number, (index, way) in enumerate(ways.items())
            for text in ("-map", f"0:{index}", "-c:#", way.encoder, *way.extra)
        ]
        return can_be_written([*original, *outputs], container.muxer)

    best = {index: ways[0] for index, ways in possible.items()}
    if not best or works(best):
        return {**best}
    return {
        index: next((way for way in ways if works({index: way})), None)
        for index, ways in possible.items()
    }


def _possible_ways(stream: StreamInfo, sound: Sound, container: Container) -> list[_Way]:
    """Return the ways to carry over sound, the best first."""
    encoder, ways = container.audio_encoder, []
    if stream.codec in container.audio:
        cutting = _NOT_LONG_BEFORE_ZERO.format(roll_s=sound.roll_s)
        ways.append(_Way("copy", ("-bsf:#", cutting + _REPACK.get(stream.codec, ""))))
    filters = [_FROM_ZERO]
    if encoder == "libopus":
        # It refuses side layouts such as 5.1(side), which AC-3 has.
        filters.append(_OPUS_LAYOUTS)
    rate = KBPS_PER_CHANNEL[encoder] * max(1, stream.channels)
    ways.append(_Way(encoder, ("-b:#", f"{rate}k", "-filter:#", ",".join(filters))))
    return ways


def _plan_audio(plan: _Plan, stream: StreamInfo, container: Container) -> None:
    way, problem = plan.ways.get(stream.index), plan.sounds[stream.index].problem
    if way is None:
        plan.leave_out(stream, problem or "nothing of it can be carried over")
    elif way.encoder == "copy":
        plan.add(stream, extra=way.extra)
    else:
        plan.convert(stream, container, way.encoder, way.extra)


def _plan_subtitle(plan: _Plan, stream: StreamInfo, container: Container) -> None:
    if stream.codec in container.subtitles:
        plan.add(stream)
    elif stream.codec in TEXT_SUBTITLES:
        plan.convert(stream, container, container.text_encoder)
    else:
        plan.drop(stream, container)


def _plan_video(plan: _Plan, stream: StreamInfo, container: Container) -> None:
    if not stream.is_cover:
        return  # Announced once for all of them.
    if stream.codec in container.covers:
        plan.add(stream, extra=("-disposition:#", "attached_pic"))
    else:
        plan.drop(stream, container)


def _plan_attachment(plan: _Plan, stream: StreamInfo, container: Container) -> None:
    if container.has_attachments:
        plan.add(stream)
    else:
        plan.drop(stream, container)


def _plan_data(plan: _Plan, stream: StreamInfo, container: Container) -> None:
    if stream.tag in container.data_tags:
        plan.add(stream, extra=("-tag:#", stream.tag))
    elif stream.tag != "text":  # A chapter track: the chapters themselves are carried over.
        plan.drop(stream, container)


_PLANNERS = {
    "audio": _plan_audio,
    "subtitle": _plan_subtitle,
    "video": _plan_video,
    "attachment": _plan_attachment,
    "data": _plan_data,
}


def _name(stream: StreamInfo) -> str:
    codec = f" ({stream.codec})" if stream.codec else ""
    kind = {"audio": "Audio", "subtitle": "Subtitle", "video": "Cover picture"}.get(
        stream.kind, stream.kind.capitalize()
    )
    return f"{kind} stream {stream.index}{codec}"
