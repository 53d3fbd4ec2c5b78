"""OpenCV's threads: one on few cores, and as before afterwards."""

import os

import cv2
import pytest

from nst_video.system.opencv_threads import one_opencv_thread_on_few_cores


@pytest.mark.parametrize(("cores", "expected"), [(2, 1), (4, 1), (16, 2)])
def test_opencv_has_one_thread_on_few_cores_only_meanwhile(
    monkeypatch: pytest.MonkeyPatch, cores: int, expected: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        with one_opencv_thread_on_few_cores():
            assert cv2.getNumThreads() == expected
        assert cv2.getNumThreads() == 2
        with pytest.raises(ValueError, match="x"), one_opencv_thread_on_few_cores():
            raise ValueError("x")
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)
