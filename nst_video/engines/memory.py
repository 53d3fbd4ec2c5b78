"""How much memory painting takes, estimated, and how much there is."""

from pathlib import Path

from nst_video.frames import Size
from nst_video.networks.config import STRIDE, TransformerConfig

_FLOAT_BYTES = 4
_CELL_PICTURES = 2
"""Pictures of cells that painting in bands keeps."""

_FRAME_BYTES = 2 * 3
"""Of a pixel's frame and painting."""

_PARTS_BYTES = 64 << 20
"""Of the compiled parts that paint bands, of any size."""

_MEMINFO = Path("/proc/meminfo")
_CGROUPS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current"), "inactive_file"),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
        "total_inactive_file",
    ),
)
"""Limit, usage, and what of it is cache that gives way, of control groups version 2 and 1."""


def frame_bytes(config: TransformerConfig, size: Size, pictures: float) -> int:
    """Estimate what painting one frame whole takes besides the network itself.

    Args:
        config: shape of the network.
        size: (width, height) of the frame.
        pictures: how many full-size pictures of the first layer's width live at once.
    """
    per_pixel = pictures * config.widths[0] * _FLOAT_BYTES + _FRAME_BYTES
    return int(size[0] * size[1] * per_pixel)


def bands_bytes(config: TransformerConfig, size: Size, rows: int, pictures: float) -> int:
    """Estimate what painting one frame in bands of `rows` rows takes."""
    width, height = size
    cells = _CELL_PICTURES * config.widths[2] * _FLOAT_BYTES / STRIDE**2
    band = frame_bytes(config, (width, rows + 4 * STRIDE), pictures)
    return int(width * height * (cells + _FRAME_BYTES)) + band + _PARTS_BYTES


def free_memory() -> int | None:
    """Return how many bytes this process may still take, None where the system does not tell.

    On Linux that is what can be had without swapping, within the limit of its container.
    """
    if not _MEMINFO.is_file():
        return None
    fields = dict(line.split(":", 1) for line in _MEMINFO.read_text("utf-8").splitlines())
    found = [int(fields["MemAvailable"].split()[0]) * 1024] if "MemAvailable" in fields else []
    for files in _CGROUPS:
        found.extend(_free_in_group(*files))
    return min(found, default=None)


def _free_in_group(limit: Path, usage: Path, cache: str) -> list[int]:
    """Return what a control group leaves, nothing where it sets no limit."""
    if not limit.is_file() or not limit.read_text("utf-8").strip().isdigit():
        return []
    lines = limit.with_name("memory.stat").read_text("utf-8").splitlines()
    used = int(usage.read_text("utf-8")) - int(dict(line.split() for line in lines).get(cache, 0))
    return [max(0, int(limit.read_text("utf-8")) - used)]
