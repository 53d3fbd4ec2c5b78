import struct
import zlib

import cv2
import numpy as np
import pytest

from nst_video.errors import SinkError, SourceError
from nst_video.pictures import (
    MAX_BYTES,
    WRITABLE_SUFFIXES,
    check_writable_suffix,
    load_picture,
    save_picture,
)


@pytest.fixture
def picture():
    """A smooth picture whose four corners differ, RGB."""
    y, x = np.mgrid[0:48, 0:80]
    return np.stack([x * 3, y * 5, 255 - x * 2 - y], axis=-1).astype(np.uint8)


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


def test_load_converts_floating_point(tmp_path, picture):
    loaded = load_picture(write(tmp_path / "p.tiff", picture.astype(np.float32) / 255))
    assert np.abs(loaded.astype(int) - picture).max() <= 1


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
    with pytest.raises(SourceError, match="20000x20000 pixels, more than 120 megapixels"):
        load_picture(tmp_path / "bomb.png")


def test_load_refuses_a_large_picture_of_any_format(tmp_path, picture, monkeypatch):
    monkeypatch.setattr("nst_video.pictures.MAX_PIXELS", 1_000)
    for suffix in WRITABLE_SUFFIXES:
        save_picture(tmp_path / f"p{suffix}", picture)
        with pytest.raises(SourceError, match="80x48 pixels, more than"):
            load_picture(tmp_path / f"p{suffix}")


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
        (b"\x89PNG\r\n\x1a\n", "not a picture"),
        (tall_png(64, 64)[:50], "broken"),
        (b"\xff\xd8\xff\xe0 no jpeg", "not a picture"),
    ],
    ids=["empty", "text", "PNG signature", "PNG cut", "JPEG signature"],
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
    with pytest.raises(SourceError, match="No such file"):
        load_picture(tmp_path / "none.jpg")


def test_load_reads_real_photos(assets):
    loaded = load_picture(assets / "photos" / "tubingen.jpg")
    assert loaded.shape == (768, 1024, 3)
    top = loaded[:100, 300:600].mean((0, 1))
    assert top[2] > top[0]  # a blue sky: RGB, not BGR


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
