"""Style models: style predictor, transformer weights and style head together.

`load_model` is a table: model name to the function that reads that model's files.
"""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nst_video.errors import UsageError, WeightsError
from nst_video.frames import Frame
from nst_video.image.resize import center_square
from nst_video.networks import checkpoints, openvino_predictor
from nst_video.networks.config import TRANSFORMERS, TransformerConfig
from nst_video.system import paths
from nst_video.system.stderr import quiet_stderr
from nst_video.weights import digest_of

if TYPE_CHECKING:
    import keras

STYLE_SIDE = 256
"""Side of the square input of every style predictor, in pixels."""


def style_input(picture: Frame) -> NDArray[np.float32]:
    """Return the input of a style predictor, float32 (1, 256, 256, 3), 0..1.

    It is the center square of the picture, as in Magenta's examples: resizing the whole picture to
    a square would distort its strokes.
    """
    return center_square(picture, STYLE_SIDE)[None].astype(np.float32) / np.float32(255)


class KerasPredictor:
    """A style predictor that is a Keras network, built when first called.

    Attributes:
        key: names the model and the exact weights, for caches.
    """

    def __init__(self, key: str, build: "Callable[[], keras.Model]") -> None:
        self.key = key
        self._build = build

    @cached_property
    def _network(self) -> "keras.Model":
        with quiet_stderr():
            return self._build()

    def __call__(self, picture: Frame) -> NDArray[np.float32]:
        """Return the style bottleneck (d,) of an RGB picture of any size."""
        return np.asarray(self._network.predict_on_batch(style_input(picture))[0], np.float32)


class OpenVinoPredictor:
    """The `builtin` model's style predictor on OpenVINO, compiled when first called.

    Attributes:
        key: names the model and the exact weights, for caches.
    """

    def __init__(self, key: str, path: Path) -> None:
        self.key = key
        self._path = path

    @cached_property
    def _run(self) -> openvino_predictor.Run:
        return openvino_predictor.open_style_predictor(self._path, STYLE_SIDE)

    def __call__(self, picture: Frame) -> NDArray[np.float32]:
        """Return the style bottleneck (100,) of an RGB picture of any size."""
        return self._run(style_input(picture))


class TflitePredictor:
    """Magenta's mobile style predictor, int8, in a LiteRT interpreter made at the first call.

    Attributes:
        key: names the model and the exact weights, for caches.
    """

    def __init__(self, key: str, path: Path) -> None:
        self.key = key
        self._path = path

    @cached_property
    def _run(self) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
        from ai_edge_litert.interpreter import Interpreter

        try:
            with quiet_stderr():
                interpreter = Interpreter(model_path=str(self._path))
                interpreter.allocate_tensors()
        except ValueError as error:
            raise WeightsError(f"{self._path} is not a TF Lite model: {error}.") from error
        source = interpreter.get_input_details()[0]["index"]
        target = interpreter.get_output_details()[0]["index"]

        def run(picture: NDArray[np.float32]) -> NDArray[np.float32]:
            interpreter.set_tensor(source, picture)
            interpreter.invoke()
            return np.asarray(interpreter.get_tensor(target), np.float32).ravel()

        return run

    def __call__(self, picture: Frame) -> NDArray[np.float32]:
        """Return the style bottleneck (100,) of an RGB picture of any size."""
        return self._run(style_input(picture))


