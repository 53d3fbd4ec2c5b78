"""Does to the page what goes wrong in life, and reports what becomes of it and of memory.

python tools/page_faults.py [--only NAME ...]

Each fault is done to `nst-video serve` with a page in headless Chromium that paints a fake camera:
the server killed and started again, the network cut for ten seconds (in a network namespace, as
root), the page hidden for a minute, twenty tabs, a client that never reads, garbage, a picture of
50,000 x 50,000 pixels, a film that is none, uploads cut half-way. Linux only.
"""

import argparse
import http.client
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
from page_rate import chromium_arguments, descendants, memory_mb, write_camera
from playwright.sync_api import Browser, Page, sync_playwright
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

CUT_S, HIDDEN_S = 10, 60
SPACE, HERE, THERE = "nst-page", "10.77.0.1", "10.77.0.2"

HIDE = """(isHidden) => {
  Object.defineProperty(document, 'hidden', {configurable: true, get: () => isHidden});
  document.dispatchEvent(new Event('visibilitychange'));
}"""

COUNT_FRAMES = """globalThis.sent = 0;
globalThis.drawn = 0;
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
  if (data.byteLength > 100) sent += 1;
  send.call(this, data);
};
const draw = CanvasRenderingContext2D.prototype.drawImage;
CanvasRenderingContext2D.prototype.drawImage = function (...given) {
  if (this.canvas.id === 'painting') drawn += 1;
  draw.apply(this, given);
};"""


