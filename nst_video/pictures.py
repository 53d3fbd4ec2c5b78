"""Loading and saving pictures: whatever OpenCV reads becomes a `Frame`, or one clear sentence.

Style pictures and content photos come through here alike, so both raise `SourceError`.
"""

import io
import struct
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.errors import SinkError, SourceError
from nst_video.folders import write_atomically
from nst_video.frames import Frame, Size, size_of
from nst_video.quiet import quiet_stderr

MAX_PIXELS = 120_000_000
"""Largest picture accepted: above the 108 megapixels of phone cameras, 360 MB when decoded."""

MAX_BYTES = 1 << 29
"""Largest file read: an uncompressed picture of MAX_PIXELS fits."""

PICTURE_SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        *("avif", "bmp", "gif", "hdr", "jp2", "jpeg", "jpg"),
        *("pbm", "pgm", "png", "ppm", "tif", "tiff", "webp"),
    )
)
"""Endings by which pictures are recognized in a folder; a file named outright may have any."""

WRITABLE_SUFFIXES = tuple(
    f".{ending}"
    for ending in ("png", "jpg", "jpeg", "webp", "avif", "tif", "tiff", "bmp", "gif", "jp2", "ppm")
)
"""Endings that `save_picture` knows, in lower case."""

_PAPER = 1.0
"""What shows through transparent places: white, as on a page."""

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"

_SKIP_FRAMES: list[Any] = [{"skip_frame": "all"}]
"""FFmpeg options, one dictionary a stream (declared as strings in PyAV's stubs): headers only."""

_Pixels: TypeAlias = NDArray[Any]


def load_picture(path: Path) -> Frame:
    """Read a picture upright, as EXIF says; transparency on white, 16 bits and gray converted.

    Args:
        path: any file that OpenCV reads and whose size FFmpeg can tell beforehand.

    Returns:
        RGB uint8 (height, width, 3).

    Raises:
        SourceError: there is no such file, it is no picture, or larger than MAX_PIXELS.
    """
    data = _read(path)
    _check_size(data, path)
    picture = _decode(data)
    if picture is None:
        raise SourceError(f"{path} is not a picture, or a broken one: try PNG or JPEG.")
    return picture


def save_picture(path: Path, frame: Frame, quality: int = 95) -> None:
    """Write a picture under its final name only when it is whole.

    Args:
        path: the ending decides the format.
        frame: RGB uint8 (height, width, 3).
        quality: 0..100, for JPEG, WebP and AVIF.

    Raises:
        SinkError: the format is unknown or the file cannot be written.
    """
    flags = {
        ".jpg": cv2.IMWRITE_JPEG_QUALITY,
        ".jpeg": cv2.IMWRITE_JPEG_QUALITY,
        ".webp": cv2.IMWRITE_WEBP_QUALITY,
        ".avif": cv2.IMWRITE_AVIF_QUALITY,
    }
    check_writable_suffix(path)
    suffix = path.suffix.lower()
    options = [flags[suffix], quality] if suffix in flags else []
    try:
        with quiet_stderr():
            done, data = cv2.imencode(suffix, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), options)
        if not done:
            width, height = size_of(frame)
            raise SinkError(f"A {suffix} file cannot hold a picture of {width}x{height} pixels.")
        write_atomically(path, lambda file: file.write(data.tobytes()))
    except OSError as error:
        raise SinkError(f"Cannot write {path}: {error.strerror}.") from error


def check_writable_suffix(path: Path) -> None:
    """Refuse a name under which `save_picture` would write nothing; call it before any work.

    Raises:
        SinkError: its ending is none of WRITABLE_SUFFIXES.
    """
    if path.suffix.lower() not in WRITABLE_SUFFIXES:
        raise SinkError(
            f"No picture format for {path.name!r}: end the name in .jpg or .png "
            f"({', '.join(WRITABLE_SUFFIXES)} are written)."
        )


def _read(path: Path) -> bytes:
    """Return the bytes of a file of a reasonable size."""
    if path.is_dir():
        raise SourceError(f"{path} is a folder, not a picture.")
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise SourceError(
                f"{path} has {size >> 20} MB, more than a picture may have ({MAX_BYTES >> 20} MB)."
            )
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"Cannot read picture {path}: {error.strerror}.") from error
    if not data:
        raise SourceError(f"{path} is empty, not a picture.")
    return data


def _check_size(data: bytes, path: Path) -> None:
    """Refuse a picture too large to decode, going by its header alone.

    A few hundred bytes can claim gigapixels, and OpenCV allocates what they claim.
    """
    width, height = _claimed_size(data)
    if width * height == 0:
        raise SourceError(f"{path} is not a picture, or a broken one: try PNG or JPEG.")
    if width * height > MAX_PIXELS:
        limit = f"{MAX_PIXELS // 1_000_000} megapixels"
        raise SourceError(f"{path} has {width}x{height} pixels, more than {limit}: scale it down.")


def _claimed_size(data: bytes) -> Size:
    """Return (width, height) without decoding, (0, 0) where FFmpeg finds no picture.

    PNG is read here because FFmpeg says nothing of one beyond its own limit, 268 megapixels.
    """
    if data.startswith(_PNG):
        width, height = struct.unpack_from(">II", data.ljust(24, b"\0"), 16)
        return int(width), int(height)
    try:
        with av.open(io.BytesIO(data), stream_options=_SKIP_FRAMES) as container:
            contexts = [stream.codec_context for stream in container.streams.video]
    except (av.FFmpegError, ValueError):
        return 0, 0
    sizes = [(context.width, context.height) for context in contexts]
    return max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))


def _decode(data: bytes) -> Frame | None:
    """Return an RGB frame, None where OpenCV finds no picture."""
    buffer = np.frombuffer(data, np.uint8)
    alpha: _Pixels | None = None
    with quiet_stderr():
        try:
            upright = cv2.imdecode(buffer, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
            raw = None if data.startswith(_JPEG) else cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
        except cv2.error:
            return None
    if upright is None:
        return None
    if raw is not None and raw.ndim == 3 and raw.shape[2] == 4:
        alpha = _to_unit(_turn_like(raw, upright)[..., 3:])
    if alpha is None and upright.dtype == np.uint8:
        return np.asarray(cv2.cvtColor(upright, cv2.COLOR_BGR2RGB), np.uint8)
    colors = _to_unit(upright)[..., ::-1]
    flat = colors if alpha is None else colors * alpha + _PAPER * (1 - alpha)
    return np.ascontiguousarray(np.clip(np.rint(flat * 255), 0, 255), np.uint8)


def _turn_like(raw: _Pixels, upright: _Pixels) -> _Pixels:
    """Turn `raw` (h, w, 4) so that its colors are those of `upright` (h', w', 3).

    OpenCV honors EXIF orientation only where it drops transparency, so what it did is found by
    trying the eight orientations; hardly a transparent picture needs more than the first.
    """
    for transposed, up_down, left_right in product((False, True), repeat=3):
        turned = raw.swapaxes(0, 1) if transposed else raw
        turned = turned[:: -1 if up_down else 1, :: -1 if left_right else 1]
        if np.array_equal(turned[..., :3], upright):
            return turned
    return raw


def _to_unit(pixels: _Pixels) -> NDArray[np.float32]:
    """Scale pixels of any depth to 0..1; floating point ones are taken to be so already."""
    whole = np.iinfo(pixels.dtype).max if pixels.dtype.kind in "ui" else 1
    return pixels.astype(np.float32) / np.float32(whole)
