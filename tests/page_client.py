"""A client of the page's server for tests: HTTP and WebSockets through real sockets."""

import http.client
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from websockets.sync.client import ClientConnection, connect

from nst_video.web.protocol import Kind, Message, decode


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

    def beginning(self, path: str, until: bytes) -> bytes:
        """Return the beginning of an answer, with its headers, until it has some bytes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            answer = b""
            while until not in answer and (part := connection.recv(65536)):
                answer += part
        return answer

    @property
    def answers(self) -> bool:
        """Whether the server answers."""
        try:
            return self.get("/api/server").status == 200
        except OSError:
            return False

    def socket(self, query: str = "", **headers: str) -> connect:
        """Open a WebSocket."""
        url = f"ws://127.0.0.1:{self.port}/ws{query}"
        return connect(url, additional_headers=headers, compression=None, open_timeout=30)


def receive(
    socket: ClientConnection, wanted: Callable[[Any], bool], *, shows: bool = True
) -> Message | dict[str, Any]:
    """Return the first message that is wanted, a `Message` or a JSON object."""
    while True:
        data = socket.recv(timeout=60)
        message = decode(data) if isinstance(data, bytes) else json.loads(data)
        if shows and isinstance(message, Message) and message.kind is Kind.PAINTED:
            socket.send(Message(Kind.SHOWN, message.sequence).encode())
        if wanted(message):
            return message


def is_kind(kind: str) -> Callable[[Any], bool]:
    return lambda message: isinstance(message, dict) and message["type"] == kind
