"""Loads OpenCV's X libraries before PyAV's; otherwise windows hang.

Both wheels for Linux bundle libxcb-shape and others under the same names, PyAV's bound to a libxcb
of its own. When those are loaded first, OpenCV's Qt talks to the X server through two copies of
libxcb and waits forever (PyAV issue 1050, OpenCV issue 29195).
"""

import contextlib
import ctypes
import importlib.util
import sys
from pathlib import Path

_PATTERN = "libxcb-*.so*"


def load_opencv_xcb() -> None:
    """Load OpenCV's own libxcb helpers now, so that later ones of the same names are not used.

    Takes about a millisecond and imports nothing; does nothing where there is nothing to do.
    """
    if sys.platform != "linux":
        return
    spec = importlib.util.find_spec("cv2")
    if spec is None or spec.origin is None:
        return
    for library in sorted(Path(spec.origin).parent.parent.glob(f"opencv_python*.libs/{_PATTERN}")):
        with contextlib.suppress(OSError):  # Another build of the wheel, without the conflict.
            ctypes.CDLL(str(library))


def uses_foreign_xcb() -> bool:
    """Return whether PyAV's libxcb helpers were loaded first, so that a window would hang."""
    maps = Path("/proc/self/maps")
    if sys.platform != "linux" or not maps.exists():
        return False
    loaded = [line for line in maps.read_text("utf-8").splitlines() if "libxcb-sh" in line]
    return any("/av.libs/" in line for line in loaded)
