"""The simulation of a cluster uses the schedule that workers have."""

import re
import subprocess
import sys

from repository import REPO


def test_simulated_workers_speed_a_film_up():
    tool = REPO / "tools" / "simulate_cluster.py"
    command = [sys.executable, str(tool), "--minutes", "60", "--jitter", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    rows = [re.split(r"\s+", line.strip()) for line in done.stdout.splitlines()[1:]]
    speed_ups = {int(row[0]): float(row[2]) for row in rows}
    assert speed_ups[1] == 1
    assert 14 < speed_ups[16] <= 16
    assert 50 < speed_ups[100] < 100
    assert rows[-1][-1] == "chunks"
