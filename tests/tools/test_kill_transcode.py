"""The tool that kills transcodes, with one kill."""

import subprocess
import sys

import pytest
from repository import REPO


@pytest.mark.skipif(sys.platform != "linux", reason="the tool looks for child processes in /proc")
def test_killed_transcode_is_resumed():
    tool = REPO / "tools" / "endurance" / "kill_transcode.py"
    options = "--engine identity --steady 0 --encoder-preset ultrafast"
    command = [sys.executable, str(tool), "--kills", "1", "--seconds", "20", "--common", options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 kills of" in done.stdout
