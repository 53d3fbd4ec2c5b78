"""Evaluation of a student against its teacher."""

import cv2
import numpy as np
import pytest
from training_samples import pictures, tiny, vgg_path

from nst_video.training import (
    evaluate,
)

pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture(autouse=True)
def _small_pictures(monkeypatch):
    monkeypatch.setattr(evaluate, "SIDE", 64)


class TestEvaluate:
    def test_a_teacher_is_as_good_as_itself(self, assets):
        paint = evaluate.painter(tiny(0))

        def predict(picture):
            return np.resize(picture.mean(axis=(0, 1)) / 255, 5).astype(np.float32)

        report = evaluate.evaluate(
            paint, paint, (predict, predict), (pictures(1), pictures(2, 1)), vgg_path(assets)
        )
        assert report.psnr > 100
        assert report.own_psnr > 100
        assert (report.ssim, report.cosine) == (pytest.approx(1, abs=1e-5),) * 2
        assert (report.noise, report.pan, report.gram) == (pytest.approx(1, abs=1e-4),) * 3
        assert "psnr" in str(report)

    def test_blur_is_steadier_and_less_alike(self):
        def sharp(content, _style):
            return content

        def blurred(content, _style):
            return cv2.GaussianBlur(content[0], (0, 0), 1.5)[None]

        def predict(picture):
            return picture.mean(axis=(0, 1))

        report = evaluate.evaluate(
            sharp, blurred, (predict, predict), (pictures(1), pictures(2, 1))
        )
        assert report.noise < 0.3
        assert report.pan < 0.9
        assert report.psnr < 40
        assert report.ssim < 0.99
        assert np.isnan(report.gram)

    def test_the_worst_tenth_is_what_it_says(self):
        assert evaluate.worst_tenth(list(range(20, 0, -1))) == 1.5
        assert evaluate.worst_tenth([3.0, 2.0]) == 2

    def test_psnr_is_decibels(self):
        zeros = np.zeros((4, 4, 3), np.float32)
        assert evaluate.psnr(zeros, zeros + 0.1) == pytest.approx(20, abs=1e-4)
