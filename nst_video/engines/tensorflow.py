"""The fused transformer on TensorFlow, for NVIDIA GPUs."""

import ctypes
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nst_video.engines.base import (
    Device,
    EngineCapabilities,
    PendingFrames,
    SecondStyle,
    check_min_size,
    second_inputs,
)
from nst_video.engines.tiles import paint_in_tiles
from nst_video.errors import EngineError, OutOfMemoryError
from nst_video.frames import Floats, Frame, Frames, Size, size_of
from nst_video.image.yuv420 import YuvColors, YuvFrames, yuv_size
from nst_video.networks.checkpoints import Arrays
from nst_video.networks.config import TransformerConfig
from nst_video.networks.fused.convolutions import PIXEL_SCALE, fuse_transformer
from nst_video.networks.fused.regions import (
    REGIONS,
    RESOLUTIONS,
    RegionMap,
    RegionMaps,
    phases_of,
)
from nst_video.system.stderr import quiet_stderr


def has_gpu() -> bool:
    """Return whether TensorFlow can use a GPU; imports it only if there is an NVIDIA driver."""
    return _has_cuda_device() and pick_device().name.startswith("GPU")


def _has_cuda_device() -> bool:
    """Ask the NVIDIA driver for a device; CUDA_VISIBLE_DEVICES may hide it."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int()
    is_up = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    return is_up and count.value > 0


def pick_device() -> Device:
    """Return TensorFlow's first GPU, or else the CPU, with the reason.

    Enables memory growth, so that TensorFlow does not take all of the GPU's memory at once.
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
    """Return in one clause why TensorFlow finds no GPU."""
    if platform.system() == "Windows":
        return "TensorFlow has no GPU build for Windows since 2.11; use WSL 2 for the GPU"
    if not built_with_cuda:
        return "this TensorFlow is built without GPU support"
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES hides the GPUs"
    return "TensorFlow finds no GPU with a working driver"


