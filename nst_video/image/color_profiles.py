"""Conversion of images decoded by Pillow to sRGB: orientation, color profile, transparency."""

import io
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageCms
from PIL.ExifTags import Base as ExifTag

Converter: TypeAlias = Callable[[Image.Image], Image.Image]

_SRGB = ImageCms.createProfile("sRGB")

_PROFILE_MODES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}
"""Pillow's pixel mode by the color space of a profile."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""Transpose operations by EXIF orientation."""

_PAPER = "white"
"""Background of transparent pixels."""

_UNTAGGED_ROUNDING = 1
"""Largest difference, of 255, up to which a profile is treated as sRGB."""


def upright(image: Image.Image) -> Image.Image:
    """Rotate or flip a decoded image by its EXIF orientation; unreadable EXIF data are ignored."""
    try:
        turn = _TURNS.get(image.getexif().get(ExifTag.Orientation, 1))
    except Exception:  # noqa: BLE001 - damaged EXIF data raise nearly anything
        turn = None
    return image if turn is None else image.transpose(turn)


def converter(image: Image.Image) -> Converter:
    """Return a function that converts strips of an image to sRGB, transparency on white.

    A profile that is damaged, or is for another color space, is ignored, as browsers do.

    Args:
        image: decoded; 32-bit integers are in 0..65535.
    """
    to_plain = _plain_16_bits if image.mode.startswith("I") else _PLAIN.get(image.mode, _same)
    to_srgb = _profile_converter(image)

    def convert(strip: Image.Image) -> Image.Image:
        colors, alpha = _split_alpha(to_plain(strip))
        colors = to_srgb(colors)
        if alpha is None:
            return colors
        paper = Image.new("RGB", colors.size, _PAPER)
        paper.paste(colors, mask=alpha)
        return paper

    return convert


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Return the colors in mode L, RGB or CMYK, and the alpha channel, None where there is none."""
    if image.has_transparency_data:
        clear = image.convert("LA" if image.mode in ("L", "LA", "La") else "RGBA")
        bare = clear.getchannel("L") if clear.mode == "LA" else clear.convert("RGB")
        return bare, clear.getchannel("A")
    if image.mode in _PROFILE_MODES.values():
        return image, None
    return image.convert("RGB"), None


def _profile_converter(image: Image.Image) -> Converter:
    """Return a function from L, RGB or CMYK pixels, whichever `image` has, to sRGB."""
    data = image.info.get("icc_profile")
    if not data:
        return _to_rgb
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        mode = _PROFILE_MODES[profile.profile.xcolor_space.strip()]
        transform = ImageCms.buildTransform(profile, _SRGB, mode, "RGB")
    except (ImageCms.PyCMSError, OSError, KeyError, TypeError, ValueError):
        return _to_rgb
    if mode == "RGB" and _changes_nothing(transform):
        return _to_rgb

    def convert(colors: Image.Image) -> Image.Image:
        if colors.mode != mode:
            if mode != "RGB" or colors.mode == "CMYK":
                return _to_rgb(colors)
            colors = colors.convert(mode)
        converted = ImageCms.applyTransform(colors, transform)
        assert converted is not None  # it is None only in place
        return converted

    return convert


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Return whether a transform from RGB leaves a grid of colors unchanged."""
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    after = np.asarray(ImageCms.applyTransform(Image.fromarray(grid), transform))
    return bool(np.abs(after.astype(int) - grid).max() <= _UNTAGGED_ROUNDING)


def _to_rgb(colors: Image.Image) -> Image.Image:
    return colors if colors.mode == "RGB" else colors.convert("RGB")


def _same(image: Image.Image) -> Image.Image:
    return image


def _plain_16_bits(image: Image.Image) -> Image.Image:
    """Round 16-bit gray to 8 bits; one value may mean transparent."""
    gray = np.asarray(image).astype(np.int64).clip(0, 65535)
    plain = Image.fromarray(((gray * 255 + 32767) // 65535).astype(np.uint8))
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        plain.putalpha(Image.fromarray((gray != clear).astype(np.uint8) * 255))
    return plain


def _plain_floats(image: Image.Image) -> Image.Image:
    """Convert floating point gray in 0..1 to 8 bits."""
    gray = np.nan_to_num(np.asarray(image), nan=0.0).clip(0, 1)
    return Image.fromarray(np.rint(gray * 255).astype(np.uint8))


_PLAIN: dict[str, Converter] = {"F": _plain_floats, "1": lambda image: image.convert("L")}
"""First conversion by pixel mode, where Pillow's own would lose information."""
