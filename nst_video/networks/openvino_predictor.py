"""The `builtin` model's style predictor, run by OpenVINO: it starts without TensorFlow.

`builtin.build_style_predictor` is the same network in Keras, which training needs.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nst_video.networks.checkpoints import Arrays, Shape, load_npz

BOTTLENECK = 100
"""Length of the style bottleneck, `magenta-lite`'s."""

STAGE_WIDTHS = (32, 48, 96, 144)
"""Channels at a quarter, an eighth, ... of the picture's resolution."""

STEM_KERNEL, STEM_STRIDE = 7, 4
"""Of the first stage; the others halve the resolution with kernels of 3."""

HIDDEN = 256
"""Width of the layer before the last."""

Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""A picture (1, side, side, 3), 0..1, to its bottleneck (`BOTTLENECK`,)."""


def predictor_shapes() -> dict[str, Shape]:
    """Return the shapes of the network's arrays by name."""
    kernels: dict[str, Shape] = {}
    before = 3
    for stage, width in enumerate(STAGE_WIDTHS, 1):
        side = STEM_KERNEL if stage == 1 else 3
        kernels[f"stage{stage}_down"] = (side, side, before, width)
        if stage > 1:
            kernels[f"stage{stage}_more"] = (3, 3, width, width)
        before = width
    kernels["hidden"] = (sum(STAGE_WIDTHS), HIDDEN)
    kernels["bottleneck"] = (HIDDEN, BOTTLENECK)
    return {
        f"{name}.{part}": shape if part == "kernel" else shape[-1:]
        for name, shape in kernels.items()
        for part in ("kernel", "bias")
    }


def open_style_predictor(path: Path, side: int) -> Run:
    """Return the network with the weights in `path`, compiled for pictures of `side` pixels.

    It serves one thread at a time.

    Raises:
        WeightsError: the file is not one of ours, or not of this network.
    """
    import openvino

    arrays = load_npz(path, predictor_shapes(), "the style predictor")
    options = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    compiled = openvino.Core().compile_model(_build(arrays, side), "CPU", options)

    def run(picture: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.array(compiled([np.ascontiguousarray(picture)])[0][0], np.float32)

    return run


def _build(arrays: Arrays, side: int) -> Any:  # noqa: ANN401 - OpenVINO has no types here
    """Return the graph of the network; see `builtin.build_style_predictor`."""
    import openvino
    from openvino import opset15 as op

    def convolve(x: Any, name: str, stride: int) -> Any:  # noqa: ANN401
        kernel = np.ascontiguousarray(arrays[f"{name}.kernel"].transpose(3, 2, 0, 1))
        bias = arrays[f"{name}.bias"].reshape(1, -1, 1, 1)
        steps, none = [stride, stride], [0, 0]
        # Keras, too, puts what is odd in a padding at its end.
        y = op.convolution(x, kernel, steps, none, none, [1, 1], "same_upper")
        return op.relu(op.add(y, bias))

    def connect(x: Any, name: str) -> Any:  # noqa: ANN401
        return op.add(op.matmul(x, arrays[f"{name}.kernel"], False, False), arrays[f"{name}.bias"])

    picture = op.parameter([1, side, side, 3], np.float32)
    x = op.transpose(picture, np.array([0, 3, 1, 2]))
    x = op.multiply(op.subtract(x, np.float32(0.5)), np.float32(4))
    means = []
    for stage in range(1, len(STAGE_WIDTHS) + 1):
        x = convolve(x, f"stage{stage}_down", STEM_STRIDE if stage == 1 else 2)
        if stage > 1:
            x = op.add(x, convolve(x, f"stage{stage}_more", 1))
        means.append(op.reduce_mean(x, np.array([2, 3]), False))
    hidden = op.relu(connect(op.concat(means, 1), "hidden"))
    return openvino.Model([connect(hidden, "bottleneck")], [picture], "style_predictor")
