"""The person segmenter: one description, the same masks on both backends."""

import cv2
import numpy as np

from nst_video import weights
from nst_video.networks.checkpoints import assign, load_npz
from nst_video.networks.segmenter import SIZE, open_segmenter, segmenter_shapes
from nst_video.networks.segmenter_keras import build_segmenter


def figure():
    """Something like a person: a head on shoulders, before a wall."""
    picture = np.full((SIZE[1], SIZE[0], 3), (170, 180, 175), np.uint8)
    cv2.ellipse(picture, (110, 150), (70, 70), 0, 0, 360, (40, 50, 90), -1)
    cv2.ellipse(picture, (110, 60), (24, 32), 0, 0, 360, (215, 170, 145), -1)
    cv2.ellipse(picture, (110, 42), (27, 20), 0, 180, 360, (50, 35, 30), -1)
    return picture


def test_openvino_and_keras_find_the_same_mask():
    path = weights.resolve("builtin")["segmenter"]
    network = build_segmenter()
    assign(network, load_npz(path, segmenter_shapes(), "the person segmenter"))
    picture = figure()
    both = np.stack([picture, picture[:, ::-1]]) / np.float32(255)
    expected, mirrored = 1 / (1 + np.exp(-np.asarray(network(both))))
    found = open_segmenter(path, is_mirrored=False)(picture)
    assert found.shape == SIZE[::-1]
    assert found.std() > 0.01
    assert np.abs(found - expected).max() < 1e-3
    twice = open_segmenter(path, is_mirrored=True)(picture)
    assert np.abs(twice - (expected + mirrored[:, ::-1]) / 2).mean() < 0.02  # bfloat16


def test_the_packaged_network_is_small():
    assert weights.resolve("builtin")["segmenter"].stat().st_size <= 500_000
