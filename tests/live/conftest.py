"""Fixtures of live sessions: a screen, a network camera, nothing left behind."""

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from live_tools import no_threads_left

PROGRAMS = ("Xvfb", "xdotool")


@pytest.fixture(autouse=True)
def _leaves_nothing_behind() -> Iterator[None]:
    """Fail a test that leaves threads running."""
    with no_threads_left():
        yield


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """A screen of 1280x800, as DISPLAY; skips where there can be none, except in CI."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        reason = f"not installed: {', '.join(missing)} (Debian: xvfb xdotool)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp",
         "-noreset"],  # or it begins anew whenever xdotool was its only client

        pass_fds=(writing,), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writing)
    try:
        with os.fdopen(reading) as answer:
            yield f":{answer.readline().strip()}"
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def screen(display: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DISPLAY", display)
    return display
