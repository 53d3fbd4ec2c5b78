"""Fixtures of live sessions: a screen, a network camera, nothing left behind."""

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest
from live_tools import SIZE, NetworkCamera, wait_until

PROGRAMS = ("Xvfb", "xdotool")


@pytest.fixture
def network_camera() -> Iterator[Callable[..., NetworkCamera]]:
    cameras = []

    def make(fps: float = 30, size: tuple[int, int] = SIZE) -> NetworkCamera:
        cameras.append(NetworkCamera(fps, size))
        return cameras[-1]

    yield make
    for camera in cameras:
        camera.stop()


@pytest.fixture(autouse=True)
def _leaves_nothing_behind() -> Iterator[None]:
    """Fail a test that leaves threads running."""
    before = set(threading.enumerate())
    yield
    wait_until(
        lambda: not [t for t in threading.enumerate() if t not in before and not _is_pool(t)],
        what=f"end of {[t.name for t in threading.enumerate() if t not in before]}",
    )


def _is_pool(thread: threading.Thread) -> bool:
    """Say whether it is a connection that the HTTP server is just ending, or a library's pool."""
    return "process_request_thread" in thread.name or "ThreadPoolExecutor" in thread.name


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
