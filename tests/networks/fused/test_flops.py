"""The work of a frame: counted by hand, and in the graph that really runs."""

import numpy as np
import pytest

from nst_video.engines.openvino.backend import build_model
from nst_video.networks import checkpoints
from nst_video.networks.config import TRANSFORMERS
from nst_video.networks.fused.convolutions import fuse_transformer
from nst_video.networks.fused.flops import count_fused, count_original, gflop
from nst_video.networks.transformer import StyleTransformer

LITE = TRANSFORMERS["magenta-lite"]


@pytest.fixture(scope="module")
def arrays() -> checkpoints.Arrays:
    return checkpoints.collect(StyleTransformer(LITE))


def test_plain_layers_count_as_by_hand(arrays: checkpoints.Arrays) -> None:
    counts = count_original(arrays, (384, 384))
    assert counts["contract1"] == 384 * 384 * 9 * 9 * 3 * 8
    assert counts["contract3"] == 96 * 96 * 3 * 3 * 16 * 32
    assert counts["residual5_conv2"] == 96 * 96 * 3 * 3 * 32 * 32
    assert counts["expand1"] == 192 * 192 * 3 * 3 * 32 * 16
    assert len(counts) == 3 + 2 * 5 + 3


def test_rewritten_layers_count_as_by_hand(arrays: checkpoints.Arrays) -> None:
    plain = count_original(arrays, (384, 384))
    counts = count_fused(fuse_transformer(LITE, arrays), (384, 384))
    # 5 column blocks of 2 pixels instead of 9 pixels, 2 pixels at once.
    assert counts["contract1"] == 384 * 192 * (9 * 5) * (3 * 2) * (8 * 2)
    assert counts["residual5_conv2"] == plain["residual5_conv2"]
    # Four phases of 2x2 taps at low resolution, and one more block each way.
    assert counts["expand1"] == 97 * 97 * (2 * 2) * 32 * (16 * 4)
    assert counts.keys() == plain.keys()


@pytest.mark.parametrize("size", [(64, 48), (37, 22)])
def test_count_equals_what_the_graph_convolves(
    arrays: checkpoints.Arrays, size: tuple[int, int]
) -> None:
    convolutions = fuse_transformer(LITE, arrays)
    in_graph = [
        int(np.prod(node.get_output_shape(0)) * np.prod(node.get_input_shape(1)[1:]))
        for node in build_model(LITE, convolutions, size).get_ordered_ops()
        if node.get_type_name() == "Convolution"
    ]
    assert sorted(count_fused(convolutions, size).values()) == sorted(in_graph)


def test_gflop_is_two_operations_for_each_multiplication() -> None:
    assert gflop({"one": 10**9, "another": 5 * 10**8}) == pytest.approx(3)
