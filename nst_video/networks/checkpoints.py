"""Public checkpoints as plain arrays under our own layer names.

Three formats, one result: a mapping `"<layer>.kernel" | "<layer>.bias"` to float32 arrays, kernels
in HWIO order, batch norm folded, that `assign` copies into a network. Our own files (`.npz`,
float16, no pickle) hold that mapping as it is.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nst_video.errors import WeightsError
from nst_video.networks.config import TransformerConfig
from nst_video.system.npz import Header, read_npz
from nst_video.system.stderr import quiet_stderr

if TYPE_CHECKING:
    import keras

    from nst_video.networks.transformer import StyleTransformer

Arrays: TypeAlias = Mapping[str, NDArray[np.float32]]
Read: TypeAlias = Callable[[str], NDArray[np.float32]]

Shape: TypeAlias = tuple[int, ...]

LARGEST_FLOAT, LARGEST_HEADER = 16, 1024
"""Largest bytes per number, and largest overhead per array, in a file."""

BATCH_NORM_EPSILON = 1e-3
"""Of Magenta's batch norms, which have a beta but no gamma."""


def assign(network: "keras.Model", arrays: Arrays) -> None:
    """Copy `arrays` into the variables of a built Keras `network`.

    Raises:
        WeightsError: a variable is missing or has another shape, or an array is left over.
    """
    found = {key: tuple(array.shape) for key, array in arrays.items()}
    check_shapes(found, network_shapes(network), network.name)
    for layer in network.layers:
        for variable in layer.weights:
            variable.assign(arrays[f"{layer.name}.{variable.name}"])


def network_shapes(network: "keras.Model") -> dict[str, Shape]:
    """Return the shapes of the arrays that `assign` needs."""
    return {
        f"{layer.name}.{variable.name}": tuple(variable.shape)
        for layer in network.layers
        for variable in layer.weights
    }


def check_shapes(
    found: Mapping[str, Shape],
    expected: Mapping[str, Shape],
    owner: str,
    *,
    weights: str = "The weights",
    may_lack: bool = False,
) -> None:
    """Compare the shapes of arrays with those that a network needs.

    Args:
        found: shapes by name.
        expected: likewise.
        owner: what needs them.
        weights: the arrays, as the subject of a sentence.
        may_lack: some may be missing.

    Raises:
        WeightsError: an array is missing, left over, or of another shape.
    """
    for key, shape in expected.items():
        if key not in found and not may_lack:
            raise WeightsError(f"{weights} lack {key!r}, which {owner} needs.")
        if found.get(key, shape) != shape:
            raise WeightsError(
                f"{weights} have {key!r} of shape {found[key]}, {owner} needs {shape}."
            )
    unknown = sorted(set(found) - set(expected))
    if unknown:
        raise WeightsError(f"{weights} hold {unknown[0]!r}, unknown to {owner}.")


def collect(network: "keras.Model") -> dict[str, NDArray[np.float32]]:
    """Return the variables of `network` as `assign` takes them."""
    return {
        f"{layer.name}.{variable.name}": np.asarray(variable.numpy(), np.float32)
        for layer in network.layers
        for variable in layer.weights
    }


def load_npz(
    path: Path, expected: Mapping[str, Shape], owner: str, *, may_lack: bool = False
) -> dict[str, NDArray[np.float32]]:
    """Read one of our own weight files, once its headers fit.

    Args:
        path: the file.
        expected: shapes by name.
        owner: what the weights are for, as errors call it.
        may_lack: some arrays may be missing.

    Raises:
        WeightsError: the file cannot be read as such, holds other arrays, or numbers that are not
            finite.
    """
    weights = f"The weights in {path}"

    def check(headers: Mapping[str, Header]) -> None:
        for key, header in headers.items():
            if header.dtype.kind != "f":
                raise WeightsError(f"{weights} have {key!r} as {header.dtype}, not as floats.")
        shapes = {key: header.shape for key, header in headers.items()}
        check_shapes(shapes, expected, owner, weights=weights, may_lack=may_lack)

    numbers = sum(math.prod(shape) for shape in expected.values())
    largest = numbers * LARGEST_FLOAT + len(expected) * LARGEST_HEADER
    try:
        raw = read_npz(path, check, largest=largest)
    except ValueError as error:
        raise WeightsError(f"{path} is not a weight file of ours: {error}.") from error
    arrays = {key: array.astype(np.float32) for key, array in raw.items()}
    for key, array in arrays.items():
        if not np.isfinite(array).all():
            raise WeightsError(f"{weights} have numbers in {key!r} that are not finite.")
    return arrays


