"""Pictures with a color profile."""

import io
import struct
from itertools import product

import numpy as np
import pytest
from PIL import Image, ImageCms

from nst_video.image.files import (
    load_picture,
)

ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
"""Its primaries in the XYZ of profiles (white is D50)."""


def icc_profile(space, tags):
    """An ICC profile, version 2, of a display: `tags` by name, gamma 2.2 under each name in TRC."""
    tags = {b"wtpt": (0.9642, 1.0, 0.8249), **tags}
    data = {}
    for name, value in tags.items():
        fixed = [round(number * 65536) for number in value or ()]
        data[name] = b"XYZ \0\0\0\0" + struct.pack(">3i", *fixed) if value else GAMMA
    directory, body, at = struct.pack(">I", len(data)), b"", 132 + 12 * len(data)
    for name, blob in data.items():
        directory += name + struct.pack(">II", at + len(body), len(blob))
        body += blob.ljust(-(-len(blob) // 4) * 4, b"\0")
    head = struct.pack(">4xI4s4s4s", 0x02400000, b"mntr", space, b"XYZ ")
    white = struct.pack(">3i", 63190, 65536, 54061)
    head = head.ljust(32, b"\0") + b"acsp" + bytes(28) + white
    whole = head.ljust(124, b"\0") + directory + body
    return struct.pack(">I", len(whole) + 4) + whole


GAMMA = b"curv" + bytes(4) + struct.pack(">IH", 1, round(2.19921875 * 256))


ADOBE_RGB_PROFILE = icc_profile(
    b"RGB ",
    {
        **dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), ADOBE_RGB, strict=True)),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC")),
    },
)


GRAY_PROFILE = icc_profile(b"GRAY", {b"kTRC": None})


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".avif"])
def test_load_converts_adobe_rgb_to_srgb(tmp_path, suffix):
    image = Image.new("RGB", (64, 48), (100, 150, 60))
    quality = {} if suffix in (".png", ".tif") else {"quality": 98}
    image.save(tmp_path / f"p{suffix}", icc_profile=ADOBE_RGB_PROFILE, **quality)
    # By the definitions of the two color spaces, with adaptation of white to D50 and back.
    assert (
        np.abs(load_picture(tmp_path / f"p{suffix}")[24, 32].astype(int) - (66, 151, 48)).max() <= 4
    )


def test_load_converts_gray_by_its_profile(tmp_path):
    profile = GRAY_PROFILE.replace(GAMMA, GAMMA[:-2] + struct.pack(">H", 256))  # linear light
    Image.new("L", (8, 8), 55).save(tmp_path / "p.png", icc_profile=profile)
    assert np.abs(load_picture(tmp_path / "p.png").astype(int) - 128).max() <= 2


@pytest.mark.parametrize(
    ("mode", "profile"),
    [
        *product(["RGB", "RGBA", "L", "P", "CMYK"], [b"nonsense" * 40, ADOBE_RGB_PROFILE[:150]]),
        *product(["RGB", "RGBA", "P", "CMYK"], [GRAY_PROFILE]),
        ("CMYK", ADOBE_RGB_PROFILE),
    ],
)
def test_load_ignores_a_profile_that_does_not_serve(tmp_path, picture, mode, profile):
    image = Image.fromarray(picture).convert(mode)
    image.save(tmp_path / "with.tif", icc_profile=profile)
    image.save(tmp_path / "without.tif")
    pair = [load_picture(tmp_path / f"{name}.tif") for name in ("with", "without")]
    assert np.array_equal(*pair)


def test_load_leaves_srgb_as_it_is(tmp_path, picture):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "PNG", icc_profile=profile)
    (tmp_path / "p.png").write_bytes(data.getvalue())
    assert np.array_equal(load_picture(tmp_path / "p.png"), picture)
