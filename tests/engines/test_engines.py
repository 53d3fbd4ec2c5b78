"""The engine contract, for every engine, and what the TensorFlow engine promises besides."""

import ctypes
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from nst_video.engines import (
    ENGINES,
    Device,
    Engine,
    IdentityEngine,
    TensorFlowEngine,
    choose_engine,
    explain_engines,
    open_engine,
    unavailable_reason,
    warm_up,
)
from nst_video.engines import selection as choice_module
from nst_video.engines import tensorflow as tensorflow_module
from nst_video.errors import EngineError, UsageError
from nst_video.networks import checkpoints
from nst_video.networks.transformer import StyleTransformer, TransformerConfig

CONFIG = TransformerConfig((4, 8, 8), 1, bottleneck=5)


@pytest.fixture(scope="module")
def arrays() -> checkpoints.Arrays:
    rng = np.random.default_rng(3)
    collected = checkpoints.collect(StyleTransformer(CONFIG))
    return {
        key: rng.normal(0, 0.3, value.shape).astype(np.float32) for key, value in collected.items()
    }


PRESENT = sorted(name for name in ENGINES if unavailable_reason(name) is None)


@pytest.fixture(scope="module", params=PRESENT)
def engine(request: pytest.FixtureRequest, arrays: checkpoints.Arrays) -> Engine:
    return open_engine(request.param, CONFIG, arrays)


@pytest.fixture(scope="module")
def tensorflow_engine(arrays: checkpoints.Arrays) -> TensorFlowEngine:
    return TensorFlowEngine(CONFIG, arrays)


def frames(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (*shape, 3), np.uint8)


def style(n: int = 1) -> NDArray[np.float32]:
    return np.random.default_rng(6).normal(0, 1, (n, CONFIG.style_size)).astype(np.float32)


@pytest.mark.parametrize("shape", [(1, 32, 48), (3, 17, 23), (2, 64, 8)])
def test_engine_returns_frames_of_the_same_shape(engine: Engine, shape: tuple[int, ...]) -> None:
    content = frames(*shape)
    painted = engine(content, style())
    assert painted.shape == content.shape
    assert painted.dtype == np.uint8
    assert painted.flags.c_contiguous


def test_engine_leaves_its_input_alone(engine: Engine) -> None:
    content = frames(1, 16, 16)
    before = content.copy()
    painted = engine(content, style())
    painted[:] = 0
    np.testing.assert_array_equal(content, before)


def test_engine_paints_a_batch_as_its_frames_one_by_one(engine: Engine) -> None:
    content, styles = frames(3, 20, 24), style(3)
    together = engine(content, styles).astype(int)
    apart = [engine(content[i : i + 1], styles[i : i + 1])[0] for i in range(3)]
    assert np.abs(together - np.stack(apart)).max() <= 1


def test_engine_paints_a_batch_in_one_style(engine: Engine) -> None:
    content = frames(2, 20, 24)
    together = engine(content, style()).astype(int)
    assert np.abs(together - engine(content, style().repeat(2, 0))).max() <= 1


def test_engine_finishes_what_it_began_in_any_order(engine: Engine) -> None:
    batches = [frames(2, 20, 24), 255 - frames(1, 20, 24), frames(2, 24, 20)]
    begun = [engine.submit(batch, style()) for batch in batches]
    for batch, painting in reversed(list(zip(batches, begun, strict=True))):
        assert np.abs(painting.wait().astype(int) - engine(batch, style())).max() <= 1


def test_engine_takes_frames_that_are_a_view(engine: Engine) -> None:
    content = frames(1, 20, 48)[:, :, ::2]
    painted = engine(content, style()).astype(int)
    assert np.abs(painted - engine(content.copy(), style())).max() <= 1


@pytest.mark.parametrize("engine", sorted({*PRESENT} - {"identity"}), indirect=True)
def test_engine_refuses_frames_too_small_to_pad(engine: Engine) -> None:
    with pytest.raises(EngineError, match="7x64 is too small"):
        engine(frames(1, 64, 7), style())


