"""The server's addresses over real sockets: what is answered, what is refused."""

import io
import select
import socket
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst_video.system.paths import packaged_styles_dir
from nst_video.web import server


def encoded(kind: str, size: tuple[int, int] = (64, 48)) -> bytes:
    data = io.BytesIO()
    ramp = np.linspace(0, 255, size[0] * size[1] * 3).astype(np.uint8)
    Image.fromarray(ramp.reshape(size[1], size[0], 3)).save(data, kind)
    return data.getvalue()


def bomb(side: int) -> bytes:
    """A PNG of so many pixels that is small: one row of it, repeated."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checked = name + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1 << 20), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def picture(body: bytes) -> Image.Image:
    return Image.open(io.BytesIO(body))


def test_the_page_comes_with_headers_that_keep_other_sites_out(page) -> None:
    got = page.get("/")
    assert got.status == 200
    assert b'<script type="module" src="/static/' in got.body
    policy = got.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert got.headers["x-frame-options"] == "DENY"
    assert got.headers["referrer-policy"] == "no-referrer"
    for path in ("/static/index.html", "/favicon.ico", "/api/server"):
        assert page.get(path).headers["content-security-policy"] == policy


def test_nothing_of_the_page_is_inline_and_nothing_is_loaded_from_elsewhere(page) -> None:
    text = page.get("/").body.decode()
    assert "<style" not in text
    assert " style=" not in text
    assert " onclick=" not in text
    assert "http://" not in text.replace("http://www.w3.org/", "")
    assert "https://" not in text


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd",
     "/api/styles/..%2f..%2fetc%2fpasswd/picture.jpg", "/api/films/../../etc/passwd",
     "/api/films/..%2f..%2f/download", "/static/%00"],
)  # fmt: skip
def test_no_path_leads_out_of_the_server(page, path: str) -> None:
    got = page.get(path)
    assert got.status in (400, 404)
    assert b"root:" not in got.body
    assert b"/work" not in got.body


def test_unknown_addresses_and_methods_are_problems(page) -> None:
    assert page.get("/api/nothing").status == 404
    assert page.get("/api/nothing").detail
    assert page.ask("PUT", "/api/styles").status == 405
    assert page.ask("POST", "/api/server").status == 405


def test_other_sites_and_hosts_are_refused(page) -> None:
    assert page.get("/api/server", host="evil.example").status == 403
    assert page.ask("POST", "/api/image", b"x", origin="https://evil.example").status == 403
    assert page.get("/api/styles", sec_fetch_site="cross-site").status == 403


def test_two_lengths_or_a_second_host_are_refused(page) -> None:
    start = b"POST /api/image HTTP/1.1\r\nHost: localhost\r\n"
    for lines in (
        b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n",
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"Host: evil.example\r\nContent-Length: 0\r\n\r\n",
        b" folded: x\r\nContent-Length: 0\r\n\r\n",
    ):
        answer = page.raw(start + lines)
        assert answer.startswith(b"HTTP/1.1 4"), (lines, answer[:100])
        assert answer.count(b"HTTP/1.1 ") == 1


def test_styles_have_thumbnails_of_the_style_applied(page) -> None:
    styles = {style["id"]: style for style in page.get("/api/styles").json["styles"]}
    names = {path.stem for path in packaged_styles_dir().glob("*.jpg")}
    assert names <= styles.keys()
    first, second = (page.get(styles[name]["thumbnail"]) for name in ("wave", "neon"))
    assert picture(first.body).size == (320, 200)
    assert "immutable" in first.headers["cache-control"]
    difference = np.subtract(picture(first.body), picture(second.body), dtype=np.float32)
    assert np.abs(difference).mean() > 10
    assert page.get(styles["wave"]["thumbnail"]).body == first.body
    assert picture(page.get(styles["wave"]["picture"]).body).format == "JPEG"


def test_a_picture_is_painted(page) -> None:
    got = page.ask("POST", "/api/image?style=wave&format=png", encoded("JPEG"))
    assert got.status == 200
    assert got.headers["content-type"] == "image/png"
    assert picture(got.body).size == (64, 48)
    plain = page.ask("POST", "/api/image?original=true&format=png", encoded("PNG"))
    assert plain.body != got.body
    assert np.array_equal(picture(plain.body), picture(encoded("PNG")))
    query = "style=wave&mask=person&rest=%23ff0000&format=png"
    nobody = np.asarray(picture(page.ask("POST", f"/api/image?{query}", encoded("PNG")).body))
    assert np.abs(nobody.mean((0, 1)) - (255, 0, 0)).max() < 30


@pytest.mark.parametrize(
    ("query", "body", "status", "said"),
    [
        ("", b"", 400, "no file"),
        ("", b"hello", 422, "not a picture"),
        ("", bomb(50_000), 422, "too many pixels"),
        ("", bomb(7_200), 422, "50 megapixels"),
        ("", encoded("JPEG")[:400], 422, "damaged"),
        ("", bytes((1 << 20) + 1), 413, "1 MB"),
        ("?style=nothing", encoded("PNG"), 404, "nothing"),
        ("?style=/etc/passwd", encoded("PNG"), 404, "no style"),
        ("?intensity=2", encoded("PNG"), 400, "intensity"),
        ("?intensty=0.5", encoded("PNG"), 400, "Did you mean 'intensity'"),
        ("?style=wave&rest=wvae&mask=person", encoded("PNG"), 404, "Did you mean 'wave'"),
        ("?format=exe", encoded("PNG"), 400, "format"),
    ],
)
def test_what_cannot_be_painted_is_said(page, query, body, status, said) -> None:
    got = page.ask("POST", f"/api/image{query}", body)
    assert got.status == status
    assert said in got.detail
    assert "/tmp" not in got.detail


def test_an_upload_of_unknown_length_is_cut_at_the_limit(page) -> None:
    part = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    head = b"POST /api/image HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert b" 413 " in page.raw(head + 17 * part + b"0\r\n\r\n").split(b"\r\n")[0]


def test_an_upload_that_stops_is_given_up(page) -> None:
    head = b"POST /api/image HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc"
    with socket.create_connection(("127.0.0.1", page.port), timeout=10) as connection:
        connection.sendall(head)
        assert b" 408 " in connection.recv(65536).split(b"\r\n")[0]
    page.raw(head)  # cut half-way: nobody is left to be told
    assert page.get("/api/server").status == 200


def test_an_upload_that_trickles_is_given_up(page) -> None:
    head = b"POST /api/films HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", page.port), timeout=10) as connection:
        connection.sendall(head)
        while not select.select([connection], [], [], 0.05)[0]:
            connection.sendall(b"x")
        assert b"bytes per second" in connection.recv(65536)


def test_a_client_that_sends_no_request_is_left(page, monkeypatch) -> None:
    monkeypatch.setattr(server, "HEAD_S", 0.2)
    with socket.create_connection(("127.0.0.1", page.port), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost:")
        assert connection.recv(100) == b""
    with socket.create_connection(("127.0.0.1", page.port), timeout=10) as connection:
        connection.sendall(b"GET /favicon.ico HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP")
        answer = b""
        while part := connection.recv(65536):
            answer += part
        assert answer.startswith(b"HTTP/1.1 200")
    with page.socket() as opened:
        opened.recv(timeout=10)
        monkeypatch.undo()
        assert page.get("/api/server").status == 200
        opened.send('{"type":"restart"}')
        opened.send('{"type":"look","look":{}}')
        while '"look"' not in str(opened.recv(timeout=10)):
            pass


def test_any_picture_becomes_a_style_at_once(page) -> None:
    made = page.ask("POST", "/api/styles?name=My%20holiday.png", encoded("PNG"))
    assert made.status == 201
    style = made.json
    assert (style["title"], style["origin"]) == ("My holiday", "uploaded")
    again = page.ask("POST", "/api/styles?name=other.png", encoded("PNG")).json
    assert again["id"] == style["id"]
    painted = page.ask("POST", f"/api/image?style={style['id']}", encoded("PNG"))
    assert painted.status == 200
    assert picture(page.get(style["thumbnail"]).body).size == (320, 200)
    assert style["id"] not in {each["id"] for each in page.get("/api/styles").json["styles"]}
    assert page.ask("DELETE", f"/api/styles/{style['id']}").status == 204
    assert page.ask("POST", f"/api/image?style={style['id']}", encoded("PNG")).status == 404


def test_packaged_styles_cannot_be_deleted(page) -> None:
    got = page.ask("DELETE", "/api/styles/wave")
    assert got.status == 404
    assert "packaged" in got.detail
    assert Path(packaged_styles_dir(), "wave.jpg").is_file()


def test_json_that_is_none_is_refused(page) -> None:
    for body in (b"[1]", b"{", b"\xff", b"[" * 10_000):
        assert page.ask("POST", "/api/styles/wave/refine", body).status == 400
    assert page.ask("POST", "/api/styles/wave/refine", {"minutes": 1e9}).status == 400


def test_without_the_token_only_the_page_is_served(shared_page) -> None:
    stranger = type(shared_page)(shared_page.port)
    assert stranger.get("/").status == 200
    for path in ("/api/server", "/api/styles", "/api/films"):
        assert stranger.get(path).status == 401
        assert "token" in stranger.get(path).detail
    assert stranger.get("/api/server", authorization="Bearer wrong").status == 401
    assert shared_page.get("/api/server").status == 200


def test_the_address_with_the_token_gives_a_cookie_and_takes_the_token_out(shared_page) -> None:
    stranger = type(shared_page)(shared_page.port)
    got = stranger.get("/?token=secret-token")
    assert (got.status, got.headers["location"]) == (303, "/")
    cookie = got.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert stranger.get("/api/server", cookie=cookie.partition(";")[0]).status == 200
    assert "set-cookie" not in stranger.get("/?token=wrong").headers
