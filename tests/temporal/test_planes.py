"""Frames taken apart into planes, and put together again."""

import numpy as np
import pytest

from nst_video.temporal.planes import YUV420


@pytest.mark.parametrize(("width", "height"), [(160, 90), (64, 48), (2, 2), (6, 10)])
def test_planes_of_yuv_give_the_same_frame(width: int, height: int) -> None:
    yuv = np.random.default_rng(0).integers(0, 256, (height * 3 // 2, width), np.uint8)
    luma, red, blue = YUV420.split(yuv)
    assert (luma.shape, red.shape, blue.shape) == (
        (height, width), (height // 2, width // 2), (height // 2, width // 2)
    )  # fmt: skip
    np.testing.assert_array_equal(YUV420.join((luma, red, blue)), yuv)
