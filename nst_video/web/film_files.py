"""Uploaded films: what kind of file they are, their names, one frame of them.

FFmpeg also reads playlists, which name other files of this machine, whatever they are called. So
only files that begin as a film does are given to it.
"""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from nst_video.errors import SourceError
from nst_video.frames import Frame, VideoInfo
from nst_video.video.media.codec_options import DecodeOptions
from nst_video.video.media.file_type import VIDEO_SUFFIXES
from nst_video.video.sources import open_source

MAX_PIXELS = 8192 * 4320
"""Most pixels of a frame."""

PREVIEW_LINES = 720
"""Lines at which a frame is decoded for a preview: strokes do not change from 540 lines on."""

_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip")
_BEGINNINGS = (
    *(b"\x1aE\xdf\xa3", b"OggS", b"FLV\x01", b"\x30\x26\xb2\x75", b"GIF87a", b"GIF89a"),
    *(b"\0\0\x01\xba", b"\0\0\x01\xb3", b"YUV4MPEG2 ", b"\x06\x0e\x2b\x34", b".RMF"),
)
_RIFF = re.compile(rb"RIFF.{4}(AVI |WEBP)", re.DOTALL)
_SYNC, _PACKET, _TIMED = 0x47, 188, 192
_OTHER_SUFFIXES = frozenset((".gif", ".webp"))
_UNSAFE = re.compile(r"[^\w .()+-]+")


def is_film(head: bytes) -> bool:
    """Return whether a file with these first bytes, 512 at least, is a film by its format."""
    if head[4:8] in _BOXES or head.startswith(_BEGINNINGS) or _RIFF.match(head):
        return True
    # MPEG transport streams: packets of 188 bytes, or 192 with a time before each.
    for first, length in ((0, _PACKET), (4, _TIMED)):
        if len(head) > first + length and head[first] == head[first + length] == _SYNC:
            return True
    return False


def check_film(path: Path) -> None:
    """Check the beginning of a file.

    Raises:
        SourceError: it is no film.
    """
    with path.open("rb") as file:
        head = file.read(1024)
    if not is_film(head):
        raise SourceError(f"{path.name} is not a film: send MP4, MOV, MKV, WebM, AVI or the like.")


def film_info(path: Path) -> VideoInfo:
    """Return size, rate and length of a film.

    Raises:
        SourceError: it cannot be read, or is too large.
    """
    with open_source(path) as source:
        info = source.info
    if info.size[0] * info.size[1] > MAX_PIXELS:
        raise SourceError(f"{path.name} has frames of {info.size[0]}x{info.size[1]}: too large.")
    return info


def read_frame(path: Path, info: VideoInfo, at: float) -> Frame:
    """Return one frame, RGB uint8 (height, width, 3), of `PREVIEW_LINES` lines at most.

    Args:
        path: the film.
        info: of it.
        at: where, as a share of the film, 0..1.

    Raises:
        SourceError: it cannot be read.
    """
    count = info.frame_count or 1
    start_s = float(min(count - 1, round(at * count)) / info.fps)
    options = DecodeOptions(start_s=start_s, end_s=start_s + float(1 / info.fps))
    width, height = info.size
    if min(info.size) > PREVIEW_LINES:
        is_upright = height > width
        size = (PREVIEW_LINES, None) if is_upright else (None, PREVIEW_LINES)
        options = replace(options, size=size)
    with open_source(path, options) as source:
        frame = next(iter(source), None)
    if frame is None:
        raise SourceError(f"{path.name} has no frame at {start_s:.1f} s.")
    return np.array(frame)


def safe_suffix(name: str) -> str:
    """Return the suffix of a film's name if it is that of a film, else .mp4."""
    suffix = Path(name).suffix.lower()
    return suffix if suffix in VIDEO_SUFFIXES | _OTHER_SUFFIXES else ".mp4"


def safe_stem(name: str) -> str:
    """Return the name of a film without folders, suffix and unusual characters."""
    stem = Path(name.replace("\\", "/")).stem
    return _UNSAFE.sub("_", stem)[:80].strip(" .") or "film"
