"""Plans how ffmpeg copies everything but the painted video: audio, subtitles, metadata."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from nst_video.video.media.audio import AudioCheck, can_be_written, check_audio
from nst_video.video.media.containers import TEXT_SUBTITLES, Container
from nst_video.video.media.ffmpeg import ffmpeg_path
from nst_video.video.media.file_type import PAINTED_BY
from nst_video.video.media.probe import MediaInfo, StreamInfo
from nst_video.video.media.quicktime_tags import MUXERS, placeholder_arguments

KBPS_PER_CHANNEL = {"aac": 96, "libopus": 64}

_CODEC_NAMES = {
    "aac": "AAC",
    "libopus": "Opus",
    "mov_text": "MP4 text",
    "srt": "SubRip",
    "webvtt": "WebVTT",
}
_NOT_BEFORE_ZERO = "noise=amount=0:drop=lt(pts\\,0)"
"""Drops subtitles that begin before the start: ffmpeg would delay all other streams for them."""

_NOT_LONG_BEFORE_ZERO = "noise=amount=0:drop=lte((pts+d)*tb\\,-{preroll_s:.6f})"
"""Drops audio before the start, except the pre-roll that a decoder needs. ffmpeg itself would drop
all of it, or keep all since the last video keyframe. In MP4 an edit list mutes the pre-roll; in
other containers the video begins some hundredths of a second later."""

_REPACK = {"aac": ",aac_adtstoasc"}
"""Bitstream filters. ffmpeg would add them itself, but then stops at the first damaged packet. They
come last, because the first packet that passes must contain the stream header."""

_FROM_ZERO = "atrim=start=0"

_TOLERANT = ("-max_error_rate", "1")
"""Convert audio even if most of it is damaged; it would be copied, too."""

_DISCONTINUOUS = frozenset({"mpegts", "mpeg", "ogg"})
"""Formats without an index, in which timestamps can jump."""

_OPUS_LAYOUTS = "aformat=channel_layouts=7.1|5.1|quad|stereo|mono"


@dataclass(frozen=True, slots=True)
class Trim:
    """The part of the source that the painted video covers.

    Attributes:
        start_s: seconds after the start of the file; 0 where it is not trimmed.
        length_s: seconds; None where the end is not trimmed.
        video_offset_s: seconds from the start to the first frame.
        has_timestamp_resets: timestamps jump midway. ffmpeg corrects the jumps. The result is the
            same each time only if it reads from the beginning, both the video and the sound.
    """

    start_s: Fraction = Fraction(0)
    length_s: Fraction | None = None
    video_offset_s: Fraction = Fraction(0)
    has_timestamp_resets: bool = False


@dataclass(frozen=True, slots=True)
class StreamCopyPlan:
    """Arguments with which the encoding ffmpeg copies streams from another input.

    Attributes:
        inputs: arguments for the inputs after the video pipe, `-i` included.
        outputs: maps, codecs and metadata; the painted video is output stream 0.
        video_offset_s: timestamp of the first frame in the output.
        notes: one sentence for each stream that is not copied unchanged.
        tags: all tags of the source, for `quicktime_tags.restore_tags` after encoding; empty where
            ffmpeg copies them itself.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    video_offset_s: Fraction = Fraction(0)
    notes: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _AudioMethod:
    """How an audio stream gets into the output.

    Attributes:
        encoder: its encoder, or "copy".
        extra: further arguments, where "#" stands for the number of the output stream.
    """

    encoder: str
    extra: tuple[str, ...] = ()


@dataclass(slots=True)
class _PlanBuilder:
    """Collects arguments and notes; the painted video is stream 0 of the output.

    Attributes:
        is_trimmed: the beginning is trimmed.
        audio_checks: by stream index.
        audio_methods: by stream index, None where none works.
        outputs: arguments of the output.
        notes: sentences for the user.
        count: streams added.
        has_cover: one of them is a cover image.
    """

    is_trimmed: bool
    audio_checks: Mapping[int, AudioCheck] = field(default_factory=dict)
    audio_methods: Mapping[int, _AudioMethod | None] = field(default_factory=dict)
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
            f"{_describe(stream)} was converted to {_CODEC_NAMES[encoder]}: "
            f"{container.name} files do not take it as it is."
        )

    def drop(self, stream: StreamInfo, container: Container) -> None:
        self.leave_out(stream, f"{container.name} files cannot hold it")

    def leave_out(self, stream: StreamInfo, reason: str) -> None:
        self.notes.append(f"{_describe(stream)} was left out: {reason}.")


