"""Keras' global settings, from a file or set in the process, change nothing."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nst_video.engines import open_engine
from nst_video.errors import EngineError
from nst_video.networks.config import TransformerConfig

SCRIPT = """
import sys
from pathlib import Path
import numpy as np
import nst_video
{before}
from nst_video.networks import checkpoints
from nst_video.networks.builtin import build_loss_trunk, build_style_predictor
from nst_video.networks.config import TransformerConfig
from nst_video.networks.inception import build_inception_predictor
from nst_video.networks.fused.keras_backend import paint
from nst_video.networks.fused.convolutions import fuse_transformer
from nst_video.networks.transformer import StyleTransformer
from nst_video.networks.vgg import SHAPES, LossNetwork
from nst_video.engines.tensorflow import TensorFlowEngine

rng = np.random.default_rng(0)
config = TransformerConfig((4, 8, 8), 1, bottleneck=5)
pictures = rng.random((2, 96, 112, 3), np.float32)


def random_weights(network):
    arrays = {{
        key: (rng.standard_normal(shape) / np.sqrt(max(1, np.prod(shape[:-1])))).astype(np.float32)
        for key, shape in checkpoints.network_shapes(network).items()
    }}
    checkpoints.assign(network, arrays)
    return network, arrays


results = {{}}
for build in (build_style_predictor, build_loss_trunk, build_inception_predictor):
    network, _ = random_weights(build())
    made = network.predict_on_batch(pictures)
    for name, array in made.items() if isinstance(made, dict) else [("", made)]:
        results[build.__name__ + name] = array
transformer, arrays = random_weights(StyleTransformer(config))
style = transformer.style_parameters(rng.random((1, 5), np.float32))
results["reference"] = transformer(pictures, style)
results["rewritten"] = paint(config, fuse_transformer(config, arrays), pictures, style)
for pooling in ("average", "max"):
    loss = LossNetwork.random("builtin", pooling)
    results["loss " + pooling] = loss(pictures, ["block3_conv1"])["block3_conv1"]
engine = TensorFlowEngine(config, arrays)
results["engine"] = engine((pictures * 255).astype(np.uint8), np.asarray(style))
np.savez(sys.argv[1], **{{key: np.asarray(value) for key, value in results.items()}})
"""


def run(folder: Path, keras_json: str | None, before: str = "", **environment: str) -> str:
    """Run `SCRIPT`, which writes `made.npz` to the folder; return what it complained of."""
    folder.mkdir(exist_ok=True)
    if keras_json is not None:
        (folder / "keras.json").write_text(keras_json)
    inherited = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(before=before), str(folder / "made.npz")],
        env={**inherited, "KERAS_HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stderr


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("usual")
    assert run(folder, None) == ""
    return folder / "made.npz"


IN_PROCESS = """
import keras
keras.config.set_image_data_format("channels_first")
keras.config.set_dtype_policy("mixed_float16")
keras.config.set_floatx("float16")
keras.config.set_epsilon(0.1)
"""


@pytest.mark.parametrize(
    ("keras_json", "before"),
    [
        (
            '{"image_data_format": "channels_first", "backend": "jax", "floatx": "float16",'
            ' "epsilon": 0.1}',
            "",
        ),
        (None, IN_PROCESS),
    ],
    ids=["file", "in process"],
)
def test_global_settings_change_no_number(
    usual: Path, tmp_path: Path, keras_json: str | None, before: str
) -> None:
    assert run(tmp_path / "other", keras_json, before) == ""
    with np.load(usual) as expected, np.load(tmp_path / "other" / "made.npz") as made:
        assert set(made.files) == set(expected.files)
        for name in expected.files:
            assert made[name].dtype == expected[name].dtype, name
            np.testing.assert_allclose(made[name], expected[name], atol=2e-5, err_msg=name)


def test_another_backend_is_refused_in_one_sentence_where_tensorflow_is_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("keras.config.backend", lambda: "jax")
    with pytest.raises(EngineError, match="needs Keras on TensorFlow, and Keras runs on jax"):
        open_engine("tensorflow", TransformerConfig((4, 8, 8), 1, 5), {})


def test_the_backend_that_the_environment_names_is_kept() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import os, nst_video; print(os.environ['KERAS_BACKEND'])"],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "jax"
