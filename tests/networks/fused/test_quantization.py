"""The engine that need not be exact: which layers it computes in what, and what that costs."""

import tempfile
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import openvino
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tiny_network import random_arrays

from nst_video import weights
from nst_video.engines import OpenVinoEngine, has_bfloat16
from nst_video.engines.openvino import engine as openvino_module
from nst_video.engines.openvino.backend import OpenVinoBackend
from nst_video.engines.openvino.quantization import convolve_bytes
from nst_video.errors import EngineError
from nst_video.frames import Frames
from nst_video.networks.config import TRANSFORMERS, TransformerConfig
from nst_video.networks.fused import quantization
from nst_video.networks.fused.convolutions import Convolution, fuse_transformer
from nst_video.networks.models import StyleModel, load_model
from nst_video.style_library.library import StyleLibrary
from nst_video.video.sources import open_source

SIZE = (160, 96)

DEEP = TransformerConfig((4, 8, 64), 3, bottleneck=5)
"""Most of its work is in the residual blocks."""


@pytest.fixture(scope="module")
def builtin() -> StyleModel:
    return load_model("builtin", weights.resolve("builtin"))


@pytest.fixture
def style(builtin: StyleModel) -> NDArray[np.float32]:
    library = StyleLibrary()
    return builtin.style_parameters(
        library.bottleneck(library.get("wave"), builtin.predictor)[None]
    )


def psnr_db(painted: Frames, exact: Frames) -> float:
    error = float(np.square(painted.astype(np.float64) - exact).mean())
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def numbers_computed_in(engine: OpenVinoEngine) -> list[str]:
    """Return the numbers of the convolutions' inputs, as OpenVINO tells them."""
    compiled = engine._compiled(SIZE, "LATENCY", None, False).model
    return [
        node.get_rt_info()["runtimePrecision"].astype(str)
        for node in compiled.get_runtime_model().get_ordered_ops()
        if node.get_rt_info()["layerType"].astype(str) == "Convolution"
    ]


kernels = st.tuples(
    st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(1, 5), st.integers(0, 99)
).map(
    lambda drawn: np.random.default_rng(drawn[-1]).normal(0, 1, drawn[:-1]).astype(np.float32)
)  # fmt: skip


@given(kernels)
@settings(max_examples=60, deadline=None)
def test_rounded_kernels_have_few_levels_and_keep_their_sums(kernel: NDArray[np.float32]) -> None:
    rounded, steps = quantization.quantize_kernel(kernel), quantization.kernel_steps(kernel)
    levels = rounded / steps
    np.testing.assert_allclose(levels, np.round(levels), atol=1e-3)
    assert np.abs(levels).max() <= quantization.MAX_LEVEL + 1e-3
    # What plain rounding errs grows with the taps; carried errors stay below one step.
    sums = (rounded - kernel).sum(axis=(0, 1))
    assert np.abs(sums / steps[0, 0]).max() <= 0.51


def test_rounded_kernels_of_nothing_are_nothing() -> None:
    np.testing.assert_array_equal(
        quantization.quantize_kernel(np.zeros((3, 3, 2, 4), np.float32)), 0
    )


def test_diffused_errors_are_small_where_pictures_are_smooth() -> None:
    rng = np.random.default_rng(4)
    kernel = rng.normal(0, 1, (9, 9, 1, 1)).astype(np.float32)
    picture = cv2.GaussianBlur(rng.normal(0, 1, (80, 80)).astype(np.float32), (0, 0), 4)
    steps = quantization.kernel_steps(kernel)

    def error(rounded: NDArray[np.float32]) -> float:
        return float(cv2.filter2D(picture, -1, (rounded - kernel)[..., 0, 0]).std())

    assert error(quantization.quantize_kernel(kernel)) < error(np.round(kernel / steps) * steps) / 4


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "builtin",
            {"contract1": "uint8", "expand3": "scaled uint8"},
        ),
        ("magenta", dict.fromkeys(("contract1", "contract2", "contract3"), "float32")),
    ],
)
def test_layers_are_exact_where_that_costs_little_and_bytes_where_that_gains_much(
    name: str, expected: dict[str, str]
) -> None:
    config = TRANSFORMERS[name]
    arrays = random_arrays(config, 1)
    chosen = quantization.choose_precisions(arrays)
    assert {layer: how for layer, how in chosen.items() if how != "any"} == expected
    exact = fuse_transformer(config, arrays)
    folded = quantization.fuse_mixed_precision(config, arrays)
    assert {layer: each.precision for layer, each in folded.items()} == chosen
    for layer, each in folded.items():
        is_rounded = not np.array_equal(each.kernel, exact[layer].kernel)
        assert is_rounded == chosen[layer].endswith("uint8")


