"""MJPEG over HTTP for programs on this machine: the browser source of OBS, browsers, players.

Any web page can make the browser send requests to `127.0.0.1`. So the origin of requests is checked
(see `refusal`), and the headers of every response forbid framing and reading by other sites.
"""

import asyncio
import contextlib
import errno
import re
import socket
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Self

import cv2

from nst_video.errors import SinkError
from nst_video.frames import Frame
from nst_video.live.outputs.threads import LiveSink

HOST = "127.0.0.1"
PORT = 8090
QUALITY = 85

MAX_CLIENTS = 32
"""Maximum connections. Further ones get status 503; beyond twice as many they are closed."""

HEAD_S = 5.0
"""Timeout in seconds for receiving a request."""

SEND_S = 10.0
"""Timeout in seconds for sending a frame."""

REPEAT_S = 5.0
"""Seconds after which an unchanged frame is sent again, to detect clients that have left."""

_BACKLOG = 64
_MAX_LINE, _MAX_LINES = 8192, 64
_LINGER_S = 0.5
_SEND_BUFFER = 1 << 17
"""Send buffer in bytes; small, because buffered frames are late."""

_BOUNDARY = "nst-video-frame"
_PAGE = (
    b'<!doctype html><html lang="en"><meta charset="utf-8"><title>nst-video</title>'
    b'<link rel="icon" href="data:,">'
    b"<style>html,body{margin:0;height:100%;overflow:hidden;background:#000}"
    b"img{display:block;width:100%;height:100%;object-fit:contain}</style>"
    b'<img src="/stream.mjpg" alt="painted video"></html>'
)

_HEADERS = (
    "Connection: close",
    "Cache-Control: no-store",
    "Cross-Origin-Resource-Policy: same-origin",
    "Cross-Origin-Opener-Policy: same-origin",
    "X-Content-Type-Options: nosniff",
    "X-Frame-Options: DENY",
    "Referrer-Policy: no-referrer",
    "Content-Security-Policy: default-src 'none'; img-src 'self' data:; "
    "style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
)
"""Headers of every response: not cached, not readable by other sites."""

_REQUEST = re.compile(r"([A-Z]{1,16}) (/[!-~]*) HTTP/1\.([01])")
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")
_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """Request line and headers of a request; the body is never read.

    Attributes:
        method: in upper case.
        path: without the query.
        minor: minor version of HTTP, 0 or 1.
        fields: headers in their order: (name in lower case, value).
    """

    method: str
    path: str
    minor: int
    fields: tuple[tuple[str, str], ...]

    def values(self, name: str) -> list[str]:
        """Return every value of a header; `name` is in lower case."""
        return [value for key, value in self.fields if key == name]


def parse_request(lines: Iterable[str]) -> Request | None:
    """Return the request parsed from lines without line ends, None if it is invalid."""
    first, *rest = lines
    start, fields = _REQUEST.fullmatch(first), [_FIELD.fullmatch(line) for line in rest]
    if start is None or None in fields:
        return None
    method, target, minor = start.groups()
    pairs = tuple((field[1].lower(), field[2]) for field in fields if field)
    return Request(method, target.partition("?")[0], int(minor), pairs)


def refusal(request: Request) -> HTTPStatus | None:
    """Return the status with which a request is refused, None if it is allowed.

    `Host` has to name this machine, because a page's own host name may resolve to it (DNS
    rebinding). Browsers name the requesting page in `Sec-Fetch-Site` and `Origin`: only our own
    page and an address typed by the user are allowed. Other programs send neither header.
    """
    hosts = request.values("host")
    if len(hosts) > 1 or (not hosts and request.minor):
        return HTTPStatus.BAD_REQUEST
    if any(_HOST.fullmatch(host) is None for host in hosts):
        return HTTPStatus.FORBIDDEN
    own = {f"http://{host.lower()}" for host in hosts}
    if not {origin.lower() for origin in request.values("origin")} <= own:
        return HTTPStatus.FORBIDDEN
    if not set(request.values("sec-fetch-site")) <= {"same-origin", "none"}:
        return HTTPStatus.FORBIDDEN
    if request.method not in ("GET", "HEAD"):
        return HTTPStatus.METHOD_NOT_ALLOWED
    return None


class _Newest:
    """The newest frame, encoded as JPEG on demand; used in the server's thread only."""

    def __init__(self) -> None:
        self.number = 0
        self._frame: Frame | None = None
        self._jpeg = b""
        self._changed = asyncio.Event()

    def put(self, frame: Frame) -> None:
        self._frame, self._jpeg, self.number = frame, b"", self.number + 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait(self, number: int, timeout_s: float) -> None:
        """Wait until the newest frame has another number, at most `timeout_s` seconds."""
        if self.number == number:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait()

    def jpeg(self) -> bytes:
        """Return the frame as JPEG, encoded once for all clients; empty before the first frame."""
        if self._frame is not None and not self._jpeg:
            picture = cv2.cvtColor(self._frame, cv2.COLOR_RGB2BGR)
            _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
            self._jpeg = data.tobytes()
        return self._jpeg


