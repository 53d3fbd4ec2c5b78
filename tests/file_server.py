"""A server of files on this machine that answers as real ones do, and what is fetched from it."""

import hashlib
import threading
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from nst_video.system import paths

BODY = bytes(range(256)) * 2000


@dataclass
class Reply:
    """How the server answers one request."""

    status: int = 200
    body: bytes = BODY
    sends: int | None = None  # cut the connection after so many bytes
    ranges: bool = True
    announces: int | None = -1  # what it says of its length; None: nothing
    is_endless: bool = False


class Server(ThreadingHTTPServer):
    """Answers each path with its replies in turn, the last one for ever."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies = defaultdict(list)
        self.requests = []
        self.extra = 0
        self.lock = threading.Lock()

    def url(self, path, *replies):
        self.replies[path] = list(replies)
        return f"http://127.0.0.1:{self.server_port}{path}"

    def take(self, path, requested):
        with self.lock:
            self.requests.append((path, requested))
            replies = self.replies[path]
            return replies.pop(0) if len(replies) > 1 else replies[0]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        requested = self.headers.get("Range")
        reply = self.server.take(self.path, requested)
        start = int(requested[6:-1]) if requested and reply.ranges and reply.status == 200 else 0
        body = reply.body[start:]
        self.send_response(206 if start else reply.status)
        if reply.announces is not None:
            length = len(body) if reply.announces < 0 else reply.announces
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body[: reply.sends])
        with suppress(OSError):  # until the client goes away
            while reply.is_endless:
                self.server.extra += self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_):
        pass


def sha(data):
    return hashlib.sha256(data).hexdigest()


def left_over():
    """Everything in the cache's model folders that is not a finished file."""
    files = (paths.cache_dir() / "models").rglob("*")
    return [file.name for file in files if file.is_file() and not file.name.startswith("net")] + [
        file.name for file in (paths.cache_dir() / "models").rglob("*.part")
    ]
