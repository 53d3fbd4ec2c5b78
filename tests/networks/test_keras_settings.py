"""Keras' global settings, from a file or set in the process, change nothing."""

import os
import subprocess
import sys
from pathlib import Path

import keras_numbers
import numpy as np
import pytest

from nst_video.engines import open_engine
from nst_video.errors import EngineError
from nst_video.networks.config import TransformerConfig


def test_global_settings_of_keras_change_no_number(tmp_path: Path) -> None:
    (tmp_path / "keras.json").write_text(
        '{"image_data_format": "channels_first", "backend": "jax", "floatx": "float16",'
        ' "epsilon": 0.1}'
    )
    inherited = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, keras_numbers.__file__, str(tmp_path)],
        env={**inherited, "KERAS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = keras_numbers.compute()
    for where in ("file", "process"):
        with np.load(tmp_path / f"{where}.npz") as made:
            assert set(made.files) == set(expected)
            for name in expected:
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