@dataclass(frozen=True, slots=True)
class StyleModel:
    """A style model, without the engine that runs its transformer.

    Attributes:
        name: as in the table of weights.
        config: architecture of the transformer.
        arrays: the transformer's weights under our layer names, style head included.
        predictor: RGB picture to bottleneck (config.bottleneck,).
        transformer_key: names the model and the transformer's exact weights, to which refined
            style parameters belong.
    """

    name: str
    config: TransformerConfig
    arrays: checkpoints.Arrays
    predictor: KerasPredictor | OpenVinoPredictor | TflitePredictor
    transformer_key: str

    def style_parameters(self, bottlenecks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn bottlenecks (n, config.bottleneck) into style parameters (n, config.style_size)."""
        return bottlenecks @ self.arrays["style_head.kernel"] + self.arrays["style_head.bias"]

    def to_parameters(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn style vectors into style parameters (n, config.style_size).

        Args:
            vectors: bottlenecks (n, config.bottleneck), or style parameters, which stay as they
                are.
        """
        is_refined = vectors.shape[-1] == self.config.style_size
        return vectors if is_refined else self.style_parameters(vectors)


def _key(name: str, weights: Path) -> str:
    """Return a key that changes when the weights in that file do."""
    return f"{name}-{digest_of(weights)[:16]}"


def _key_of_arrays(name: str, arrays: checkpoints.Arrays) -> str:
    """Return a key that changes when the weights do, whatever file they come from."""
    digest = hashlib.sha256()
    for layer in sorted(arrays):
        digest.update(np.ascontiguousarray(arrays[layer]).tobytes())
    return f"{name}-{digest.hexdigest()[:16]}"


def _kept(
    key: str, config: TransformerConfig, read: Callable[[], checkpoints.Arrays]
) -> checkpoints.Arrays:
    """Return arrays from the cache; else read them, and cache them if possible.

    Reading a SavedModel needs TensorFlow and seconds, the cached file some hundredths of a second.
    """
    path = paths.cache_dir() / "transformers" / f"{key}.npz"
    with suppress(WeightsError):
        return checkpoints.load_npz(path, config.array_shapes(), key)
    arrays = read()
    with suppress(OSError):
        paths.write_atomically(path, lambda file: np.savez(file, allow_pickle=False, **arrays))
    return arrays


def _build_inception(folder: Path) -> "keras.Model":
    from nst_video.networks import inception

    arrays = inception.inception_from_savedmodel(checkpoints.savedmodel_reader(folder))
    return inception.load_inception_predictor(arrays)


def _load_magenta(files: Mapping[str, Path]) -> StyleModel:
    folder = files["saved_model"]
    config = TRANSFORMERS["magenta"]
    key = _key("magenta", folder / "variables" / "variables.index")  # holds all tensors' CRCs

    def read() -> checkpoints.Arrays:
        read_variable = checkpoints.savedmodel_reader(folder)
        return checkpoints.transformer_from_savedmodel(config, read_variable)

    return StyleModel(
        "magenta",
        config,
        _kept(key, config, read),
        KerasPredictor(key, lambda: _build_inception(folder)),
        key,
    )


def _load_magenta_lite(files: Mapping[str, Path]) -> StyleModel:
    config = TRANSFORMERS["magenta-lite"]
    read = checkpoints.tflite_reader(files["transformer"])
    arrays = checkpoints.transformer_from_tflite(config, read)
    return StyleModel(
        "magenta-lite",
        config,
        arrays,
        TflitePredictor(_key("magenta-lite", files["predictor"]), files["predictor"]),
        _key_of_arrays("magenta-lite", arrays),
    )


def _load_builtin(files: Mapping[str, Path]) -> StyleModel:
    config = TRANSFORMERS["builtin"]
    return StyleModel(
        "builtin",
        config,
        checkpoints.load_npz(files["transformer"], config.array_shapes(), "the style transformer"),
        OpenVinoPredictor(_key("builtin", files["predictor"]), files["predictor"]),
        _key("builtin", files["transformer"]),
    )


LOADERS: dict[str, Callable[[Mapping[str, Path]], StyleModel]] = {
    "magenta": _load_magenta,
    "magenta-lite": _load_magenta_lite,
    "builtin": _load_builtin,
}


def load_model(name: str, files: Mapping[str, Path]) -> StyleModel:
    """Read a model's files (role to path, as `weights.resolve` returns them).

    Raises:
        UsageError: no such model.
        WeightsError: a file is damaged or of another model.
    """
    if name not in LOADERS:
        raise UsageError(f"No model {name!r}. Choose from: {', '.join(LOADERS)}.")
    return LOADERS[name](files)
