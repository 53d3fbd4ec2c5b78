"""The rewritten transformer on OpenVINO: the fast way on a CPU, and no TensorFlow in sight."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nst_video import folders
from nst_video.engines.base import Device, refuse_small
from nst_video.engines.openvino_ops import build_model
from nst_video.errors import EngineError
from nst_video.frames import Frames, Size, size_of
from nst_video.networks.checkpoints import Arrays
from nst_video.networks.config import TransformerConfig
from nst_video.networks.folded import fold_transformer

if TYPE_CHECKING:
    import openvino

Precision: TypeAlias = Literal["float32", "bfloat16", "float16"]

Kind: TypeAlias = Literal["CPU", "GPU", "NPU"]
"""OpenVINO's names of processors; GPU and NPU are Intel's."""

Hint: TypeAlias = Literal["LATENCY", "THROUGHPUT"]
"""All cores on one frame, or a frame for each core or two."""

NETWORKS_KEPT = 8
"""Compiled networks kept in memory: one for each size and hint; others come from the disk."""

POLL_MS = 100
"""Waits are cut into pieces of this length so that Ctrl-C is noticed."""

_PRECISION_HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}


@dataclass(frozen=True, slots=True)
class _Compiled:
    """The network compiled for one size, and the requests that run it side by side."""

    model: "openvino.CompiledModel"
    requests: Sequence["openvino.InferRequest"]


class OpenVinoEngine:
    """The transformer compiled for each frame size; styles and mixes are inputs.

    Compiled networks are kept on disk below the cache folder, so that a second start is quick.
    One frame is painted by all cores together, the frames of a batch side by side. Calls from
    several threads take turns.
    """

    def __init__(
        self,
        config: TransformerConfig,
        arrays: Arrays,
        precision: Precision = "float32",
        device: Kind = "CPU",
    ) -> None:
        """Prepare the network; compilation happens at the first frame of each size.

        Args:
            config: the transformer's shape.
            arrays: its weights.
            precision: "bfloat16" is about twice as fast on CPUs that have it, and within a few
                of 255 levels of "float32".
            device: what runs it; the code is the same for all.

        Raises:
            EngineError: there is no such device, or it does not compute in bfloat16.
        """
        import openvino

        self._core = openvino.Core()
        self._tensor = openvino.Tensor
        self.device = _describe(self._core, precision, device)
        self._config = config
        self._convolutions = fold_transformer(config, arrays)
        self._lock = threading.Lock()
        self._compiled = lru_cache(NETWORKS_KEPT)(self._compile)

    @property
    def name(self) -> str:
        """The engine's name in `ENGINES`."""
        if self.device.name != "CPU":
            return f"openvino-{self.device.name.lower()}"
        return "openvino" if self.device.dtype == "float32" else "openvino-bf16"

    def __call__(self, frames: Frames, style: NDArray[np.float32]) -> Frames:
        """Paint `frames` (n, height, width, 3) with `style` (n or 1, style_size).

        Raises:
            EngineError: a side is under 8 pixels, or OpenVINO fails, as for want of memory.
        """
        refuse_small(frames)
        frames = np.ascontiguousarray(frames)
        styles = np.broadcast_to(style, (len(frames), style.shape[1]))
        painted = np.empty_like(frames)
        try:
            hint: Hint = "LATENCY" if len(frames) == 1 else "THROUGHPUT"
            # Not under the lock: compiling another size must not hold up who paints.
            requests = self._compiled(size_of(frames), hint).requests
            with self._lock:
                for start in range(0, len(frames), len(requests)):
                    self._paint(requests, start, frames, styles, painted)
        except (RuntimeError, MemoryError) as error:
            width, height = size_of(frames)
            reason = str(error).strip().rpartition("\n")[2]
            raise EngineError(
                f"OpenVINO cannot paint {len(frames)} frame(s) of {width}x{height} ({reason}). "
                "Try a smaller --work-size or --batch-size, or --engine tensorflow."
            ) from error
        return painted

    def _paint(
        self,
        requests: Sequence["openvino.InferRequest"],
        start: int,
        frames: Frames,
        styles: NDArray[np.float32],
        painted: Frames,
    ) -> None:
        """Paint as many frames as there are requests, from `start` on, side by side."""
        busy = []
        for index, request in zip(range(start, len(frames)), requests, strict=False):
            here = slice(index, index + 1)
            # Shared memory: the network reads the frame and writes the result where they lie.
            request.set_output_tensor(self._tensor(painted[here], shared_memory=True))
            request.start_async([frames[here], styles[here]], share_inputs=True)
            busy.append(request)
        _finish(busy)

    def _compile(self, size: Size, hint: Hint) -> _Compiled:
        """Compile the network for frames of `size`, or read it from the disk."""
        model = build_model(self._config, self._convolutions, size)
        options: dict[str, Any] = {
            "PERFORMANCE_HINT": hint,
            "INFERENCE_PRECISION_HINT": _PRECISION_HINTS[self.device.dtype],
        }
        if self.device.name == "CPU":
            # Decoder and encoder need the cores, too: threads that may move wait less for them.
            options["ENABLE_CPU_PINNING"] = False
        compiled = self._core.compile_model(model, self.device.name, options | self._cache())
        count = 1
        if hint == "THROUGHPUT":
            count = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        return _Compiled(compiled, [compiled.create_infer_request() for _ in range(count)])

    def _cache(self) -> dict[str, str]:
        """Return the option that keeps compiled networks on disk, none where nothing can be kept.

        Without it all works the same, only each start takes some tenths of a second longer.
        """
        # OpenVINO's key for a file knows the network and the CPU, but not the precision.
        folder = folders.cache_dir() / "openvino" / self.device.dtype
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return {}
        return {"CACHE_DIR": str(folder)}


def _finish(requests: Sequence["openvino.InferRequest"]) -> None:
    """Wait for requests; when that fails or is interrupted, stop them before passing it on.

    They write into memory that is given back then. A wait in one piece would hold up Ctrl-C.
    """
    try:
        for request in requests:
            while not request.wait_for(POLL_MS):
                pass
    except BaseException:
        for request in requests:
            request.cancel()
        for request in requests:
            with suppress(RuntimeError):  # what was stopped says so
                request.wait()
        raise


def has_bfloat16() -> bool:
    """Return whether this CPU computes in bfloat16, faster than in float32."""
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def openvino_devices() -> dict[str, str]:
    """Return what OpenVINO can run on here: "CPU", "GPU" or "NPU" to the full name of the first."""
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
        EngineError: there is no such device, or the CPU does not compute in it.
    """
    found = _list_devices(core)
    if kind not in found:
        raise EngineError(
            f"OpenVINO finds no {kind} here, only {', '.join(found)}: install the driver of the "
            f"{kind}, or use --engine openvino, which runs on the CPU."
        )
    if precision == "bfloat16" and not has_bfloat16():
        raise EngineError(
            f"This CPU ({found[kind]}) does not compute in bfloat16: "
            "use --engine openvino, which computes in float32."
        )
    return Device(kind, f"{kind}: {found[kind]}, OpenVINO in {precision}", precision)
