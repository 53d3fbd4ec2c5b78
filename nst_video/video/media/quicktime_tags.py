"""Metadata tags with any name in MP4 and QuickTime files, in addition to the standard tags.

Phones store place, device and time of a video under names such as `com.apple.quicktime.model`, in a
separate list of keys and values (QuickTime File Format, "Metadata Keys"). ffmpeg writes either that
list or the standard tags and the cover, not both. So ffmpeg writes a placeholder tag, which is then
replaced by the list: no other byte of the file moves.
"""

import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from nst_video.video.media.probe import probe

MUXERS = frozenset({"mp4", "mov"})
"""ffmpeg's muxers that lose tags with custom names."""

MAX_BYTES = 60_000
"""Largest list. A tag of a QuickTime file, so the placeholder too, has at most 65,535 bytes."""

_STANDARD = frozenset({
    "album", "album_artist", "artist", "comment", "composer", "copyright", "creation_time", "date",
    "description", "genre", "title",
})  # fmt: skip
"""Standard tags, which ffmpeg writes itself."""

_FORMAT_TAGS = frozenset({"compatible_brands", "encoder", "major_brand", "minor_version"})
"""Tags that describe the file format, not the content; they are not copied."""

_PLACEHOLDER_KEYS = ("keywords", "genre", "copyright", "album", "comment")
"""Tags that can hold long texts in both formats; an unused one becomes the placeholder."""

_FILLING = "nst-video fills this room. "
_FILLED = _FILLING.encode() * 4
"""Recognizes the placeholder; no list of tags is shorter."""

_TRANSLATED = re.compile(r"(?P<key>.+)-[a-z]{3}")
_HEADER = struct.Struct(">I4s")
_NESTED = frozenset({b"moov", b"udta", b"meta", b"ilst"})
_UTF8 = 1


def custom_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that ffmpeg may lose in an MP4 or QuickTime file."""
    found = {}
    for key, value in tags.items():
        twin = _TRANSLATED.fullmatch(key)
        is_twin = twin is not None and twin["key"] in tags
        if not is_twin and key.lower() not in _STANDARD | _FORMAT_TAGS:
            found[key] = value
    return found


def placeholder_arguments(tags: Mapping[str, str]) -> tuple[str, ...]:
    """Return ffmpeg's arguments for the placeholder; none where it is not needed or not possible.

    Args:
        tags: all tags of the source, by name.
    """
    wanted, used = custom_tags(tags), {key.lower() for key in tags}
    key = next((key for key in _PLACEHOLDER_KEYS if key not in used), None)
    size = len(_tag_list(wanted, is_quicktime=False)) + _HEADER.size
    if not wanted or key is None or size > MAX_BYTES:
        return ()
    return "-metadata", f"{key}={_FILLING * (4 + size // len(_FILLING))}"


def restore_tags(path: Path, tags: Mapping[str, str]) -> None:
    """Replace the placeholder in a finished file by the tags that are missing.

    Args:
        path: the file; without a placeholder it is not changed.
        tags: all tags of the source, by name.

    Raises:
        SourceError: it is not a media file.
        OSError: it cannot be written.
    """
    written = {key.lower() for key in probe(path).tags}
    missing = {k: v for k, v in custom_tags(tags).items() if k.lower() not in written}
    with path.open("r+b") as file:
        found = _find_movie(file)
        if found is None:
            return
        start, movie = found
        kept = _without_placeholder(movie)
        added = _tag_list(missing, is_quicktime=_read_at(file, 8, 4) == b"qt  ")
        free = len(movie) - len(kept) - len(added)
        if free >= _HEADER.size:
            children = kept[_HEADER.size :] + added + _box(b"free", bytes(free - _HEADER.size))
            file.seek(start)
            file.write(_box(b"moov", children))


def _find_movie(file: BinaryIO) -> tuple[int, bytes] | None:
    """Return the offset and the bytes of the `moov` box."""
    at = 0
    while len(header := _read_at(file, at, 16)) >= _HEADER.size:
        size, kind = _HEADER.unpack_from(header)
        if kind == b"moov":
            return at, _read_at(file, at, size)
        if size == 1:
            size = int.from_bytes(header[8:16], "big")
        if size < _HEADER.size:
            return None
        at += size
    return None


def _read_at(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)


def _without_placeholder(box: bytes) -> bytes:
    """Return a box without the innermost box that contains the placeholder."""
    kind = box[4:8]
    # In MP4, but not in QuickTime files, the `meta` box begins with a version.
    begin = 12 if kind == b"meta" and box[12:16] != b"hdlr" else 8
    kept = [
        _without_placeholder(child) if child[4:8] in _NESTED else child
        for child in _children(box[begin:])
        if child[4:8] in _NESTED or _FILLED not in child
    ]
    return _box(kind, box[8:begin] + b"".join(kept))


def _children(data: bytes) -> Iterator[bytes]:
    at = 0
    while at + _HEADER.size <= len(data):
        size = max(_HEADER.size, _HEADER.unpack_from(data, at)[0])
        yield data[at : at + size]
        at += size


def _tag_list(tags: Mapping[str, str], *, is_quicktime: bool) -> bytes:
    """Return a `meta` box of names and values, in the form of QuickTime or of MP4."""
    if not tags:
        return b""
    names, values = b"", b""
    for index, (key, value) in enumerate(tags.items(), 1):
        names += _box(b"mdta", key.encode())
        data = _box(b"data", struct.pack(">II", _UTF8, 0) + value.encode())
        values += _box(struct.pack(">I", index), data)
    handler = _box(b"hdlr", bytes(8) + b"mdta" + bytes(14))
    keys = _box(b"keys", struct.pack(">II", 0, len(tags)) + names)
    version = b"" if is_quicktime else bytes(4)
    return _box(b"meta", version + handler + keys + _box(b"ilst", values))


def _box(kind: bytes, content: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(content), kind) + content
