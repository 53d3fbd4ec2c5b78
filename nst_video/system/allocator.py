"""Settings of the C allocator: freed memory stays with the process, for the next frame."""

import ctypes
import sys
from functools import cache

MMAP_THRESHOLD, MMAP_BYTES = -3, 32 << 20
"""Blocks up to this size come from the heap; larger values are refused."""

TRIM_THRESHOLD, TRIM_BYTES = -1, 256 << 20
"""Bytes free at the end of the heap from which they are handed back."""


@cache
def keep_freed_memory() -> bool:
    """Let the C library keep freed blocks as large as frames; return whether it does.

    By default, glibc hands them back to the kernel, and every new array begins with page faults:
    12 of 50 milliseconds that steadiness takes for a frame of 1280x720. At most 256 MB more are
    kept. Other C libraries are left as they are.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(MMAP_THRESHOLD, MMAP_BYTES) and mallopt(TRIM_THRESHOLD, TRIM_BYTES))