class _Client:
    """One connection: one request, one response."""

    def __init__(
        self, newest: _Newest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._newest = newest
        self._reader = reader
        self._writer = writer
        self._is_head = False

    async def serve(self, *, is_full: bool) -> None:
        self._writer.transport.set_write_buffer_limits(0)  # "sent" is what the system has taken
        connection = self._writer.get_extra_info("socket")
        try:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
            if is_full:
                await self._answer(HTTPStatus.SERVICE_UNAVAILABLE)
            else:
                await self._serve()
            await self._part()
        except (OSError, EOFError):
            return  # The client has closed the connection, or is too slow.
        finally:
            self._writer.transport.abort()

    async def _serve(self) -> None:
        try:
            async with asyncio.timeout(HEAD_S):
                request = parse_request(await self._read_head())
        except TimeoutError:
            await self._answer(HTTPStatus.REQUEST_TIMEOUT)
            return
        except ValueError:
            await self._answer(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        if request is None:
            await self._answer(HTTPStatus.BAD_REQUEST)
            return
        self._is_head = request.method == "HEAD"
        status = refusal(request)
        if status is not None:
            await self._answer(status)
        elif request.path == "/":
            await self._answer(HTTPStatus.OK, "text/html; charset=utf-8", _PAGE)
        elif request.path == "/snapshot.jpg":
            await self._newest.wait(0, SEND_S)
            jpeg = self._newest.jpeg()
            status = HTTPStatus.OK if jpeg else HTTPStatus.SERVICE_UNAVAILABLE
            await self._answer(status, "image/jpeg", jpeg)
        elif request.path == "/stream.mjpg":
            await self._stream()
        else:
            await self._answer(HTTPStatus.NOT_FOUND)

    async def _read_head(self) -> list[str]:
        """Return the lines of the request.

        Raises:
            ValueError: too many lines, or a line is too long.
            EOFError: the connection was closed.
        """
        lines: list[str] = []
        for _ in range(_MAX_LINES):
            line = await self._reader.readline()
            if not line.endswith(b"\n"):
                raise EOFError
            text = line.decode("latin-1").removesuffix("\n").removesuffix("\r")
            if text:
                lines.append(text)
            elif lines:
                return lines
        raise ValueError("too many lines")

    async def _answer(self, status: HTTPStatus, kind: str = "", body: bytes = b"") -> None:
        more = []
        if status is not HTTPStatus.OK:
            kind, body = "text/plain", f"{status} {status.phrase}\n".encode()
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            more.append("Allow: GET, HEAD")
        self._start(status, kind, f"Content-Length: {len(body)}", *more)
        await self._send(b"" if self._is_head else body)

    def _start(self, status: HTTPStatus, kind: str, *more: str) -> None:
        head = (f"HTTP/1.1 {status} {status.phrase}", f"Content-Type: {kind}", *more, *_HEADERS)
        self._writer.write("\r\n".join((*head, "", "")).encode())

    async def _stream(self) -> None:
        self._start(HTTPStatus.OK, f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        if self._is_head:
            return
        await self._send(f"--{_BOUNDARY}\r\n".encode())
        number = 0
        while True:
            await self._newest.wait(number, REPEAT_S)
            number, jpeg = self._newest.number, self._newest.jpeg()
            if jpeg:
                head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                # A boundary ends the picture at once: browsers show it only when they see one.
                await self._send(head.encode() + jpeg + f"\r\n--{_BOUNDARY}\r\n".encode())

    async def _send(self, data: bytes) -> None:
        self._writer.write(data)
        async with asyncio.timeout(SEND_S):
            await self._writer.drain()

    async def _part(self) -> None:
        """Let the client read the answer: closing on what it still sends would cut that off."""
        await self._send(b"")
        self._writer.write_eof()
        async with asyncio.timeout(_LINGER_S):
            while await self._reader.read(_MAX_LINE):
                pass


class MjpegSink(LiveSink):
    """HTTP server: `/` is a page, `/stream.mjpg` a stream, `/snapshot.jpg` a single frame."""

    def __init__(self, port: int = PORT) -> None:
        """Set the port; 0 uses a free one. It opens on entering the context."""
        self._port = port
        self._newest = _Newest()
        self._over = asyncio.Event()
        self._clients: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._work, name="http", daemon=True)

    @property
    def url(self) -> str:
        """URL of the page."""
        return f"http://{HOST}:{self._port}/"

    def __enter__(self) -> Self:
        try:
            self._listener = socket.create_server((HOST, self._port))
        except (OSError, OverflowError) as error:
            is_taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            reason = "another program is using it" if is_taken else error
            raise SinkError(
                f"Port {self._port} cannot be used for HTTP: {reason}. Try http:{PORT + 1}."
            ) from error
        self._port = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def write(self, frame: Frame) -> None:
        """Make a frame, uint8 RGB (height, width, 3), available to clients; never blocks."""
        self._loop.call_soon_threadsafe(self._newest.put, frame)

    def stop(self) -> None:
        """Do nothing: writing never blocks."""

    def _work(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            # asyncio reports reset connections here, which are no errors of ours.
            self._loop.set_exception_handler(lambda loop, context: None)
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(
            self._accept, sock=self._listener, limit=_MAX_LINE, backlog=_BACKLOG
        )
        await self._over.wait()
        server.close()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        count = len(self._clients)
        if count >= 2 * MAX_CLIENTS:
            writer.transport.abort()
            return
        work = _Client(self._newest, reader, writer).serve(is_full=count >= MAX_CLIENTS)
        client = self._loop.create_task(work)
        self._clients.add(client)
        client.add_done_callback(self._clients.discard)
