"""Signals that ask the command line to end, in processes of their own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nst_video.cli.console import INTERRUPTED

SCRIPT = """
import os, signal, sys, time
from nst_video.cli.console import interruptible

def send(number):
    os.kill(os.getpid(), getattr(signal, number))
    time.sleep(5)  # not reached: the signal is handled first

with interruptible():
    {body}
print("went on")
"""


def run(body: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run statements within `interruptible`."""
    script = SCRIPT.format(body=body.replace("\n", "\n    "))
    return subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        **options,
    )


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"])
def test_signal_ends_with_130_after_cleaning_up(name: str) -> None:
    done = run(f"try:\n    send('{name}')\nfinally:\n    print('cleaned', flush=True)")
    assert done.returncode == INTERRUPTED
    assert done.stdout == "cleaned\n"
    assert done.stderr.strip() == "Interrupted."


def test_second_signal_does_not_wait_for_the_cleaning() -> None:
    done = run("try:\n    send('SIGINT')\nfinally:\n    send('SIGINT')\n    print('cleaned')")
    assert done.returncode == INTERRUPTED
    assert "cleaned" not in done.stdout
    assert "Traceback" not in done.stderr


def test_interrupt_that_a_library_turns_into_its_own_error_is_one_all_the_same() -> None:
    done = run(
        "try:\n    send('SIGINT')\nexcept KeyboardInterrupt as error:\n"
        "    raise ImportError('numpy could not be imported') from error"
    )
    assert done.returncode == INTERRUPTED
    assert "Traceback" not in done.stderr


def test_signal_that_was_ignored_from_the_start_stays_ignored() -> None:
    body = "os.kill(os.getpid(), signal.SIGHUP)"
    nohup = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n{SCRIPT}"
    done = subprocess.run(
        [sys.executable, "-c", nohup.format(body=body)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout == "went on\n"


def test_interrupt_while_modules_are_imported_shows_no_traceback(tmp_path: Path) -> None:
    # A module of the command line that interrupts the import of all others.
    script = (
        "import os, signal, sys, typer\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'nst_video.cli.app':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from nst_video.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == INTERRUPTED
    assert done.stderr == ""
