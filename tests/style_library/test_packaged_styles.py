"""The packaged style pictures: complete, small, rich, unlike each other, and repaintable."""

import itertools
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from repository import REPO

FOLDER = REPO / "styles"
TABLE = tomllib.loads((FOLDER / "styles.toml").read_text(encoding="utf-8"))
SIZE = 768
LIMIT_BYTES = 5_500_000
CHEAP = ("kilim", "mosaic", "wave")


def read(path: Path) -> np.ndarray:
    """Read a picture as RGB uint8 (height, width, 3)."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert picture is not None, path
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def palette_of(picture: np.ndarray) -> np.ndarray:
    """Share of the picture in each of 8 x 8 x 8 smoothed boxes of Lab color; sums to 1."""
    small = cv2.resize(picture, (192, 192), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).reshape(-1, 3)
    ranges = ((0, 100), (-80, 80), (-80, 80))
    histogram, _ = np.histogramdd(lab, bins=8, range=ranges)
    for axis in range(3):
        rolled = np.roll(histogram, 1, axis) + np.roll(histogram, -1, axis)
        histogram = 0.5 * histogram + 0.25 * rolled
    return histogram / histogram.sum()


def structure_of(picture: np.ndarray) -> np.ndarray:
    """Log energy of brightness edges: 5 stroke sizes x 4 directions."""
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    energies = []
    for _ in range(5):
        gray = cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        dx = cv2.Sobel(gray, cv2.CV_32F, 1, 0)
        dy = cv2.Sobel(gray, cv2.CV_32F, 0, 1)
        sector = np.floor((np.arctan2(dy, dx) / np.pi * 4 + 0.5) % 4).astype(int)
        power = (dx * dx + dy * dy).ravel()
        energies.append(np.bincount(sector.ravel(), power, 4) / power.size)
    return np.log(np.concatenate(energies) + 1e-6)


class Look(NamedTuple):
    """Palette and structure of a picture."""

    palette: np.ndarray
    structure: np.ndarray


def look_of(picture: np.ndarray) -> Look:
    return Look(palette_of(picture), structure_of(picture))


def difference(first: Look, second: Look) -> float:
    """How unlike two pictures look: 0 the same; palette counts up to 1, structure adds."""
    palette = 1 - np.minimum(first.palette, second.palette).sum()
    structure = np.abs(first.structure - second.structure).mean()
    return float(palette + 0.5 * structure)


@pytest.fixture(scope="module")
def pictures() -> dict[str, np.ndarray]:
    return {name: read(FOLDER / entry["file"]) for name, entry in TABLE.items()}


def test_table_and_folder_list_the_same_pictures():
    assert sorted(entry["file"] for entry in TABLE.values()) == sorted(
        path.name for path in FOLDER.glob("*.jpg")
    )
    assert len(TABLE) >= 16
    assert "wave" in TABLE


def test_every_style_says_what_it_is_and_is_free_to_use():
    for name, entry in TABLE.items():
        assert set(entry) == {"title", "description", "license", "file"}, name
        assert entry["license"] == "CC0-1.0", name
        assert entry["title"].strip(), name
        assert entry["description"].endswith("."), name
        assert name == name.lower(), name
        assert entry["file"] == f"{name}.jpg", name
    titles = [entry["title"] for entry in TABLE.values()]
    assert len(set(titles)) == len(titles)


def test_pictures_are_square_and_small_enough_to_ship(pictures: dict[str, np.ndarray]):
    for name, picture in pictures.items():
        assert picture.shape == (SIZE, SIZE, 3), name
    total = sum((FOLDER / entry["file"]).stat().st_size for entry in TABLE.values())
    assert total <= LIMIT_BYTES


def test_pictures_are_rich_all_over(pictures: dict[str, np.ndarray]):
    for name, picture in pictures.items():
        gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
        low, high = np.percentile(gray, (2, 98))
        assert high - low > 0.4, f"{name} is flat"
        blocks = gray.reshape(8, SIZE // 8, 8, SIZE // 8).std(axis=(1, 3))
        assert (blocks > 0.03).mean() > 0.9, f"{name} has empty areas"


def test_no_two_pictures_look_alike(pictures: dict[str, np.ndarray]):
    looks = {name: look_of(picture) for name, picture in pictures.items()}
    distances = {
        (a, b): difference(looks[a], looks[b]) for a, b in itertools.combinations(looks, 2)
    }
    closest = min(distances, key=distances.__getitem__)
    assert distances[closest] > 0.45, closest


def test_measure_of_difference_sees_through_a_mere_copy(pictures: dict[str, np.ndarray]):
    for name in ("wave", "starfield", "woodcut"):
        picture = pictures[name]
        brighter = cv2.convertScaleAbs(picture, alpha=1.03, beta=3)
        softer = cv2.GaussianBlur(brighter, (0, 0), 0.7)
        assert difference(look_of(picture), look_of(softer)) < 0.3, name


def test_repainting_gives_the_committed_pictures(tmp_path: Path):
    command = [
        sys.executable,
        str(REPO / "tools" / "styles" / "paint.py"),
        "--out",
        str(tmp_path),
        *CHEAP,
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    for name in CHEAP:
        again, kept = read(tmp_path / f"{name}.jpg"), read(FOLDER / f"{name}.jpg")
        off = np.abs(again.astype(np.float32) - kept)
        # Another processor may round differently; another seed or painter is off by 10 and more.
        assert off.mean() < 0.5, f"{name}: commit what `python tools/styles/paint.py {name}` paints"


def test_unknown_painter_is_refused_with_the_names_of_the_table(tmp_path: Path):
    command = [
        sys.executable,
        str(REPO / "tools" / "styles" / "paint.py"),
        "--out",
        str(tmp_path),
        "wvae",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "no painter of wvae" in done.stderr
    known = done.stderr.split("known: ")[1].strip().split(", ")
    assert known == list(TABLE)
    assert not list(tmp_path.iterdir())
