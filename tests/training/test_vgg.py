"""VGG-19 features and Gram distances."""

import cv2
import numpy as np
import pytest
from keras import ops
from training_samples import vgg_path

from nst_video.errors import UsageError
from nst_video.image.resize import center_square
from nst_video.networks.builtin import LOSS_LAYERS
from nst_video.optimization.losses import gram_distance
from nst_video.training import (
    dataset,
)
from nst_video.training.vgg import Vgg


class TestVgg:
    def test_features_are_positive_and_about_one(self, assets):
        photo = cv2.imread(str(assets / "photos" / "tubingen.jpg"), cv2.IMREAD_COLOR_RGB)
        features = Vgg(vgg_path(assets))(dataset.to_unit(center_square(photo, 128))[None])
        assert list(features) == list(LOSS_LAYERS)
        assert [feature.shape[1:3] for feature in features.values()] == [
            (128, 128),
            (64, 64),
            (32, 32),
            (16, 16),
        ]
        means = [float(ops.mean(feature)) for feature in features.values()]
        assert all(0.2 < mean < 2.5 for mean in means)  # "normalised": about 1, pooled by maximum

    def test_an_unknown_layer_is_refused(self, assets):
        with pytest.raises(UsageError, match="block9"):
            Vgg(vgg_path(assets), ["block9"])(np.zeros((1, 32, 32, 3), np.float32))

    def test_gram_distance_is_zero_only_for_the_same_statistics(self):
        rng = np.random.default_rng(0)
        one, other = (
            {name: rng.random((1, 8, 8, 4), np.float32) for name in LOSS_LAYERS} for _ in "ab"
        )
        mirrored = {name: feature[:, ::-1] for name, feature in one.items()}
        assert float(gram_distance(mirrored, one)[0]) < 1e-9
        assert float(gram_distance(other, one)[0]) > 1e-4
