"""The rewritten transformer on TensorFlow: the way onto a GPU."""

import ctypes
import os
import platform

import numpy as np
from numpy.typing import NDArray

from nst_video.engines.base import Device, refuse_small
from nst_video.errors import EngineError
from nst_video.frames import Frames
from nst_video.networks.checkpoints import Arrays
from nst_video.networks.config import TransformerConfig
from nst_video.networks.folded import PIXEL_SCALE, fold_transformer
from nst_video.quiet import quiet_stderr


def has_gpu() -> bool:
    """Return whether TensorFlow can use a GPU here; imports it only where there is a driver."""
    return _has_cuda_device() and pick_device().name.startswith("GPU")


def _has_cuda_device() -> bool:
    """Ask the NVIDIA driver whether it shows a device, which CUDA_VISIBLE_DEVICES may hide."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int()
    is_up = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    return is_up and count.value > 0


def pick_device() -> Device:
    """Choose TensorFlow's first GPU where there is one, else the CPU, and say why.

    Turns memory growth on, so that other programs keep their share of the GPU.
    """
    with quiet_stderr():
        import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return Device("CPU:0", f"CPU: {_why_no_gpu(tf.test.is_built_with_cuda())}")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    details = tf.config.experimental.get_device_details(gpus[0])
    capability = details.get("compute_capability", (0, 0))
    dtype = "mixed_float16" if capability >= (7, 0) else "float32"
    return Device("GPU:0", f"GPU: {details.get('device_name', 'unnamed')}", dtype, xla=True)


def _why_no_gpu(built_with_cuda: bool) -> str:
    """Say in one clause why TensorFlow shows no GPU."""
    if platform.system() == "Windows":
        return "TensorFlow has no GPU build for Windows since 2.11; use WSL 2 for the GPU"
    if not built_with_cuda:
        return "this TensorFlow is built without GPU support"
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES hides the GPUs"
    return "TensorFlow finds no GPU with a working driver"


class TensorFlowEngine:
    """The transformer as one TensorFlow graph for all sizes, batches, styles and mixes."""

    name = "tensorflow"

    def __init__(
        self, config: TransformerConfig, arrays: Arrays, device: Device | None = None
    ) -> None:
        with quiet_stderr():
            import keras
            import tensorflow as tf

            from nst_video.networks import keras_ops

        self.device = device or pick_device()
        dtype = keras.dtype_policies.get(self.device.dtype).compute_dtype
        convolutions = fold_transformer(config, arrays)

        def paint(frames: tf.Tensor, style: tf.Tensor) -> tf.Tensor:
            content = tf.cast(frames, tf.float32) / PIXEL_SCALE
            painted = keras_ops.paint(config, convolutions, content, style, dtype)
            return tf.cast(tf.round(painted * PIXEL_SCALE), tf.uint8)

        self._tf = tf
        self._paint = tf.function(
            paint,
            input_signature=[
                tf.TensorSpec((None, None, None, 3), tf.uint8),
                tf.TensorSpec((None, config.style_size), tf.float32),
            ],
            jit_compile=self.device.xla,
            autograph=False,
        )

    def __call__(self, frames: Frames, style: NDArray[np.float32]) -> Frames:
        """Paint `frames` (n, height, width, 3) with `style` (n or 1, style_size).

        Raises:
            EngineError: a side is under 8 pixels, or the device has not enough memory.
        """
        refuse_small(frames)
        try:
            with self._tf.device(self.device.name):
                return np.ascontiguousarray(self._paint(frames, style).numpy())
        except self._tf.errors.ResourceExhaustedError as error:
            n, height, width = frames.shape[:3]
            raise EngineError(
                f"{self.device.name} has not enough memory for {n} frame(s) of {width}x{height}. "
                "Try a smaller --work-size or --batch-size."
            ) from error
