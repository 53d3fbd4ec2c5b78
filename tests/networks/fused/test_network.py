"""The fused transformer against the plain one, in float32 and through OpenVINO."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tiny_network import random_arrays

from nst_video.engines import OpenVinoEngine
from nst_video.frames import Floats
from nst_video.networks import checkpoints
from nst_video.networks.config import TransformerConfig
from nst_video.networks.fused import convolutions, keras_backend

few_examples = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)

# With fewer channels a layer can be all zeros behind its ReLU: the next norm then divides rounding
# errors by their own deviation, and no two ways of computing agree.
configs = st.builds(
    TransformerConfig,
    widths=st.tuples(st.integers(3, 9), st.integers(3, 17), st.integers(3, 20)),
    residual_blocks=st.integers(1, 2),
    bottleneck=st.just(3),
)
sides = st.integers(8, 45)


def random_style(config: TransformerConfig, n: int, seed: int) -> Floats:
    return np.random.default_rng(seed).normal(0, 1.5, (n, config.style_size)).astype(np.float32)


def random_frames(shape: tuple[int, ...], seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)


def paint_plain(
    config: TransformerConfig, arrays: checkpoints.Arrays, content: Floats, style: Floats
) -> Floats:
    return np.asarray(checkpoints.load_transformer(config, arrays)(content, style))


@few_examples
@given(
    config=configs,
    height=sides,
    width=sides,
    n=st.integers(1, 2),
    own_style=st.booleans(),
    seed=st.integers(0, 99),
)
def test_fused_transformer_equals_the_plain_one(
    config: TransformerConfig, height: int, width: int, n: int, own_style: bool, seed: int
) -> None:
    arrays = random_arrays(config, seed)
    style = random_style(config, n if own_style else 1, seed)
    content = random_frames((n, height, width), seed).astype(np.float32) / 255
    expected = paint_plain(config, arrays, content, style)
    painted = keras_backend.paint(
        config, convolutions.fuse_transformer(config, arrays), content, style
    )
    np.testing.assert_allclose(np.asarray(painted), expected, atol=1e-4, rtol=0)


def test_decoding_what_is_encoded_paints_the_picture() -> None:
    config = TransformerConfig((4, 6, 8), 2, bottleneck=3)
    arrays, style = random_arrays(config, 0), random_style(config, 2, 0)
    folded = convolutions.fuse_transformer(config, arrays)
    content = random_frames((2, 32, 24), 0).astype(np.float32) / 255
    painted = keras_backend.decode(config, folded, keras_backend.encode(folded, content), style)
    expected = keras_backend.paint(config, folded, content, style)
    np.testing.assert_array_equal(np.asarray(painted), np.asarray(expected))


@few_examples
@given(config=configs, height=sides, width=sides, seed=st.integers(0, 99))
def test_openvino_equals_the_plain_transformer(
    config: TransformerConfig, height: int, width: int, seed: int
) -> None:
    arrays, style = random_arrays(config, seed), random_style(config, 1, seed)
    frames = random_frames((1, height, width), seed)
    expected = paint_plain(config, arrays, frames.astype(np.float32) / 255, style) * 255
    painted = OpenVinoEngine(config, arrays)(frames, style)
    # Rounding to uint8 is half a level, 1e-4 of 255 the network's own rounding.
    assert np.abs(painted - expected).max() <= 0.5 + 255e-4


def convolve(picture: Floats, kernel: Floats, stride: int = 1) -> Floats:
    """The definition of a convolution without padding, (h, w, c) to (h', w', c')."""
    rows, columns = kernel.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(picture, (rows, columns), (0, 1))
    return np.einsum("yxcuv,uvco->yxo", windows[::stride, ::stride], kernel)


def to_blocks(picture: Floats) -> Floats:
    height, width, channels = picture.shape
    blocks = picture.reshape(height // 2, 2, width // 2, 2, channels).transpose(0, 2, 1, 3, 4)
    return blocks.reshape(height // 2, width // 2, 4 * channels)


@pytest.fixture
def kernel() -> Floats:
    return np.random.default_rng(1).normal(size=(3, 3, 2, 5)).astype(np.float32)


@pytest.fixture
def picture() -> Floats:
    return np.random.default_rng(2).normal(size=(12, 16, 2)).astype(np.float32)


def test_block_plan_convolves_blocks(kernel: Floats, picture: Floats) -> None:
    expected = to_blocks(convolve(picture, kernel))
    arranged = convolutions.rearrange(
        kernel, convolutions.block_taps(3), convolutions.block_taps(3)
    )
    np.testing.assert_allclose(
        convolve(to_blocks(picture), arranged)[: len(expected), : expected.shape[1]],
        expected,
        atol=1e-5,
    )


def test_stride_plan_halves_blocks(kernel: Floats, picture: Floats) -> None:
    tap_map = convolutions.strided_taps()
    padded = np.pad(picture, ((2, 0), (2, 0), (0, 0)))
    expected = convolve(np.pad(picture, ((1, 0), (1, 0), (0, 0))), kernel, 2)
    np.testing.assert_allclose(
        convolve(to_blocks(padded), convolutions.rearrange(kernel, tap_map, tap_map)),
        expected,
        atol=1e-5,
    )


def test_doubled_plan_convolves_the_enlarged_picture(kernel: Floats, picture: Floats) -> None:
    tap_map = convolutions.upsampled_taps()
    enlarged = picture.repeat(2, 0).repeat(2, 1)
    # Pixel 2i-1 of the enlarged picture's convolution is the first row of shifted block i.
    expected = to_blocks(convolve(enlarged, kernel)[: 2 * 11, : 2 * 15])
    np.testing.assert_allclose(
        convolve(picture, convolutions.rearrange(kernel, tap_map, tap_map)), expected, atol=1e-5
    )
