"""Enlarging a painting with the content's fine structure."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from nst_video.image.detail import restore_detail, restore_luma


@pytest.fixture
def photo(assets: Path) -> NDArray[np.uint8]:
    return cv2.imread(str(assets / "photos" / "tubingen.jpg"), cv2.IMREAD_COLOR_RGB)


def shrink(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cv2.resize(frame, (512, 384), interpolation=cv2.INTER_AREA)


def error(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(np.square(a.astype(float) - b).mean())


def test_restore_detail_of_an_untouched_picture_is_near_the_full_picture(
    photo: NDArray[np.uint8],
) -> None:
    small = shrink(photo)
    plain = cv2.resize(small, photo.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    assert error(restore_detail(small, photo, small), photo) < 0.35 * error(plain, photo)


def test_restore_detail_inverts_the_detail_of_an_inverted_painting(
    photo: NDArray[np.uint8],
) -> None:
    small = shrink(photo)
    restored = restore_detail(255 - small, photo, small)
    plain = cv2.resize(255 - small, photo.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    assert error(restored, 255 - photo) < 0.35 * error(plain, 255 - photo)


def test_lettering_of_the_content_does_not_float_over_a_painting_enlarged_much() -> None:
    content = np.full((540, 960, 3), 40, np.uint8)
    cv2.putText(content, "lettering", (200, 300), cv2.FONT_HERSHEY_SIMPLEX, 2, (255,) * 3, 3)
    for width, most in ((240, 16), (480, 64)):
        size = (width, width * 540 // 960)
        small = cv2.resize(content, size, interpolation=cv2.INTER_AREA)
        plain = cv2.resize(small, (960, 540), interpolation=cv2.INTER_CUBIC)
        assert 8 < np.abs(restore_detail(small, content, small).astype(int) - plain).max() <= most


def test_restore_detail_leaves_flat_paint_flat(photo: NDArray[np.uint8]) -> None:
    small = shrink(photo)
    flat = np.full_like(small, 90)
    assert np.abs(restore_detail(flat, photo, small).astype(int) - 90).max() == 0


def test_restore_detail_adds_no_noise_of_a_flat_content_to_brushwork() -> None:
    rng = np.random.default_rng(0)
    content = np.clip(rng.normal(128, 2, (192, 256, 3)), 0, 255).astype(np.uint8)
    small = cv2.resize(content, (64, 48), interpolation=cv2.INTER_AREA)
    painted = rng.integers(0, 256, (48, 64, 3), np.uint8)
    plain = cv2.resize(painted, (256, 192), interpolation=cv2.INTER_CUBIC)
    assert error(restore_detail(painted, content, small), plain) < 6


def test_restore_luma_is_the_brightness_of_restore_detail(photo: NDArray[np.uint8]) -> None:
    small = shrink(photo)
    painted = 255 - small
    gray = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (painted, photo, small)]
    expected = cv2.cvtColor(restore_detail(painted, photo, small), cv2.COLOR_RGB2GRAY)
    assert error(restore_luma(*gray), expected) < 1
