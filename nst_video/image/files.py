"""Loading and saving of image files with Pillow, as RGB uint8 in sRGB.

Style images and content photos are both loaded here; both raise `SourceError`.
"""

import io
import logging
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from nst_video.errors import SinkError, SourceError
from nst_video.frames import Frame, size_of
from nst_video.image import color_profiles
from nst_video.image.heic import heic_to_tiff
from nst_video.system.path_lookup import os_reason, require_file
from nst_video.system.paths import (
    PICTURE_SUFFIXES as PICTURE_SUFFIXES,  # re-exported
)
from nst_video.system.paths import write_atomically
from nst_video.system.stderr import quiet_stderr

MAX_PIXELS = 120_000_000
"""Largest image: more than the 108 megapixels of phone cameras, 360 MB when decoded."""

MAX_BYTES = 1 << 29
"""Largest file: an uncompressed image of MAX_PIXELS fits."""

THUMBNAIL_PX = 256
"""Smallest side, in pixels, of a JPEG that is loaded small."""

_FORMATS = (
    *("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"),
    *("JPEG2000", "PPM", "TGA"),  # TGA last: it has no signature
)
"""Pillow's names of the formats that are read. Others are rare or start other programs."""

_READABLE = "AVIF, BMP, GIF, HEIC, JPEG, JPEG 2000, PNG, PPM, TGA, TIFF and WebP"

_WRITERS: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {"compress_level": 1}),
    ".jpg": ("JPEG", {}),
    ".jpeg": ("JPEG", {}),
    ".webp": ("WEBP", {}),
    ".avif": ("AVIF", {}),
    ".tif": ("TIFF", {"compression": "tiff_lzw"}),
    ".tiff": ("TIFF", {"compression": "tiff_lzw"}),
    ".bmp": ("BMP", {}),
    ".gif": ("GIF", {}),
    ".jp2": ("JPEG2000", {}),
    ".ppm": ("PPM", {}),
}
"""Pillow's format and options by file suffix."""

_SOFTWARE = "nst-video"
"""EXIF tag Software of images written by this program."""

_WITH_QUALITY = frozenset(("JPEG", "WEBP", "AVIF"))

WRITABLE_SUFFIXES = tuple(_WRITERS)
"""Suffixes that `save_picture` can write, in lower case."""

_OTHER_KINDS = tuple(
    (kind, re.compile(beginning, re.DOTALL | re.IGNORECASE))
    for kind, beginning in (
        ("an SVG drawing, not a picture made of pixels: save it as PNG or JPEG", rb".*<svg[\s>]"),
        ("a web page, not a picture", rb"\s*(<!doctype html|<html)"),
        ("a PDF or PostScript document, not a picture: save it as PNG or JPEG", rb"%PDF|%!PS"),
        ("a Photoshop document: save it as PNG or JPEG", rb"8BPS"),
        ("a JPEG XL picture: save it as PNG or JPEG", rb"\xff\x0a|\0\0\0\x0cJXL "),
        ("an OpenEXR picture: save it as PNG or JPEG", rb"v/1\x01"),
        ("a Radiance HDR picture: save it as PNG or JPEG", rb"#\?R"),
        ("a damaged AVIF picture", rb".{4}ftypavi"),
        ("a video, not a picture", rb".{4}ftyp|\x1aE\xdf\xa3|RIFF.{4}AVI "),
        (
            "a damaged TIFF picture, or one of a kind that is not read, such as floating point "
            "colors: save it as PNG or JPEG",
            rb"II\*\0|MM\0\*|II\+\0|MM\0\+",
        ),
        ("a damaged picture", rb"\x89PNG|\xff\xd8|GIF8|BM|RIFF.{4}WEBP|P[1-6]\s|\0\0\0\x0cjP  "),
    )
)
"""Descriptions of files that Pillow does not read, by their first bytes."""

_HEIC = re.compile(rb".{4}ftyp(hei|hev|mif1|msf1)", re.DOTALL)
_HEAD_BYTES = 4096
_warnings_lock = threading.Lock()

# Without a handler, Python would write Pillow's log messages to standard error.
logging.getLogger("PIL").addHandler(logging.NullHandler())
_STRIP_PIXELS = 1 << 18
"""Pixels converted at a time: few enough for the CPU cache."""


