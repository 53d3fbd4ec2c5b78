"""A server in a thread of its own, asked through real sockets."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from live_tools import wait_until
from websockets.sync.client import ClientConnection, connect

from nst_video.settings import ModelOptions
from nst_video.web import server
from nst_video.web.access import Access
from nst_video.web.assembly import assemble
from nst_video.web.catalog import StyleCatalog
from nst_video.web.limits import Limits

LIMITS = Limits(picture_bytes=1 << 20, film_bytes=4 << 20, films=3, stall_s=0.3)


@dataclass(frozen=True)
class Answer:
    """An answer, read to its end."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict:  # type: ignore[type-arg]
        return json.loads(self.body)

    @property
    def detail(self) -> str:
        assert self.headers["content-type"] == "application/problem+json"
        assert self.json["status"] == self.status
        return self.json["detail"]


@dataclass
class Page:
    """What uses the server as a page does."""

    port: int
    token: str | None = None

    def ask(self, method: str, path: str, body: bytes | object = None, **headers: str) -> Answer:
        """Send a request. What is not bytes is sent as JSON."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token and "authorization" not in given:
            given["authorization"] = f"Bearer {self.token}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, given)
            got = connection.getresponse()
            pairs = {name.lower(): value for name, value in got.getheaders()}
            return Answer(got.status, pairs, got.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def raw(self, data: bytes) -> bytes:
        """Send bytes as they are; return what comes until the end."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while part := connection.recv(65536):
                answer += part
        return answer

    def socket(self, **headers: str) -> ClientConnection:
        """Open a WebSocket."""
        url = f"ws://127.0.0.1:{self.port}/ws"
        return connect(url, additional_headers=headers, compression=None, open_timeout=30)


def run_server(folder: Path, token: str | None = None) -> Iterator[Page]:
    """Run a server with the builtin model."""
    binding = server.bind("127.0.0.1", 0)
    app = assemble(
        Access(binding.port, token),
        ModelOptions("builtin", offline=True),
        catalog=StyleCatalog(folder=folder / "styles"),
        limits=LIMITS,
        films_dir=folder / "films",
        store=folder / "kept",
    )
    started = threading.Event()
    running = server.make_server(app, started.set)
    thread = threading.Thread(target=running.run, args=([binding.listener],))
    thread.start()
    try:
        assert started.wait(30)
        yield Page(binding.port, token)
    finally:
        running.should_exit = True
        thread.join(30)
    assert not thread.is_alive()


@pytest.fixture(scope="package")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A server on loopback, ready to paint."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "films").mkdir()
    for found in run_server(folder):
        wait_until(lambda page=found: page.get("/api/server").json["ready"], what="the model")
        yield found


@pytest.fixture(scope="package")
def shared_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A server that wants a token."""
    yield from run_server(tmp_path_factory.mktemp("shared"), "secret-token")
