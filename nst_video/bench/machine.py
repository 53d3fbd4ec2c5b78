"""Name, memory and CPU time of the machine and process that are measured."""

import os
import platform
import sys
from pathlib import Path

_NUMBERS = ("cpu family", "model")
"""Fields of /proc/cpuinfo that identify the generation of a processor."""


def machine_name() -> str:
    """Return processor, cores, system, as in "AMD EPYC (family 25, model 17), 2 cores, Linux"."""
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()}"


def _processor() -> str:
    """Return the processor's name, with family and model on Linux.

    Virtual machines often report a name that several generations share.
    """
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = info.read_text("utf-8", "replace").splitlines()
        pairs = (line.split(":", 1) for line in lines if ":" in line)
        fields = {key.strip(): value.strip() for key, value in pairs}
        if "model name" in fields:
            numbers = [
                f"{key.removeprefix('cpu ')} {fields[key]}" for key in _NUMBERS if key in fields
            ]
            return " ".join(
                [fields["model name"], *([f"({', '.join(numbers)})"] if numbers else [])]
            )
    return platform.processor() or platform.machine() or "unknown processor"


def peak_memory_mb() -> float | None:
    """Return the peak resident memory of this process in megabytes; None where unknown."""
    status = Path("/proc/self/status")
    if status.is_file():
        # On Linux, getrusage includes the peak of the process that started this one.
        lines = status.read_text("utf-8").splitlines()
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
        if "VmHWM" in fields:
            return int(fields["VmHWM"].split()[0]) * 1024 / 1e6
    try:
        import resource
    except ImportError:  # Windows has none
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def cpu_s() -> float | None:
    """Return the CPU seconds of this process and its finished children; None where unknown."""
    try:
        import resource
    except ImportError:  # Windows has none
        return None
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)
