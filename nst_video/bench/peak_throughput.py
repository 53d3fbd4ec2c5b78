"""Peak arithmetic throughput: a large matrix product on the runtime of an engine."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nst_video.engines import Device, Engine
from nst_video.engines.openvino.engine import PRECISION_HINTS
from nst_video.frames import Floats
from nst_video.networks.fused.flops import FLOP

CPU_SIDE = 2048
"""Side of the square matrices on a CPU; larger ones are not faster."""

GPU_SIDE = 8192
"""Side elsewhere, so that the transfer of the result is short relative to the product."""


@dataclass(frozen=True, slots=True)
class MatrixProduct:
    """A compiled matrix product.

    Attributes:
        run: multiplies once; returns when the result is there.
        gflop: billions of floating-point operations of one product.
    """

    run: Callable[[], None]
    gflop: float


def open_matrix_product(engine: Engine) -> MatrixProduct | None:
    """Return a warmed-up matrix product on the engine's device, in its precision.

    Returns:
        None for an engine that computes nothing.
    """
    opener = _OPENERS.get(engine.name.partition("-")[0])
    if opener is None:
        return None
    side = CPU_SIDE if engine.device.name.startswith("CPU") else GPU_SIDE
    matrix = np.random.default_rng(0).standard_normal((side, side), np.float32)
    run = opener(engine.device, matrix)
    run()
    return MatrixProduct(run, FLOP * side**3 / 1e9)


def _openvino(device: Device, matrix: Floats) -> Callable[[], None]:
    import openvino
    from openvino import opset15 as op

    inputs = [op.parameter(list(matrix.shape), np.float32, name=name) for name in ("left", "right")]
    model = openvino.Model([op.matmul(*inputs, False, False)], inputs, "product")
    options = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": PRECISION_HINTS[device.dtype],
    }
    compiled = openvino.Core().compile_model(model, device.name, options)
    request = compiled.create_infer_request()

    def run() -> None:
        request.infer([matrix, matrix], share_inputs=True, share_outputs=True)

    return run


def _tensorflow(device: Device, matrix: Floats) -> Callable[[], None]:
    import keras
    import tensorflow as tf

    with tf.device(device.name):
        factor = tf.cast(tf.constant(matrix), keras.dtype_policies.get(device.dtype).compute_dtype)

    def run() -> None:
        with tf.device(device.name):
            tf.matmul(factor, factor)[0, 0].numpy()  # reading a number waits for the device

    return run


_OPENERS: dict[str, Callable[[Device, Floats], Callable[[], None]]] = {
    "openvino": _openvino,
    "tensorflow": _tensorflow,
}
"""By the first word of an engine's name."""
