"""What the OpenVINO engine promises besides the engine contract."""

import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tiny_network import random_arrays

from nst_video.engines import OpenVinoEngine, has_bfloat16, open_engine
from nst_video.engines.openvino import engine as openvino_module
from nst_video.engines.openvino.requests import Inference
from nst_video.errors import EngineError
from nst_video.networks import checkpoints
from nst_video.networks.config import TransformerConfig
from nst_video.networks.models import StyleModel, load_model
from nst_video.system import paths


@pytest.fixture(autouse=True)
def compiled_networks() -> None:
    """These tests begin with an empty cache."""


CONFIG = TransformerConfig((4, 8, 8), 1, bottleneck=5)


@pytest.fixture(scope="module")
def lite(lite_files: Mapping[str, Path]) -> StyleModel:
    return load_model("magenta-lite", lite_files)


@pytest.fixture(scope="module")
def style(assets: Path, lite: StyleModel) -> NDArray[np.float32]:
    picture = cv2.imread(str(assets / "paintings" / "starry-night.jpg"), cv2.IMREAD_COLOR_RGB)
    return lite.style_parameters(lite.predictor(picture)[None])


@pytest.fixture(scope="module")
def photo(assets: Path) -> NDArray[np.uint8]:
    picture = cv2.imread(str(assets / "photos" / "tubingen.jpg"), cv2.IMREAD_COLOR_RGB)
    return cv2.resize(picture, (250, 187), interpolation=cv2.INTER_AREA)[None]


@pytest.fixture(scope="module")
def expected(
    lite: StyleModel, photo: NDArray[np.uint8], style: NDArray[np.float32]
) -> NDArray[np.float32]:
    network = checkpoints.load_transformer(lite.config, lite.arrays)
    return np.asarray(network(photo.astype(np.float32) / 255, style)) * 255


@pytest.fixture
def arrays() -> checkpoints.Arrays:
    return random_arrays(CONFIG, 3)


def frames(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (*shape, 3), np.uint8)


def styles(n: int) -> NDArray[np.float32]:
    return np.random.default_rng(6).normal(0, 1, (n, CONFIG.style_size)).astype(np.float32)


def was_on_disk(engine: OpenVinoEngine, size: tuple[int, int]) -> bool:
    compiled = engine._compiled(size, "LATENCY", None, False).model
    return bool(compiled.get_property("LOADED_FROM_CACHE"))


def test_openvino_paints_a_real_photo_as_the_plain_network_does(
    lite: StyleModel,
    photo: NDArray[np.uint8],
    style: NDArray[np.float32],
    expected: NDArray[np.float32],
) -> None:
    painted = OpenVinoEngine(lite.config, lite.arrays)(photo, style)
    assert painted.std() > 25
    assert np.abs(painted - expected).max() <= 0.5 + 255e-4


