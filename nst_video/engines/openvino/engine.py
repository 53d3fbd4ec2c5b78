"""The fused transformer on OpenVINO: fastest on a CPU; does not import TensorFlow."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

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
from nst_video.engines.openvino.backend import build_model
from nst_video.engines.openvino.compiled_cache import add_checksums, discard_damaged
from nst_video.engines.openvino.requests import Inference, InferRequestPool
from nst_video.engines.openvino.tiles import OpenVinoTiles
from nst_video.engines.openvino.yuv import build_yuv_model
from nst_video.engines.tiles import paint_in_tiles
from nst_video.errors import EngineError, OutOfMemoryError
from nst_video.frames import Floats, Frame, Frames, Size, size_of
from nst_video.image.yuv420 import YuvColors, YuvFrames, yuv_size
from nst_video.networks.checkpoints import Arrays
from nst_video.networks.config import TransformerConfig
from nst_video.networks.fused.convolutions import fuse_transformer
from nst_video.networks.fused.quantization import fuse_mixed_precision
from nst_video.system import paths

if TYPE_CHECKING:
    import openvino

Precision: TypeAlias = Literal["float32", "mixed", "float16"]
"""One type for all layers, or one for each layer (see `networks.fused.quantization`)."""

Kind: TypeAlias = Literal["CPU", "GPU", "NPU"]
"""OpenVINO's names of devices; GPU and NPU are Intel's."""

Hint: TypeAlias = Literal["LATENCY", "THROUGHPUT", "REPRODUCIBLE"]
"""All cores on one frame, one frame on each core or two, or one frame on each core.

Several threads on one frame sum in another order: 1 of 600 values differs by one level of 255.
"""

NETWORKS_KEPT = 8
"""Compiled networks kept in memory, one for each size, hint and colors; all are on disk."""

_OF_MEMORY = re.compile("bad_alloc|alloc|out of memory|not enough memory", re.IGNORECASE)

PRECISION_HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}
"""OpenVINO's names of inference precisions, by `Device.dtype`."""


class OpenVinoEngine:
    """The transformer compiled for each frame size; styles and mixes are inputs.

    Compiled networks are cached on disk, so that a second start is quick. All cores work on a
    single frame; the frames of a batch are painted in parallel, and a batch may start before the
    previous one has ended. Thread-safe.
    """

    capabilities = EngineCapabilities(yuv=True, tiles=True, peak_feature_maps=3.3)

    def __init__(
        self,
        config: TransformerConfig,
        arrays: Arrays,
        precision: Precision = "float32",
        device: Kind = "CPU",
    ) -> None:
        """Prepare the network; it is compiled at the first frame of each size.

        Args:
            config: the transformer's shape.
            arrays: its weights.
            precision: "mixed" is about twice as fast as "float32" on CPUs that compute in
                bfloat16, up to a third faster on others, and differs by a few of 255 levels.
            device: where it runs.

        Raises:
            EngineError: there is no such device.
        """
        import openvino

        self._core = openvino.Core()
        self.device = _describe(self._core, precision, device)
        self.config = config
        self._precision = precision
        # Convolutions in few bits are so quick that statistics of two regions would take as long.
        self._is_sampled = precision == "mixed"
        fold = fuse_mixed_precision if precision == "mixed" else fuse_transformer
        self._convolutions = fold(config, arrays)
        self._frames_at_once = 0
        self._compiled = lru_cache(NETWORKS_KEPT)(self._compile)
        self._tiles = OpenVinoTiles(
            config, self._convolutions, lambda model: self._compile_model(model, "LATENCY")
        )

    @property
    def name(self) -> str:
        """The engine's name in `ENGINES`."""
        if self.device.name != "CPU":
            return f"openvino-{self.device.name.lower()}"
        return "openvino-fast" if self._precision == "mixed" else "openvino"

    def make_reproducible(self, cores: int | None = None) -> None:
        """Compute each frame on one core from now on; see `Engine.make_reproducible`."""
        if self.device.name == "CPU":
            self._frames_at_once = cores or os.cpu_count() or 1

    def __call__(self, frames: Frames, style: Floats, second: SecondStyle | None = None) -> Frames:
        """Paint `frames` (n, height, width, 3) with `style` (n or 1, style_size).

        Raises:
            EngineError: a side is under 8 pixels, or OpenVINO fails.
            OutOfMemoryError: there is not enough memory.
        """
        return self.submit(frames, style, second).wait()

    def submit(
        self, frames: Frames, style: Floats, second: SecondStyle | None = None
    ) -> PendingFrames:
        """Begin to paint RGB frames; returns once the last of them has started.

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
        """Begin to paint 4:2:0 frames, see `Engine.submit_yuv`; returns as `submit` does.

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
        check_min_size(size)
        pictures = np.ascontiguousarray(pictures)
        styles = np.broadcast_to(style, (len(pictures), style.shape[1]))
        painted = np.empty_like(pictures)
        started: list[Inference] = []
        with _explained(len(pictures), size):
            hint: Hint = "LATENCY" if len(pictures) == 1 else "THROUGHPUT"
            if self._frames_at_once:
                hint = "REPRODUCIBLE"
            pool = self._compiled(size, hint, colors, second is not None)
            try:
                for here in (slice(index, index + 1) for index in range(len(pictures))):
                    others = second_inputs(second, here, is_sampled=self._is_sampled)
                    inputs: list[NDArray[Any]] = [pictures[here], styles[here], *others]
                    started.append(pool.submit(inputs, painted[here]))
            except RuntimeError:
                with suppress(RuntimeError):
                    pool.wait(started)
                raise

        def wait() -> Frames | YuvFrames:
            with _explained(len(pictures), size):
                pool.wait(started)
            return painted

        return PendingFrames(wait)

    def paint_tiles(
        self, frame: Frame, style: Floats, rows: int, second: SecondStyle | None = None
    ) -> Frame:
        """Paint one frame in tiles: see `tiles.paint_in_tiles`.

        Raises:
            EngineError: as for a call.
        """
        check_min_size(size_of(frame))
        with _explained(1, size_of(frame)):
            return paint_in_tiles(self._tiles, self.config, frame, style, rows, second)

    def _compile(
        self, size: Size, hint: Hint, colors: YuvColors | None, two_styles: bool
    ) -> InferRequestPool:
        """Compile the network for frames of `size`, or read it from the disk."""
        build: Callable[..., openvino.Model] = build_model
        if colors is not None:
            build = partial(build_yuv_model, colors=colors)
        model = build(
            self.config,
            self._convolutions,
            size,
            two_styles=two_styles,
            is_sampled=self._is_sampled,
        )
        compiled = self._compile_model(model, hint)
        count = 1
        if hint != "LATENCY":
            count = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        return InferRequestPool(compiled, count)

    def _compile_model(self, model: "openvino.Model", hint: Hint) -> "openvino.CompiledModel":
        streams = self._frames_at_once
        options: dict[str, Any] = {
            **(
                {"NUM_STREAMS": streams, "INFERENCE_NUM_THREADS": streams}
                if hint == "REPRODUCIBLE"
                else {"PERFORMANCE_HINT": hint}
            ),
            "INFERENCE_PRECISION_HINT": PRECISION_HINTS[self.device.dtype],
        }
        if self.device.name == "CPU":
            # Video decoder and encoder use the cores, too: unpinned threads wait less for them.
            options["ENABLE_CPU_PINNING"] = False
        folder = self._cache_folder(model)
        if folder is None:
            return self._core.compile_model(model, self.device.name, options)
        discard_damaged(folder)
        options["CACHE_DIR"] = str(folder)
        compiled = self._core.compile_model(model, self.device.name, options)
        add_checksums(folder)
        return compiled

    def _cache_folder(self, model: "openvino.Model") -> Path | None:
        """Return the cache folder of the compiled network, None if it cannot be created.

        Without a cache each start takes some tenths of a second longer.
        """
        # OpenVINO's cache key contains the network and the CPU, but not the precision. A folder for
        # each shape leaves few files whose checksums must be verified.
        shape = "x".join(map(str, model.input(0).partial_shape))
        kind = f"{self._precision}-{self.device.dtype}"
        folder = paths.cache_dir() / "openvino" / kind / re.sub(r"\W", "_", shape)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return None
        return folder


