"""Options of decoding, encoding and a whole transcode, with their defaults."""

from dataclasses import dataclass
from fractions import Fraction

from nst_video.errors import UsageError
from nst_video.validation import COUNT, RATE, SECONDS, SIDE, Range

BATCH_SIZE = Range(1, 256, is_whole=True)
CRF = Range(0, 63, is_whole=True)
"""Of all codecs together; `containers.codec_for` checks the range of each."""


@dataclass(frozen=True, kw_only=True)
class DecodeOptions:
    """Which part of a file to read, at which size and rate.

    Attributes:
        start_s: start in seconds, as players show it; rounded to a frame.
        end_s: end in seconds, None for the end of the file.
        fps: frames per second; None keeps the rate of the file.
        size: (width, height), one of them None to keep the aspect ratio; None keeps both.
        video_stream: number of the video stream, from 1; None takes the default stream.
        keep_partial: read what can be decoded of a damaged file instead of failing.
        is_quick: convert colors in half the time, up to 2 of 255 levels too dark: for playback.
    """

    start_s: float = 0.0
    end_s: float | None = None
    fps: Fraction | None = None
    size: tuple[int | None, int | None] | None = None
    video_stream: int | None = None
    keep_partial: bool = False
    is_quick: bool = False

    def __post_init__(self) -> None:
        SECONDS.check("The start", self.start_s)
        SECONDS.check_optional("The end", self.end_s)
        if self.end_s is not None and self.end_s <= self.start_s:
            raise UsageError(
                f"The end ({self.end_s:g} s) must come after the start ({self.start_s:g} s)."
            )
        RATE.check_optional("The frame rate", self.fps)
        COUNT.check_optional("The video stream", self.video_stream)
        if self.size is not None:
            _check_size(self.size)


@dataclass(frozen=True, kw_only=True)
class EncodeOptions:
    """How to encode the video.

    Attributes:
        codec: a name of `containers.CODECS`; None takes the container's usual one.
        crf: constant rate factor, lower is better; None takes the codec's default (18 for h264).
        preset: the encoder's own name for speed against size; None takes the codec's default.
    """

    codec: str | None = None
    crf: int | None = None
    preset: str | None = None

    def __post_init__(self) -> None:
        CRF.check_optional("The CRF", self.crf)


@dataclass(frozen=True, kw_only=True)
class TranscodeOptions(DecodeOptions, EncodeOptions):
    """All options of a transcode.

    Attributes:
        batch_size: frames painted at once; None chooses by frame size.
    """

    batch_size: int | None = None

    def __post_init__(self) -> None:
        DecodeOptions.__post_init__(self)
        EncodeOptions.__post_init__(self)
        BATCH_SIZE.check_optional("The batch size", self.batch_size)


def parse_size(text: str) -> tuple[int | None, int | None]:
    """Turn "640x360", "640x" or "x360" into (width, height), None for the side left out.

    Raises:
        UsageError: another form, or a side is odd or out of range.
    """
    sides = text.lower().split("x")
    if len(sides) != 2 or not any(sides) or not all(s.isdecimal() for s in sides if s):
        raise UsageError(f"The size is written 640x360, 640x or x360, not {text!r}.")
    size = (int(sides[0]) if sides[0] else None, int(sides[1]) if sides[1] else None)
    _check_size(size)
    return size


def parse_rate(text: str) -> Fraction:
    """Turn "25", "29.97" or "30000/1001" into an exact rate; 29.97 and 23.98 mean N*1000/1001.

    Raises:
        UsageError: not a number, or out of range.
    """
    from nst_video.video.media.timing import snap_rate

    try:
        # First as a float: Fraction would expand all the digits of 1e99999999.
        if "/" not in text:
            RATE.check("The frame rate", float(text))
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise UsageError(
            f"The frame rate is written 25, 29.97 or 30000/1001, not {text!r}."
        ) from None
    RATE.check("The frame rate", rate)
    # ffmpeg accepts numerators and denominators of 31 bits.
    return snap_rate(rate).limit_denominator(1_001_000)


def parse_time(text: str) -> float:
    """Turn "12.5", "1:30" or "1:02:03.5" into seconds.

    Raises:
        UsageError: not a time, or out of range.
    """
    try:
        parts = [float(part) for part in text.split(":")]
    except ValueError:
        parts = []
    if not 1 <= len(parts) <= 3 or not all(part in SECONDS for part in parts):
        raise UsageError(f"A time is written 12.5, 1:30 or 1:02:03.5, not {text!r}.")
    seconds = 0.0
    for part in parts:
        seconds = seconds * 60 + part
    SECONDS.check("A time", seconds)
    return seconds


def _check_size(size: tuple[int | None, int | None]) -> None:
    sides = [side for side in size if side is not None]
    shown = "x".join("" if side is None else str(side) for side in size)
    if not sides:
        raise UsageError("The size needs a width or a height.")
    for side in sides:
        SIDE.check("A side of the size", side)
    if any(side % 2 for side in sides):
        raise UsageError(f"Both sides of the size must be even, not {shown}.")