def test_fast_engine_computes_each_layer_in_its_numbers(
    builtin: StyleModel,
) -> None:
    rest = "bf16" if has_bfloat16() else "f32"
    shallow = OpenVinoEngine(builtin.config, builtin.arrays, "mixed")
    assert numbers_computed_in(shallow) == ["u8", *[rest] * 14, "u8"]
    deep = OpenVinoEngine(DEEP, random_arrays(DEEP, 1), "mixed")
    assert numbers_computed_in(deep) == [*["f32"] * 3, *[rest] * 9]
    assert shallow.name == "openvino-fast"
    assert "8-bit integers" in shallow.device.reason


@pytest.mark.parametrize("with_bfloat16", [True, False])
def test_fast_engine_stays_near_the_exact_one_on_every_clip(
    assets: Path,
    builtin: StyleModel,
    style: NDArray[np.float32],
    with_bfloat16: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if with_bfloat16 and not has_bfloat16():
        pytest.skip("this CPU has no bfloat16")
    monkeypatch.setattr(openvino_module, "has_bfloat16", lambda: with_bfloat16)
    exact = OpenVinoEngine(builtin.config, builtin.arrays)
    fast = OpenVinoEngine(builtin.config, builtin.arrays, "mixed")
    ratios = []
    for name in ("bunny-720p-vorbis.webm", "traffic-aac.mp4", "webcam-sign-fullrange.mkv"):
        with open_source(assets / "videos" / name) as source:
            shown = next(islice(source, 20, None))  # the first frame may be black
        small = cv2.resize(shown, SIZE, interpolation=cv2.INTER_AREA)[None]
        ratios.append(psnr_db(fast(small, style), exact(small, style)))
    assert min(ratios) >= (35 if with_bfloat16 else 40)
    assert max(ratios) < 60  # it is another precision


@pytest.mark.parametrize("top", [1.0039, 3.01, 7.97, 50.7, 253.3])
def test_the_largest_values_stay_the_largest_as_bytes(top: float) -> None:
    kernel = quantization.quantize_kernel(np.eye(16, dtype=np.float32)[None, None])
    nodes = OpenVinoBackend()
    x = nodes.op.parameter([1, 16, 8, 8], np.float32, name="x")
    y = convolve_bytes(nodes, x, Convolution(kernel, precision="scaled uint8"))
    compiled = openvino.Core().compile_model(
        nodes.make_model({"y": y}, [x]),
        "CPU",
        {"INFERENCE_PRECISION_HINT": "bf16" if has_bfloat16() else "f32"},
    )
    picture = np.random.default_rng(3).uniform(0, top, (1, 16, 8, 8)).astype(np.float32)
    picture[:, ::3, ::2] = top
    np.testing.assert_allclose(compiled([picture])[0], picture, atol=top / 100)


def test_fast_engine_survives_a_picture_of_nothing_before_its_last_layer(
    builtin: StyleModel,
) -> None:
    frame = np.random.default_rng(2).integers(0, 256, (1, SIZE[1], SIZE[0], 3), np.uint8)
    nothing = np.zeros((1, builtin.config.style_size), np.float32)
    painted = OpenVinoEngine(builtin.config, builtin.arrays, "mixed")(frame, nothing)
    np.testing.assert_allclose(painted, 127.5, atol=0.5)


@pytest.mark.parametrize("is_deep", [False, True])
def test_fast_engine_is_read_from_the_disk_at_a_second_start(
    builtin: StyleModel, is_deep: bool
) -> None:
    config, arrays = builtin.config, builtin.arrays
    if is_deep:
        config, arrays = DEEP, random_arrays(DEEP, 1)
    rng = np.random.default_rng(2)
    frame = rng.integers(0, 256, (1, SIZE[1], SIZE[0], 3), np.uint8)
    style = rng.normal(0, 1, (1, config.style_size)).astype(np.float32)
    painted = OpenVinoEngine(config, arrays, "mixed")(frame, style)
    second = OpenVinoEngine(config, arrays, "mixed")
    second(frame[:, :32, :32], style)  # another size first, as a real second start may have
    np.testing.assert_array_equal(second(frame, style), painted)
    compiled = second._compiled(SIZE, "LATENCY", None, False).model
    assert compiled.get_property("LOADED_FROM_CACHE")


def test_fast_engine_says_so_where_no_temporary_file_can_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere/at/all")
    engine = OpenVinoEngine(DEEP, random_arrays(DEEP, 1), "mixed")
    styles = np.ones((1, DEEP.style_size), np.float32)
    with pytest.raises(EngineError, match="set TMPDIR to a folder"):
        engine(np.zeros((1, 32, 32, 3), np.uint8), styles)
