"""Tables of video codecs and containers: what each container takes, and its substitutes."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from nst_video.errors import UsageError
from nst_video.validation import Range
from nst_video.video.media.codec_options import EncodeOptions

TEXT_SUBTITLES = frozenset({"subrip", "ass", "ssa", "webvtt", "mov_text", "text"})
"""Text subtitle codecs; any can be converted to any other."""


@dataclass(frozen=True, slots=True)
class Codec:
    """A video codec and its encoder.

    Attributes:
        name: as in `EncodeOptions.codec`.
        encoder: ffmpeg's name of the encoder.
        crf: default quality.
        max_crf: worst quality, 0 where the quality cannot be chosen.
        speed_option: the encoder's option for the preset.
        preset: default preset.
        presets: all presets.
        extra: further arguments.
        tuning: arguments used with the default preset only.
        pixels: the encoder's input pixel format, by ffmpeg's name.
        tag: name of the codec in the file, where players want another than ffmpeg's.
    """

    name: str
    encoder: str
    crf: int
    max_crf: int
    speed_option: str
    preset: str
    presets: tuple[str, ...]
    extra: tuple[str, ...] = ()
    tuning: tuple[str, ...] = ()
    pixels: str = "yuv420p"
    tag: str = ""

    @property
    def tags(self) -> tuple[str, ...]:
        """Arguments for the tag."""
        return ("-tag:0", self.tag) if self.tag else ()

    def quality(self, crf: int | None = None) -> tuple[str, ...]:
        """Return the arguments for a quality, by default the usual one."""
        if not self.max_crf:
            return ()
        return "-crf:0", str(self.crf if crf is None else crf)

    def speed(self, preset: str | None = None) -> tuple[str, ...]:
        """Return the arguments for a preset, by default the usual one."""
        if preset is not None:
            return self.speed_option, preset
        return self.speed_option, self.preset, *self.tuning


_X264_PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast", "medium"),
    *("slow", "slower", "veryslow", "placebo"),
)
"""Of x264 and x265."""

_VP9_SPEEDS = tuple(str(speed) for speed in range(-9, 10))
_SVT_AV1_PRESETS = tuple(str(preset) for preset in range(-1, 14))
_WEBP_LEVELS = tuple(str(level) for level in range(7))

CODECS = {
    codec.name: codec
    for codec in (
        # A look ahead makes "superfast" files as small as those of "veryfast", which takes 1.7
        # times as long.
        Codec(
            "h264",
            "libx264",
            18,
            51,
            "-preset",
            "superfast",
            _X264_PRESETS,
            # With a thread of its own for looking ahead, 1 of 30 encodings on busy cores differs in
            # some frames (mbtree). Without one, none of 60 did, at the same speed.
            ("-x264-params", "sync-lookahead=0"),
            tuning=("-rc-lookahead:0", "10", "-mbtree:0", "1"),
        ),
        Codec(
            "hevc",
            "libx265",
            20,
            51,
            "-preset",
            "fast",
            _X264_PRESETS,
            ("-x265-params", "log-level=error"),
            tag="hvc1",
        ),
        Codec(
            "vp9",
            "libvpx-vp9",
            24,
            63,
            "-cpu-used",
            "5",
            _VP9_SPEEDS,
            ("-b:v", "0", "-deadline", "good", "-row-mt", "1"),
        ),
        Codec("av1", "libsvtav1", 24, 63, "-preset", "8", _SVT_AV1_PRESETS),
        # Lossless: the intermediate video from which the GIF is made.
        Codec(
            "gif",
            "libx264rgb",
            0,
            0,
            "-preset",
            "ultrafast",
            _X264_PRESETS,
            ("-qp:0", "0"),
            pixels="bgr24",
        ),
        Codec(
            "webp",
            "libwebp_anim",
            0,
            0,
            "-compression_level",
            "4",
            _WEBP_LEVELS,
            ("-quality:0", "80"),
            pixels="bgra",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Container:
    """What a container can hold, as far as common players support it.

    Attributes:
        muxer: ffmpeg's name of the format.
        name: for messages.
        video: names of `CODECS`, the default first.
        audio: audio codecs that are copied.
        audio_encoder: encoder for all other audio.
        subtitles: subtitle codecs that are copied.
        text_encoder: encoder for all other text subtitles.
        covers: codecs of cover images that can be attached.
        has_attachments: whether attachments, such as fonts, are copied.
        data_tags: tags of data streams that are copied.
        flags: further arguments of the muxer.
        max_fps: only for animated images, which hold nothing but frames: highest default rate,
            above which frames are skipped unless a rate is given. None for videos.
        top_fps: highest rate that can be written.
        has_palette: needs a palette for the whole video, so is made from a lossless one.
    """

    name: str
    muxer: str
    video: tuple[str, ...]
    audio: frozenset[str]
    audio_encoder: str
    subtitles: frozenset[str]
    text_encoder: str
    covers: frozenset[str] = frozenset()
    has_attachments: bool = False
    data_tags: frozenset[str] = frozenset()
    flags: tuple[str, ...] = ()
    max_fps: Fraction | None = None
    top_fps: int = 1000
    has_palette: bool = False


_PICTURES = frozenset({"mjpeg", "png"})
_MP4_AUDIO = frozenset({"aac", "mp3", "mp2", "ac3", "eac3", "alac", "flac", "opus", "dts"})
_PCM = frozenset({"pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_f32le"})
_MKV_AUDIO = _MP4_AUDIO | {"vorbis", "truehd", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"}
_MKV_SUBTITLES = frozenset(
    {"subrip", "ass", "ssa", "webvtt", "text", "hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"}
)

MP4 = Container(
    "MP4",
    "mp4",
    ("h264", "hevc", "av1", "vp9"),
    _MP4_AUDIO,
    "aac",
    frozenset({"mov_text", "dvd_subtitle"}),
    "mov_text",
    covers=_PICTURES,
    data_tags=frozenset({"gpmd"}),
    flags=("-movflags", "+faststart"),
)
MOV = Container(
    "QuickTime",
    "mov",
    ("h264", "hevc"),
    frozenset({"aac", "mp3", "ac3", "eac3", "alac"}) | _PCM,
    "aac",
    frozenset({"mov_text"}),
    "mov_text",
    flags=("-movflags", "+faststart"),
)
MATROSKA = Container(
    "Matroska",
    "matroska",
    ("h264", "hevc", "vp9", "av1"),
    _MKV_AUDIO,
    "aac",
    _MKV_SUBTITLES,
    "srt",
    has_attachments=True,
)
WEBM = Container(
    "WebM",
    "webm",
    ("vp9", "av1"),
    frozenset({"opus", "vorbis"}),
    "libopus",
    frozenset({"webvtt"}),
    "webvtt",
)

GIF = Container(
    "GIF",
    "gif",
    ("gif",),
    frozenset(),
    "",
    frozenset(),
    "",
    max_fps=Fraction(15),
    top_fps=50,
    has_palette=True,
)
WEBP = Container(
    "WebP",
    "webp",
    ("webp",),
    frozenset(),
    "",
    frozenset(),
    "",
    flags=("-loop", "0"),
    max_fps=Fraction(30),
)

CONTAINERS = {
    ".mp4": MP4,
    ".m4v": MP4,
    ".mov": MOV,
    ".mkv": MATROSKA,
    ".webm": WEBM,
    ".gif": GIF,
    ".webp": WEBP,
}
"""Containers by file suffix."""

KEPT_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv"})
"""Suffixes that an output takes from its source by default; all others become .mp4."""


def container_for(path: Path) -> Container:
    """Return the container for the suffix of `path`.

    Raises:
        UsageError: no container has that suffix.
    """
    container = CONTAINERS.get(path.suffix.lower())
    if container is None:
        known = ", ".join(CONTAINERS)
        raise UsageError(f"{path} has no suffix of a video file that can be written: use {known}.")
    return container


def codec_for(container: Container, options: EncodeOptions) -> Codec:
    """Return the codec to encode with, by default the first of the container.

    Raises:
        UsageError: an unknown codec, one the container does not take, a CRF out of range, or an
            unknown preset.
    """
    name = options.codec or container.video[0]
    codec = CODECS.get(name)
    if codec is None or name not in container.video:
        choice = ", ".join(container.video)
        raise UsageError(f"{container.name} files are not written with {name!r}: use {choice}.")
    if options.crf is not None and not codec.max_crf:
        raise UsageError(f"The quality of {container.name} files cannot be chosen: omit --crf.")
    Range(0, codec.max_crf, is_whole=True).check_optional(f"The CRF of {name}", options.crf)
    if options.preset is not None and options.preset not in codec.presets:
        known = ", ".join(codec.presets)
        raise UsageError(f"No encoder preset {options.preset!r} for {name}. Choose from: {known}.")
    return codec


def default_suffix(source: Path) -> str:
    """Return the default suffix of an output made from `source`."""
    suffix = source.suffix.lower()
    return suffix if suffix in KEPT_SUFFIXES else ".mp4"
