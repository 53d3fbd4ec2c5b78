"""Engines run a style transformer: uint8 frames and style parameters in, uint8 frames out.

An engine is one class and one line in `ENGINES`. Frames enter and leave the compiled graph as
uint8; they are converted inside it, where that costs least.
"""

from collections.abc import Callable

from nst_video.engines.base import (
    Device,
    Engine,
    EngineCapabilities,
    IdentityEngine,
    PendingFrames,
    SecondStyle,
    check_min_size,
    warm_up,
)
from nst_video.engines.model_choice import ModelChoice, choose_model
from nst_video.engines.openvino.engine import OpenVinoEngine, has_bfloat16
from nst_video.engines.selection import (
    AUTO,
    choose_engine,
    explain_engines,
    fast_engine,
    unavailable_reason,
)
from nst_video.engines.tensorflow import TensorFlowEngine, has_gpu, pick_device
from nst_video.engines.tiling import OnNote, TilingEngine
from nst_video.errors import UsageError
from nst_video.networks.checkpoints import Arrays
from nst_video.networks.config import TransformerConfig
from nst_video.settings import TileRows

__all__ = [
    "AUTO",
    "ENGINES",
    "Device",
    "Engine",
    "EngineCapabilities",
    "IdentityEngine",
    "ModelChoice",
    "OnNote",
    "OpenVinoEngine",
    "PendingFrames",
    "SecondStyle",
    "TensorFlowEngine",
    "TilingEngine",
    "check_engine",
    "check_min_size",
    "choose_engine",
    "choose_model",
    "explain_engines",
    "fast_engine",
    "has_bfloat16",
    "has_gpu",
    "open_engine",
    "pick_device",
    "unavailable_reason",
    "warm_up",
]

ENGINES: dict[str, Callable[[TransformerConfig, Arrays], Engine]] = {
    "openvino": OpenVinoEngine,
    "openvino-fast": lambda config, arrays: OpenVinoEngine(config, arrays, "mixed"),
    "openvino-gpu": lambda config, arrays: OpenVinoEngine(config, arrays, device="GPU"),
    "openvino-npu": lambda config, arrays: OpenVinoEngine(config, arrays, "float16", "NPU"),
    "tensorflow": TensorFlowEngine,
    "identity": lambda config, arrays: IdentityEngine(),
}


def check_engine(name: str) -> None:
    """Check that `name` is an engine or "auto".

    Raises:
        UsageError: there is none.
    """
    if name not in (AUTO, *ENGINES):
        raise UsageError(f"No engine {name!r}. Choose from: {AUTO}, {', '.join(ENGINES)}.")


def open_engine(
    name: str,
    config: TransformerConfig,
    arrays: Arrays,
    *,
    tile: TileRows = "auto",
    on_note: OnNote | None = None,
) -> Engine:
    """Compile the transformer `config` with weights `arrays` for the engine called `name`.

    Args:
        name: a name from `ENGINES`, or "auto".
        config: the transformer's shape.
        arrays: its weights.
        tile: when to paint in tiles, see `TileRows`.
        on_note: called with a sentence when frames are painted in tiles because memory is short.

    Raises:
        UsageError: no such engine, or it cannot do what is asked.
        EngineError: the engine does not run on this machine.
    """
    check_engine(name)
    engine = ENGINES[choose_engine(name)](config, arrays)
    if not engine.capabilities.tiles:
        return engine
    return TilingEngine(engine, config, tile, on_note)
