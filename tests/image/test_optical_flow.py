"""Optical flow: moving pictures along it, and telling where it holds."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from nst_video.frames import Luma
from nst_video.image.dis_flow import DisFlow
from nst_video.image.optical_flow import compose, reliability, resize_flow, warp

Array = NDArray[np.float32]
PAIRS = [(first, first + 1) for first in range(1, 5)]


def shift(right: float, down: float, shape: tuple[int, int] = (24, 32)) -> Array:
    return np.broadcast_to(np.float32((right, down)), (*shape, 2)).copy()


def random_picture(seed: int = 0) -> Array:
    return np.random.default_rng(seed).random((24, 32, 3), np.float32)


def read_flow(path: Path) -> Array:
    """Read a flow in the Middlebury format."""
    data = path.read_bytes()
    width, height = np.frombuffer(data, np.int32, 2, 4)
    return np.frombuffer(data, np.float32, -1, 12).reshape(height, width, 2)


def overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("is_sharp", [False, True])
def test_warp_by_zero_flow_is_the_identity(is_sharp: bool):
    picture = random_picture()
    np.testing.assert_array_equal(warp(picture, shift(0, 0), is_sharp=is_sharp), picture)


@pytest.mark.parametrize("is_sharp", [False, True])
def test_warp_by_an_integer_shift_equals_roll(is_sharp: bool):
    picture = random_picture()
    moved = warp(picture, shift(3, -2), is_sharp=is_sharp)
    rolled = np.roll(picture, (2, -3), (0, 1))
    np.testing.assert_allclose(moved[2:, :-3], rolled[2:, :-3], atol=1e-6)
    np.testing.assert_array_equal(warp(picture, shift(100, 0))[:, 0], picture[:, -1])


def test_warp_keeps_fine_structure_when_sharp():
    picture = random_picture()
    plain, sharp = (warp(picture, shift(0.5, 0.5), is_sharp=each).var() for each in (False, True))
    assert plain < 0.5 * picture.var()
    assert sharp > 1.5 * plain


def test_compose_adds_up_what_two_flows_do():
    there = compose(shift(2, 1), shift(3, -4))
    np.testing.assert_allclose(there, shift(5, -3))
    picture = random_picture()
    twice = warp(warp(picture, shift(3, 0)), shift(2, 0))
    np.testing.assert_allclose(warp(picture, compose(shift(2, 0), shift(3, 0))), twice, atol=1e-6)


def read_photo(assets: Path, size: tuple[int, int]) -> Luma:
    photo = cv2.imread(str(assets / "photos" / "tubingen.jpg"), cv2.IMREAD_GRAYSCALE)
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA))


def test_dis_flow_finds_a_shift(assets: Path):
    photo = read_photo(assets, (256, 192))
    found = DisFlow()(photo[20:170, 20:230], photo[18:168, 15:225])
    np.testing.assert_allclose(np.median(found, axis=(0, 1)), (5, 2), atol=0.05)


def test_dis_flow_goes_far_from_a_guess(assets: Path):
    photo = read_photo(assets, (512, 384))
    a, b = photo[100:260, 200:400], photo[100:260, 90:290]
    guessed = DisFlow()(a, b, shift(108, 1, (160, 200)))
    np.testing.assert_allclose(np.median(guessed[:, :80], axis=(0, 1)), (110, 0), atol=0.1)


def test_resized_flow_is_in_pixels_of_the_new_size():
    resized = resize_flow(shift(3, -2), (64, 72))
    np.testing.assert_allclose(resized, shift(6, -6, (72, 64)), atol=1e-6)


@pytest.mark.parametrize("size", [(3, 5), (15, 40), (17, 33)])
def test_dis_flow_takes_tiny_pictures(size: tuple[int, int]):
    frame = np.zeros(size, np.uint8)
    assert np.abs(DisFlow()(frame, frame)).max() == 0


def test_reliability_ends_where_the_flow_leaves_the_picture():
    trust = reliability(shift(4, 0), shift(-4, 0))
    assert trust[:, :-4].min() == 1
    assert trust[:, -3:].max() == 0


def test_reliability_ends_where_the_way_back_leads_elsewhere():
    back = shift(-4, 0)
    back[8:16, 8:16] = (2, 0)
    trust = reliability(shift(4, 0), back)
    assert trust[8:16, 4:12].max() == 0
    assert trust[:6, :-4].min() == 1


def test_reliability_agrees_with_the_masks_of_real_video(assets: Path):
    for a, b in PAIRS:
        forward = read_flow(assets / "flow" / f"forward_{a}_{b}.flo")
        backward = read_flow(assets / "flow" / f"backward_{b}_{a}.flo")
        for there, back, name in ((forward, backward, f"{a}_{b}"), (backward, forward, f"{b}_{a}")):
            mask = cv2.imread(str(assets / "flow" / f"reliable_{name}.pgm"), 0) > 127
            trust = reliability(there, back) > 0
            assert overlap(trust, mask) > 0.995
            assert overlap(~trust, ~mask) > 0.9


def test_dis_flow_comes_near_that_of_real_video(assets: Path):
    frames = [
        cv2.imread(str(assets / "flow" / f"marple8_0{number}.ppm"), cv2.IMREAD_GRAYSCALE)
        for number in range(1, 4)
    ]
    search = DisFlow()
    for (a, b), (old, new) in zip(PAIRS, pairwise(frames), strict=False):
        given = read_flow(assets / "flow" / f"backward_{b}_{a}.flo")
        mask = cv2.imread(str(assets / "flow" / f"reliable_{b}_{a}.pgm"), 0) > 127
        assert np.linalg.norm(search(new, old) - given, axis=-1)[mask].mean() < 0.2
