"""Running the application with uvicorn."""

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from nst_video.errors import MissingExtraError, SinkError, UsageError

try:
    import h11
    import uvicorn
    from starlette.types import ASGIApp
    from uvicorn.protocols.http.h11_impl import H11Protocol
except ImportError as error:
    raise MissingExtraError("The page", error.name or "uvicorn", "web") from error

from nst_video.web import protocol

Certificate: TypeAlias = tuple[Path, Path]
"""The files of a certificate and its key, PEM."""

PORT = 8800
HOST = "127.0.0.1"

HEAD_S = 10.0
"""Seconds for the head of a request: from the beginning of the connection, later from its first
byte."""

_GRACE_S = 3
_BACKLOG = 128
_MAX_CONNECTIONS = 256
_KEEP_ALIVE_S = 30
_HEAD_BYTES = 16384


@dataclass(frozen=True)
class Binding:
    """Where the server listens.

    Attributes:
        listener: a bound socket.
        host: as given.
        port: in use.
    """

    listener: socket.socket
    host: str
    port: int


def bind(host: str = HOST, port: int = PORT) -> Binding:
    """Return a bound socket; port 0 takes a free one.

    Raises:
        UsageError: the address is not one of this machine.
        SinkError: the port cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError, UnicodeError) as error:
        if isinstance(error, UnicodeError) or _is_address_wrong(error):
            raise UsageError(
                f"{host} is not an address of this machine. Give --host one of its addresses, "
                "0.0.0.0 for all of them, or leave it out for this machine alone."
            ) from error
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise SinkError(
            f"Port {port} of {host} cannot be used for the page: {reason}. Try --port {port + 1}."
        ) from error
    return Binding(listener, host, listener.getsockname()[1])


def run(
    app: ASGIApp,
    binding: Binding,
    *,
    on_start: Callable[[], None],
    certificate: Certificate | None = None,
) -> None:
    """Serve until Ctrl-C.

    Args:
        app: the application.
        binding: where to listen.
        on_start: called once connections are accepted.
        certificate: for HTTPS, None for HTTP.

    Raises:
        UsageError: the certificate cannot be used.
    """
    make_server(app, on_start, certificate, binding).serve_forever()


def make_server(
    app: ASGIApp,
    on_start: Callable[[], None],
    certificate: Certificate | None = None,
    binding: Binding | None = None,
) -> "Server":
    """Return a server that has not been started, see `run`."""
    if certificate is not None:
        _check(certificate)
    config = uvicorn.Config(
        app,
        http=_Http,  # h11 is strict: requests that two servers could read in two ways are refused
        ws="websockets-sansio",
        ws_max_size=protocol.HEADER_BYTES + protocol.MAX_FRAME_BYTES,
        ws_per_message_deflate=False,  # JPEG does not become smaller
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
        h11_max_incomplete_event_size=_HEAD_BYTES,
        ssl_certfile=None if certificate is None else certificate[0],
        ssl_keyfile=None if certificate is None else certificate[1],
    )
    return Server(config, on_start, binding)


def _is_address_wrong(error: Exception) -> bool:
    """Return whether it is the address, and not the port, that cannot be used."""
    is_unknown = isinstance(error.__context__, socket.gaierror)  # `create_server` hides it
    return is_unknown or getattr(error, "errno", None) == errno.EADDRNOTAVAIL


class _Http(H11Protocol):
    """HTTP that does not wait forever for the head of a request."""

    _head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Wait for the rest of a head that has begun; Uvicorn itself waits for its first byte."""
        super().handle_events()
        if self.conn.their_state is not h11.IDLE:
            self._wait_no_longer()
        elif self.conn.trailing_data[0] and self._head is None:
            self._wait()

    def _wait(self) -> None:
        self._head = self.loop.call_later(HEAD_S, self.transport.close)

    def _wait_no_longer(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None


def _check(certificate: Certificate) -> None:
    """Check the files of a certificate.

    Raises:
        UsageError: they cannot be read, or do not belong together.
    """
    path, key = certificate
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(path, key)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or error
        raise UsageError(
            f"The certificate {path} with the key {key} cannot be used: {reason}."
        ) from error


# What clients do wrong is no news for the user; without a handler Python would print it.
logging.getLogger("uvicorn").addHandler(logging.NullHandler())
logging.getLogger("uvicorn").propagate = False


class Server(uvicorn.Server):
    """Tells when it has started; takes calls from other threads."""

    def __init__(
        self, config: uvicorn.Config, on_start: Callable[[], None], binding: Binding | None
    ) -> None:
        super().__init__(config)
        self._on_start, self._binding = on_start, binding
        self._loop: asyncio.AbstractEventLoop | None = None

    def serve_forever(self) -> None:
        """Serve until `should_exit`, in any thread."""
        self.run(sockets=None if self._binding is None else [self._binding.listener])

    def call(self, work: Callable[[], None]) -> None:
        """Run something in the event loop, if it runs. Thread-safe."""
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(work)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept connections."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            self._on_start()