@dataclass
class Bench:
    """A server, a browser, and its page.

    Attributes:
        browser: Chromium.
        page: painting; None until `paint`.
    """

    browser: Browser
    page: Page | None = None
    _process: subprocess.Popen[str] | None = None
    address: str = ""

    def serve(self, *options: str, inside: str = "", port: int = 0) -> None:
        """Start a server; `inside` is a network namespace."""
        prefix = ["ip", "netns", "exec", inside] if inside else []
        words = [sys.executable, "-m", "nst_video", "serve", "--model", "builtin", *options]
        self._process = subprocess.Popen(
            [*prefix, *words, "--port", str(port)], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        if inside:
            self.address = self._process.stdout.readline().strip()

    @property
    def port(self) -> int:
        """Where the server listens."""
        return urlsplit(self.address).port or 0

    @property
    def memory_mb(self) -> float:
        """Memory of the server."""
        assert self._process is not None
        return memory_mb(descendants(self._process.pid))

    def kill(self) -> None:
        """End the server at once."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def open(self) -> Page:
        """Return a new tab that paints."""
        page = self.browser.new_page(ignore_https_errors=True, reduced_motion="reduce")
        page.set_default_timeout(120_000)
        page.add_init_script(COUNT_FRAMES)
        page.goto(self.address)
        return page

    def paint(self) -> None:
        """Open the page and wait until it paints."""
        self.page = self.open()
        self.page.wait_for_selector("#status[data-state=painting]", state="attached")
        self.wait_for_frames(20)

    def wait_for_frames(self, count: int, timeout_s: float = 120) -> float:
        """Return the seconds until so many more frames have been drawn."""
        assert self.page is not None
        begun = time.monotonic()
        wanted = self.page.evaluate("drawn") + count
        while self.page.evaluate("drawn") < wanted:
            if time.monotonic() > begun + timeout_s:
                raise TimeoutError(f"{count} frames did not come within {timeout_s:g} s")
            self.page.wait_for_timeout(50)
        return time.monotonic() - begun

    def ask(self, method: str, path: str, body: bytes = b"") -> str:
        """Return status and beginning of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with suppress(OSError):
            connection.request(method, path, body)
            answer = connection.getresponse()
            return f"{answer.status} {answer.read()[:160].decode(errors='replace')}"
        return "no answer"


def killed(bench: Bench) -> str:
    """The server is killed and started again at the same port."""
    bench.paint()
    port = bench.port
    bench.kill()
    assert bench.page is not None
    bench.page.wait_for_selector("#status[data-state=offline]", state="attached")
    said = bench.page.inner_text("#notice-text")
    begun = time.monotonic()
    bench.serve(port=port)
    bench.wait_for_frames(5)
    return f"said {said!r}; painted again {time.monotonic() - begun:.1f} s after the restart"


def cut(bench: Bench) -> str:
    """The network is cut for ten seconds."""
    bench.kill()
    with namespace():
        bench.serve("--host", THERE, "--self-signed", inside=SPACE)
        bench.paint()
        subprocess.run(["ip", "link", "set", "nstpage0", "down"], check=True)
        assert bench.page is not None
        bench.page.wait_for_timeout(1000 * CUT_S)
        said = bench.page.text_content("#notice-text")
        subprocess.run(["ip", "link", "set", "nstpage0", "up"], check=True)
        took_s = bench.wait_for_frames(5)
        bench.kill()
    return f"shown after {CUT_S} s: {said!r}; painted again {took_s:.1f} s after the end of the cut"


@contextmanager
def namespace() -> Iterator[None]:
    """Make a network namespace at the end of a virtual cable."""
    ip = ["ip", "-n", SPACE]
    commands = (
        ["ip", "netns", "add", SPACE],
        ["ip", "link", "add", "nstpage0", "type", "veth", "peer", "nstpage1", "netns", SPACE],
        ["ip", "addr", "add", f"{HERE}/24", "dev", "nstpage0"],
        ["ip", "link", "set", "nstpage0", "up"],
        [*ip, "addr", "add", f"{THERE}/24", "dev", "nstpage1"],
        [*ip, "link", "set", "nstpage1", "up"],
        [*ip, "link", "set", "lo", "up"],
    )
    try:
        for command in commands:
            subprocess.run(command, check=True)
        yield
    finally:
        subprocess.run(["ip", "netns", "del", SPACE], check=False)
        subprocess.run(["ip", "link", "del", "nstpage0"], check=False, stderr=subprocess.DEVNULL)


def hidden(bench: Bench) -> str:
    """The page is hidden for a minute."""
    bench.paint()
    page = bench.page
    assert page is not None
    page.evaluate(HIDE, True)
    page.wait_for_timeout(1000)
    before = page.evaluate("sent")
    page.wait_for_timeout(1000 * HIDDEN_S)
    sent = page.evaluate("sent") - before
    page.evaluate(HIDE, False)
    return f"{sent} frames sent while hidden; shown again after {bench.wait_for_frames(3):.2f} s"


def tabs(bench: Bench) -> str:
    """Twenty tabs at once."""
    bench.paint()
    before = bench.memory_mb
    pages = [bench.open() for _ in range(19)]
    pages[-1].wait_for_timeout(20_000)
    states = [page.get_attribute("#status", "data-state") for page in [bench.page, *pages] if page]
    words = pages[-1].inner_text("#notice-text")
    during = bench.memory_mb
    for page in pages:
        page.close()
    took_s = bench.wait_for_frames(20)
    counts = {state: states.count(state) for state in sorted(set(map(str, states)))}
    memory = f"memory {before:.0f}, {during:.0f}, {bench.memory_mb:.0f} MB before, during, after"
    left = f"20 frames within {took_s:.1f} s after the others have left"
    return f"{counts}, the last one: {words!r}; {memory}; {left}"


def silent(bench: Bench) -> str:
    """A client sends frames for twenty seconds and never reads."""
    before = bench.memory_mb
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    frame = cv2.imencode(".jpg", noise)[1].tobytes()
    sent = 0
    with suppress(ConnectionClosed, OSError), connect(f"ws://127.0.0.1:{bench.port}/ws") as client:
        client.socket.settimeout(2)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            sent += 1
            client.send(struct.pack(">BBHIII", 1, 0, 0, sent, 0, 0) + frame)
    return f"{sent} frames sent, memory {before:.0f} -> {bench.memory_mb:.0f} MB"


def garbage(bench: Bench) -> str:
    """Random bytes, to the port and as messages."""
    random = np.random.default_rng(0)
    before = bench.memory_mb
    for _ in range(300):
        with socket.create_connection(("127.0.0.1", bench.port)) as client, suppress(OSError):
            client.sendall(random.bytes(int(random.integers(1, 5000))))
    codes = set()
    for _ in range(50):
        with connect(f"ws://127.0.0.1:{bench.port}/ws") as client:
            try:
                client.send(random.bytes(int(random.integers(0, 50_000))))
                while True:
                    client.recv(timeout=20)
            except ConnectionClosed as error:
                codes.add(error.rcvd and error.rcvd.code)
    answer = bench.ask("GET", "/api/server")[:3]
    return f"closed with {codes}, then {answer}; memory {before:.0f} -> {bench.memory_mb:.0f} MB"


def huge(bench: Bench) -> str:
    """A picture of 50,000 x 50,000 pixels in 1 MB."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checked = name + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    head = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    data = zlib.compressobj(9)
    pixels = b"".join(data.compress(bytes(1 << 24)) for _ in range(60)) + data.flush()
    parts = (b"IHDR", head), (b"IDAT", pixels), (b"IEND", b"")
    picture = b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)
    before = bench.memory_mb
    answers = {bench.ask("POST", path, picture) for path in ("/api/image", "/api/styles")}
    return f"{answers}; memory {before:.0f} -> {bench.memory_mb:.0f} MB"


def no_film(bench: Bench) -> str:
    """Files that are no films."""
    noise = np.random.default_rng(0).bytes(1 << 20)
    bodies = noise, b"\0\0\0\x20ftypisom" + noise, b"#EXTM3U\nfile:///etc/passwd\n", b""
    return "; ".join(bench.ask("POST", "/api/films", body) for body in bodies)


def half(bench: Bench) -> str:
    """Uploads of 100 MB cut half-way, twenty times."""
    before, folder = bench.memory_mb, Path(os.environ["NST_VIDEO_HOME"], "data", "serve", "films")
    head = b"POST /api/films HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n"
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", bench.port)) as client:
            client.sendall(head + bytes(50_000_000))
    time.sleep(2)
    left = [path for path in folder.rglob("*") if path.is_file() and path.name != "lock"]
    return f"files left: {len(left)}; memory {before:.0f} -> {bench.memory_mb:.0f} MB"


FAULTS: dict[str, Callable[[Bench], str]] = {
    each.__name__: each
    for each in (silent, garbage, huge, no_film, half, tabs, hidden, killed, cut)
}


def main() -> None:
    """Do every fault and print what has become of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=FAULTS, default=list(FAULTS))
    wanted = parser.parse_args().only
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        os.environ["NST_VIDEO_HOME"] = folder
        camera = Path(folder, "camera.y4m")
        write_camera(camera, None, (320, 240))
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=chromium_arguments(camera)
        )
        bench = Bench(browser)
        bench.serve()
        bench.paint()
        for name in wanted:
            if bench.page:
                bench.page.close()
                bench.page = None
            try:
                print(f"{name}: {FAULTS[name](bench)}", flush=True)
            except Exception as error:  # noqa: BLE001 - the next fault is tried all the same
                print(f"{name}: FAILED, {type(error).__name__}: {error}", flush=True)
        bench.kill()
        browser.close()


if __name__ == "__main__":
    main()
