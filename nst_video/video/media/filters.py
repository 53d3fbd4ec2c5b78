"""The ffmpeg filter chains between a file's pixels and our frames or planes, both ways."""

from fractions import Fraction

from nst_video.frames import Size
from nst_video.image.yuv420 import YuvColors, has_planes
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

PLANAR_FORMATS = ("yuv420p", "yuvj420p")
"""Pixel formats that are our planes byte for byte; j means full range."""

RGB_FORMATS = ("bgr24", "bgra")
"""Pixel formats of encoders that take RGB."""

_EXACT = "accurate_rnd+full_chroma_int"
"""Without both, ffmpeg's RGB comes out 0.6 to 1.8 of 255 too dark."""

_SAME_SIZE_FLAGS = f"neighbor+{_EXACT}"
_RESIZE_FLAGS = f"bicubic+{_EXACT}"
_ENCODE_FLAGS = "area+accurate_rnd"
"""Chroma is repeated on the way in and averaged on the way out: a round trip that changes nothing,
where interpolating twice would blur it (and takes twice as long)."""

SHAPE_TOLERANCE = 0.02
"""By how much, relatively, a frame's aspect may differ from the first without bars beside it."""

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
    """Return the matrix that turns YUV into RGB; where unspecified, what players assume.

    High definition (at least 1280 wide or more than 576 lines) is BT.709, less is BT.601: the
    rule of mpv and of browsers.
    """
    width, height = size
    assumed = "bt709" if width >= 1280 or height > 576 else "bt601"
    return MATRICES.get(color.matrix, assumed)


def is_hdr(color: Color) -> bool:
    """Whether the pictures are high dynamic range (PQ or HLG)."""
    return color.transfer in HDR_TRANSFERS


def decode_filters(
    track: VideoTrack,
    *,
    origin_s: Fraction | None,
    fps: Fraction,
    size: Size,
    as_planes: bool = False,
    frame_s: Fraction | None = None,
    until_s: Fraction | None = None,
) -> str:
    """Return the chain from decoded, autorotated pictures to RGB at a constant rate.

    Args:
        track: the stream.
        origin_s: time of the file that becomes 0; None takes the first frame's.
        fps: rate of delivery.
        size: (width, height) of delivery.
        as_planes: leave the pictures as they are, where they have `planes_colors`.
        frame_s: seconds from frame to frame, where the file itself has no times.
        until_s: frames that appear later after the first are left out.
    """
    flags = _RESIZE_FLAGS if _is_resized(track, size) else _SAME_SIZE_FLAGS
    scale = f"scale={size[0]}:{size[1]}:flags={flags}"
    chain = _timing(track, origin_s, fps, frame_s, until_s)
    if as_planes:
        chain.append(f"format={track.pixel_format}")
    else:
        chain += [*_to_rgb(track, scale), "format=rgb24"]
    return ",".join(chain)


def planes_colors(track: VideoTrack, size: Size) -> YuvColors | None:
    """Return the colors of a track's own planes, None where they are not what is to be delivered.

    Args:
        track: the stream.
        size: (width, height) of delivery.
    """
    color = track.color
    is_other = track.pixel_format not in PLANAR_FORMATS or _is_resized(track, size)
    if is_other or not has_planes(size) or is_hdr(color) or color.primaries == BT2020_PRIMARIES:
        return None
    return YuvColors(matrix_name(color, track.coded_size), color.is_full_range)


def encode_filters(pixel_format: str, *, as_planes: bool = False) -> str:
    """Return the chain from RGB frames, or planes of `yuv420.OUTPUT_COLORS`, to what is encoded.

    YUV is limited-range BT.709. The tags that say so are set on the frames because encoders ignore
    the plain `-color_primaries` options.
    """
    if pixel_format in RGB_FORMATS:
        matrix = ":in_color_matrix=bt709:in_range=tv:out_range=pc" if as_planes else ""
        return f"scale=flags={_SAME_SIZE_FLAGS}{matrix},format={pixel_format}"
    if as_planes:
        return _OUTPUT_TAGS
    scale = f"scale=flags={_ENCODE_FLAGS}:out_color_matrix=bt709:out_range=tv"
    return f"{scale},format={pixel_format},{_OUTPUT_TAGS}"


def _timing(
    track: VideoTrack,
    origin_s: Fraction | None,
    fps: Fraction,
    frame_s: Fraction | None,
    until_s: Fraction | None,
) -> list[str]:
    """Return what makes the rate constant, and whole frames of fields."""
    shift = "STARTPTS" if origin_s is None else f"({origin_s.numerator}/{origin_s.denominator}/TB)"
    times = "PTS" if frame_s is None else f"N*({frame_s.numerator}/{frame_s.denominator}/TB)"
    chain = [f"setpts={times}-{shift}"]
    if until_s is not None:
        chain.append(f"select=lt(t\\,{float(until_s):.3f})")
    chain += _same_size(track)
    if track.is_interlaced:
        # One frame for two fields keeps the rate; progressive frames in between pass unchanged.
        chain.append("bwdif=mode=send_frame:deint=interlaced")
    # The last frame counts even where it fills less than half a tick of a slow rate.
    chain.append(f"fps={fps.numerator}/{fps.denominator}:start_time=0:eof_action=pass")
    return chain


def _same_size(track: VideoTrack) -> list[str]:
    """Return what fits frames of other sizes and shapes than the first into it, between bars.

    Frames like the first pass through untouched.
    """
    width, height = track.coded_size
    if track.rotation_deg % 180 == 90:
        width, height = height, width
    if width % 2 or height % 2:
        # Bars of whole chroma samples do not fill an odd size.
        plain = f"scale={width}:{height}:flags={_RESIZE_FLAGS}"
        return [plain, f"format={track.pixel_format}"]
    # How much wider a frame is shown than the first.
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
        # Wide gamut without high dynamic range: only the primaries change.
        return [
            scale,
            f"zscale=min=2020_ncl:pin=2020:tin=709:rin={value_range}:p=709:t=709:m=gbr:r=full",
            "format=gbrp",
        ]
    pixel_range = "pc" if color.is_full_range else "tv"
    return [f"{scale}:in_color_matrix={matrix}:in_range={pixel_range}:out_range=pc"]


def _tone_map(color: Color, value_range: str) -> list[str]:
    """The usual recipe: linear light, BT.709 primaries, Hable's curve, back to BT.709."""
    fields = {"transfer": HDR_TRANSFERS[color.transfer], "matrix": "2020_ncl", "range": value_range}
    return [step.format(**fields) for step in _TONE_MAP]
