"""MJPEG over HTTP through real sockets: who is answered, with what, and what nobody can spoil."""

import http.client
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from live_tools import number_in, numbered, wait_until

from nst_video.errors import SinkError
from nst_video.live.outputs import mjpeg
from nst_video.live.outputs.mjpeg import MjpegSink

PATHS = ("/", "/snapshot.jpg", "/stream.mjpg")


@pytest.fixture
def sink() -> Iterator[MjpegSink]:
    with MjpegSink(0) as sink:
        sink.write(numbered(1))
        yield sink


def connect(sink: MjpegSink) -> socket.socket:
    return socket.create_connection(("127.0.0.1", sink._port), timeout=15)


def head_of(answer: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers, names in lower case."""
    first, *lines = answer.split(b"\r\n\r\n")[0].decode("ascii").split("\r\n")
    pairs = [line.split(": ", 1) for line in lines]
    assert len({name.lower() for name, _ in pairs}) == len(pairs)
    return int(first.split()[1]), {name.lower(): value for name, value in pairs}


def ask(sink: MjpegSink, request: bytes) -> bytes:
    """Send these bytes; return what comes until the end, of a stream the beginning."""
    with connect(sink) as client:
        client.sendall(request)
        answer = b""
        while data := client.recv(65536):
            answer += data
            if b"multipart" in answer and answer.count(b"--nst-video-frame") > 1:
                break
    return answer


def get(sink: MjpegSink, path: str, *headers: str, method: str = "GET") -> bytes:
    lines = (f"{method} {path} HTTP/1.1", "Host: 127.0.0.1:8090", *headers, "", "")
    return ask(sink, "\r\n".join(lines).encode("latin-1"))


def status_of(answer: bytes) -> int:
    return head_of(answer)[0]


def picture_in(answer: bytes) -> int:
    data = answer[answer.index(b"\xff\xd8") :]
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return number_in(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))


def test_page_stream_and_picture_are_served(sink: MjpegSink) -> None:
    assert b'src="/stream.mjpg"' in get(sink, "/")
    assert status_of(get(sink, "/nothing")) == 404
    for path in ("/snapshot.jpg", "/stream.mjpg"):
        assert picture_in(get(sink, path)) == 1


def test_usual_clients_understand_the_answers(sink: MjpegSink) -> None:
    client = http.client.HTTPConnection("127.0.0.1", sink._port, timeout=15)
    for path in ("/", "/snapshot.jpg?time=17"):
        client.request("GET", path)
        answer = client.getresponse()
        assert (answer.status, len(answer.read())) == (200, int(answer.headers["Content-Length"]))
    client.close()


def test_picture_is_the_newest_at_each_request(sink: MjpegSink) -> None:
    for number in (2, 3, 4, 900):
        sink.write(numbered(number))
        assert picture_in(get(sink, "/snapshot.jpg")) == number
        assert picture_in(get(sink, "/stream.mjpg")) == number


def test_picture_is_awaited_where_there_is_none_yet() -> None:
    with MjpegSink(0) as sink:
        answers: list[bytes] = []
        asking = threading.Thread(target=lambda: answers.append(get(sink, "/snapshot.jpg")))
        asking.start()
        wait_until(lambda: sink._clients)
        sink.write(numbered(5))
        asking.join(10)
        assert picture_in(answers[0]) == 5


def test_stream_goes_on_with_the_newest_picture_only(sink: MjpegSink) -> None:
    with connect(sink) as client, client.makefile("rb") as answer:
        client.sendall(b"GET /stream.mjpg?x=1 HTTP/1.0\r\n\r\n")
        seen: list[int] = []
        for line in answer:
            if line.lower().startswith(b"content-length"):
                answer.readline()
                seen.append(picture_in(answer.read(int(line.split(b":")[1]))))
                sink.write(numbered(seen[-1] + 1))
            if len(seen) == 20:
                break
    assert seen == list(range(1, 21))


@pytest.mark.parametrize("path", PATHS)
def test_head_and_queries_are_answered(sink: MjpegSink, path: str) -> None:
    with connect(sink) as client:
        client.sendall(f"HEAD {path}?a=1&b=2 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert status_of(answer) == 200
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("path", [*PATHS, "/nothing"])
def test_every_answer_is_for_our_own_page_only_and_kept_nowhere(sink: MjpegSink, path: str) -> None:
    for answer in (get(sink, path), get(sink, path, "Sec-Fetch-Site: cross-site")):
        _, headers = head_of(answer)
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert headers["connection"] == "close"
        assert not [name for name in headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ((), 200),  # OBS's media source, players, curl
        (("Sec-Fetch-Site: none",), 200),  # typed into a browser
        (("Sec-Fetch-Site: same-origin", "Origin: http://127.0.0.1:8090"), 200),
        (("Sec-Fetch-Site: cross-site", "Sec-Fetch-Dest: image"), 403),
        (("Sec-Fetch-Site: same-site",), 403),  # another port of this machine
        (("sec-fetch-site: none", "Sec-Fetch-Site: cross-site"), 403),
        (("Sec-Fetch-Site: something new",), 403),
        (("Origin: https://evil.example",), 403),
        (("Origin: http://127.0.0.1:3000",), 403),
        (("Origin: null",), 403),
        (("Origin: http://127.0.0.1:8090", "Origin: https://evil.example"), 403),
    ],
)
def test_pages_of_other_sites_are_refused(
    sink: MjpegSink, path: str, headers: tuple[str, ...], status: int
) -> None:
    assert status_of(get(sink, path, *headers)) == status


@pytest.mark.parametrize(
    ("hosts", "status"),
    [
        (("127.0.0.1:8090",), 200),
        (("localhost",), 200),
        (("LocalHost:1",), 200),  # forwarded by ssh to another port
        (("[::1]:8090",), 200),
        (("evil.example",), 403),
        (("localhost.evil.example:8090",), 403),
        (("127.0.0.1.evil.example",), 403),
        (("localhost:8090@evil.example",), 403),
        (("127.0.0.2",), 403),
        (("localhost:port",), 403),
        (("",), 403),
        ((), 400),
        (("localhost", "evil.example"), 400),
        (("localhost", "localhost"), 400),
    ],
)
def test_host_must_name_this_machine(sink: MjpegSink, hosts: tuple[str, ...], status: int) -> None:
    lines = ["GET / HTTP/1.1", *(f"Host: {host}" for host in hosts), "", ""]
    assert status_of(ask(sink, "\r\n".join(lines).encode())) == status


def test_old_clients_need_no_host(sink: MjpegSink) -> None:
    assert status_of(ask(sink, b"GET / HTTP/1.0\r\n\r\n")) == 200
    assert status_of(ask(sink, b"GET / HTTP/1.0\nHost: localhost\n\n")) == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE"])
def test_nothing_but_reading_is_allowed(sink: MjpegSink, method: str) -> None:
    status, headers = head_of(get(sink, "/snapshot.jpg", method=method))
    assert (status, headers["allow"]) == (405, "GET, HEAD")


HOST = b"Host: localhost\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 400),
        (b"GET / \r\n\r\n", 400),
        (b"GET http://localhost/ HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b" folded: evil.example\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"no colon\r\n\r\n", 400),
        (b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"get / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),  # TLS
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 100_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 500 + b"\r\n", 431),
        (b"\r\n" * 500, 431),
    ],
)
def test_what_is_no_request_is_refused(sink: MjpegSink, request_bytes: bytes, status: int) -> None:
    assert status_of(ask(sink, request_bytes)) == status


def test_bodies_and_further_requests_are_not_read(sink: MjpegSink) -> None:
    second = b"GET /snapshot.jpg HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for field in (b"Content-Length: %d\r\n" % len(second), b"Transfer-Encoding: chunked\r\n", b""):
        answer = ask(sink, b"GET / HTTP/1.1\r\n" + HOST + field + b"\r\n" + second)
        assert status_of(answer) == 200
        assert answer.count(b"HTTP/1.1") == 1


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch, sink: MjpegSink) -> MjpegSink:
    """A server that waits for clients a fifth of a second."""
    monkeypatch.setattr(mjpeg, "HEAD_S", 0.2)
    monkeypatch.setattr(mjpeg, "SEND_S", 0.2)
    return sink


@pytest.mark.parametrize("beginning", [b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: lo"])
def test_request_that_never_ends_is_given_up(hasty: MjpegSink, beginning: bytes) -> None:
    assert status_of(ask(hasty, beginning)) == 408
    wait_until(lambda: not hasty._clients, 5)


def test_client_that_does_not_read_is_given_up(hasty: MjpegSink) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (480, 640, 3)).astype(np.uint8)
    with connect(hasty) as client:
        client.sendall(b"GET /stream.mjpg HTTP/1.0\r\n\r\n")
        wait_until(lambda: hasty._clients, 5)
        pause = threading.Event()
        for _ in range(400):  # more than the system holds for a client
            hasty.write(noise)
            if pause.wait(0.01) or not hasty._clients:
                break
        wait_until(lambda: not hasty._clients, 10)
    hasty.write(numbered(7))
    assert picture_in(get(hasty, "/snapshot.jpg")) == 7


def test_client_that_leaves_is_forgotten(sink: MjpegSink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mjpeg, "REPEAT_S", 0.05)
    for request in (b"GET /stream.mjpg HTTP/1.0\r\n\r\n", b"GET / HT", b""):
        with connect(sink) as client:
            client.sendall(request)
            wait_until(lambda: sink._clients, 5)
        wait_until(lambda: not sink._clients, 5)


def test_connections_are_limited_and_do_not_take_threads(sink: MjpegSink) -> None:
    threads = threading.active_count()
    crowd = [connect(sink) for _ in range(mjpeg.MAX_CLIENTS)]
    try:
        wait_until(lambda: len(sink._clients) == mjpeg.MAX_CLIENTS, 5)
        assert status_of(get(sink, "/")) == 503
        assert threading.active_count() == threads
    finally:
        for client in crowd:
            client.close()
    wait_until(lambda: not sink._clients, 5)
    assert status_of(get(sink, "/")) == 200


def test_hundreds_of_requests_leave_nothing_behind(sink: MjpegSink) -> None:
    def held() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    get(sink, "/")
    wait_until(lambda: not sink._clients, 5)
    before = held()
    rng = np.random.default_rng(2)
    for number in range(300):
        sink.write(numbered(number, (64, 48)))
        with connect(sink) as client:
            client.sendall(
                (rng.bytes(40), b"GET /stream.mjpg HTTP/1.0\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n")[
                    number % 3
                ]
            )
            if number % 3:  # what is no request is not answered before a while
                client.recv(100)
    sink.write(numbered(1))
    wait_until(lambda: not sink._clients, 10)
    assert held() == before


@pytest.mark.skipif(os.name != "posix", reason="other systems have one loopback address")
def test_server_listens_on_this_machine_only(sink: MjpegSink) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", sink._port), timeout=5)


def test_port_that_is_taken_is_said_in_one_sentence(sink: MjpegSink) -> None:
    expected = f"Port {sink._port} cannot be used for HTTP: another program is using it."
    with pytest.raises(SinkError, match=expected), MjpegSink(sink._port):
        pass


def test_server_ends_while_clients_watch() -> None:
    with MjpegSink(0) as sink:
        sink.write(numbered(1))
        watching, half = connect(sink), connect(sink)
        watching.sendall(b"GET /stream.mjpg HTTP/1.0\r\n\r\n")
        assert watching.recv(100)
        half.sendall(b"GET")
        wait_until(lambda: len(sink._clients) == 2, 5)
    assert not sink._thread.is_alive()
    for client in (watching, half):
        client.close()