@pytest.mark.parametrize("with_bfloat16", [True, False])
def test_openvino_in_mixed_numbers_stays_above_35_db_on_a_real_photo(
    lite: StyleModel,
    photo: NDArray[np.uint8],
    style: NDArray[np.float32],
    expected: NDArray[np.float32],
    with_bfloat16: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if with_bfloat16 and not has_bfloat16():
        pytest.skip("this CPU has no bfloat16")
    monkeypatch.setattr(openvino_module, "has_bfloat16", lambda: with_bfloat16)
    painted = OpenVinoEngine(lite.config, lite.arrays, "mixed")(photo, style)
    error = np.square(painted - expected).mean()
    assert 10 * np.log10(255**2 / error) >= (38 if with_bfloat16 else 42)
    assert error > 0.1  # mere rounding to uint8 has 0.083: these are other numbers


def test_openvino_starts_without_tensorflow(tmp_path: Path, arrays: checkpoints.Arrays) -> None:
    np.savez(tmp_path / "weights.npz", **arrays)
    script = f"""
import sys
from pathlib import Path
import numpy as np
from nst_video import stylizer
from nst_video.engines import open_engine
from nst_video.networks.checkpoints import load_npz
from nst_video.networks.config import TransformerConfig
config = TransformerConfig({CONFIG.widths}, {CONFIG.residual_blocks}, {CONFIG.bottleneck})
path = Path({str(tmp_path / "weights.npz")!r})
engine = open_engine("openvino", config, load_npz(path, config.array_shapes(), "it", may_lack=True))
engine(np.zeros((1, 16, 16, 3), np.uint8), np.ones((1, config.style_size), np.float32))
print(sorted({{"tensorflow", "keras", "jax", "torch"}} & sys.modules.keys()))
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_openvino_reads_the_compiled_network_from_the_disk_at_a_second_start(
    arrays: checkpoints.Arrays,
) -> None:
    first = OpenVinoEngine(CONFIG, arrays)
    painted = first(frames(1, 24, 32), styles(1))
    assert not was_on_disk(first, (32, 24))
    assert list((paths.cache_dir() / "openvino" / "float32-float32").iterdir())
    second = OpenVinoEngine(CONFIG, arrays)
    second(frames(1, 16, 16), styles(1))  # another size first, as a real second start may have
    np.testing.assert_array_equal(second(frames(1, 24, 32), styles(1)), painted)
    assert was_on_disk(second, (32, 24))


def test_openvino_does_not_take_other_weights_from_the_disk(arrays: checkpoints.Arrays) -> None:
    OpenVinoEngine(CONFIG, arrays)(frames(1, 24, 32), styles(1))
    other = {**arrays, "expand3.kernel": -arrays["expand3.kernel"]}
    engine = OpenVinoEngine(CONFIG, other)
    assert not was_on_disk(engine, (32, 24))


def test_openvino_keeps_precisions_apart_on_the_disk(arrays: checkpoints.Arrays) -> None:
    OpenVinoEngine(CONFIG, arrays)(frames(1, 24, 32), styles(1))
    assert not was_on_disk(OpenVinoEngine(CONFIG, arrays, "mixed"), (32, 24))


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_openvino_compiles_again_where_the_disk_holds_rubbish(
    arrays: checkpoints.Arrays, damage: bytes | None
) -> None:
    painted = OpenVinoEngine(CONFIG, arrays)(frames(1, 24, 32), styles(1))
    files = [path for path in (paths.cache_dir() / "openvino").rglob("*") if path.is_file()]
    for file in files:
        whole = file.read_bytes()
        file.unlink()
        file.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    np.testing.assert_array_equal(
        OpenVinoEngine(CONFIG, arrays)(frames(1, 24, 32), styles(1)), painted
    )
    assert {path.suffix for path in files} == {".blob", ".sha256"}


def test_openvino_does_not_paint_with_a_network_of_which_a_bit_flipped_on_the_disk(
    arrays: checkpoints.Arrays,
) -> None:
    painted = OpenVinoEngine(CONFIG, arrays)(frames(1, 24, 32), styles(1))
    (blob,) = (paths.cache_dir() / "openvino").rglob("*.blob")
    for at in np.linspace(0, blob.stat().st_size - 1, 5).astype(int):
        data = bytearray(blob.read_bytes())
        data[at] ^= 0x40
        blob.unlink()
        blob.write_bytes(data)
        engine = OpenVinoEngine(CONFIG, arrays)
        np.testing.assert_array_equal(engine(frames(1, 24, 32), styles(1)), painted)
        assert not was_on_disk(engine, (32, 24))
        assert was_on_disk(OpenVinoEngine(CONFIG, arrays), (32, 24))


def test_openvino_paints_where_nothing_can_be_kept(
    arrays: checkpoints.Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("NST_VIDEO_HOME", str(tmp_path / "file"))
    assert OpenVinoEngine(CONFIG, arrays)(frames(1, 24, 32), styles(1)).std() > 5


def test_openvino_compiles_once_for_all_styles_and_mixes(arrays: checkpoints.Arrays) -> None:
    engine = OpenVinoEngine(CONFIG, arrays)
    painted = [engine(frames(1, 24, 32), style[None]) for style in styles(4)]
    assert len({picture.tobytes() for picture in painted}) == 4
    assert engine._compiled.cache_info().misses == 1


def test_openvino_forgets_sizes_out_of_use(
    arrays: checkpoints.Arrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino_module, "NETWORKS_KEPT", 2)
    engine = OpenVinoEngine(CONFIG, arrays)
    for width in (8, 9, 10, 9):
        engine(frames(1, 8, width), styles(1))
    assert engine._compiled.cache_info()[:2] == (1, 3)  # hits, misses
    assert engine._compiled.cache_info().currsize == 2


def test_openvino_paints_a_long_batch_as_its_frames_one_by_one(
    arrays: checkpoints.Arrays,
) -> None:
    engine = OpenVinoEngine(CONFIG, arrays)
    content, own = frames(7, 20, 24), styles(7)
    together = engine(content, own).astype(int)
    apart = [engine(content[i : i + 1], own[i : i + 1])[0] for i in range(7)]
    assert np.abs(together - np.stack(apart)).max() <= 1


def test_openvino_takes_calls_from_several_threads(arrays: checkpoints.Arrays) -> None:
    engine = OpenVinoEngine(CONFIG, arrays)
    content = frames(6, 24, 32)
    alone = [engine(content[i : i + 1], styles(1)) for i in range(6)]
    painted: dict[int, NDArray[np.uint8]] = {}

    def paint(index: int) -> None:
        painted[index] = engine(content[index : index + 1], styles(1))

    threads = [threading.Thread(target=paint, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(np.stack([painted[i] for i in range(6)]), np.stack(alone))


def test_openvino_says_in_one_line_why_it_cannot_paint(arrays: checkpoints.Arrays) -> None:
    engine = OpenVinoEngine(CONFIG, arrays)
    with pytest.raises(EngineError, match=r"cannot paint 1 frame\(s\) of 32x24 \(.+\)\. Try") as it:
        engine(frames(1, 24, 32), styles(1)[:, :-1])
    assert "\n" not in str(it.value)


def test_openvino_stops_what_still_runs_when_interrupted(
    arrays: checkpoints.Arrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = OpenVinoEngine(CONFIG, arrays)
    content = frames(1, 1080, 1920)
    expected = engine(content, styles(1))
    pool = engine._compiled((1920, 1080), "LATENCY", None, False)
    running = pool.submit([content, styles(1)], np.empty_like(content))

    def interrupt(inference: Inference) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Inference, "wait", interrupt)
        with pytest.raises(KeyboardInterrupt):
            pool.wait([running])
    with pytest.raises(RuntimeError, match="canceled"):
        running.request.wait_for(0)
    np.testing.assert_array_equal(engine(content, styles(1)), expected)


def test_openvino_goes_on_with_a_batch_when_the_next_one_fails(arrays: checkpoints.Arrays) -> None:
    engine = OpenVinoEngine(CONFIG, arrays)
    content = frames(4, 120, 160)
    expected = engine(content, styles(4))
    begun = engine.submit(content, styles(4))
    with pytest.raises(EngineError, match=r"cannot paint 4 frame\(s\) of 160x120"):
        engine.submit(content, styles(4)[:, :-1])
    again = engine.submit(content[::-1], styles(4)[::-1])
    np.testing.assert_array_equal(begun.wait(), expected)
    np.testing.assert_array_equal(again.wait(), expected[::-1])


class _Machine:
    """What OpenVINO tells of a machine with two Intel GPUs."""

    available_devices = ("CPU", "GPU.0", "GPU.1")

    def get_property(self, device: str, name: str) -> str:
        assert name == "FULL_DEVICE_NAME"
        return f"Intel {device} "


def test_openvino_runs_on_the_device_asked_for() -> None:
    device = openvino_module._describe(_Machine(), "float32", "GPU")
    assert device.name == "GPU"
    assert device.reason == "GPU: Intel GPU.0, OpenVINO in float32"
    with pytest.raises(EngineError, match="finds no NPU here, only CPU, GPU: install"):
        openvino_module._describe(_Machine(), "float16", "NPU")


@pytest.mark.parametrize("kind", ["GPU", "NPU"])
def test_openvino_engine_of_a_missing_device_is_refused(
    arrays: checkpoints.Arrays, kind: str
) -> None:
    if kind in openvino_module.openvino_devices():
        pytest.skip(f"this machine has the {kind}")
    with pytest.raises(EngineError, match=f"finds no {kind} here"):
        open_engine(f"openvino-{kind.lower()}", CONFIG, arrays)