def load_picture(path: Path, *, small: bool = False, max_pixels: int = MAX_PIXELS) -> Frame:
    """Read an image: upright, in sRGB, transparency on white, the first frame of an animation.

    Args:
        path: a file in one of the formats that the guide lists, with any name.
        small: a JPEG may be decoded at a fraction of its size, no side below THUMBNAIL_PX: faster.
        max_pixels: most pixels.

    Returns:
        RGB uint8 (height, width, 3).

    Raises:
        SourceError: there is no such file, it is not an image, or it has too many pixels.
    """
    with open_picture(path) as file, _without_warnings():
        return _decode(file, path, small=small, max_pixels=max_pixels)


def load_opacity(path: Path) -> NDArray[np.uint8] | None:
    """Return the opacity of an image, uint8 (height, width), 255 opaque; None where all of it is.

    Raises:
        SourceError: as `load_picture`.
    """
    with open_picture(path) as file, _without_warnings():
        image = _open(file, path)
        if not image.has_transparency_data:
            return None
        try:
            upright = ImageOps.exif_transpose(image)
            opacity = np.asarray(upright.convert("RGBA").getchannel("A"), np.uint8)
        except Exception as error:  # decoders raise nearly anything on damaged files
            raise _damaged(path, image.format, error) from error
    return None if opacity.min() == 255 else opacity


def animation_frames(path: Path) -> Iterator[tuple[Frame, int]]:
    """Yield each frame of an animation, as from `load_picture`, and its duration in milliseconds.

    Raises:
        SourceError: as `load_picture`.
    """
    with open_picture(path) as file:
        with _without_warnings():
            image = _open(file, path)
        for index in range(getattr(image, "n_frames", 1)):
            try:
                image.seek(index)
                image.load()
                shown = _to_rgb(image)
            except Exception as error:  # decoders raise nearly anything on damaged files
                raise _damaged(path, image.format, error) from error
            # Browsers show frames with duration 0 for a tenth of a second.
            yield shown, int(image.info.get("duration") or 0) or 100


def pictures_in(folder: Path) -> list[Path]:
    """Return the files in a folder with the suffix of an image, sorted by name as text.

    Raises:
        SourceError: the folder cannot be read.
    """
    try:
        return sorted(
            path
            for path in folder.iterdir()
            if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")
        )
    except OSError as error:
        raise SourceError(f"The folder {folder} cannot be read: {os_reason(error)}.") from error


@contextmanager
def open_picture(path: Path) -> Iterator[io.BufferedReader]:
    """Open a file that may be an image; its content is not checked.

    Raises:
        SourceError: it is empty, too large, not a file, or cannot be read.
    """
    path = require_file(path)
    try:
        with path.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            if size == 0:
                raise SourceError(f"{path} is empty, not a picture.")
            if size > MAX_BYTES:
                raise SourceError(
                    f"{path} has {size >> 20} MB, more than a picture may have "
                    f"({MAX_BYTES >> 20} MB)."
                )
            yield file
    except OSError as error:
        raise SourceError(f"Cannot read picture {path}: {os_reason(error)}.") from error


def save_picture(path: Path, frame: Frame, quality: int = 95, *, overwrite: bool = False) -> Path:
    """Write an image; the file appears under its name only when it is complete.

    Args:
        path: the suffix decides the format.
        frame: RGB uint8 (height, width, 3), in sRGB.
        quality: 0..100, for JPEG, WebP and AVIF.
        overwrite: an existing file is replaced; without it, a free name beside it is used.

    Returns:
        The file that was written.

    Raises:
        SinkError: the format is unknown or the file cannot be written.
    """
    check_writable_suffix(path)
    kind, options = _WRITERS[path.suffix.lower()]
    if kind in _WITH_QUALITY:
        options = {**options, "quality": quality}
    data = io.BytesIO()
    try:
        with quiet_stderr():  # libjpeg reports there that a side is too long
            Image.fromarray(frame).save(data, kind, exif=_written_by_us(), **options)
    except (OSError, ValueError) as error:
        width, height = size_of(frame)
        raise SinkError(
            f"A {path.suffix} file cannot hold a picture of {width}x{height} pixels."
        ) from error
    try:
        return write_atomically(
            path, lambda file: file.write(data.getbuffer()), overwrite=overwrite
        )
    except OSError as error:
        raise SinkError(f"Cannot write {path}: {os_reason(error)}.") from error


def is_painted(path: Path) -> bool:
    """Return whether `save_picture` wrote a file; False where that is unknown.

    GIF, BMP, JPEG 2000 and PPM have no EXIF data, so it is unknown for them.
    """
    try:
        with open_picture(path) as file, _without_warnings():
            image = _open(file, path)
            exif = Image.Exif()
            # For a PNG, Pillow would decode all of it to find EXIF data after the pixels.
            if image.format == "TIFF":
                exif = image.getexif()
            elif "exif" in image.info:
                exif.load(image.info["exif"])
            return bool(exif.get(ExifTags.Base.Software) == _SOFTWARE)
    except Exception:  # noqa: BLE001 - errors are reported when it is painted
        return False


