"""Which engines run on this machine, and which one "auto" selects; for `nst-video doctor`."""

from collections.abc import Iterator

from nst_video.engines.openvino.engine import has_bfloat16, openvino_devices
from nst_video.engines.tensorflow import has_gpu, pick_device

AUTO = "auto"


def choose_engine(name: str = AUTO) -> str:
    """Resolve "auto": TensorFlow on a GPU that it can use, else OpenVINO; other names are kept.

    OpenVINO in float32 is the fastest exact engine on every CPU tested. Without an NVIDIA driver
    TensorFlow is not imported, which would take seconds. Engines that are not exact, and devices
    that were not measured, are never selected automatically.
    """
    if name != AUTO:
        return name
    return "tensorflow" if has_gpu() else "openvino"


def fast_engine() -> str:
    """Return the fastest engine, even if it is not exact, of those that were measured."""
    return "tensorflow" if has_gpu() else "openvino-fast"


def unavailable_reason(name: str) -> str | None:
    """Return why the engine `name` cannot run on this machine, or None if it can."""
    for engine, kind in (("openvino-gpu", "GPU"), ("openvino-npu", "NPU")):
        if name == engine and kind not in openvino_devices():
            return f"OpenVINO finds no {kind}"
    return None


_GAINS = {
    True: "about twice as fast as openvino",
    False: "a sixth to a third faster than openvino (this CPU has no bfloat16)",
}


def explain_engines() -> Iterator[str]:
    """Yield a sentence on the engine that "auto" selects, then one on each of the engines."""
    chosen = choose_engine()
    because = {
        "tensorflow": "there is a GPU that TensorFlow can use",
        "openvino": "without a GPU for TensorFlow, the fastest exact one on every CPU tried",
    }
    yield f"auto means {chosen}: {because[chosen]}"
    device = pick_device()
    found = openvino_devices()
    gives = {
        "openvino": f"{found.get('CPU')} in float32, exact",
        "openvino-fast": f"{_GAINS[has_bfloat16()]}, not exact (PSNR 32 to 52 dB)",
        "openvino-gpu": f"{found.get('GPU')} in float32; not measured, try `nst-video bench`",
        "openvino-npu": f"{found.get('NPU')} in float16; not measured, try `nst-video bench`",
        "tensorflow": f"{device.reason}"
        + ("" if device.name.startswith("GPU") else "; about half as fast as openvino"),
    }
    for name, given in gives.items():
        reason = unavailable_reason(name)
        yield f"{name}: {given}" if reason is None else f"{name}: not here, {reason}"