def plan_stream_copy(
    media: MediaInfo, painted: StreamInfo, container: Container, trim: Trim
) -> StreamCopyPlan:
    """Plan how every stream but the painted one gets into the output.

    Args:
        media: the source file.
        painted: its video stream that is painted.
        container: container of the output.
        trim: the part of the source to copy.

    Raises:
        SourceError: the source cannot be opened.
    """
    if container.max_fps is not None:
        has_sound = any(s.kind == "audio" for s in media.streams)
        silent = f"The sound was left out: {container.name} files have no sound."
        return StreamCopyPlan((), (), notes=(silent,) if has_sound else ())
    audio_checks = check_audio(media)
    plan = _PlanBuilder(
        trim.start_s > 0, audio_checks, _choose_audio_methods(media, audio_checks, container, trim)
    )
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
    room = placeholder_arguments(media.tags) if container.muxer in MUXERS else ()
    return StreamCopyPlan(
        inputs=_input_arguments(media, painted, trim, has_cover=plan.has_cover),
        outputs=(
            *plan.outputs,
            *_metadata_arguments(media, painted),
            *room,
            *_length_arguments(trim),
        ),
        video_offset_s=trim.video_offset_s,
        notes=tuple(plan.notes),
        tags=media.tags if room else {},
    )


def _input_arguments(
    media: MediaInfo, painted: StreamInfo, trim: Trim, *, has_cover: bool
) -> tuple[str, ...]:
    original = ("-i", ffmpeg_path(media.path))
    # A cover has the timestamp 0, so it needs an untrimmed input.
    cover = original if has_cover else ()
    length, seek = _length_arguments(trim), _seek_arguments(media, trim)
    if not _is_discontinuous(media, trim):
        return (*_TOLERANT, *seek, *length, *original, *cover)
    # ffmpeg sets time 0 to where the streams in use begin, so the video must be one of them.
    clock = ("-map", f"1:{painted.index}", "-c", "copy", *length, "-f", "null", os.devnull)
    return (*_TOLERANT, *seek, *original, *cover, *clock)


def _is_discontinuous(media: MediaInfo, trim: Trim) -> bool:
    return media.container in _DISCONTINUOUS or trim.has_timestamp_resets


def _seek_arguments(media: MediaInfo, trim: Trim) -> tuple[str, ...]:
    if not trim.start_s:
        return ()
    if _is_discontinuous(media, trim):
        # Seeking is inaccurate by seconds: read from the beginning and drop what is before.
        return "-itsoffset", f"{-float(trim.start_s):.6f}"
    return "-ss", f"{float(trim.start_s):.6f}"


def _length_arguments(trim: Trim) -> tuple[str, ...]:
    # As an input option it ends the streams, as an output option the last chapter too.
    return () if trim.length_s is None else ("-t", f"{float(trim.length_s):.6f}")


def _metadata_arguments(media: MediaInfo, painted: StreamInfo) -> list[str]:
    arguments = ["-map_metadata", "1", "-map_chapters", "1"]
    # These describe an MP4 file and would be wrong in another container.
    for key in ("major_brand", "minor_version", "compatible_brands"):
        arguments += ["-metadata", f"{key}="]
    if created := media.tags.get("creation_time"):
        # Some programs write it twice, which ffmpeg cannot parse.
        arguments += ["-metadata", f"creation_time={created.split(';')[0]}"]
    tags = {"language": painted.language, "title": painted.title, "encoder": PAINTED_BY}
    for key, value in tags.items():
        if value:
            arguments += ["-metadata:s:0", f"{key}={value}"]
    return arguments