def _written_by_us() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = _SOFTWARE
    return exif


def check_writable_suffix(path: Path) -> None:
    """Check a suffix for `save_picture`; call it before any work.

    Raises:
        SinkError: the suffix is not one of WRITABLE_SUFFIXES.
    """
    if path.suffix.lower() not in WRITABLE_SUFFIXES:
        raise SinkError(
            f"No picture format for {path.name!r}: end the name in .jpg or .png "
            f"({', '.join(WRITABLE_SUFFIXES)} are written)."
        )


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Ignore Pillow's warnings; one thread at a time, because warning filters are global."""
    with _warnings_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _decode(file: BinaryIO, path: Path, *, small: bool, max_pixels: int) -> Frame:
    """Return the image in an open file.

    Raises:
        SourceError: there is none, or it is too large.
    """
    image = _open(file, path, max_pixels)
    try:
        if small:
            image.draft(None, (THUMBNAIL_PX, THUMBNAIL_PX))
        # Only libtiff writes messages to standard error.
        with quiet_stderr() if image.format == "TIFF" else nullcontext():
            image.load()
        return picture_to_frame(image)
    except MemoryError as error:
        width, height = image.size
        raise SourceError(
            f"There is too little memory for {path}, {width}x{height} pixels: scale it down."
        ) from error
    except Exception as error:  # decoders raise nearly anything on damaged files
        raise _damaged(path, image.format, error) from error


def _open(file: BinaryIO, path: Path, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Return an image of which only the header is read.

    Raises:
        SourceError: the format is not supported, or the header gives too many pixels.
    """
    image = _identify(file, path, max_pixels)
    width, height = image.size
    if width * height > max_pixels:
        raise _too_large(path, f"{width}x{height}", max_pixels)
    if (image.format, image.mode) == ("TIFF", "I"):
        raise SourceError(f"{path} has pixels of 32-bit integers: save it with 8 or 16 bits.")
    return image


def _identify(file: BinaryIO, path: Path, max_pixels: int) -> Image.Image:
    """Return an image without checking its size; SourceError where the format is not supported."""
    try:
        return Image.open(file, formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_large(path, "far too many", max_pixels) from error
    except UnidentifiedImageError as error:
        file.seek(0)
        head = file.read(_HEAD_BYTES)
        if not _HEIC.match(head):
            raise SourceError(_other_kind(head, path)) from error
    except Exception as error:  # as above
        raise _damaged(path, None, error) from error
    try:
        return Image.open(io.BytesIO(heic_to_tiff(path, max_pixels)), formats=("TIFF",))
    except (OSError, ValueError) as error:
        raise SourceError(f"{path} cannot be decoded as HEIC ({_reason(error)}).") from error


def _other_kind(head: bytes, path: Path) -> str:
    """Return the error message for a file that Pillow does not read."""
    for kind, beginning in _OTHER_KINDS:
        if beginning.match(head):
            return f"{path} is {kind}."
    return f"{path} is not a picture, or a damaged one: {_READABLE} are read."


def _damaged(path: Path, kind: str | None, error: Exception) -> SourceError:
    """Return the error for an image that cannot be decoded."""
    name = f"{kind} picture" if kind else "picture"
    return SourceError(f"{path} is a damaged {name} ({_reason(error)}): get it again.")


def _reason(error: Exception) -> str:
    """Return the message of a decoder, shortened to one line."""
    return re.sub(r"\s+", " ", str(error)).strip(" .")[:80] or type(error).__name__


def _too_large(path: Path, pixels: str, max_pixels: int) -> SourceError:
    limit = f"{max_pixels // 1_000_000} megapixels"
    return SourceError(f"{path} has {pixels} pixels, more than {limit}: scale it down.")


def picture_to_frame(image: Image.Image) -> Frame:
    """Return a PIL image of any mode as sRGB uint8 (height, width, 3), upright, on white."""
    return _to_rgb(color_profiles.upright(image))


def _to_rgb(image: Image.Image) -> Frame:
    """Convert a decoded image to RGB in strips, which needs little memory besides the result."""
    width, height = image.size
    frame = np.empty((height, width, 3), np.uint8)
    convert = color_profiles.converter(image)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        frame[top:bottom] = np.asarray(convert(image.crop((0, top, width, bottom))))
    return frame