def test_engine_accepts_its_warm_up(engine: Engine) -> None:
    warm_up(engine, (40, 24), style())


def test_engine_says_where_it_runs_and_why(engine: Engine) -> None:
    assert engine.name in ENGINES
    assert engine.device.name
    assert engine.device.reason


def test_tensorflow_engine_equals_the_network(
    arrays: checkpoints.Arrays, tensorflow_engine: TensorFlowEngine
) -> None:
    content = frames(1, 31, 42)
    network = checkpoints.load_transformer(CONFIG, arrays)
    expected = np.asarray(network(content.astype(np.float32) / 255, style())) * 255
    painted = tensorflow_engine(content, style())
    assert painted.std() > 5
    assert np.abs(painted - expected).max() <= 0.51


def test_tensorflow_engine_does_not_retrace_for_new_sizes_batches_or_styles(
    tensorflow_engine: TensorFlowEngine,
) -> None:
    for shape in ((1, 16, 16), (4, 16, 16), (1, 40, 23), (2, 9, 64)):
        tensorflow_engine(frames(*shape), style())
        tensorflow_engine(frames(*shape), style(shape[0]))
    assert tensorflow_engine._paint.experimental_get_tracing_count() == 1


def test_tensorflow_engine_with_xla_and_half_precision_stays_within_2_of_255(
    arrays: checkpoints.Arrays, tensorflow_engine: TensorFlowEngine
) -> None:
    half = TensorFlowEngine(CONFIG, arrays, Device("CPU:0", "test", "mixed_bfloat16", xla=True))
    content = frames(1, 32, 32)
    exact, rounded = tensorflow_engine(content, style()), half(content, style())
    difference = np.abs(exact.astype(int) - rounded)
    assert 0 < difference.mean() <= 2


