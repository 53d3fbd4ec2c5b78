"""ffmpeg filter chains from decoded pixels to RGB or 4:2:0 frames, and back for encoding."""

from dataclasses import dataclass
from fractions import Fraction

from nst_video.frames import Size
from nst_video.image.yuv420 import YuvColors, can_be_yuv420
from nst_video.video.media.probe import Color, VideoTrack

HDR_TRANSFERS = {16: "smpte2084", 18: "arib-std-b67"}
"""H.273 transfer numbers of PQ and HLG, by zscale's names."""

MATRICES = {
    1: "bt709",
    4: "fcc",
    5: "bt601",
    6: "bt601",
    7: "smpte240m",
    9: "bt2020",
    10: "bt2020",
}
"""H.273 matrix numbers, by the names of ffmpeg's scale filter."""

BT2020_PRIMARIES = 9

YUV420_FORMATS = ("yuv420p", "yuvj420p")
"""Pixel formats with the memory layout of `image.yuv420`; j means full range."""

RGB_FORMATS = ("bgr24", "bgra")
"""Pixel formats of encoders that take RGB."""

_EXACT = "accurate_rnd+full_chroma_int"
"""Without both, ffmpeg's RGB is 0.6 to 1.8 of 255 too dark."""

_QUICK_SAME_SIZE_FLAGS, _QUICK_RESIZE_FLAGS = "neighbor", "bilinear"
"""Without them, 1280x720 takes 6.1 instead of 11.3 ms to decode and convert."""

_SAME_SIZE_FLAGS = f"neighbor+{_EXACT}"
_RESIZE_FLAGS = f"bicubic+{_EXACT}"
_ENCODE_FLAGS = "area+accurate_rnd"
"""Chroma is repeated when decoding and averaged when encoding, so a round trip changes nothing.
Interpolating twice would blur it, and take twice as long."""

SHAPE_TOLERANCE = 0.02
"""Relative difference in aspect ratio from the first frame up to which no bars are added."""

_OUTPUT_TAGS = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"

_TONE_MAP = (
    "zscale=tin={transfer}:min={matrix}:pin=bt2020:rin={range}:t=linear:npl=100",
    "format=gbrpf32le",
    "zscale=p=bt709",
    "tonemap=tonemap=hable:desat=0",
    "zscale=t=bt709:m=gbr:r=full",
    "format=gbrp",
)


def matrix_name(color: Color, size: Size) -> str:
    """Return the YUV matrix of a video; where unspecified, the one that players assume.

    At least 1280 wide or more than 576 lines is BT.709, less is BT.601: the rule of mpv and of
    browsers.
    """
    width, height = size
    assumed = "bt709" if width >= 1280 or height > 576 else "bt601"
    return MATRICES.get(color.matrix, assumed)


def is_hdr(color: Color) -> bool:
    """Return whether the video is high dynamic range (PQ or HLG)."""
    return color.transfer in HDR_TRANSFERS


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameTiming:
    """Which frames are decoded, and when they are shown.

    Attributes:
        fps: output rate.
        origin_s: timestamp that becomes 0; None takes that of the first frame.
        frame_s: seconds between frames, only where the file has no timestamps.
        until_s: frames later than this after the origin are dropped.
        first_frame: number, at the output rate, of the first frame to return.
    """

    fps: Fraction
    origin_s: Fraction | None
    frame_s: Fraction | None = None
    until_s: Fraction | None = None
    first_frame: int = 0


def decode_filters(
    track: VideoTrack,
    timing: FrameTiming,
    size: Size,
    *,
    as_yuv: bool = False,
    is_quick: bool = False,
) -> str:
    """Return the filter chain from decoded, autorotated frames to RGB at a constant rate.

    Args:
        track: the stream.
        timing: which frames, and when.
        size: output (width, height).
        as_yuv: no conversion to RGB; only where `yuv_colors` is not None.
        is_quick: see `DecodeOptions`.
    """
    same_size, resized = (
        (_QUICK_SAME_SIZE_FLAGS, _QUICK_RESIZE_FLAGS)
        if is_quick
        else (_SAME_SIZE_FLAGS, _RESIZE_FLAGS)
    )
    flags = resized if _is_resized(track, size) else same_size
    scale = f"scale={size[0]}:{size[1]}:flags={flags}"
    chain = _timing(track, timing)
    if timing.first_frame:
        # Not by start_time: the filter fps rounds relative to it.
        chain.append(f"trim=start_frame={timing.first_frame}")
    if as_yuv:
        chain.append(f"format={track.pixel_format}")
    else:
        chain += [*_to_rgb(track, scale), "format=rgb24"]
    return ",".join(chain)


