"""Freed memory: the next frame gets it without page faults."""

import platform
import subprocess
import sys

import pytest

CODE = """
import resource, sys
import numpy as np
from nst_video.system.allocator import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
def use():
    return [np.ones((720, 1280), np.float32) for _ in range(8)]
use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left alone")
def test_freed_frames_are_used_again() -> None:
    faults = {
        mode: int(subprocess.check_output([sys.executable, "-c", CODE, mode], text=True))
        for mode in ("keep", "default")
    }
    assert faults["keep"] < 200 < faults["default"]
