"""What runs a style transformer: uint8 frames and style parameters in, uint8 frames out.

An engine is one class and one line in `ENGINES`. Frames enter and leave the compiled graph as
uint8; conversion happens inside it, where it costs least.
"""

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nst_video.errors import EngineError, UsageError
from nst_video.frames import Frames, Size
from nst_video.networks.checkpoints import Arrays, load_transformer
from nst_video.networks.transformer import MIN_SIDE, TransformerConfig


@dataclass(frozen=True, slots=True)
class Device:
    """Where an engine runs, and why there: shown by `nst-video doctor`.

    Attributes:
        name: for TensorFlow, such as "GPU:0" or "CPU:0".
        reason: one sentence for the user.
        dtype: the Keras dtype policy that is fastest there and still within 2/255 of float32.
        xla: whether the graph is compiled by XLA.
    """

    name: str
    reason: str
    dtype: str = "float32"
    xla: bool = False


class Engine(Protocol):
    """A compiled style transformer."""

    @property
    def name(self) -> str:
        """The engine's name in `ENGINES`."""
        ...

    @property
    def device(self) -> Device:
        """Where it runs and why."""
        ...

    def __call__(self, frames: Frames, style: NDArray[np.float32]) -> Frames:
        """Paint `frames` (n, height, width, 3) with `style` (n or 1, style_size)."""
        ...


def pick_device() -> Device:
    """Choose TensorFlow's first GPU where there is one, else the CPU, and say why.

    Turns memory growth on, so that other programs keep their share of the GPU.
    """
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
        import tensorflow as tf

        self.device = device or pick_device()
        network = load_transformer(config, arrays, self.device.dtype)

        def paint(frames: tf.Tensor, style: tf.Tensor) -> tf.Tensor:
            content = tf.cast(frames, network.compute_dtype) / 255
            painted = tf.cast(network(content, style), tf.float32)
            return tf.cast(tf.round(painted * 255), tf.uint8)

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
        if min(frames.shape[1:3]) < MIN_SIDE:
            height, width = frames.shape[1:3]
            raise EngineError(
                f"A frame of {width}x{height} is too small to paint: "
                f"both sides must have at least {MIN_SIDE} pixels."
            )
        try:
            with self._tf.device(self.device.name):
                return np.ascontiguousarray(self._paint(frames, style).numpy())
        except self._tf.errors.ResourceExhaustedError as error:
            n, height, width = frames.shape[:3]
            raise EngineError(
                f"{self.device.name} has not enough memory for {n} frame(s) of {width}x{height}. "
                "Try a smaller --work-size or --batch-size."
            ) from error


class IdentityEngine:
    """Returns the frames as they are: for tests, and to measure everything but the network."""

    name = "identity"
    device = Device("none", "identity: nothing is computed")

    def __call__(self, frames: Frames, style: NDArray[np.float32]) -> Frames:
        """Return a copy of `frames`."""
        return frames.copy()


ENGINES: dict[str, Callable[[TransformerConfig, Arrays], Engine]] = {
    "tensorflow": TensorFlowEngine,
    "identity": lambda config, arrays: IdentityEngine(),
}


def open_engine(name: str, config: TransformerConfig, arrays: Arrays) -> Engine:
    """Compile the transformer `config` with weights `arrays` for the engine called `name`.

    Raises:
        UsageError: no such engine.
    """
    if name not in ENGINES:
        raise UsageError(f"No engine {name!r}. Choose from: {', '.join(ENGINES)}.")
    return ENGINES[name](config, arrays)


def warm_up(engine: Engine, size: Size, style: NDArray[np.float32]) -> None:
    """Paint one test picture of `size`, which compiles what is compiled late, and judge it.

    Raises:
        EngineError: the style is not finite, or the painted test picture is flat, as faulty
            drivers and half-written weights make it.
    """
    if not np.isfinite(style).all():
        raise EngineError("The style parameters are not finite: the model's weights are broken.")
    width, height = size
    ramp = np.linspace(0, 255, width * height * 3).reshape(1, height, width, 3)
    picture = (ramp + 40 * np.sin(ramp)).clip(0, 255).astype(np.uint8)
    painted = engine(picture, style[:1])
    if painted.shape != picture.shape or int(painted.max()) - int(painted.min()) < 2:
        raise EngineError(
            f"Engine {engine.name!r} on {engine.device.name} painted a flat test picture: "
            "its driver or the weights are broken. Try `nst-video models verify`."
        )
