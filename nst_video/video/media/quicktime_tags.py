"""Tags of any name in MP4 and QuickTime files, beside the usual ones.

Phones keep place, device and time of a film under names such as `com.apple.quicktime.model`, in a
list of keys and values of their own (QuickTime File Format, "Metadata Keys"). ffmpeg writes either
that list or the usual tags and the cover, not both. So it reserves room by a tag of nothing but
filling, which is exchanged for the list afterwards: nothing in the file moves.
"""

import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from nst_video.video.media.probe import probe

MUXERS = frozenset({"mp4", "mov"})
"""Those of ffmpeg that lose tags of unusual names."""

MAX_BYTES = 60_000
"""Of the list: a tag of a QuickTime file, and so the room, has at most 65,535."""

_USUAL = frozenset({
    "album", "album_artist", "artist", "comment", "composer", "copyright", "creation_time", "date",
    "description", "genre", "title",
})  # fmt: skip
"""Tags for which no room is needed: ffmpeg writes them into every such file."""

_OF_THE_FILE = frozenset({"compatible_brands", "encoder", "major_brand", "minor_version"})
"""What a file says of itself, and not of what it shows."""

_ROOM_KEYS = ("keywords", "genre", "copyright", "album", "comment")
"""Tags that both kinds of file hold as long texts."""

_FILLING = "nst-video fills this room. "
_FILLED = _FILLING.encode() * 4
"""What the room holds and nothing else; no list of tags is shorter."""

_TRANSLATED = re.compile(r"(?P<key>.+)-[a-z]{3}")
_HEADER = struct.Struct(">I4s")
_NESTED = frozenset({b"moov", b"udta", b"meta", b"ilst"})
_UTF8 = 1


def unusual_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that ffmpeg may lose in such a file."""
    found = {}
    for key, value in tags.items():
        twin = _TRANSLATED.fullmatch(key)
        is_twin = twin is not None and twin["key"] in tags
        if not is_twin and key.lower() not in _USUAL | _OF_THE_FILE:
            found[key] = value
    return found


def room_arguments(tags: Mapping[str, str]) -> tuple[str, ...]:
    """Return ffmpeg's arguments that reserve room for tags; none where none is needed or to be had.

    Args:
        tags: all of the original, by name.
    """
    wanted, used = unusual_tags(tags), {key.lower() for key in tags}
    key = next((key for key in _ROOM_KEYS if key not in used), None)
    size = len(_tag_list(wanted, is_quicktime=False)) + _HEADER.size
    if not wanted or key is None or size > MAX_BYTES:
        return ()
    return "-metadata", f"{key}={_FILLING * (4 + size // len(_FILLING))}"


def keep_tags(path: Path, tags: Mapping[str, str]) -> None:
    """Exchange the room in a finished file for the tags that it lacks.

    Args:
        path: the file; without room it stays as it is.
        tags: all of the original, by name.

    Raises:
        SourceError: it is no media file.
        OSError: it cannot be written.
    """
    written = {key.lower() for key in probe(path).tags}
    missing = {k: v for k, v in unusual_tags(tags).items() if k.lower() not in written}
    with path.open("r+b") as file:
        found = _find_movie(file)
        if found is None:
            return
        start, movie = found
        kept = _without_room(movie)
        added = _tag_list(missing, is_quicktime=_read_at(file, 8, 4) == b"qt  ")
        free = len(movie) - len(kept) - len(added)
        if free >= _HEADER.size:
            children = kept[_HEADER.size :] + added + _box(b"free", bytes(free - _HEADER.size))
            file.seek(start)
            file.write(_box(b"moov", children))


def _find_movie(file: BinaryIO) -> tuple[int, bytes] | None:
    """Return where the `moov` box begins, and all of it."""
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


def _without_room(box: bytes) -> bytes:
    """Return a box without the innermost one that holds the room."""
    kind = box[4:8]
    # In MP4, but not in QuickTime files, this one begins with a version.
    begin = 12 if kind == b"meta" and box[12:16] != b"hdlr" else 8
    kept = [
        _without_room(child) if child[4:8] in _NESTED else child
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
    """Return a `meta` box of names and values, as QuickTime's players or those of MP4 want it."""
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
