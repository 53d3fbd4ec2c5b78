"""The precision that a GPU computes in, on the real networks, against float32."""

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from nst_video import weights
from nst_video.engines import pick_device
from nst_video.networks.fused import keras_backend
from nst_video.networks.fused.convolutions import fuse_transformer
from nst_video.networks.models import StyleModel, load_model

SIZE = (48, 32)
"""(width, height): a processor without float16 of its own takes long."""


@pytest.fixture
def gpu_dtype(monkeypatch: pytest.MonkeyPatch) -> str:
    """What the convolutions compute in on a GPU of these years."""
    details = {"device_name": "H200", "compute_capability": (9, 0)}
    with monkeypatch.context() as patched:
        patched.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"])
        patched.setattr(tf.config.experimental, "set_memory_growth", lambda gpu, grows: None)
        patched.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)
        device = pick_device()
    return keras.dtype_policies.get(device.dtype).compute_dtype


def read(path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


@pytest.fixture
def errors(assets: Path) -> Callable[[StyleModel, str], NDArray[np.float32]]:
    """Measures how far a precision is off, in units of 1 of 255."""

    def measure(model: StyleModel, dtype: str) -> NDArray[np.float32]:
        convolutions = fuse_transformer(model.config, model.arrays)
        photo = read(assets / "photos" / "tubingen.jpg", SIZE)[None].astype(np.float32) / 255
        painting = read(assets / "paintings" / "starry-night.jpg", (256, 256))
        style = model.style_parameters(model.predictor(painting)[None])
        exact, rounded = (
            np.asarray(keras_backend.paint(model.config, convolutions, photo, style, each))
            for each in ("float32", dtype)
        )
        assert exact.std() > 0.1
        return np.abs(rounded - exact) * 255

    return measure


def test_a_gpu_paints_the_packaged_model_within_2_of_255(gpu_dtype: str, errors: Callable):
    off = errors(load_model("builtin", weights.resolve("builtin")), gpu_dtype)
    assert 0 < off.max() <= 2


def test_a_gpu_paints_magenta_lite_within_2_of_255(
    gpu_dtype: str, errors: Callable, lite_files: Mapping[str, Path]
):
    off = errors(load_model("magenta-lite", lite_files), gpu_dtype)
    assert 0 < off.max() <= 2


def test_a_gpu_paints_nearly_all_of_magenta_within_2_of_255(
    gpu_dtype: str, errors: Callable, hub_folder: Path
):
    """Its weights are synthetic here, and amplify rounding in some places."""
    off = errors(load_model("magenta", {"saved_model": hub_folder}), gpu_dtype)
    assert off.mean() <= 0.5
    assert (off > 2).mean() <= 0.02
