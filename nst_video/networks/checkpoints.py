"""Public checkpoints as plain arrays under our own layer names.

Three formats, one result: a mapping `"<layer>.kernel" | "<layer>.bias"` to float32 arrays, kernels
in HWIO order, batch norm folded, that `assign` copies into a network. Our own files (`.npz`,
float16, no pickle) hold that mapping as it is.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from nst_video.errors import WeightsError
from nst_video.networks.config import TransformerConfig
from nst_video.quiet import quiet_stderr

if TYPE_CHECKING:
    import keras

    from nst_video.networks.transformer import StyleTransformer

Arrays: TypeAlias = Mapping[str, NDArray[np.float32]]
Read: TypeAlias = Callable[[str], NDArray[np.float32]]

BATCH_NORM_EPSILON = 1e-3
"""Of Magenta's batch norms, which have a beta but no gamma."""


def assign(network: "keras.Model", arrays: Arrays) -> None:
    """Copy `arrays` into the variables of a built Keras `network`.

    Raises:
        WeightsError: a variable is missing or has another shape, or an array is left over.
    """
    left = dict(arrays)
    for layer in network.layers:
        for variable in layer.weights:
            key = f"{layer.name}.{variable.name}"
            if key not in left:
                raise WeightsError(f"The weights lack {key!r}, which {network.name} needs.")
            value = left.pop(key)
            if tuple(value.shape) != tuple(variable.shape):
                raise WeightsError(
                    f"The weights have {key!r} of shape {value.shape}, "
                    f"{network.name} needs {tuple(variable.shape)}."
                )
            variable.assign(value)
    if left:
        raise WeightsError(f"The weights hold {sorted(left)[0]!r}, unknown to {network.name}.")


def collect(network: "keras.Model") -> dict[str, NDArray[np.float32]]:
    """Return the variables of `network` as `assign` takes them."""
    return {
        f"{layer.name}.{variable.name}": np.asarray(variable.numpy(), np.float32)
        for layer in network.layers
        for variable in layer.weights
    }


def load_npz(path: Path) -> dict[str, NDArray[np.float32]]:
    """Read one of our own weight files.

    Raises:
        WeightsError: the file cannot be read as such.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {key: archive[key].astype(np.float32) for key in archive.files}
    except (OSError, ValueError, BadZipFile) as error:
        raise WeightsError(f"{path} is not a weight file of ours: {error}.") from error


def fold_batch_norm(
    kernel: NDArray[np.float32],
    beta: NDArray[np.float32],
    mean: NDArray[np.float32],
    variance: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the kernel and bias that do the work of a convolution and its batch norm."""
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
    """Join the 1x1 convolutions that make gammas ("Conv_1") and betas ("Conv") into one matrix."""
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
