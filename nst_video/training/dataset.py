"""Training pictures: folders of photos and artworks, random crops, and procedural images."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.errors import SourceError, UsageError
from nst_video.frames import Floats, Frame
from nst_video.image.files import load_picture, pictures_in
from nst_video.image.resize import resize

HELD_OUT_RATIO = 10
"""One picture in this many is held out for evaluation."""

MAX_SIDE = 1024
"""Long side, in pixels, to which training pictures are shrunk."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures in memory, split by a hash of their names so that every run splits equally.

    Attributes:
        training: RGB uint8 (height, width, 3), of different sizes.
        held_out: likewise, for evaluation.
    """

    training: tuple[Frame, ...]
    held_out: tuple[Frame, ...]


def is_held_out(name: str) -> bool:
    """Return whether the picture with this file name is held out."""
    return hashlib.sha256(name.encode()).digest()[0] % HELD_OUT_RATIO == 0


def read_pictures(
    folders: Sequence[Path], on_note: Callable[[str], None] | None = None
) -> Pictures:
    """Read every picture in `folders` (not below them), shrunk to `MAX_SIDE`.

    Args:
        folders: of the pictures.
        on_note: called with a sentence for each picture that cannot be read and is skipped.

    Raises:
        UsageError: there are too few pictures to split.
        SourceError: a folder cannot be read.
    """
    parts: tuple[list[Frame], list[Frame]] = ([], [])
    for path in sorted(path for folder in folders for path in pictures_in(folder)):
        try:
            picture = _shrink(load_picture(path))
        except SourceError as error:
            if on_note is not None:
                on_note(f"Left out: {error}")
        else:
            parts[is_held_out(path.name)].append(picture)
    if not all(parts):
        raise UsageError(
            f"{sum(map(len, parts))} pictures in {', '.join(map(str, folders))} are too few to "
            "train on and to hold some out: add more, or give more folders."
        )
    return Pictures(tuple(parts[0]), tuple(parts[1]))


def _shrink(picture: Frame) -> Frame:
    scale = MAX_SIDE / max(picture.shape[:2])
    if scale >= 1:
        return picture
    # By factors, not by a size: what the published weights were trained on is reproduced exactly.
    return np.asarray(
        cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
    )


def to_unit(pixels: NDArray[np.uint8]) -> Floats:
    """Scale pixels 0..255 to 0..1."""
    return np.asarray(pixels, np.float32) / np.float32(255)


def pick(pictures: Sequence[Frame], rng: np.random.Generator) -> Frame:
    """Draw one of the pictures."""
    return pictures[int(rng.integers(len(pictures)))]


def random_crop(picture: Frame, side: int, rng: np.random.Generator) -> Frame:
    """Return a random square crop of `picture`, from slightly enlarged to its whole short side.

    Returns:
        RGB uint8 (side, side, 3), flipped half of the time.
    """
    shortest = min(picture.shape[:2])
    edge = int(rng.uniform(min(0.75 * side, 0.75 * shortest), shortest))
    top = rng.integers(picture.shape[0] - edge + 1)
    left = rng.integers(picture.shape[1] - edge + 1)
    crop = resize(picture[top : top + edge, left : left + edge], (side, side), enlarge="cubic")
    return np.ascontiguousarray(crop[:, :: rng.choice((-1, 1))])


def jitter(picture: Frame, rng: np.random.Generator, strength: float = 1.0) -> Frame:
    """Return a picture with random hue, saturation, contrast and brightness.

    Args:
        picture: RGB uint8 (h, w, 3).
        rng: draws the changes.
        strength: 0..1, of all changes.
    """
    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + rng.uniform(-90, 90) * strength) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * 2 ** (rng.uniform(-1, 1) * strength), 0, 255)
    turned = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB).astype(np.float32)
    contrast = 2 ** (rng.uniform(-0.8, 0.6) * strength)
    light = rng.uniform(-40, 40) * strength
    changed = (turned - 128) * contrast + 128 + light
    return np.asarray(np.clip(changed, 0, 255), np.uint8)


def procedural(side: int, rng: np.random.Generator) -> Frame:
    """Return a procedural picture, RGB uint8 (side, side, 3): noise, stripes, shapes or cells."""
    canvas = _noise(side, 3, rng)
    rows, columns = _warped_grid(side, rng)
    for _ in range(rng.integers(4)):
        angle, waves = rng.uniform(0, np.pi), np.exp(rng.uniform(np.log(2), np.log(60)))
        wave = np.sin(2 * np.pi * waves * (rows * np.sin(angle) + columns * np.cos(angle)))
        shape = np.sign(wave) if rng.random() < 0.5 else wave
        canvas += shape[..., None] * rng.standard_normal(3).astype(np.float32)
    if rng.random() < 0.4:
        return _posterize(canvas[..., 0], rng)
    if rng.random() < 0.3:
        return _cells(rows, columns, rng)
    colors = rng.standard_normal((3, 3)).astype(np.float32) * 0.5 + np.eye(3, dtype=np.float32)
    mixed = canvas @ colors * rng.uniform(15, 70) + rng.uniform(40, 215, 3)
    return np.asarray(np.clip(mixed, 0, 255), np.uint8)


def _noise(side: int, channels: int, rng: np.random.Generator) -> Floats:
    """Return noise (side, side, channels) of one to four octaves, smooth or blocky."""
    canvas = np.zeros((side, side, channels), np.float32)
    for octave in rng.choice((2, 4, 8, 16, 32, 64, 128), size=rng.integers(1, 5), replace=False):
        shape = (octave, octave * rng.integers(1, 3), channels)
        noise = rng.standard_normal(shape).astype(np.float32)
        enlarge = (cv2.INTER_NEAREST, cv2.INTER_CUBIC)[rng.integers(2)]
        enlarged = cv2.resize(noise, (side, side), interpolation=enlarge)
        canvas += enlarged.reshape(canvas.shape) * rng.uniform(0.2, 1)
    return canvas


def _warped_grid(side: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return row and column coordinates, about 0..1, distorted and folded into zigzags."""
    rows, columns = (axis.astype(np.float32) / side for axis in np.mgrid[:side, :side])
    if rng.random() < 0.3:
        folds = rng.uniform(2, 12)
        rows = rows + np.abs((columns * folds) % 2 - 1) / folds * rng.uniform(0.5, 1.5)
    if rng.random() < 0.5:
        bend = _noise(side, 2, rng) * rng.uniform(0, 0.05)
        rows, columns = rows + bend[..., 0], columns + bend[..., 1]
    return rows, columns