def test_tensorflow_engine_with_xla_paints_smaller_batches_as_larger_ones(
    arrays: checkpoints.Arrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = TensorFlowEngine(CONFIG, arrays, Device("CPU:0", "test", xla=True))
    batch, styles = frames(4, 16, 24), np.concatenate([style(2), style(2) / 2])
    painted = engine(batch, styles)
    counts, paint = [], engine._paint

    def count(pictures: NDArray[np.uint8], style: NDArray[np.float32]) -> object:
        counts.append((len(pictures), len(style)))
        return paint(pictures, style)

    monkeypatch.setattr(engine, "_paint", count)
    np.testing.assert_array_equal(engine(batch[:3], styles[:3]), painted[:3])
    np.testing.assert_array_equal(engine(batch[:1], styles[:1]), painted[:1])
    assert engine(frames(2, 40, 23), style()).shape == (2, 40, 23, 3)
    assert counts == [(4, 4), (4, 4), (2, 2)]  # one style for all would be another network


def test_open_engine_refuses_an_unknown_name(arrays: checkpoints.Arrays) -> None:
    with pytest.raises(UsageError, match=r"No engine 'abacus'. Choose from: .*tensorflow"):
        open_engine("abacus", CONFIG, arrays)


def test_warm_up_rejects_a_style_that_is_not_finite(tensorflow_engine: TensorFlowEngine) -> None:
    with pytest.raises(EngineError, match="not finite"):
        warm_up(tensorflow_engine, (40, 24), np.full_like(style(), np.nan))


@pytest.mark.parametrize("name", ["openvino", "tensorflow"])
def test_warm_up_rejects_weights_that_make_nan(name: str, arrays: checkpoints.Arrays) -> None:
    broken = {**arrays, "expand3.kernel": np.full_like(arrays["expand3.kernel"], np.nan)}
    with pytest.raises(EngineError, match="flat test picture"):
        warm_up(open_engine(name, CONFIG, broken), (40, 24), style())


def test_warm_up_rejects_black_frames() -> None:
    class BlackEngine(IdentityEngine):
        name: ClassVar[str] = "black"

        def __call__(
            self, frames: NDArray[np.uint8], style: NDArray[np.float32]
        ) -> NDArray[np.uint8]:
            return np.zeros_like(frames)

    with pytest.raises(EngineError, match="'black' on none painted a flat test picture"):
        warm_up(BlackEngine(), (40, 24), style())


@pytest.mark.parametrize(
    ("system", "cuda", "visible", "reason"),
    [
        ("Windows", False, None, "no GPU build for Windows"),
        ("Linux", False, None, "built without GPU support"),
        ("Linux", True, "-1", "CUDA_VISIBLE_DEVICES hides"),
        ("Linux", True, None, "no GPU with a working driver"),
    ],
)
def test_missing_gpu_is_explained(
    monkeypatch: pytest.MonkeyPatch, system: str, cuda: bool, visible: str | None, reason: str
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert reason in tensorflow_module._why_no_gpu(cuda)


class Driver:
    """As much of NVIDIA's driver library as is asked."""

    def __init__(self, status: int, devices: int) -> None:
        self.status, self.devices = status, devices

    def cuInit(self, flags: int) -> int:  # noqa: N802 - NVIDIA's name
        return self.status

    def cuDeviceGetCount(self, count: object) -> int:  # noqa: N802 - NVIDIA's name
        ctypes.cast(count, ctypes.POINTER(ctypes.c_int))[0] = self.devices
        return 0


@pytest.mark.parametrize(
    ("driver", "expected"),
    [(None, False), (Driver(100, 1), False), (Driver(0, 0), False), (Driver(0, 2), True)],
)
def test_cuda_is_there_where_the_driver_shows_a_device(
    monkeypatch: pytest.MonkeyPatch, driver: Driver | None, expected: bool
) -> None:
    def load(name: str) -> Driver:
        if driver is None:
            raise OSError(name)
        return driver

    monkeypatch.setattr(ctypes, "CDLL", load)
    assert tensorflow_module._has_cuda_device() is expected


@pytest.mark.parametrize(
    ("driver", "gpu", "expected"),
    [(False, True, "openvino"), (True, False, "openvino"), (True, True, "tensorflow")],
)
def test_auto_is_tensorflow_on_a_gpu_and_openvino_elsewhere(
    monkeypatch: pytest.MonkeyPatch, driver: bool, gpu: bool, expected: str
) -> None:
    monkeypatch.setattr(tensorflow_module, "_has_cuda_device", lambda: driver)
    device = Device("GPU:0" if gpu else "CPU:0", "test")
    monkeypatch.setattr(tensorflow_module, "pick_device", lambda: device)
    assert choose_engine("auto") == expected
    assert choose_engine("identity") == "identity"


def test_engines_are_explained_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice_module, "has_gpu", lambda: False)
    monkeypatch.setattr(choice_module, "has_bfloat16", lambda: False)
    monkeypatch.setattr(choice_module, "openvino_devices", lambda: {"CPU": "Xeon", "GPU": "Arc"})
    monkeypatch.setattr(choice_module, "pick_device", lambda: Device("CPU:0", "CPU: no driver"))
    told = list(explain_engines())
    assert [line.partition(":")[0] for line in told[1:]] == [
        name for name in ENGINES if name != "identity"
    ]
    assert told[0].startswith("auto means openvino: ")
    assert told[1] == "openvino: Xeon in float32, exact"
    assert told[2] == (
        "openvino-fast: a sixth to a third faster than openvino (this CPU has no bfloat16), "
        "not exact (PSNR 32 to 52 dB)"
    )
    assert told[3].startswith("openvino-gpu: Arc in float32")
    assert told[4] == "openvino-npu: not here, OpenVINO finds no NPU"
    assert told[5] == "tensorflow: CPU: no driver; about half as fast as openvino"


def test_engines_are_explained_where_a_gpu_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice_module, "has_gpu", lambda: True)
    monkeypatch.setattr(choice_module, "pick_device", lambda: Device("GPU:0", "GPU: H200"))
    told = list(explain_engines())
    assert told[0] == "auto means tensorflow: there is a GPU that TensorFlow can use"
    assert told[-1] == "tensorflow: GPU: H200"
