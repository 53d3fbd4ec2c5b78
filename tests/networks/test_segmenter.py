"""The person segmenter: one description, the same masks on both backends."""

import numpy as np

from nst_video import weights
from nst_video.networks.checkpoints import assign, load_npz
from nst_video.networks.segmenter import SIZE, open_segmenter, segmenter_shapes
from nst_video.networks.segmenter_keras import build_segmenter


def test_openvino_and_keras_find_the_same_mask():
    path = weights.resolve("builtin")["segmenter"]
    network = build_segmenter()
    assign(network, load_npz(path, segmenter_shapes(), "the person segmenter"))
    coarse = np.random.default_rng(3).integers(0, 256, (9, 16, 3), np.uint8)
    picture = coarse.repeat(16, 0).repeat(16, 1)
    logits = np.asarray(network(picture[None] / np.float32(255)))[0]
    found = open_segmenter(path)(picture)
    assert found.shape == SIZE[::-1]
    assert found.std() > 0.001
    assert np.abs(found - 1 / (1 + np.exp(-logits))).max() < 1e-3


def test_the_packaged_network_is_small():
    assert weights.resolve("builtin")["segmenter"].stat().st_size <= 500_000
