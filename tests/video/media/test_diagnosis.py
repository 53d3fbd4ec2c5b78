"""What cannot be painted is refused with one sentence, and the sentence is true."""

import os
import random
import zipfile
from pathlib import Path

import pytest
from clips import ffmpeg, make_clip

from nst_video.errors import SourceError
from nst_video.video.sources import open_source

NOISE = random.Random(1).randbytes(5000)
KEY = ("-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb")
KEY_ID = ("-encryption_kid", "a7e61c373e219033c21091fa607bf3b8")


def changed(folder: Path, old: bytes, new: bytes, suffix: str = ".mp4") -> Path:
    """Write a clip with other bytes somewhere."""
    clip = make_clip(folder / f"clear{suffix}")
    path = folder / f"changed{suffix}"
    path.write_bytes(clip.read_bytes().replace(old, new))
    return path


def common_encryption(folder: Path) -> Path:
    clip = make_clip(folder / "clear.mp4")
    path = folder / "encrypted.mp4"
    ffmpeg("-i", clip, "-c", "copy", "-encryption_scheme", "cenc-aes-ctr", *KEY, *KEY_ID, path)
    return path


def scrambled(folder: Path) -> Path:
    data = bytearray(make_clip(folder / "clear.ts").read_bytes())
    for start in range(0, len(data), 188):
        if (data[start + 1] & 31) << 8 | data[start + 2] == 0x100:
            data[start + 3] |= 0x80
            for place in range(start + 12, start + 188):
                data[place] ^= place * 37 & 255
    path = folder / "scrambled.ts"
    path.write_bytes(data)
    return path


def encrypted_webm(folder: Path) -> Path:
    """Write a WebM whose header says how it is encrypted, and which cannot be decoded."""
    path = make_clip(folder / "clear.webm", "-c:v", "libvpx", "-live", "1", "-g", "100")
    data = path.read_bytes().replace(b"\x9d\x01\x2a", bytes(3))
    key = element("47e2", bytes(range(16)))
    encryption = element("5035", element("47e1", b"\5") + key)
    encoding = element("6240", element("5033", b"\1") + encryption)
    added = element("6d80", encoding)
    tracks = data.rindex(bytes.fromhex("1654ae6b"))  # the first is in the table of contents
    size, width = read_size(data, tracks + 4)
    begin, end = tracks + 4 + width, tracks + 4 + width + size
    entry = data.index(b"\xae", begin)
    size, width = read_size(data, entry + 1)
    content = data[entry + 1 + width : entry + 1 + width + size]
    path = folder / "encrypted.webm"
    path.write_bytes(
        data[:tracks] + element("1654ae6b", element("ae", content + added)) + data[end:]
    )
    return path


def element(number: str, content: bytes) -> bytes:
    """Return an EBML element."""
    return bytes.fromhex(number) + (1 << 56 | len(content)).to_bytes(8, "big") + content


def read_size(data: bytes, place: int) -> tuple[int, int]:
    """Return an EBML size and in how many bytes it is written."""
    width = 9 - data[place].bit_length()
    return int.from_bytes(data[place : place + width], "big") & ((1 << 7 * width) - 1), width


def cover_only(folder: Path) -> Path:
    path = folder / "song.mp3"
    ffmpeg(
        *("-f", "lavfi", "-i", "sine=d=0.2", "-f", "lavfi", "-i", "color=red:s=32x32"),
        *("-map", "0", "-map", "1", "-frames:v", "1", "-c:v", "mjpeg"),
        *("-disposition:v", "attached_pic", path),
    )
    return path


def without_index(folder: Path) -> Path:
    path = folder / "broken-off.mp4"
    path.write_bytes(make_clip(folder / "clear.mp4").read_bytes()[:2000])
    return path


def archive(folder: Path) -> Path:
    path = folder / "video.mp4"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("video.mp4", b"0" * 5000)
    return path


def written(name: str, data: bytes):
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(data)
        return path

    return make


def pipe(folder: Path) -> Path:
    path = folder / "pipe.mp4"
    os.mkfifo(path)
    return path


CASES = {
    "common encryption": (common_encryption, r"encrypted \(DRM\)"),
    "protected by Apple": (lambda f: changed(f, b"avc1\0\0", b"drmi\0\0"), r"encrypted \(DRM\)"),
    "encrypted WebM": (encrypted_webm, r"encrypted \(DRM\)"),
    "scrambled": (scrambled, r"encrypted \(DRM\)"),
    "unknown in MP4": (lambda f: changed(f, b"avc1", b"zzzz"), r"codec \(zzzz\) is not one"),
    "unknown in Matroska": (
        lambda f: changed(f, b"V_MPEG4/ISO/AVC", b"V_QUUX4/ISO/AVC", ".mkv"),
        "codec is not one that ffmpeg knows",
    ),
    "cover only": (cover_only, "no video, only audio and a cover image"),
    "without index": (without_index, r"index \(moov\) is missing"),
    "archive": (archive, "ZIP archive"),
    "web page": (written("a.mp4", b"\n<!DOCTYPE html><html>404</html>"), "it is a web page"),
    "text": (written("a.mp4", "Schöne Grüße".encode() * 500), "it is a text"),
    "zeros": (written("a.mp4", bytes(5000)), "nothing but zeros"),
    "empty": (written("a.mp4", b""), "it is empty"),
    "noise": (written("a.mp4", NOISE), "damaged, encrypted or something else"),
    "encrypted file": (written("a.mp4", b"Salted__" + NOISE), "decrypt it first"),
    "long name": (lambda f: f / ("n" * 300 + ".mp4"), "name is longer than the file system allows"),
    "no user": (lambda f: Path("~nosuchuser/clip.mp4"), "no such file"),
}


@pytest.mark.parametrize("name", CASES)
def test_reason_is_true(name: str, tmp_path: Path):
    make, sentence = CASES[name]
    with pytest.raises(SourceError, match=sentence) as refusal:
        open_source(make(tmp_path))
    text = str(refusal.value)
    assert text.endswith(".")
    assert "\n" not in text
    assert "file is damaged" not in text


@pytest.mark.skipif(os.name != "posix", reason="pipes with a name and devices are of POSIX")
@pytest.mark.parametrize("make", [pipe, lambda folder: Path("/dev/zero")])
def test_what_never_ends_is_refused(make, tmp_path: Path):
    with pytest.raises(SourceError, match="is a device or pipe, not a file"):
        open_source(make(tmp_path))
