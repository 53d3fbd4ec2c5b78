"""What machine a figure belongs to."""

import os
import platform
import sys
from pathlib import Path


def machine_name() -> str:
    """Return processor, cores and system in one line, such as "AMD EPYC, 2 cores, Linux"."""
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()}"


def _processor() -> str:
    """Return the processor's own name where the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or "unknown processor"


def peak_memory_mb() -> float | None:
    """Return this process's peak resident memory in megabytes, None where it is not known."""
    status = Path("/proc/self/status")
    if status.is_file():
        # What getrusage tells on Linux begins with the peak of the process that started this one.
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
    """Return the CPU seconds of this process and of its ended children, None where not known."""
    try:
        import resource
    except ImportError:  # Windows has none
        return None
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)