def _posterize(levels: Floats, rng: np.random.Generator) -> Frame:
    """Return `levels` (h, w) quantized to a few random colors, RGB uint8 (h, w, 3)."""
    count = int(rng.integers(2, 9))
    ranks = np.quantile(levels, np.sort(rng.random(count - 1)))
    palette = rng.integers(0, 256, (count, 3)).astype(np.uint8)
    return np.asarray(palette[np.searchsorted(ranks, levels)], np.uint8)


def _cells(rows: Floats, columns: Floats, rng: np.random.Generator) -> Frame:
    """Return bricks with joints between them on a distorted grid, RGB uint8 (h, w, 3)."""
    across, down = rng.uniform(3, 20, 2)
    row = np.floor(rows * down)
    column = np.floor(columns * across + row * rng.choice((0, 0.5)))
    keys = (row * 131 + column * 37).astype(np.int64) % 64
    palette = rng.normal(rng.uniform(30, 225, 3), rng.uniform(5, 90), (64, 3))
    joint = np.minimum(rows * down % 1, (columns * across + row * 0.5) % 1) < rng.uniform(0, 0.25)
    picture = np.where(joint[..., None], rng.uniform(0, 255, 3), palette[keys])
    return np.asarray(np.clip(picture + rng.normal(0, 12, picture.shape), 0, 255), np.uint8)


def content_batch(
    pictures: Sequence[Frame], count: int, side: int, rng: np.random.Generator
) -> Floats:
    """Return random crops (count, side, side, 3), 0..1: photos, some recolored, some procedural."""
    batch = []
    for _ in range(count):
        kind = rng.random()
        if kind < 0.08:
            crop = procedural(side, rng)
        else:
            crop = random_crop(pick(pictures, rng), side, rng)
            crop = jitter(crop, rng, 0.5) if kind < 0.35 else crop
        batch.append(crop)
    return to_unit(np.stack(batch))
