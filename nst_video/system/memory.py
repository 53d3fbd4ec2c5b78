"""Available memory."""

from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_CGROUPS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current"), "inactive_file"),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
        "total_inactive_file",
    ),
)
"""Limit, usage and reclaimable cache of control groups, versions 2 and 1."""


def free_memory() -> int | None:
    """Return how many more bytes this process can use; None where unknown.

    On Linux this is without swapping, and within the limit of the container.
    """
    if not _MEMINFO.is_file():
        return None
    fields = dict(line.split(":", 1) for line in _MEMINFO.read_text("utf-8").splitlines())
    found = [int(fields["MemAvailable"].split()[0]) * 1024] if "MemAvailable" in fields else []
    for files in _CGROUPS:
        found.extend(_free_in_group(*files))
    return min(found, default=None)


def _free_in_group(limit: Path, usage: Path, cache: str) -> list[int]:
    """Return the bytes that a control group leaves, if it sets a limit."""
    if not limit.is_file() or not limit.read_text("utf-8").strip().isdigit():
        return []
    lines = limit.with_name("memory.stat").read_text("utf-8").splitlines()
    used = int(usage.read_text("utf-8")) - int(dict(line.split() for line in lines).get(cache, 0))
    return [max(0, int(limit.read_text("utf-8")) - used)]
