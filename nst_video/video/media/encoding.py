"""Arguments with which ffmpeg encodes raw frames from a pipe."""

from dataclasses import dataclass

from nst_video.frames import VideoInfo
from nst_video.image.resize import even_size
from nst_video.video.media.codec_options import EncodeOptions
from nst_video.video.media.containers import Codec
from nst_video.video.media.filters import encode_filters

ENCODER_THREADS = 4
"""Encoders divide frames among their threads, and write other bytes with other numbers of them: a
fixed number makes the same film on every machine. x264 and x265 take 1.5 times the cores else."""


@dataclass(frozen=True, slots=True)
class VideoArguments:
    """Arguments for the video of an output file, which comes from a pipe.

    Attributes:
        source: of the input, `-i pipe:0` included.
        output: of output stream 0.
    """

    source: tuple[str, ...]
    output: tuple[str, ...]


def encode_arguments(
    info: VideoInfo, codec: Codec, options: EncodeOptions, *, as_yuv: bool
) -> VideoArguments:
    """Return the arguments that encode frames; odd sides are padded before.

    Args:
        info: size and rate of the frames.
        codec: from `containers.codec_for` for the same options.
        options: quality and speed.
        as_yuv: frames are YUV 4:2:0 instead of RGB.
    """
    width, height = even_size(info.size)
    pixels = "yuv420p" if as_yuv else "rgb24"
    return VideoArguments(
        source=(
            *("-f", "rawvideo", "-pix_fmt", pixels, "-video_size", f"{width}x{height}"),
            *("-framerate", f"{info.fps.numerator}/{info.fps.denominator}", "-i", "pipe:0"),
        ),
        output=(
            *("-c:0", codec.encoder, "-threads:0", str(ENCODER_THREADS)),
            *("-filter:0", encode_filters(codec.pixels, as_yuv=as_yuv)),
            *("-fps_mode:0", "passthrough"),
            *codec.quality(options.crf),
            *codec.speed(options.preset),
            *codec.extra,
            *codec.tags,
        ),
    )


def stream_format(codec: Codec) -> tuple[str, dict[str, str]]:
    """Return PyAV's name and options of the format in which encoded video goes through a pipe.

    NUT holds any time, but no primaries, which only VP9 does not hold itself. VP9 is not
    reordered, as fragmented MP4 needs.
    """
    if codec.name == "vp9":
        return "mp4", {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    return "nut", {}


def copy_arguments(codec: Codec) -> VideoArguments:
    """Return the arguments that take encoded video as it is, in its `stream_format`."""
    name, _ = stream_format(codec)
    without_name = ("-metadata:s:0", "handler_name=")
    return VideoArguments(
        ("-f", name, "-i", "pipe:0"), ("-c:0", "copy", *codec.tags, *without_name)
    )