class TensorFlowEngine:
    """The transformer as one TensorFlow graph for all sizes, batch sizes and styles."""

    name = "tensorflow"
    capabilities = EngineCapabilities(yuv=True, tiles=True, peak_feature_maps=5.0)

    def __init__(
        self, config: TransformerConfig, arrays: Arrays, device: Device | None = None
    ) -> None:
        with quiet_stderr():
            import keras
            import tensorflow as tf

            from nst_video.networks.fused import keras_backend
            from nst_video.networks.fused.keras_tiles import KerasTiles

        backend = keras.config.backend()
        if backend != "tensorflow":
            raise EngineError(
                f"The engine tensorflow needs Keras on TensorFlow, and Keras runs on {backend}: "
                "set KERAS_BACKEND=tensorflow before it is imported, or use --engine openvino."
            )
        self.device = device or pick_device()
        dtype = keras.dtype_policies.get(self.device.dtype).compute_dtype
        convolutions = fuse_transformer(config, arrays)

        def scaled(frames: tf.Tensor) -> tf.Tensor:
            return tf.cast(frames, tf.float32) / PIXEL_SCALE

        def rounded(painted: tf.Tensor) -> tf.Tensor:
            return tf.cast(tf.round(painted * PIXEL_SCALE), tf.uint8)

        def paint(frames: tf.Tensor, style: tf.Tensor, *second: tf.Tensor) -> tf.Tensor:
            regions = _regions(second)
            content = scaled(frames)
            return rounded(
                keras_backend.paint(config, convolutions, content, style, dtype, regions)
            )

        def yuv(
            yuv: tf.Tensor, style: tf.Tensor, to_rgb: tf.Tensor, *second: tf.Tensor
        ) -> tf.Tensor:
            regions = _regions(second)
            return keras_backend.paint_yuv(config, convolutions, yuv, style, to_rgb, dtype, regions)

        self._tf = tf
        self.config = config
        frames_spec = tf.TensorSpec((None, None, None, 3), tf.uint8)
        style_spec = tf.TensorSpec((None, config.style_size), tf.float32)
        second_specs = [style_spec, *_map_specs(tf)]
        self._paint = self._compile(paint, [frames_spec, style_spec])
        self._paint_two = self._compile(paint, [frames_spec, style_spec, *second_specs])
        yuv_spec = tf.TensorSpec((None, None, None), tf.uint8)
        to_rgb_spec = tf.TensorSpec((3, 4), tf.float32)
        yuv_specs = [yuv_spec, style_spec, to_rgb_spec]
        self._paint_yuv = self._compile(yuv, yuv_specs)
        self._paint_two_yuv = self._compile(yuv, [*yuv_specs, *second_specs])
        self._tiles = KerasTiles(config, convolutions, dtype)
        self._largest: dict[tuple[int, ...] | None, int] = {}

    def make_reproducible(self, cores: int | None = None) -> None:
        """TensorFlow cannot be told to: other numbers of cores give other last bits."""

    def __call__(self, frames: Frames, style: Floats, second: SecondStyle | None = None) -> Frames:
        """Paint `frames` (n, height, width, 3) with `style` (n or 1, style_size).

        Raises:
            EngineError: a side is under 8 pixels.
            OutOfMemoryError: the device has not enough memory.
        """
        return self.submit(frames, style, second).wait()

    def submit(
        self, frames: Frames, style: Floats, second: SecondStyle | None = None
    ) -> PendingFrames:
        """Begin to paint RGB frames.

        A GPU works asynchronously: the next batch is uploaded, and the last one downloaded, while
        it computes.

        Raises:
            EngineError: as for a call; so does waiting.
        """
        return self._submit(frames, size_of(frames), style, None, second)

    def accepts_yuv(self, size: Size) -> bool:
        """Return True: every size can be painted whole as YUV frames."""
        return True

    def submit_yuv(
        self,
        yuv: YuvFrames,
        style: Floats,
        colors: YuvColors,
        second: SecondStyle | None = None,
    ) -> PendingFrames:
        """Begin to paint 4:2:0 frames, see `Engine.submit_yuv`.

        Raises:
            EngineError: as for a call; so does waiting.
        """
        return self._submit(yuv, yuv_size(yuv), style, colors, second)

    def _submit(
        self,
        pictures: Frames | YuvFrames,
        size: Size,
        style: Floats,
        colors: YuvColors | None,
        second: SecondStyle | None,
    ) -> PendingFrames:
        """Begin to paint RGB frames (`colors` is None) or YUV frames."""
        count, shape = len(pictures), pictures.shape[1:]
        others = second_inputs(second)
        with self._running(count, size, shape):
            if self.device.xla:
                # XLA compiles for every batch size, which takes far longer than painting a few
                # frames in vain: the last batch of a video is often smaller than the others.
                full = self._largest[shape] = max(count, self._largest.get(shape, 0))
                pictures = _fill_up(pictures, full)
                style, *others = (_fill_up(each, full) for each in (style, *others))
            if colors is None:
                paint = self._paint_two if others else self._paint
                painted = paint(pictures, style, *others)
            else:
                paint = self._paint_two_yuv if others else self._paint_yuv
                painted = paint(pictures, style, colors.to_rgb(), *others)

        def wait() -> NDArray[np.uint8]:
            with self._running(count, size, shape):
                return np.ascontiguousarray(painted.numpy()[:count])

        return PendingFrames(wait)

    def paint_tiles(
        self, frame: Frame, style: Floats, rows: int, second: SecondStyle | None = None
    ) -> Frame:
        """Paint one frame in tiles: see `tiles.paint_in_tiles`.

        Raises:
            EngineError: as for a call.
        """
        with self._running(1, size_of(frame)):
            return paint_in_tiles(self._tiles, self.config, frame, style, rows, second)

    def _compile(
        self, function: Callable[..., Any], signature: Sequence[Any]
    ) -> Callable[..., Any]:
        """Compile a function to one graph for all sizes."""
        return self._tf.function(  # type: ignore[no-any-return]  # TensorFlow has no types
            function,
            input_signature=signature,
            jit_compile=self.device.xla,
            autograph=False,
        )

    @contextmanager
    def _running(
        self, count: int, size: Size, shape: tuple[int, ...] | None = None
    ) -> Iterator[None]:
        """Run on the device; check the minimum size, and convert out-of-memory errors.

        After one, batches of this shape are no longer padded to the size that failed.
        """
        check_min_size(size)
        try:
            with self._tf.device(self.device.name):
                yield
        except (self._tf.errors.ResourceExhaustedError, MemoryError) as error:
            self._largest.pop(shape, None)
            frames = f"{count} frame(s) of {size[0]}x{size[1]}"
            raise OutOfMemoryError(
                f"{self.device.name} has not enough memory for {frames}. "
                "Try a smaller --work-size or --batch-size."
            ) from error


def _regions(inputs: Sequence[Any]) -> tuple[Any, RegionMaps] | None:
    """Return the style of the second region and the maps of `second_inputs`, None without."""
    if not inputs:
        return None
    style, *arrays = inputs
    pairs = zip(arrays[::2], arrays[1::2], strict=True)
    return style, {
        resolution: RegionMap(*pair) for resolution, pair in zip(RESOLUTIONS, pairs, strict=True)
    }


def _map_specs(tf: Any) -> list[Any]:  # noqa: ANN401 - TensorFlow has no types
    """Return the signature of all maps, for any size."""
    return [
        tf.TensorSpec(shape, tf.float32)
        for phases in map(phases_of, RESOLUTIONS)
        for shape in ((None, None, None, phases), (None, REGIONS * phases, None))
    ]


def _fill_up(batch: NDArray[Any], count: int) -> NDArray[Any]:
    """Pad a batch to `count` by repeating its last item."""
    return np.concatenate([batch, np.repeat(batch[-1:], count - len(batch), axis=0)])