def has_bfloat16() -> bool:
    """Return whether this CPU has bfloat16 instructions, which are faster than float32."""
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def openvino_devices() -> dict[str, str]:
    """Return OpenVINO's devices here: "CPU", "GPU" or "NPU" to the full name of the first."""
    import openvino

    return _list_devices(openvino.Core())


def _list_devices(core: "openvino.Core") -> dict[str, str]:
    found: dict[str, str] = {}
    for name in core.available_devices:
        # Several of a kind are called GPU.0, GPU.1.
        kind = name.partition(".")[0]
        found.setdefault(kind, str(core.get_property(name, "FULL_DEVICE_NAME")).strip())
    return found


def _describe(core: "openvino.Core", precision: Precision, kind: Kind) -> Device:
    """Return the device for `precision`.

    Raises:
        EngineError: there is no such device.
    """
    found = _list_devices(core)
    if kind not in found:
        raise EngineError(
            f"OpenVINO finds no {kind} here, only {', '.join(found)}: install the driver of the "
            f"{kind}, or use --engine openvino, which runs on the CPU."
        )
    dtype: str = precision
    words: str = precision
    if precision == "mixed":
        dtype = "bfloat16" if has_bfloat16() else "float32"
        words = " and ".join(dict.fromkeys(("8-bit integers", dtype, "float32")))
    return Device(kind, f"{kind}: {found[kind]}, OpenVINO in {words}", dtype)


@contextmanager
def _explained(count: int, size: Size) -> Iterator[None]:
    """Convert OpenVINO's errors while it paints `count` pictures of `size` to `EngineError`."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        raise _explain(error, count, size) from error


def _explain(error: Exception, count: int, size: Size) -> EngineError:
    """Return the exception for OpenVINO's `error`, which has one type for all causes."""
    width, height = size
    reason = str(error).strip().rpartition("\n")[2]
    is_memory = isinstance(error, MemoryError) or _OF_MEMORY.search(str(error)) is not None
    return (OutOfMemoryError if is_memory else EngineError)(
        f"OpenVINO cannot paint {count} frame(s) of {width}x{height} ({reason}). "
        "Try a smaller --work-size or --batch-size, or --engine tensorflow."
    )
