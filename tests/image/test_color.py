"""Color arithmetic on whole frames."""

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.image.color import cross_fade, keep_colors


def random_frame(seed: int, low: int = 0, high: int = 256) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(low, high, (24, 32, 3), np.uint8)


def test_keep_colors_joins_the_painting_s_luminance_with_the_content_s_chrominance() -> None:
    painted, content = random_frame(1, 90, 170), random_frame(2, 90, 170)
    result = cv2.cvtColor(keep_colors(painted, content), cv2.COLOR_RGB2YCrCb).astype(int)
    luminance = cv2.cvtColor(painted, cv2.COLOR_RGB2YCrCb)[..., 0]
    chrominance = cv2.cvtColor(content, cv2.COLOR_RGB2YCrCb)[..., 1:]
    assert np.abs(result[..., 0] - luminance).max() <= 2
    assert np.abs(result[..., 1:] - chrominance).max() <= 2


def test_keep_colors_of_a_frame_with_itself_is_the_frame() -> None:
    frame = random_frame(3)
    assert np.abs(keep_colors(frame, frame).astype(int) - frame).max() <= 2


def test_cross_fade_is_exact_at_both_ends_and_halfway_between() -> None:
    content, painted = random_frame(4), random_frame(5)
    np.testing.assert_array_equal(cross_fade(content, painted, 0), content)
    np.testing.assert_array_equal(cross_fade(content, painted, 1), painted)
    middle = (content.astype(float) + painted) / 2
    assert np.abs(cross_fade(content, painted, 0.5) - middle).max() <= 0.5
