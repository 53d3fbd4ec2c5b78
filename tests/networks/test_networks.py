"""Our networks against the public ones they are read from, number for number."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from nst_video.errors import UsageError, WeightsError
from nst_video.frames import Floats
from nst_video.networks import checkpoints
from nst_video.networks.models import StyleModel, load_model, style_input
from nst_video.networks.transformer import (
    TRANSFORMERS,
    StyleTransformer,
    TransformerConfig,
    instance_norm,
)
from nst_video.system import paths


def read_picture(path: Path, size: tuple[int, int]) -> Floats:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    resized = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return resized[None].astype(np.float32) / 255


def resized_tflite(path: Path, size: tuple[int, int]) -> bytes:
    """Give the public transformer another picture size.

    Its nearest-neighbor resizes carry their target as a constant, so resizing the input of the
    interpreter is not enough: those constants scale with it.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes()))
    graph = model.subgraphs[0]
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kind = max(code.builtinCode, code.deprecatedBuiltinCode)
        if kind != schema.BuiltinOperator.RESIZE_NEAREST_NEIGHBOR:
            continue
        buffer = model.buffers[graph.tensors[operator.inputs[1]].buffer]
        old = np.frombuffer(bytes(buffer.data), np.int32)
        scaled = old * np.array(size[::-1]) // 384
        buffer.data = list(scaled.astype(np.int32).tobytes())
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def run_tflite(model: bytes, content: Floats, bottleneck: Floats) -> Floats:
    interpreter = Interpreter(model_content=model)
    frame, style = interpreter.get_input_details()
    interpreter.resize_tensor_input(frame["index"], content.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(frame["index"], content)
    interpreter.set_tensor(style["index"], bottleneck.reshape(1, 1, 1, -1))
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def paint(model: StyleModel, content: Floats, bottleneck: Floats) -> Floats:
    network = checkpoints.load_transformer(model.config, model.arrays)
    return np.asarray(network(content, model.style_parameters(bottleneck[None])))


@pytest.fixture(scope="session")
def lite(lite_files: Mapping[str, Path]) -> StyleModel:
    return load_model("magenta-lite", lite_files)


@pytest.fixture(scope="session")
def magenta(hub_folder: Path) -> StyleModel:
    return load_model("magenta", {"saved_model": hub_folder})


@pytest.fixture(scope="session")
def hub(hub_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Floats]:
    """Run the TF-Hub graph; `output` may name one of its inner tensors."""
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    def run(content: Floats, style: Floats, output: str | None = None) -> Floats:
        folder = hub_folder
        if output is not None:
            folder = tmp_path_factory.mktemp("hub-inner")
            (folder / "variables").symlink_to(hub_folder / "variables")
            saved = saved_model_pb2.SavedModel.FromString(
                (hub_folder / "saved_model.pb").read_bytes()
            )
            for function in saved.meta_graphs[0].graph_def.library.function:
                if "_pruned_" in function.signature.name:
                    for key in function.ret:
                        function.ret[key] = output
            (folder / "saved_model.pb").write_bytes(saved.SerializeToString())
        module = tf.saved_model.load(str(folder))
        inputs = {"placeholder": tf.constant(content), "placeholder_1": tf.constant(style)}
        return module.signatures["serving_default"](**inputs)["output_0"].numpy()

    return run


@pytest.mark.parametrize("size", [(384, 384), (512, 288)])
@pytest.mark.parametrize("painting", ["starry-night.jpg", "the-scream.jpg"])
def test_magenta_lite_equals_the_litert_interpreter(
    assets: Path,
    lite: StyleModel,
    lite_files: Mapping[str, Path],
    size: tuple[int, int],
    painting: str,
) -> None:
    content = read_picture(assets / "photos" / "tubingen.jpg", size)
    picture = cv2.imread(str(assets / "paintings" / painting), cv2.IMREAD_COLOR_RGB)
    bottleneck = lite.predictor(picture)
    expected = run_tflite(resized_tflite(lite_files["transformer"], size), content, bottleneck)
    assert expected.shape == content.shape
    assert expected.std() > 0.1
    np.testing.assert_allclose(paint(lite, content, bottleneck), expected, atol=1e-4, rtol=0)


def test_magenta_equals_the_hub_graph(
    assets: Path, magenta: StyleModel, hub: Callable[..., Floats]
) -> None:
    content = read_picture(assets / "photos" / "golden_gate.jpg", (250, 187))
    style = read_picture(assets / "paintings" / "great-wave.jpg", (256, 256))
    # The hub's own answer to odd sizes is a larger picture: it is compared on the padded content.
    padded = np.pad(content, ((0, 0), (0, 1), (0, 2), (0, 0)), mode="reflect")
    expected = hub(padded, style)[:, :187, :250]
    bottleneck = magenta.predictor((style[0] * 255).round().astype(np.uint8))
    assert expected.std() > 0.1
    np.testing.assert_allclose(paint(magenta, content, bottleneck), expected, atol=1e-3, rtol=0)


def test_magenta_bottleneck_equals_the_hub_graph(
    assets: Path, magenta: StyleModel, hub: Callable[..., Floats]
) -> None:
    picture = cv2.imread(str(assets / "paintings" / "great-wave.jpg"), cv2.IMREAD_COLOR_RGB)
    style = style_input(picture)
    expected = hub(style, style, output="bottleneck/Mean:output:0").ravel()
    difference = np.abs(magenta.predictor(picture) - expected).max()
    assert difference <= 1e-4 * np.abs(expected).max()


def test_style_input_is_the_middle_square_in_0_to_1() -> None:
    picture = np.zeros((300, 700, 3), np.uint8)
    picture[:, 200:500] = 255
    fed = style_input(picture)
    assert fed.shape == (1, 256, 256, 3)
    assert fed.dtype == np.float32
    assert fed.min() == fed.max() == 1


def small_network(dtype: str = "float32") -> StyleTransformer:
    return StyleTransformer(TransformerConfig((4, 8, 8), 1, bottleneck=5), dtype=dtype)


def noise(*shape: int) -> Floats:
    return np.random.default_rng(7).random(shape, np.float32)


@pytest.mark.parametrize("size", [(8, 8), (9, 17), (64, 30), (31, 33)])
def test_transformer_keeps_any_size(size: tuple[int, int]) -> None:
    network = small_network()
    painted = network(noise(1, *size, 3), noise(1, network.config.style_size))
    assert painted.shape == (1, *size, 3)


def test_transformer_takes_one_style_for_each_picture_of_a_batch() -> None:
    network = small_network()
    content, styles = noise(2, 16, 20, 3), noise(2, network.config.style_size)
    together = np.asarray(network(content, styles))
    apart = [np.asarray(network(content[i : i + 1], styles[i : i + 1]))[0] for i in range(2)]
    np.testing.assert_allclose(together, apart, atol=1e-5)


def test_instance_norm_keeps_its_digits_on_large_pictures() -> None:
    picture = np.random.default_rng(1).normal(3, 1, (1, 1080, 960, 4)).astype(np.float32)
    one, zero = np.ones((1, 4), np.float32), np.zeros((1, 4), np.float32)
    wide = picture.astype(np.float64)
    expected = (wide - wide.mean((1, 2))) / wide.std((1, 2))
    np.testing.assert_allclose(
        np.asarray(instance_norm(picture, one, zero)), expected, atol=1e-4, rtol=0
    )


def test_style_size_counts_two_numbers_for_each_normalized_channel() -> None:
    assert TRANSFORMERS["magenta"].style_size == 2 * (20 * 2 * 128 + 64 + 32 + 3)
    assert TRANSFORMERS["magenta-lite"].style_size == 2 * (5 * 2 * 32 + 16 + 8 + 3)


def test_collected_arrays_make_the_same_network(tmp_path: Path) -> None:
    first, second = small_network(), small_network()
    path = tmp_path / "weights.npz"
    np.savez(path, **checkpoints.collect(first))
    checkpoints.assign(second, checkpoints.load_npz(path, first.config.array_shapes(), "it"))
    content, bottleneck = noise(1, 16, 16, 3), noise(1, 5)
    painted = [np.asarray(n(content, n.style_parameters(bottleneck))) for n in (first, second)]
    np.testing.assert_array_equal(*painted)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.pop("residual1_conv2.kernel"), "lack 'residual1_conv2.kernel'"),
        (lambda a: a.update({"contract1.bias": np.zeros(3, np.float32)}), r"of shape \(3,\)"),
        (lambda a: a.update({"extra.bias": np.zeros(3, np.float32)}), "hold 'extra.bias'"),
    ],
)
def test_assign_names_the_array_that_does_not_fit(
    change: Callable[[dict[str, Floats]], object], message: str
) -> None:
    network = small_network()
    arrays = checkpoints.collect(network)
    change(arrays)
    with pytest.raises(WeightsError, match=message):
        checkpoints.assign(network, arrays)


