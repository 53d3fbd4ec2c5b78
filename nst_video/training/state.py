"""Files of a training run: its state, from which it is resumed, its weights, and its log."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from nst_video.networks.checkpoints import Arrays, assign, collect, load_npz, network_shapes
from nst_video.system.paths import write_atomically


def save_weights(path: Path, arrays: Arrays, dtype: str = "float16") -> None:
    """Write weights in the format of the package: an `.npz` of float16 arrays, without pickle."""
    converted: dict[str, Any] = {key: array.astype(dtype) for key, array in arrays.items()}
    write_atomically(path, lambda file: np.savez_compressed(file, **converted))


def save_state(
    path: Path, step: int, networks: Mapping[str, keras.Model], optimizer: keras.Optimizer
) -> None:
    """Write the state after `step` steps: networks, optimizer and step.

    Args:
        path: the `.npz` file.
        step: number of steps done.
        networks: by name, the same as for `load_state`.
        optimizer: its variables are stored in order.
    """
    arrays = {
        f"{role}/{key}": array
        for role, network in networks.items()
        for key, array in collect(network).items()
    }
    arrays |= {f"optimizer/{i}": v.numpy() for i, v in enumerate(optimizer.variables)}
    arrays["step"] = np.array(step, np.float32)
    save_weights(path, arrays, "float32")


def load_state(path: Path, networks: Mapping[str, keras.Model], optimizer: keras.Optimizer) -> int:
    """Restore the state that `save_state` wrote; return its number of steps, 0 without a file.

    Raises:
        WeightsError: the file is damaged, or belongs to other networks.
    """
    if not path.is_file():
        return 0
    shapes = {
        f"{role}/{key}": shape
        for role, network in networks.items()
        for key, shape in network_shapes(network).items()
    }
    shapes |= {f"optimizer/{i}": tuple(v.shape) for i, v in enumerate(optimizer.variables)}
    arrays = load_npz(path, {**shapes, "step": ()}, "this training")
    for role, network in networks.items():
        own = {k.partition("/")[2]: v for k, v in arrays.items() if k.startswith(f"{role}/")}
        assign(network, own)
    for i, variable in enumerate(optimizer.variables):
        variable.assign(arrays[f"optimizer/{i}"])
    return int(arrays["step"])


def append_log(path: Path, entry: Mapping[str, float | str]) -> None:
    """Append an entry to the log, as one line of JSON."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(dict(entry)) + "\n")