def _choose_audio_methods(
    media: MediaInfo, audio_checks: Mapping[int, AudioCheck], container: Container, trim: Trim
) -> dict[int, _AudioMethod | None]:
    """Return the first method that works for each audio stream, None where none does."""
    possible = {
        stream.index: _audio_methods(stream, audio_checks[stream.index], container)
        for stream in media.streams
        if stream.index in audio_checks and audio_checks[stream.index].problem is None
    }

    def works(methods: Mapping[int, _AudioMethod]) -> bool:
        original = (*_TOLERANT, *_seek_arguments(media, trim), "-i", ffmpeg_path(media.path))
        outputs = [
            text.replace("#", str(number))
            for number, (index, method) in enumerate(methods.items())
            for text in ("-map", f"0:{index}", "-c:#", method.encoder, *method.extra)
        ]
        return can_be_written([*original, *outputs], container.muxer)

    best = {index: methods[0] for index, methods in possible.items()}
    if not best or works(best):
        return {**best}
    return {
        index: next((each for each in methods if works({index: each})), None)
        for index, methods in possible.items()
    }


def _audio_methods(
    stream: StreamInfo, check: AudioCheck, container: Container
) -> list[_AudioMethod]:
    """Return the methods for an audio stream, the best first."""
    encoder = container.audio_encoder
    methods: list[_AudioMethod] = []
    if stream.codec in container.audio:
        cutting = _NOT_LONG_BEFORE_ZERO.format(preroll_s=check.preroll_s)
        methods.append(_AudioMethod("copy", ("-bsf:#", cutting + _REPACK.get(stream.codec, ""))))
    filters = [_FROM_ZERO]
    if encoder == "libopus":
        # It does not support side layouts such as 5.1(side), which AC-3 uses.
        filters.append(_OPUS_LAYOUTS)
    rate = KBPS_PER_CHANNEL[encoder] * max(1, stream.channels)
    methods.append(_AudioMethod(encoder, ("-b:#", f"{rate}k", "-filter:#", ",".join(filters))))
    return methods


def _plan_audio(plan: _PlanBuilder, stream: StreamInfo, container: Container) -> None:
    method, problem = plan.audio_methods.get(stream.index), plan.audio_checks[stream.index].problem
    if method is None:
        plan.leave_out(stream, problem or "it can neither be copied nor converted")
    elif method.encoder == "copy":
        plan.add(stream, extra=method.extra)
    else:
        plan.convert(stream, container, method.encoder, method.extra)


def _plan_subtitle(plan: _PlanBuilder, stream: StreamInfo, container: Container) -> None:
    if stream.codec in container.subtitles:
        plan.add(stream)
    elif stream.codec in TEXT_SUBTITLES:
        plan.convert(stream, container, container.text_encoder)
    else:
        plan.drop(stream, container)


def _plan_video(plan: _PlanBuilder, stream: StreamInfo, container: Container) -> None:
    if not stream.is_cover:
        return  # One note for all of them, in plan_stream_copy.
    if stream.codec in container.covers:
        plan.add(stream, extra=("-disposition:#", "attached_pic"))
    else:
        plan.drop(stream, container)


def _plan_attachment(plan: _PlanBuilder, stream: StreamInfo, container: Container) -> None:
    if container.has_attachments:
        plan.add(stream)
    else:
        plan.drop(stream, container)


def _plan_data(plan: _PlanBuilder, stream: StreamInfo, container: Container) -> None:
    if stream.tag in container.data_tags:
        plan.add(stream, extra=("-tag:#", stream.tag))
    elif stream.tag != "text":  # A chapter track: ffmpeg copies chapters as metadata.
        plan.drop(stream, container)


_PLANNERS = {
    "audio": _plan_audio,
    "subtitle": _plan_subtitle,
    "video": _plan_video,
    "attachment": _plan_attachment,
    "data": _plan_data,
}


def _describe(stream: StreamInfo) -> str:
    codec = f" ({stream.codec})" if stream.codec else ""
    kind = {"audio": "Audio", "subtitle": "Subtitle", "video": "Cover image"}.get(
        stream.kind, stream.kind.capitalize()
    )
    return f"{kind} stream {stream.index}{codec}"
