"""Two styles in one frame: every engine against a plain network, and at its limits."""

from functools import cache

import numpy as np
import pytest
from keras import ops
from tiny_network import CONFIG, random_arrays, random_style

from nst_video.engines import (
    ENGINES,
    OpenVinoEngine,
    SecondStyle,
    TensorFlowEngine,
    TilingEngine,
    open_engine,
    unavailable_reason,
)
from nst_video.engines.tiles import paint_in_tiles
from nst_video.image.yuv420 import OUTPUT_COLORS, rgb_to_yuv, yuv_to_rgb
from nst_video.networks import checkpoints
from nst_video.networks.config import NORM_EPSILON
from nst_video.networks.fused import keras_backend
from nst_video.networks.fused.convolutions import fuse_transformer
from nst_video.networks.fused.keras_tiles import KerasTiles
from nst_video.networks.fused.regions import REGIONS, SMALL, region_maps
from nst_video.networks.transformer import double, pad_to_stride, reflect

WIDTH, HEIGHT = 72, 58
ARRAYS = random_arrays(CONFIG, 3)
STYLES = random_style(2, 4)
PRESENT = sorted(name for name in ENGINES if unavailable_reason(name) is None)
PAINTING = sorted({*PRESENT} - {"identity"})


def content(n=1):
    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 256, (n, 10, 12, 3), np.uint8)
    return np.ascontiguousarray(coarse.repeat(6, 1).repeat(6, 2)[:, :HEIGHT, :WIDTH])