def yuv_colors(track: VideoTrack, size: Size) -> YuvColors | None:
    """Return the colors of decoded YUV frames; None where they must be converted to RGB first.

    Args:
        track: the stream.
        size: output (width, height).
    """
    color = track.color
    is_other = track.pixel_format not in YUV420_FORMATS or _is_resized(track, size)
    if is_other or not can_be_yuv420(size) or is_hdr(color) or color.primaries == BT2020_PRIMARIES:
        return None
    return YuvColors(matrix_name(color, track.coded_size), color.is_full_range)


def encode_filters(pixel_format: str, *, as_yuv: bool = False) -> str:
    """Return the filter chain from frames (RGB, or YUV in `OUTPUT_COLORS`) to what is encoded.

    YUV is limited-range BT.709. The tags that say so are set on the frames because encoders ignore
    the plain `-color_primaries` options.
    """
    if pixel_format in RGB_FORMATS:
        matrix = ":in_color_matrix=bt709:in_range=tv:out_range=pc" if as_yuv else ""
        return f"scale=flags={_SAME_SIZE_FLAGS}{matrix},format={pixel_format}"
    if as_yuv:
        return _OUTPUT_TAGS
    scale = f"scale=flags={_ENCODE_FLAGS}:out_color_matrix=bt709:out_range=tv"
    return f"{scale},format={pixel_format},{_OUTPUT_TAGS}"


def _timing(track: VideoTrack, timing: FrameTiming) -> list[str]:
    """Return the filters that make the rate constant and deinterlace."""
    origin_s, frame_s, fps = timing.origin_s, timing.frame_s, timing.fps
    shift = "STARTPTS" if origin_s is None else f"({origin_s.numerator}/{origin_s.denominator}/TB)"
    times = "PTS" if frame_s is None else f"N*({frame_s.numerator}/{frame_s.denominator}/TB)"
    chain = [f"setpts={times}-{shift}"]
    if timing.until_s is not None:
        chain.append(f"select=lt(t\\,{float(timing.until_s):.3f})")
    chain += _same_size(track)
    if track.is_interlaced:
        # One frame for two fields keeps the rate; progressive frames pass unchanged.
        chain.append("bwdif=mode=send_frame:deint=interlaced")
    # eof_action: the last frame is kept even where it lasts less than half an output frame.
    chain.append(f"fps={fps.numerator}/{fps.denominator}:start_time=0:eof_action=pass")
    return chain


def _same_size(track: VideoTrack) -> list[str]:
    """Return the filters that letterbox frames of other sizes to the size of the first.

    Frames of the first size pass unchanged.
    """
    width, height = track.coded_size
    if track.rotation_deg % 180 == 90:
        width, height = height, width
    if width % 2 or height % 2:
        # Bars consist of whole chroma samples, which cannot fill an odd size.
        plain = f"scale={width}:{height}:flags={_RESIZE_FLAGS}"
        return [plain, f"format={track.pixel_format}"]
    # Ratio of the display aspect ratio of a frame to that of the first.
    wider = f"(dar*{track.upright_size[1]}/{track.upright_size[0]})"
    fitted = (
        f"scale=w='if(lt({wider},{1 - SHAPE_TOLERANCE}),2*round({width}*{wider}/2),{width})'"
        f":h='if(gt({wider},{1 + SHAPE_TOLERANCE}),2*round({height}/{wider}/2),{height})'"
        f":eval=frame:flags={_RESIZE_FLAGS}"
    )
    return [fitted, f"pad={width}:{height}:-1:-1:eval=frame", f"format={track.pixel_format}"]


def _is_resized(track: VideoTrack, size: Size) -> bool:
    return sorted(size) != sorted(track.coded_size)


def _to_rgb(track: VideoTrack, scale: str) -> list[str]:
    color = track.color
    if track.is_rgb:
        return [scale]
    matrix = matrix_name(color, track.coded_size)
    value_range = "full" if color.is_full_range else "limited"
    if is_hdr(color):
        return [scale, *_tone_map(color, value_range)]
    if color.primaries == BT2020_PRIMARIES:
        # Wide gamut, standard dynamic range: only the primaries are converted.
        return [
            scale,
            f"zscale=min=2020_ncl:pin=2020:tin=709:rin={value_range}:p=709:t=709:m=gbr:r=full",
            "format=gbrp",
        ]
    pixel_range = "pc" if color.is_full_range else "tv"
    return [f"{scale}:in_color_matrix={matrix}:in_range={pixel_range}:out_range=pc"]


def _tone_map(color: Color, value_range: str) -> list[str]:
    """Return the tone mapping: linear light, BT.709 primaries, Hable's curve, BT.709 transfer."""
    fields = {"transfer": HDR_TRANSFERS[color.transfer], "matrix": "2020_ncl", "range": value_range}
    return [step.format(**fields) for step in _TONE_MAP]
