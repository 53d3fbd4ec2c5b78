"""The reason why a file cannot be read as video; looked for only after reading it has failed."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nst_video.system.path_lookup import os_reason
from nst_video.video.media.ffmpeg import FfmpegProcess, ffmpeg_path

if TYPE_CHECKING:
    import av.container
    import av.video.codeccontext
    import av.video.stream

HEAD_BYTES = 1 << 18

SIGNATURES = (
    (b"PK\x03\x04", "it is a ZIP archive or an office document"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7-Zip archive"),
    (b"Rar!", "it is a RAR archive"),
    (b"\x1f\x8b", "it is a gzip archive"),
    (b"%PDF", "it is a PDF document"),
    (b"MZ", "it is a Windows program"),
    (b"\x7fELF", "it is a program"),
    (b"Salted__", "it is encrypted; decrypt it first"),
    (b"age-encryption.org/", "it is encrypted; decrypt it first"),
    (b"-----BEGIN PGP", "it is encrypted; decrypt it first"),
)
"""First bytes of files that are taken for videos by mistake."""

ENCRYPTED = "it is encrypted (DRM), and only players licensed for it can show it"

UNCLEAR = "it is damaged, encrypted or something else"

PROTECTED_TAGS = frozenset({"drmi", "drms", "drmt", "encv", "enca", "enct"})
"""Codes of protected streams in MP4: Apple's FairPlay and Common Encryption."""

TS_PACKET, TS_SYNC = 188, 0x47

_UNKNOWN = re.compile(r"\(Video: \w+ \((?P<tag>[^/]+) / 0x")


def why_unreadable(path: Path) -> str:
    """Return why ffmpeg cannot read a file as video, to be shown after a colon."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        return os_reason(error)
    if not head:
        return "it is empty"
    known = next((text for start, text in SIGNATURES if head.startswith(start)), None)
    if known is not None:
        return known
    return next((text for matches, text in _CONTENT_TESTS if matches(path, head)), UNCLEAR)


def why_undecodable(
    path: Path, container: "av.container.InputContainer", video: "av.video.stream.VideoStream"
) -> str:
    """Return why no frame of a stream can be decoded, to be shown after a colon.

    Args:
        path: the file.
        container: the same file, opened by PyAV.
        video: its video stream.
    """
    # It can be None, which PyAV's types do not say.
    context: av.video.codeccontext.VideoCodecContext | None = video.codec_context
    if context is None:
        tag = _unknown_tag(path)
        if tag in PROTECTED_TAGS:
            return ENCRYPTED
        return f"its codec{f' ({tag})' if tag else ''} is not one that ffmpeg knows"
    if _is_encrypted(container, video) or why_unreadable(path) == ENCRYPTED:
        return ENCRYPTED
    return f"its data ({context.codec.canonical_name}) is damaged"


def _is_encrypted(
    container: "av.container.InputContainer", video: "av.video.stream.VideoStream"
) -> bool:
    import av.error

    try:
        container.seek(0)
        for packet in container.demux(video):
            if packet.size:
                return packet.has_sidedata("encryption_info")
    except (av.error.FFmpegError, OSError, IndexError):
        return False
    return False


def _unknown_tag(path: Path) -> str:
    """Return the four-character code of an unknown video codec; PyAV does not give it."""
    with FfmpegProcess(["-i", ffmpeg_path(path), "-map", "0:v", "-f", "null", "-"]) as process:
        process.finish()
        found = _UNKNOWN.search("\n".join(process.log()))
    return found["tag"].strip() if found else ""


def _is_web_page(_: Path, head: bytes) -> bool:
    start = head[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html"))


def _is_text(_: Path, head: bytes) -> bool:
    try:
        text = head[:4096].decode("utf-8", "strict" if len(head) <= 4096 else "ignore")
    except UnicodeDecodeError:
        return False
    return len(text) > len(head[:4096]) / 4 and all(c.isprintable() or c.isspace() for c in text)


def _is_blank(_: Path, head: bytes) -> bool:
    return not any(head)


def _has_scrambled_packets(_: Path, head: bytes) -> bool:
    """Return whether most packets of an MPEG transport stream are marked as encrypted."""
    packets = head[: len(head) // TS_PACKET * TS_PACKET]
    if not packets or set(packets[::TS_PACKET]) != {TS_SYNC}:
        return False
    marked = sum(byte >> 6 >= 2 for byte in packets[3::TS_PACKET])
    return 2 * marked > len(packets) // TS_PACKET


def _has_encrypted_tracks(_: Path, head: bytes) -> bool:
    """Return whether the header of a Matroska or WebM file describes encrypted tracks."""
    is_matroska = head.startswith(b"\x1a\x45\xdf\xa3")
    # ContentEncryption, and in it ContentEncAlgo or ContentEncKeyID.
    place = head.find(b"\x50\x35") if is_matroska else -1
    return place >= 0 and any(
        each in head[place : place + 64] for each in (b"\x47\xe1", b"\x47\xe2")
    )


def _has_no_index(path: Path, head: bytes) -> bool:
    if head[4:8] not in (b"ftyp", b"mdat", b"wide", b"free", b"skip"):
        return False
    return b"moov" not in set(_boxes(path))


def _boxes(path: Path) -> Iterator[bytes]:
    """Yield the types of the top-level boxes of an MP4, as far as they can be read."""
    end = path.stat().st_size
    with path.open("rb") as file:
        place = 0
        while place + 8 <= end:
            file.seek(place)
            header = file.read(16)
            size = int.from_bytes(header[:4], "big")
            if size == 1:
                size = int.from_bytes(header[8:], "big")
            yield header[4:8]
            if size < 8:
                return
            place += size


_CONTENT_TESTS: tuple[tuple[Callable[[Path, bytes], bool], str], ...] = (
    (_is_web_page, "it is a web page; its download went wrong"),
    (_is_blank, "it begins with nothing but zeros; its copy or download did not finish"),
    (_is_text, "it is a text"),
    (_has_scrambled_packets, ENCRYPTED),
    (_has_encrypted_tracks, ENCRYPTED),
    (
        _has_no_index,
        "its index (moov) is missing; its recording or download broke off, or still goes on",
    ),
)
"""Tests of a file by its path and first bytes, and the reason where one is true."""