@pytest.mark.parametrize("name", list(TRANSFORMERS))
def test_shapes_of_a_config_are_those_of_its_network(name: str) -> None:
    config = TRANSFORMERS[name]
    assert config.array_shapes() == checkpoints.network_shapes(StyleTransformer(config))


def test_load_model_refuses_an_unknown_name() -> None:
    with pytest.raises(UsageError, match=r"No model 'mona'. Choose from: magenta, magenta-lite"):
        load_model("mona", {})


def test_readers_refuse_files_of_another_kind(
    tmp_path: Path, lite_files: Mapping[str, Path]
) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"\0" * 64)
    with pytest.raises(WeightsError, match=r"broken\.tflite is not a TF Lite model"):
        checkpoints.tflite_reader(broken)
    with pytest.raises(WeightsError, match="has no tensor 'transformer/contract/conv1/weights'"):
        checkpoints.tflite_reader(lite_files["predictor"])("transformer/contract/conv1/weights")
    with pytest.raises(WeightsError, match="is not a SavedModel"):
        checkpoints.savedmodel_reader(tmp_path)


def test_predictor_key_changes_with_its_weights(
    tmp_path: Path, lite: StyleModel, lite_files: Mapping[str, Path]
) -> None:
    other = tmp_path / "predictor.tflite"
    other.write_bytes(lite_files["predictor"].read_bytes() + b"metadata")
    changed = load_model("magenta-lite", {**lite_files, "predictor": other})
    assert lite.predictor.key.startswith("magenta-lite-")
    assert changed.predictor.key != lite.predictor.key


def test_magenta_is_read_without_tensorflow_at_a_second_start(hub_folder: Path) -> None:
    script = f"""
import sys
import numpy as np
from pathlib import Path
from nst_video.networks.models import load_model
model = load_model("magenta", {{"saved_model": Path({str(hub_folder)!r})}})
print(sorted({{"tensorflow", "keras"}} & sys.modules.keys()))
print(sum(float(np.abs(array).sum()) for _, array in sorted(model.arrays.items())))
"""
    runs = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    first, second = (run.stdout.splitlines() for run in runs)
    assert "tensorflow" in first[0]
    assert second[0] == "[]"
    assert second[1] == first[1]


def test_magenta_is_read_anew_where_what_was_kept_is_broken(hub_folder: Path) -> None:
    whole = load_model("magenta", {"saved_model": hub_folder}).arrays
    [kept] = (paths.cache_dir() / "transformers").iterdir()
    kept.write_bytes(kept.read_bytes()[:1000])
    again = load_model("magenta", {"saved_model": hub_folder}).arrays
    assert again.keys() == whole.keys()
    assert all(np.array_equal(again[key], whole[key]) for key in whole)
