"""What is in a media file: its header and its first frames, read with PyAV."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from nst_video.errors import SourceError, UsageError
from nst_video.frames import Size
from nst_video.system.path_lookup import require_file, user_path
from nst_video.video.media.diagnosis import why_undecodable, why_unreadable
from nst_video.video.media.ffmpeg import FfmpegProcess, ffmpeg_path

if TYPE_CHECKING:
    import av.container
    import av.stream
    import av.video.frame
    import av.video.stream

PROBED_FRAMES = 8
"""Frames to decode to find out whether a stream is interlaced: the flag is per frame."""


_DATA_STREAM = re.compile(r"Stream #0:(?P<index>\d+).*: Data: .*\((?P<tag>.{4}) / 0x")


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """One stream of a container.

    Attributes:
        index: position among all streams of the file, from 0.
        kind: "video", "audio", "subtitle", "data" or "attachment".
        codec: ffmpeg's canonical name, "" where it has none.
        tag: four-character code in the container, "" where there is none.
        language: ISO 639 code, None where unknown.
        title: None where there is none.
        is_default: marked as the default stream of its kind.
        is_cover: a cover image, not a video.
        channels: of audio, else 0.
    """

    index: int
    kind: str
    codec: str
    tag: str = ""
    language: str | None = None
    title: str | None = None
    is_default: bool = False
    is_cover: bool = False
    channels: int = 0


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """The header of a media file.

    Attributes:
        path: the file.
        container: ffmpeg's name of the format.
        start_s: timestamp of the first packet of any stream; players show it as 0.
        duration_s: duration in the header, None where it has none.
        chapter_count: number of chapters.
        streams: all streams, in their order.
        tags: metadata of the whole file, by name.
    """

    path: Path
    container: str
    start_s: Fraction
    duration_s: Fraction | None
    chapter_count: int
    streams: tuple[StreamInfo, ...]
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def videos(self) -> tuple[StreamInfo, ...]:
        """Video streams that are not cover images."""
        return tuple(s for s in self.streams if s.kind == "video" and not s.is_cover)


@dataclass(frozen=True, slots=True)
class Color:
    """How pixel values are coded: numbers of ITU-T H.273, where 2 or 0 is unspecified.

    Attributes:
        matrix: YUV matrix coefficients.
        is_full_range: black and white are 0 and 255, not 16 and 235.
        transfer: transfer characteristics.
        primaries: color primaries.
    """

    matrix: int
    is_full_range: bool
    transfer: int
    primaries: int


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """One video stream, after decoding its first frames.

    Attributes:
        stream: its description in the container.
        coded_size: (width, height) as stored.
        upright_size: (width, height) after rotation and with square pixels.
        pixel_format: ffmpeg's name.
        is_rgb: whether that is RGB.
        color: how the pixel values are coded.
        rotation_deg: rotation in the display matrix.
        is_interlaced: some of the first frames are interlaced.
        header_rates: frame rates in the header, the most likely first.
        header_frames: number of frames in the header, 0 where it has none.
        first_time_s: timestamp of the first frame that can be decoded, None where it has none.
    """

    stream: StreamInfo
    coded_size: Size
    upright_size: Size
    pixel_format: str
    is_rgb: bool
    color: Color
    rotation_deg: int
    is_interlaced: bool
    header_rates: tuple[Fraction, ...]
    header_frames: int
    first_time_s: Fraction | None = None


@contextmanager
def open_container(path: Path) -> Iterator["av.container.InputContainer"]:
    """Open `path` for reading with PyAV.

    Raises:
        SourceError: it does not exist, cannot be read or is not a media file.
    """
    import av
    import av.error

    path = require_file(path)
    try:
        container = av.open(ffmpeg_path(path), metadata_errors="replace")
    except (av.error.FFmpegError, OSError) as error:
        reason = _reason(error)
        if not isinstance(error, PermissionError):
            reason = why_unreadable(path)
        raise SourceError(f"{path} is not a video that ffmpeg can read: {reason}.") from error
    with container:
        yield container


def probe(path: Path) -> MediaInfo:
    """Read the header of a media file.

    Raises:
        SourceError: it cannot be opened.
    """
    import av

    with open_container(path) as container:
        claimed = container.duration
        return MediaInfo(
            path=user_path(path),
            container=container.format.name,
            start_s=Fraction(container.start_time or 0, av.time_base),
            duration_s=None if claimed is None else Fraction(claimed, av.time_base),
            chapter_count=len(container.chapters()),
            streams=_with_data_tags(path, [_stream_info(stream) for stream in container.streams]),
            tags=dict(container.metadata),
        )


def pick_video(media: MediaInfo, number: int | None = None) -> StreamInfo:
    """Return the video stream to read.

    Args:
        media: the file.
        number: number of the video stream, from 1; None takes the default stream or else the
            first.

    Raises:
        SourceError: there is no video stream.
        UsageError: there is no video stream of that number.
    """
    videos = media.videos
    if not videos:
        raise SourceError(f"{media.path} has no video, {_contents(media)}.")
    if number is None:
        return next((s for s in videos if s.is_default), videos[0])
    if not 1 <= number <= len(videos):
        raise UsageError(
            f"{media.path} has no video stream {number}: choose from 1 to {len(videos)}."
        )
    return videos[number - 1]


def probe_track(media: MediaInfo, stream: StreamInfo) -> VideoTrack:
    """Examine one video stream by decoding its first frames.

    Raises:
        SourceError: no frame can be decoded.
    """
    with open_container(media.path) as container:
        video = _video_stream(container, stream)
        # One at a time: eight of the largest frames would take gigabytes.
        frames = islice(_frames(container, video), PROBED_FRAMES)
        first = next(frames, None)
        if first is None:
            reason = why_undecodable(media.path, container, video)
            raise SourceError(f"No frame of the video in {media.path} can be decoded: {reason}.")
        rotation = int(first.rotation)
        pixel_format = str(first.format.name)
        aspect = video.sample_aspect_ratio or Fraction(1)
        return VideoTrack(
            stream=stream,
            coded_size=(first.width, first.height),
            upright_size=upright_size((first.width, first.height), aspect, rotation),
            pixel_format=pixel_format,
            is_rgb=bool(first.format.is_rgb),
            color=_color(first),
            rotation_deg=rotation,
            is_interlaced=any(frame.interlaced_frame for frame in chain([first], frames)),
            header_rates=_header_rates(video),
            header_frames=video.frames,
            first_time_s=_time_of(first),
        )


def count_frames(path: Path, stream: StreamInfo) -> int:
    """Return how many frames a stream has: from the header, or else by counting packets.

    Raises:
        SourceError: the file cannot be opened or read to its end.
    """
    import av.error

    with open_container(path) as container:
        video = container.streams[stream.index]
        if video.frames:
            return video.frames
        try:
            return sum(1 for packet in container.demux(video) if packet.size)
        except av.error.FFmpegError as error:
            raise SourceError(f"{path} cannot be read to its end: {_reason(error)}.") from error


def upright_size(coded: Size, pixel_aspect: Fraction, rotation_deg: int) -> Size:
    """Return the size after rotation, with square pixels.

    Pixels are made square by enlarging one side, so that no detail is lost.

    Args:
        coded: (width, height) as stored.
        pixel_aspect: width of a stored pixel over its height.
        rotation_deg: rotation in the display matrix.
    """
    width, height = coded
    if pixel_aspect > 1:
        width = round(width * pixel_aspect)
    elif 0 < pixel_aspect < 1:
        height = round(height / pixel_aspect)
    return (height, width) if rotation_deg % 180 == 90 else (width, height)


def _video_stream(
    container: "av.container.InputContainer", stream: StreamInfo
) -> "av.video.stream.VideoStream":
    return next(video for video in container.streams.video if video.index == stream.index)


def _stream_info(stream: "av.stream.Stream") -> StreamInfo:
    from av.stream import Disposition

    context = stream.codec_context
    codec = context.codec.canonical_name if context is not None else ""
    language = stream.metadata.get("language")
    return StreamInfo(
        index=stream.index,
        kind=stream.type,
        codec=codec,
        tag=_tag(stream),
        language=None if language == "und" else language,
        title=stream.metadata.get("title"),
        is_default=bool(stream.disposition & Disposition.default),
        is_cover=bool(stream.disposition & Disposition.attached_pic),
        channels=int(getattr(context, "channels", 0) or 0) if stream.type == "audio" else 0,
    )


def _with_data_tags(path: Path, streams: list[StreamInfo]) -> tuple[StreamInfo, ...]:
    """Return the streams, with the tags of data streams, which PyAV does not give."""
    if not any(stream.kind == "data" and not stream.tag for stream in streams):
        return tuple(streams)
    with FfmpegProcess(["-loglevel", "info", "-i", ffmpeg_path(path)]) as process:
        process.finish()
        found = map(_DATA_STREAM.search, process.log())
    tags = {int(match["index"]): match["tag"].strip() for match in found if match}
    return tuple(replace(s, tag=tags.get(s.index, s.tag)) for s in streams)


def _tag(stream: "av.stream.Stream") -> str:
    try:
        tag = stream.codec_context.codec_tag if stream.codec_context is not None else ""
    except UnicodeDecodeError:
        # PyAV expects ASCII; AVI uses numbers for audio, and some files contain other bytes.
        return ""
    return tag.strip("\0 ")


def _frames(
    container: "av.container.InputContainer", video: "av.video.stream.VideoStream"
) -> Iterator["av.video.frame.VideoFrame"]:
    """Yield the frames that can be decoded; damage is reported later, while decoding all."""
    import av.error

    try:
        for packet in container.demux(video):
            if packet.has_sidedata("encryption_info"):
                return  # it would decode to noise
            try:
                yield from video.decode(packet)
            except av.error.FFmpegError:
                continue
    except (av.error.FFmpegError, OSError, IndexError):  # IndexError: a stream that begins midway
        return


def _time_of(frame: "av.video.frame.VideoFrame") -> Fraction | None:
    return None if frame.pts is None or not frame.time_base else frame.pts * frame.time_base


def _color(frame: "av.video.frame.VideoFrame") -> Color:
    return Color(
        matrix=int(frame.colorspace),
        is_full_range=int(frame.color_range) == 2 or frame.format.name.startswith("yuvj"),
        transfer=int(frame.color_trc),
        primaries=int(frame.color_primaries),
    )


def _header_rates(video: "av.video.stream.VideoStream") -> tuple[Fraction, ...]:
    offered = (video.average_rate, video.guessed_rate, video.base_rate)
    return tuple(dict.fromkeys(Fraction(rate) for rate in offered if rate))


def _contents(media: MediaInfo) -> str:
    """Return what a file without video contains instead."""
    kinds = sorted({s.kind for s in media.streams if not s.is_cover})
    kinds += ["a cover image"] if any(s.is_cover for s in media.streams) else []
    return f"only {' and '.join(kinds)}" if kinds else "and nothing else"


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return str(text)[:1].lower() + str(text)[1:]
