"""What tests of live sessions share: a network camera, stylizers, ways to wait and look."""

import contextlib
import ctypes
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np

from nst_video.frames import Frame, VideoInfo
from nst_video.live import LiveOptions, LiveSession, LiveSink, LiveSource, Output
from nst_video.live.outputs.mjpeg import MjpegSink
from nst_video.settings import ModelOptions, StylizeSettings
from nst_video.stylizer import Stylizer

SIZE = (320, 240)
BITS = 16
BLOCK_PX = 16

FRAME_BY_FRAME = StylizeSettings(steady=0)
"""Every frame is painted by itself, so that its number can be read."""

FIXED = LiveOptions(target_fps=None)
"""A working size that does not depend on how fast this machine is."""


def wait_until(condition: Callable[[], object], timeout_s: float = 40.0, what: str = "") -> None:
    """Wait for a condition that other threads or processes bring about."""
    end = time.monotonic() + timeout_s
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, f"not within {timeout_s:g} s: {what or condition}"
        pause.wait(0.01)


def numbered(number: int, size: tuple[int, int] = SIZE) -> Frame:
    """A picture that carries its number in black and white blocks, readable after JPEG."""
    width, height = size
    frame = np.full((height, width, 3), 90, np.uint8)
    frame[height // 2 :, :, 1] = (number * 3) % 200
    for bit in range(BITS):
        left = bit * BLOCK_PX
        frame[:BLOCK_PX, left : left + BLOCK_PX] = 255 if number >> bit & 1 else 0
    return frame


def number_in(frame: Frame) -> int:
    """Read the number that `numbered` painted."""
    blocks = frame[4 : BLOCK_PX - 4, : BITS * BLOCK_PX].mean(axis=(0, 2)).reshape(BITS, BLOCK_PX)
    return sum(int(block[4:-4].mean() > 127) << bit for bit, block in enumerate(blocks))


class Collector(LiveSink):
    """An output that notes when it got which frame."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, float]] = []
        self.shapes: set[tuple[int, ...]] = set()
        self.is_finished = False

    @property
    def output(self) -> Output:
        return Output("collector", lambda info: self)

    @property
    def numbers(self) -> list[int]:
        return [number for number, _ in self.seen]

    def __enter__(self) -> "Collector":
        return self

    def __exit__(self, *_: object) -> None:
        self.is_finished = True

    def write(self, frame: Frame) -> None:
        self.seen.append((number_in(frame), time.monotonic()))
        self.shapes.add(frame.shape)

    def stop(self) -> None:
        pass


class NetworkCamera:
    """An MJPEG server on this machine that delivers numbered frames at a rate."""

    def __init__(self, fps: float, size: tuple[int, int] = SIZE) -> None:
        self.sent_s: dict[int, float] = {}
        self._fps, self._size = fps, size
        self._port, self._number = 0, 0
        self._server: MjpegSink | None = None
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self.start()
        self.url = f"http://127.0.0.1:{self._port}/stream.mjpg"

    def start(self) -> None:
        self._over.clear()
        self._server = MjpegSink(self._port)
        self._server.__enter__()
        self._port = int(self._server.url.rsplit(":", 1)[1].rstrip("/"))
        self._thread = threading.Thread(target=self._deliver, args=(self._server,))
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        if self._thread is not None and self._server is not None:
            self._thread.join()
            self._server.__exit__(None, None, None)
            self._thread = self._server = None

    def _deliver(self, server: MjpegSink) -> None:
        due = time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            frame = numbered(self._number % (1 << BITS), self._size)
            self.sent_s[self._number] = time.monotonic()
            server.write(frame)
            self._number += 1
            due = max(due + 1 / self._fps, time.monotonic() - 0.1)


class ScriptedStream:
    """An MJPEG stream on this machine that delivers given pictures, then ends; again and again."""

    def __init__(self, parts: Sequence[bytes], pause_s: float = 0.0) -> None:
        self.connections = 0
        stream = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stream.connections += 1
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
                self.end_headers()
                with contextlib.suppress(OSError):
                    for part in parts:
                        head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(part)}"
                        self.wfile.write(head.encode() + b"\r\n\r\n" + part + b"\r\n")
                        self.wfile.flush()
                        stream._over.wait(pause_s)

            def log_message(self, *_: object) -> None:
                pass

        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.url = f"http://127.0.0.1:{self._server.server_port}/stream.mjpg"

    def __enter__(self) -> "ScriptedStream":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def jpeg(frame: Frame) -> bytes:
    return cv2.imencode(".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))[1].tobytes()


def unchanged(fade_s: float = 0.0) -> Stylizer:
    """The real stylizer with the packaged model, whose engine changes nothing."""
    return Stylizer(
        settings=FRAME_BY_FRAME, options=ModelOptions("builtin", "identity"), fade_s=fade_s
    )


class Running:
    """A session without a window, in a thread of its own."""

    def __init__(self, session: LiveSession) -> None:
        self.session = session
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.session.run()
        except BaseException as error:  # noqa: BLE001 - raised again by the test
            self.error = error

    def __enter__(self) -> LiveSession:
        return self.session

    def __exit__(self, *_: object) -> None:
        self.session.press("q")
        self.thread.join(30)
        assert not self.thread.is_alive()
        if self.error is not None:
            raise self.error


def screenshot(display: str) -> Frame:
    """What is on the screen, RGB."""
    import mss

    with mss.MSS(display=display) as grabber:
        shot = grabber.grab(grabber.monitors[0])
    return np.ascontiguousarray(np.asarray(shot, np.uint8)[..., 2::-1])


def info_of(size: tuple[int, int]) -> VideoInfo:
    return VideoInfo(size, Fraction(30))


def save_clip(path, frames, fps: float) -> None:
    """Write frames losslessly enough to read their numbers back."""
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (width, height))
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()


class Film:
    """A source of numbered frames at a rate, as fast as asked for with None."""

    def __init__(
        self,
        count: int | None,
        fps: float | None = None,
        same: bool = False,
        sent_s: dict[int, float] | None = None,
    ) -> None:
        self._count, self._fps, self._same = count, fps, same
        self._sent_s = {} if sent_s is None else sent_s
        self._stopped = threading.Event()
        self.info = VideoInfo((320, 240), Fraction(30))
        self.notes = ()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._stopped.set()

    def __iter__(self):
        number, begun = 0, time.monotonic()
        while self._count is None or number < self._count:
            due = 0.0 if self._fps is None else begun + number / self._fps - time.monotonic()
            if self._stopped.wait(max(0.0, due)):
                return
            self._sent_s[number] = time.monotonic()
            yield numbered(0 if self._same else number % 65536)
            number += 1


def film(count: int | None = None, fps: float | None = 60, **options: object) -> LiveSource:
    return LiveSource("film", lambda: Film(count, fps, **options), is_endless=False)


class _ClientMessage(ctypes.Structure):
    """Xlib's XClientMessageEvent, padded to the size of the union XEvent."""

    _fields_ = [
        ("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p), ("window", ctypes.c_ulong), ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int), ("data", ctypes.c_long * 5), ("pad", ctypes.c_long * 24),
    ]  # fmt: skip


def ask_to_close(display: str, window: str) -> None:
    """Do what a window manager does when the cross in the corner is clicked."""
    x = ctypes.CDLL("libX11.so.6")
    x.XOpenDisplay.restype = ctypes.c_void_p
    x.XInternAtom.restype = ctypes.c_ulong
    x.XInternAtom.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    connection = ctypes.c_void_p(x.XOpenDisplay(display.encode()))
    event = _ClientMessage(type=33, window=int(window), format=32)
    event.message_type = x.XInternAtom(connection, b"WM_PROTOCOLS", 0)
    event.data[0] = x.XInternAtom(connection, b"WM_DELETE_WINDOW", 0)
    x.XSendEvent(connection, ctypes.c_ulong(int(window)), 0, 0, ctypes.byref(event))
    x.XCloseDisplay(connection)


@contextlib.contextmanager
def no_threads_left() -> Iterator[None]:
    """Raise unless all threads that are begun within have ended."""
    before = set(threading.enumerate())
    yield
    wait_until(
        lambda: not [t for t in threading.enumerate() if t not in before and not _is_pool(t)],
        what=f"end of {[t.name for t in threading.enumerate() if t not in before]}",
    )


def _is_pool(thread: threading.Thread) -> bool:
    """Say whether it is a connection that the HTTP server is just ending, or a library's pool."""
    return "process_request_thread" in thread.name or "ThreadPoolExecutor" in thread.name
