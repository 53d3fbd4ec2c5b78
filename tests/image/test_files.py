import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from repository import REPO

from nst_video.errors import SinkError, SourceError
from nst_video.image.files import (
    MAX_BYTES,
    THUMBNAIL_PX,
    WRITABLE_SUFFIXES,
    check_writable_suffix,
    load_picture,
    save_picture,
)


def write(path, array, *options):
    """Encode an RGB(A) or gray array of any depth with OpenCV."""
    code = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    bgr = cv2.cvtColor(array, code[array.shape[2]]) if array.ndim == 3 else array
    assert cv2.imwrite(str(path), bgr, list(options))
    return path


def with_orientation(jpeg, number):
    """Put an EXIF orientation into a JPEG file."""
    tiff = b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, number, 0, 0)
    segment = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def tall_png(width, height):
    """A small PNG file that claims, and holds, a huge black picture."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    body = zlib.compress(bytes((width // 8 + 1) * height), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("suffix", WRITABLE_SUFFIXES)
def test_load_reads_what_save_wrote(tmp_path, picture, suffix):
    save_picture(tmp_path / f"p{suffix}", picture)
    loaded = load_picture(tmp_path / f"p{suffix}")
    assert loaded.shape == picture.shape
    assert loaded.flags.c_contiguous
    assert loaded.dtype == np.uint8
    assert np.abs(loaded.astype(int) - picture).mean() < (20 if suffix == ".gif" else 8)


def test_load_converts_gray(tmp_path, picture):
    gray = picture[..., 1]
    loaded = load_picture(write(tmp_path / "p.png", gray))
    assert np.array_equal(loaded, np.repeat(gray[..., None], 3, axis=2))


def test_load_converts_16_bits(tmp_path, picture):
    loaded = load_picture(write(tmp_path / "p.png", picture.astype(np.uint16) * 257))
    assert np.array_equal(loaded, picture)


def test_load_takes_floating_point_gray_to_be_0_to_1_and_refuses_such_colors(tmp_path, picture):
    floats = picture.astype(np.float32) / 255
    loaded = load_picture(write(tmp_path / "gray.tiff", floats[..., 1]))
    assert np.abs(loaded.astype(int) - picture[..., 1:2]).max() <= 1
    with pytest.raises(SourceError, match="such as floating point colors"):
        load_picture(write(tmp_path / "colors.tiff", floats))
    Image.fromarray(picture[..., 0].astype(np.int32) << 20).save(tmp_path / "whole.tiff")
    with pytest.raises(SourceError, match="32-bit integers"):
        load_picture(tmp_path / "whole.tiff")


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "I;16"])
@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg", ".tga"])
def test_load_reads_every_mode_that_a_format_has(tmp_path, picture, mode, suffix):
    image = Image.fromarray(picture[..., 1].astype(np.uint16) * 257)
    if mode != "I;16":
        image = Image.fromarray(picture).convert(mode)
    try:
        image.save(tmp_path / f"p{suffix}")
    except OSError:
        return  # the format has no such mode
    right = picture if mode not in ("1", "L", "I;16") else picture[..., 1:2]
    loaded = load_picture(tmp_path / f"p{suffix}")
    assert loaded.shape == picture.shape
    assert np.abs(loaded.astype(int).mean((0, 1)) - right.mean((0, 1))).max() < 45


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_load_lays_transparency_on_white(tmp_path, picture, depth):
    scale = np.iinfo(depth).max // 255
    rgba = np.dstack([picture, np.zeros(picture.shape[:2], np.uint8)]).astype(depth) * scale
    rgba[:, 20:40, 3] = 128 * scale
    rgba[:, 40:, 3] = 255 * scale
    loaded = load_picture(write(tmp_path / "p.png", rgba))
    assert (loaded[:, :20] == 255).all()
    half = np.rint(picture[:, 20:40] * (128 / 255) + 127)
    assert np.abs(loaded[:, 20:40] - half).max() <= 1
    assert np.array_equal(loaded[:, 40:], picture[:, 40:])


ORIENTATIONS = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: np.rot90(p, -1),
    7: lambda p: p.swapaxes(0, 1)[::-1, ::-1],
    8: lambda p: np.rot90(p),
}


@pytest.mark.parametrize("number", ORIENTATIONS)
def test_load_turns_a_photo_upright(tmp_path, picture, number):
    path = tmp_path / "p.jpg"
    save_picture(path, picture)
    path.write_bytes(with_orientation(path.read_bytes(), number))
    upright = ORIENTATIONS[number](picture)
    loaded = load_picture(path)
    assert loaded.shape == upright.shape
    assert np.abs(loaded.astype(int) - upright).mean() < 8


@pytest.mark.parametrize("number", ORIENTATIONS)
def test_load_turns_a_transparent_picture_with_its_alpha(tmp_path, picture, number):
    rgba = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    rgba[:10, :20, 3] = 0
    data = write(tmp_path / "p.png", rgba).read_bytes()
    tiff = b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, number, 0, 0)
    (tmp_path / "p.png").write_bytes(data[:33] + chunk(b"eXIf", tiff) + data[33:])
    flat = picture.copy()
    flat[:10, :20] = 255
    assert np.array_equal(load_picture(tmp_path / "p.png"), ORIENTATIONS[number](flat))


def test_load_takes_any_file_name(tmp_path, picture):
    path = tmp_path / "größe 絵.dat"
    save_picture(tmp_path / "p.png", picture)
    (tmp_path / "p.png").rename(path)
    assert np.array_equal(load_picture(path), picture)


def test_load_refuses_a_bomb_before_decoding_it(tmp_path):
    (tmp_path / "bomb.png").write_bytes(tall_png(20_000, 20_000))
    with pytest.raises(SourceError, match="far too many pixels, more than 120 megapixels"):
        load_picture(tmp_path / "bomb.png")
    (tmp_path / "small.png").write_bytes(tall_png(12_000, 12_000))
    with pytest.raises(SourceError, match="12000x12000 pixels, more than 120 megapixels"):
        load_picture(tmp_path / "small.png")


def test_load_refuses_a_large_picture_of_any_format(tmp_path, picture):
    for suffix in WRITABLE_SUFFIXES:
        save_picture(tmp_path / f"p{suffix}", picture)
        with pytest.raises(SourceError, match="80x48 pixels, more than"):
            load_picture(tmp_path / f"p{suffix}", max_pixels=1_000)


def test_load_refuses_an_enormous_file(tmp_path):
    with (tmp_path / "p.bmp").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(SourceError, match="more than a picture may have"):
        load_picture(tmp_path / "p.bmp")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"hello" * 100, "not a picture"),
        (b"\x89PNG\r\n\x1a\n", "a damaged picture"),
        (tall_png(64, 64)[:50], "a damaged PNG picture"),
        (b"\xff\xd8\xff\xe0 no jpeg", "a damaged picture"),
        (b'<?xml version="1.0"?><svg width="9">', "an SVG drawing, not a picture made of pixels"),
        (b"\n<!DOCTYPE html><p>", "a web page, not a picture"),
        (b"%PDF-1.7 ...", "a PDF"),
        (b"8BPS" + bytes(40), "a Photoshop document"),
        (b"\0\0\0\x18ftypmp42" + bytes(40), "a video, not a picture"),
    ],
    ids=[
        *("empty", "text", "PNG signature", "PNG cut", "JPEG signature"),
        *("SVG", "HTML", "PDF", "PSD", "video"),
    ],
)
def test_load_refuses_what_is_no_picture_quietly(tmp_path, data, words, capfd):
    (tmp_path / "p.png").write_bytes(data)
    with pytest.raises(SourceError, match=words) as caught:
        load_picture(tmp_path / "p.png")
    assert str(tmp_path / "p.png") in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_load_refuses_sound_and_video(assets):
    for name in ("audio-only.mp4", "no-audio.mp4"):
        with pytest.raises(SourceError, match="not a picture"):
            load_picture(assets / "videos" / name)


def test_load_refuses_a_folder_and_a_missing_file(tmp_path):
    with pytest.raises(SourceError, match="is a folder"):
        load_picture(tmp_path)
    with pytest.raises(SourceError, match="no such file"):
        load_picture(tmp_path / "none.jpg")


def test_load_reads_real_photos(assets):
    loaded = load_picture(assets / "photos" / "tubingen.jpg")
    assert loaded.shape == (768, 1024, 3)
    top = loaded[:100, 300:600].mean((0, 1))
    assert top[2] > top[0]  # a blue sky: RGB, not BGR


def test_load_of_a_small_version_is_quick_to_decode_and_looks_alike(tmp_path):
    y, x = np.mgrid[0:1200, 0:1600]
    photo = np.stack([x * 255 / 1600, y * 255 / 1200, (x + y) % 256], axis=-1).astype(np.uint8)
    for suffix in (".jpg", ".png"):
        save_picture(tmp_path / f"p{suffix}", photo)
    assert load_picture(tmp_path / "p.jpg").shape == photo.shape
    small = load_picture(tmp_path / "p.jpg", small=True)
    assert THUMBNAIL_PX <= min(small.shape[:2]) < 1200
    assert np.abs(small.mean((0, 1)) - photo.mean((0, 1))).max() < 3
    assert load_picture(tmp_path / "p.png", small=True).shape == photo.shape


def test_load_refuses_devices_and_pipes_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", Path("/dev/zero")):
        with pytest.raises(SourceError, match="it is a device or pipe, not a file"):
            load_picture(path)


@pytest.mark.parametrize("suffix", sorted({*WRITABLE_SUFFIXES} - {".jpeg", ".tif"}))
def test_load_refuses_a_cut_off_file_in_a_sentence(tmp_path, suffix, capfd):
    noise = np.random.default_rng(0).integers(0, 256, (48, 80, 3), np.uint8)
    save_picture(tmp_path / f"p{suffix}", noise)
    data = (tmp_path / f"p{suffix}").read_bytes()
    (tmp_path / f"p{suffix}").write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(SourceError, match="damaged") as caught:
        load_picture(tmp_path / f"p{suffix}")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_load_of_16_bits_needs_little_more_memory_than_the_picture(tmp_path):
    side = 4000
    row = bytes(1 + side * 8)
    deflate = zlib.compressobj(1)
    body = b"".join(deflate.compress(row) for _ in range(side)) + deflate.flush()
    header = struct.pack(">IIBBBBB", side, side, 16, 6, 0, 0, 0)
    (tmp_path / "p.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )
    code = (
        "import sys; from pathlib import Path; from resource import *\n"
        "from nst_video.image.files import load_picture\n"
        "before = getrusage(RUSAGE_SELF).ru_maxrss\n"
        "assert load_picture(Path(sys.argv[1])).shape == (4000, 4000, 3)\n"
        "print(getrusage(RUSAGE_SELF).ru_maxrss - before)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "p.png")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(run.stdout) < 160_000  # kB: 4 bytes a pixel decoded, 3 converted


@pytest.mark.parametrize("suffix", [".png", ".webp", ".gif", ".avif"])
def test_load_takes_the_first_frame_of_an_animation(tmp_path, picture, suffix):
    first = Image.fromarray(picture)
    others = [first.rotate(180), Image.new("RGB", first.size)]
    first.save(tmp_path / f"p{suffix}", save_all=True, append_images=others)
    loaded = load_picture(tmp_path / f"p{suffix}")
    assert np.abs(loaded.astype(int) - picture).mean() < 12


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_load_applies_the_alpha_of_a_tiff_once(tmp_path, picture, compression):
    alpha = np.full(picture.shape[:2], 128, np.uint8)
    premultiplied = (picture * (128 / 255)).round().astype(np.uint8)
    path = tmp_path / "p.tif"
    Image.fromarray(np.dstack([premultiplied, alpha])).save(path, compression=compression)
    unassociated, associated = (struct.pack("<HHIH", 338, 3, 1, kind) for kind in (2, 1))
    path.write_bytes(path.read_bytes().replace(unassociated, associated))
    right = picture * (128 / 255) + 127
    assert np.abs(load_picture(path).astype(int) - right).max() <= 2


def test_load_turns_an_avif_as_its_container_says(tmp_path, picture):
    turned = Image.fromarray(picture)
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "p.avif", exif=exif.tobytes(), quality=95)
    assert b"irot" in (tmp_path / "p.avif").read_bytes()
    upright = np.rot90(picture, -1)
    assert np.abs(load_picture(tmp_path / "p.avif").astype(int) - upright).mean() < 8


HEIC = REPO / "tests" / "pictures" / "turned.heic"
"""Four areas, red and green above blue and nearly white, to be turned by a quarter."""


def test_load_reads_and_turns_heic(tmp_path):
    loaded = load_picture(HEIC).astype(int)
    assert loaded.shape == (80, 48, 3)
    corners = loaded[[20, 20, 60, 60], [12, 36, 12, 36]]
    right = [(0, 0, 255), (255, 0, 0), (240, 240, 240), (0, 200, 0)]
    assert np.abs(corners - right).max() < 25


def test_load_is_right_about_what_once_went_wrong(assets):
    folder = assets / "failing" / "pictures"
    stored = np.asarray(Image.open(folder / "rotated.avif").convert("RGB"))
    assert np.array_equal(load_picture(folder / "rotated.avif"), np.rot90(stored, -1))
    assert load_picture(folder / "animated.webp").shape == (128, 101, 3)
    assert tuple(load_picture(folder / "display-p3.png")[32, 32]) == (148, 19, 0)
    transparent = np.asarray(Image.open(folder / "rgba.tif")).astype(float)
    alpha = transparent[..., 3:] / 255
    once = transparent[..., :3] * alpha + 255 * (1 - alpha)
    assert np.abs(load_picture(folder / "rgba.tif") - once).max() <= 1
    with pytest.raises(SourceError, match="SVG drawing"):
        load_picture(folder / "drawing.svg")


def test_save_refuses_an_unknown_ending_and_an_unwritable_place(tmp_path, picture):
    with pytest.raises(SinkError, match=r"\.jpg or \.png"):
        save_picture(tmp_path / "p.xyz", picture)
    with pytest.raises(SinkError, match=r"\.jpg or \.png"):
        save_picture(tmp_path / "p.pgm", picture)
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="Cannot write"):
        save_picture(tmp_path / "file" / "p.png", picture)


@pytest.mark.parametrize("name", ["p", "p.xyz", "p.pgm", ".png", "p.png.part"])
def test_check_writable_suffix_refuses_what_save_refuses(tmp_path, name):
    with pytest.raises(SinkError, match=r"\.webp, .* are written"):
        check_writable_suffix(tmp_path / name)
    check_writable_suffix(tmp_path / "P.PNG")


def test_save_says_when_a_format_cannot_hold_the_picture(tmp_path, capfd):
    with pytest.raises(SinkError, match="cannot hold a picture of 70000x4"):
        save_picture(tmp_path / "p.jpg", np.zeros((4, 70_000, 3), np.uint8))
    assert list(tmp_path.glob("p*")) == []
    assert capfd.readouterr() == ("", "")


def test_save_quality_decides_the_size(tmp_path, picture):
    for quality in (20, 95):
        save_picture(tmp_path / f"{quality}.jpg", picture, quality)
    assert (tmp_path / "20.jpg").stat().st_size < (tmp_path / "95.jpg").stat().st_size


def test_existing_picture_is_replaced_only_when_asked(tmp_path: Path) -> None:
    picture = np.zeros((4, 6, 3), np.uint8)
    (tmp_path / "p.png").write_bytes(b"precious")
    assert save_picture(tmp_path / "p.png", picture) == tmp_path / "p (2).png"
    assert (tmp_path / "p.png").read_bytes() == b"precious"
    assert save_picture(tmp_path / "p.png", picture, overwrite=True) == tmp_path / "p.png"
    assert np.array_equal(load_picture(tmp_path / "p.png"), picture)


def test_load_outlives_the_decoder_of_a_damaged_heic(tmp_path):
    data = bytearray(HEIC.read_bytes())
    (tmp_path / "cut.heic").write_bytes(data[:-60])
    with pytest.raises(SourceError, match=r"cannot be decoded as HEIC \(.*end of file"):
        load_picture(tmp_path / "cut.heic")
    with pytest.raises(SourceError, match=r"cannot be decoded as HEIC \(48x80 pixels, more than"):
        load_picture(HEIC, max_pixels=1_000)
