"""What a training run keeps on disk: one file to go on from, and a log of JSON lines."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from nst_video.networks.checkpoints import Arrays, assign, collect, load_npz, network_shapes
from nst_video.system.paths import write_atomically


def save_weights(path: Path, arrays: Arrays, dtype: str = "float16") -> None:
    """Write weights as the package carries them: an `.npz` of float16, no pickle."""
    small: dict[str, Any] = {key: array.astype(dtype) for key, array in arrays.items()}
    write_atomically(path, lambda file: np.savez_compressed(file, **small))


def save_state(
    path: Path, step: int, networks: Mapping[str, keras.Model], optimizer: keras.Optimizer
) -> None:
    """Write all that is needed to go on after `step` steps."""
    arrays = {
        f"{role}/{key}": array
        for role, network in networks.items()
        for key, array in collect(network).items()
    }
    arrays |= {f"optimizer/{i}": v.numpy() for i, v in enumerate(optimizer.variables)}
    arrays["step"] = np.array(step, np.float32)
    save_weights(path, arrays, "float32")


def load_state(path: Path, networks: Mapping[str, keras.Model], optimizer: keras.Optimizer) -> int:
    """Read what `save_state` wrote; return the number of steps done, 0 where there is no file.

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


def log_line(path: Path, entry: Mapping[str, float | str]) -> None:
    """Append one JSON line to the log."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(dict(entry)) + "\n")
