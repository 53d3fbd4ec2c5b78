"""Servers to fetch from, and no pauses between tries."""

import socket
import threading

import pytest
from file_server import Server

from nst_video.weights import fetch


@pytest.fixture(autouse=True)
def _hurry(monkeypatch):
    monkeypatch.setattr(fetch, "_PAUSES_S", (0.0, 0.0, 0.0))


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def dead_url():
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"http://127.0.0.1:{port}/net.tflite"