def fold_batch_norm(
    kernel: NDArray[np.float32],
    beta: NDArray[np.float32],
    mean: NDArray[np.float32],
    variance: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the kernel and bias of a convolution with its batch norm folded in."""
    scale = 1 / np.sqrt(variance + BATCH_NORM_EPSILON)
    return (kernel * scale).astype(np.float32), (beta - mean * scale).astype(np.float32)


def magenta_scope(layer: str) -> str:
    """Return Magenta's variable scope of one of our transformer's layers."""
    part, _, last = layer.partition("_")
    if last:
        return f"transformer/residual/{part}/{last}"
    if part.startswith("contract"):
        return f"transformer/contract/conv{part[-1]}"
    return f"transformer/expand/conv{part[-1]}/conv"


def transformer_from_savedmodel(config: TransformerConfig, read: Read) -> Arrays:
    """Map the variables of Magenta's SavedModel, which `read` returns by name."""
    arrays: dict[str, NDArray[np.float32]] = {}
    for layer in ("contract1", "contract2", "contract3"):
        scope = magenta_scope(layer)
        norm = (read(f"{scope}/BatchNorm/{x}") for x in ("beta", "moving_mean", "moving_variance"))
        folded = fold_batch_norm(read(f"{scope}/weights"), *norm)
        arrays[f"{layer}.kernel"], arrays[f"{layer}.bias"] = folded
    for layer, _ in config.norms:
        arrays[f"{layer}.kernel"] = read(f"{magenta_scope(layer)}/weights")
    return arrays | _style_head(
        config,
        lambda scope: read(f"{scope}/weights")[0, 0],
        lambda scope: read(f"{scope}/biases"),
    )


def transformer_from_tflite(config: TransformerConfig, read: Read) -> Arrays:
    """Map the tensors of a public `style_transfer_*.tflite`, which `read` returns by name.

    Batch norm is already folded there; kernels are stored as OHWI.
    """
    arrays: dict[str, NDArray[np.float32]] = {}
    for layer in ("contract1", "contract2", "contract3"):
        arrays[f"{layer}.bias"] = read(f"{magenta_scope(layer)}/Conv2D_bias")
    for layer in ("contract1", "contract2", "contract3", *(name for name, _ in config.norms)):
        arrays[f"{layer}.kernel"] = read(f"{magenta_scope(layer)}/weights").transpose(1, 2, 3, 0)
    return arrays | _style_head(
        config,
        lambda scope: read(f"{scope}/weights")[:, 0, 0].T,
        lambda scope: read(f"{scope}/Conv2D_bias"),
    )


def _style_head(
    config: TransformerConfig, kernel: Read, bias: Read
) -> dict[str, NDArray[np.float32]]:
    """Concatenate the 1x1 convolutions of gammas ("Conv_1") and betas ("Conv") to one matrix."""
    scopes = [
        f"style_params/{magenta_scope(layer)}/StyleNorm/{convolution}"
        for convolution in ("Conv_1", "Conv")
        for layer, _ in config.norms
    ]
    return {
        "style_head.kernel": np.concatenate([kernel(scope) for scope in scopes], axis=1),
        "style_head.bias": np.concatenate([bias(scope) for scope in scopes]),
    }


def tflite_reader(path: Path) -> Read:
    """Return a function from tensor name to constant of the `.tflite` at `path`, as float32.

    Raises:
        WeightsError: the file is not a TF Lite model; on reading, a tensor is not in it.
    """
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_path=str(path))
    except ValueError as error:
        raise WeightsError(f"{path} is not a TF Lite model: {error}.") from error
    indices = {tensor["name"]: tensor["index"] for tensor in interpreter.get_tensor_details()}

    def read(name: str) -> NDArray[np.float32]:
        if name not in indices:
            raise WeightsError(f"{path} has no tensor {name!r}: not Magenta's style transformer.")
        return np.asarray(interpreter.get_tensor(indices[name]), np.float32)

    return read


def savedmodel_reader(folder: Path) -> Read:
    """Return a function from variable name to value of the TF-Hub SavedModel in `folder`.

    Raises:
        WeightsError: TensorFlow cannot load it; on reading, a variable is not in it.
    """
    with quiet_stderr():
        import tensorflow_hub as hub

    try:
        module = hub.load(str(folder))
    except (OSError, ValueError) as error:
        raise WeightsError(f"{folder} is not a SavedModel of Magenta's: {error}.") from error
    variables = {variable.name.removesuffix(":0"): variable for variable in module.variables}

    def read(name: str) -> NDArray[np.float32]:
        if name not in variables:
            raise WeightsError(f"{folder} has no variable {name!r}: not Magenta's stylization.")
        return np.asarray(variables[name].numpy(), np.float32)

    return read


def load_transformer(
    config: TransformerConfig, arrays: Arrays, dtype: str = "float32"
) -> "StyleTransformer":
    """Return a style transformer of `config` and Keras dtype policy that carries `arrays`."""
    from nst_video.networks.transformer import StyleTransformer

    network = StyleTransformer(config, dtype=dtype)
    assign(network, arrays)
    return network