def soft_masks(n=1, radius=18.0):
    """A soft disk that moves from frame to frame."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    distances = [np.hypot(rows - 30, columns - 30 - 8 * index) for index in range(n)]
    return np.stack([(255 * np.clip((radius - d) / 6 + 0.5, 0, 1)).astype("u1") for d in distances])


def paint_plainly(frame, mask):
    """Paint a frame of 0..1 by the network as it is written down, without any rewriting."""
    network = checkpoints.load_transformer(CONFIG, ARRAYS)
    norms = [network._norms(ops.convert_to_tensor(style[None])) for style in STYLES]
    pairs = zip(*norms, strict=True)
    share = pad_to_stride(ops.convert_to_tensor(mask[None, ..., None].astype("f4") / 255))

    def norm(x):
        step = share.shape[1] // x.shape[1]
        first = ops.average_pool(share, step, step) if step > 1 else share
        y = 0
        for weight, (gamma, beta) in zip((first, 1 - first), next(pairs), strict=True):
            lent = max(0.0, SMALL - float(ops.mean(weight)))
            total = ops.sum(weight + lent)
            mean = ops.sum(x * (weight + lent), (1, 2), keepdims=True) / total
            variance = ops.sum((weight + lent) * (x - mean) ** 2, (1, 2), keepdims=True) / total
            normal = (x - mean) * ops.rsqrt(variance + NORM_EPSILON)
            y += weight * (normal * gamma[:, None, None] + beta[:, None, None])
        return y

    x = pad_to_stride(ops.convert_to_tensor(frame[None]))
    for layer in network.contract:
        x = ops.relu(layer(reflect(x, layer.kernel_size[0] // 2)))
    for first, second in network.residual:
        y = ops.relu(norm(first(reflect(x, 1))))
        x = x + norm(second(reflect(y, 1)))
    for layer in network.expand[:2]:
        x = ops.relu(norm(layer(reflect(double(x), 1))))
    x = ops.sigmoid(norm(network.expand[2](reflect(x, 4))))
    return np.asarray(x)[0, : frame.shape[0], : frame.shape[1]]


def assert_close(engine, painted, expected, exact, mixed, bfloat16):
    """Compare levels of 255: the largest difference, and the mean where types have few bits."""
    difference = np.abs(painted.astype(float) - expected)
    if engine.device.dtype == "bfloat16":
        assert difference.mean() <= bfloat16
    else:
        assert difference.max() <= (mixed if engine.name == "openvino-fast" else exact)


def second(masks):
    return SecondStyle(STYLES[1:], masks)


@pytest.fixture(scope="module", params=PAINTING)
def engine(request):
    return open_engine(request.param, CONFIG, ARRAYS)


@pytest.mark.parametrize("radius", [18.0, 2.0])
def test_the_fused_network_paints_two_styles_as_a_plain_one_does(radius):
    frame, mask = content()[0].astype(np.float32) / 255, soft_masks(radius=radius)
    fused = keras_backend.paint(
        CONFIG,
        fuse_transformer(CONFIG, ARRAYS),
        ops.convert_to_tensor(frame[None]),
        ops.convert_to_tensor(STYLES[:1]),
        regions=(ops.convert_to_tensor(STYLES[1:]), region_maps(mask)),
    )
    assert np.abs(np.asarray(fused)[0] - paint_plainly(frame, mask[0])).max() < 1e-4


def test_tiles_paint_two_styles_as_a_plain_network_does():
    frame, mask = content()[0], soft_masks()
    network = KerasTiles(CONFIG, fuse_transformer(CONFIG, ARRAYS), as_bytes=False)
    painted = paint_in_tiles(network, CONFIG, frame, STYLES[:1], 16, second(mask))
    assert np.abs(painted - paint_plainly(frame.astype("f4") / 255, mask[0])).max() < 1e-4


def test_every_engine_paints_two_styles_alike(engine):
    frames, masks = content(2), soft_masks(2)
    painted = engine(frames, STYLES[:1], second(masks))
    for result, plain in zip(painted, plain_paintings(), strict=True):
        assert_close(engine, result, plain * 255, 0.51, 16, 6)
    tiled = engine.paint_tiles(frames[1], STYLES[:1], 32, second(masks[1:]))
    assert_close(engine, tiled, painted[1], 1, 17, 8)


@cache
def plain_paintings():
    pairs = zip(content(2), soft_masks(2), strict=True)
    return [paint_plainly(frame.astype(np.float32) / 255, mask) for frame, mask in pairs]


def test_every_engine_paints_two_styles_in_yuv(engine):
    yuv, masks = rgb_to_yuv(content(2)), soft_masks(2)
    painted = engine.submit_yuv(yuv, STYLES[:1], OUTPUT_COLORS, second(masks)).wait()
    rgb = engine(yuv_to_rgb(yuv, OUTPUT_COLORS), STYLES[:1], second(masks))
    assert np.abs(painted.astype(int) - rgb_to_yuv(rgb)).max() <= 2


@pytest.mark.parametrize("value", [0, 255])
def test_a_mask_of_one_value_is_one_style(engine, value):
    masks = np.full((1, HEIGHT, WIDTH), value, np.uint8)
    both = engine(content(), STYLES[:1], second(masks))
    alone = engine(content(), STYLES[1:] if value == 0 else STYLES[:1])
    assert_close(engine, both, alone, 1, 2, 5)


def test_statistics_of_some_rows_are_those_of_all_rows():
    rows, columns = np.mgrid[:1000, :64]
    mask = (255 * np.clip(np.hypot(rows - 400, 8 * columns - 300) / 300, 0, 1)).astype(np.uint8)
    whole, sampled = region_maps(mask[None]), region_maps(mask[None], is_sampled=True)
    for resolution, some in sampled.items():
        every = whole[resolution]
        shape = (REGIONS, -1, *every.mask.shape[1:3])
        assert some.step > 1
        expected = every.weights.reshape(shape)[..., some.step // 2 :: some.step, :] * some.step
        found = some.weights.reshape(REGIONS, -1, *expected.shape[2:])
        np.testing.assert_allclose(found.sum((1, 2, 3)), 1, rtol=1e-5)
        np.testing.assert_allclose(found, expected, rtol=0.03, atol=1e-9)


def test_two_styles_fall_back_to_tiles():
    masks = soft_masks()
    inner = TensorFlowEngine(CONFIG, ARRAYS)
    tiled = TilingEngine(inner, CONFIG, tile=32)(content(), STYLES[:1], second(masks))
    assert np.abs(tiled.astype(int) - inner(content(), STYLES[:1], second(masks))).max() <= 1


def test_one_style_compiles_and_computes_what_it_did():
    engine = OpenVinoEngine(CONFIG, ARRAYS)
    before = engine(content(), STYLES[:1])
    engine(content(), STYLES[:1], second(soft_masks()))
    assert engine._compiled.cache_info().currsize == 2
    np.testing.assert_array_equal(engine(content(), STYLES[:1]), before)
