"""MJPEG over HTTP on this machine only: for OBS's browser source, browsers and players."""

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import ClassVar, Self

import cv2

from nst_video.errors import SinkError
from nst_video.frames import Frame

PORT = 8090
QUALITY = 85

_POLL_S = 0.25
_BOUNDARY = "nst-video-frame"
_PAGE = (
    b"<!doctype html><title>nst-video</title>"
    b"<style>body{margin:0;background:#000}img{width:100vw;height:100vh;object-fit:contain}</style>"
    b'<img src="/stream.mjpg" alt="painted video">'
)


class _Latest:
    """The newest picture as JPEG, for any number of threads that wait for the next."""

    def __init__(self) -> None:
        self.clients = 0
        self.is_over = False
        self._changed = threading.Condition()
        self._jpeg = b""
        self._number = 0

    def put(self, jpeg: bytes) -> None:
        with self._changed:
            self._jpeg, self._number = jpeg, self._number + 1
            self._changed.notify_all()

    def after(self, number: int) -> tuple[bytes, int]:
        """Return a picture newer than `number` and its own; no picture where it is over."""
        with self._changed:
            while self._number == number and not self.is_over:
                self._changed.wait(_POLL_S)
            return (b"" if self.is_over else self._jpeg), self._number

    def end(self) -> None:
        with self._changed:
            self.is_over = True
            self._changed.notify_all()

    def count(self, by: int) -> None:
        with self._changed:
            self.clients += by


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    latest: _Latest


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10
    allowed_hosts: ClassVar = ("127.0.0.1", "localhost", "[::1]")

    def do_GET(self) -> None:
        # A page elsewhere could have its own name resolve to this machine.
        if self.headers.get("Host", "localhost").rsplit(":", 1)[0] not in self.allowed_hosts:
            self.send_error(HTTPStatus.FORBIDDEN)
        elif self.path == "/":
            self._send("text/html; charset=utf-8", _PAGE)
        elif self.path in ("/stream.mjpg", "/snapshot.jpg"):
            self._send_pictures(is_stream=self.path == "/stream.mjpg")
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _send(self, kind: str, body: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_pictures(self, *, is_stream: bool) -> None:
        latest, number = self.server.latest, -1
        latest.count(1)
        try:
            if is_stream:
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
            while True:
                jpeg, number = latest.after(max(0, number))
                if not jpeg:
                    return
                if not is_stream:
                    self._send("image/jpeg", jpeg)
                    return
                head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\n"
                self.wfile.write(f"{head}Content-Length: {len(jpeg)}\r\n\r\n".encode() + jpeg)
                self.wfile.write(b"\r\n")
        except OSError:
            return  # The browser has gone away.
        finally:
            latest.count(-1)

    def log_message(self, format: str, *args: object) -> None:
        """Keep requests off the terminal."""


class MjpegSink:
    """Serves the newest frame: `/` is a page, `/stream.mjpg` the stream, `/snapshot.jpg` one."""

    def __init__(self, port: int = PORT) -> None:
        """Name the port; 0 takes a free one. It opens on entering the context."""
        self._port = port
        self._latest = _Latest()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Address of the page."""
        port = self._port if self._server is None else self._server.server_port
        return f"http://127.0.0.1:{port}/"

    def __enter__(self) -> Self:
        try:
            self._server = _Server(("127.0.0.1", self._port), _Handler)
        except (OSError, OverflowError) as error:
            raise SinkError(
                f"Port {self._port} cannot be used for HTTP: {error}. Try http:{PORT + 1}."
            ) from error
        self._server.latest = self._latest
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_S,), name="http", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._latest.end()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    def write(self, frame: Frame) -> None:
        """Offer a frame to whoever watches; costs nothing while nobody does."""
        if self._latest.clients:
            picture = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
            _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
            self._latest.put(jpeg.tobytes())

    def stop(self) -> None:
        """Writing does not hang."""
        self._latest.end()
