"""A short run of `tools/fuzz_videos.py`."""

import os
import subprocess
import sys

import pytest
from repository import REPO

TOOL = REPO / "tools" / "fuzz_videos.py"


@pytest.mark.skipif(os.name != "posix", reason="the fuzzer forks")
def test_damaged_films_are_painted_or_refused_in_one_sentence():
    command = [sys.executable, str(TOOL), "--count", "12", "--seed", "7", "--verbose"]
    environment = {**os.environ, "PYTHONPATH": str(TOOL.parent.parent)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = [line.split(": ")[1] for line in done.stdout.splitlines()[:12]]
    assert {outcome.split(" with ")[0] for outcome in outcomes} <= {
        *("refused", "read whole", "read in part", "transcoded")
    }
    assert outcomes.count("read whole") >= 2
