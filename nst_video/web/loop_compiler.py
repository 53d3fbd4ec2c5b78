"""Compiling the loops that steady frames need, in a process of its own where that takes long.

The compiler is Python: in a thread of the server it would take turns with the threads that paint
for half a minute. What it has compiled is kept on disk, and read from there in an instant.
"""

import subprocess
import sys
from pathlib import Path

from nst_video import temporal
from nst_video.temporal import compile_loops


class LoopCompiler:
    """Compiles once, at the first start of all."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._is_over = False

    def run(self) -> None:
        """Have everything compiled; blocks."""
        folder = Path(temporal.__file__).with_name("__pycache__")
        if not self._is_over and not any(folder.glob("*.nbi")):
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            self._process.wait()
        if not self._is_over:
            compile_loops()

    def stop(self) -> None:
        """End the process, if it runs."""
        self._is_over = True
        if self._process is not None and self._process.poll() is None:
            self._process.kill()


_PROGRAM = f"""
import os, sys
sys.path[:] = {sys.path!r}
if hasattr(os, 'nice'):
    os.nice(10)
from nst_video.temporal import compile_loops
compile_loops()
"""
