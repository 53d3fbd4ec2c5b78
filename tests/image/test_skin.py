"""Faces in paintings: structure comes back where there is skin, and nowhere else."""

import numpy as np
import pytest
from numpy.typing import NDArray

from nst_video.finishing import restore_faces, restore_faces_yuv
from nst_video.image.yuv420 import rgb_to_yuv

SKINS = [(233, 190, 165), (198, 134, 102), (141, 85, 60), (92, 56, 40)]
OTHERS = [(128, 128, 128), (60, 110, 200), (70, 130, 60), (250, 250, 250), (200, 30, 180)]


def face(color: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Return a frame (1, 120, 160, 3) of one color with dark "eyes" on it."""
    frame = np.full((1, 120, 160, 3), color, np.uint8)
    frame[:, 50:56, 60:68] //= 2
    frame[:, 50:56, 92:100] //= 2
    return frame


def painted() -> NDArray[np.uint8]:
    """Return a painting, bluish with coarse strokes, without any eyes."""
    noise = np.random.default_rng(0).integers(0, 60, (1, 15, 20, 1))
    coarse = np.repeat(np.repeat(noise, 8, 1), 8, 2)
    return (coarse + np.array([90, 120, 160])).astype(np.uint8)


def eyes_in(frame: NDArray[np.uint8]) -> float:
    """Return how much darker the eyes are than what is between and above them."""
    gray = frame.mean(axis=-1)[0]
    around = gray[40:66, 54:106].mean()
    return float(around - (gray[50:56, 60:68].mean() + gray[50:56, 92:100].mean()) / 2)


@pytest.mark.parametrize("color", SKINS)
def test_eyes_come_back_in_skin_of_all_tones(color: tuple[int, int, int]) -> None:
    before = painted()
    levels = [eyes_in(restore_faces(before, face(color), amount)) for amount in (0, 0.5, 1)]
    assert levels[0] == eyes_in(before)
    assert levels[1] > levels[0] + 4
    assert levels[2] > levels[1] + 4


@pytest.mark.parametrize("color", OTHERS)
def test_what_is_no_skin_stays_as_it_was_painted(color: tuple[int, int, int]) -> None:
    before = painted()
    after = restore_faces(before, face(color), 1)
    np.testing.assert_array_equal(after, before)


def test_420_frames_are_restored_as_rgb_frames_are() -> None:
    before, content = painted(), face(SKINS[0])
    expected = rgb_to_yuv(restore_faces(before, content, 1))[0, :120].astype(int)
    before, content = rgb_to_yuv(before), rgb_to_yuv(content)
    restored = restore_faces_yuv(before, content, 1)
    assert np.abs(restored[0, :120] - expected).mean() < 2
    np.testing.assert_array_equal(restored[:, 120:], before[:, 120:])
    assert restore_faces_yuv(before, content, 0) is before
