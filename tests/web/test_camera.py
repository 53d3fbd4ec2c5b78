"""Cameras of browsers over real WebSockets: newest frames only, in both directions."""

import json
from contextlib import ExitStack
from typing import Any

import cv2
import numpy as np
import pytest
from page_client import is_kind, receive
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from nst_video.web.protocol import Kind, Message

SIZE = (160, 120)


def frame(seed: int = 0) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), np.uint8)
    return cv2.imencode(".jpg", cv2.resize(noise, SIZE))[1].tobytes()


def is_painted(message: Any) -> bool:
    return isinstance(message, Message) and message.kind is Kind.PAINTED and message.is_painted


def send(socket: ClientConnection, sequence: int, seed: int = 0, stamp: int = 0) -> None:
    socket.send(Message(Kind.FRAME, sequence, stamp, payload=frame(seed)).encode())


def ask(socket: ClientConnection, **message: object) -> None:
    socket.send(json.dumps(message))


def pixels(message: Any) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(message.payload, np.uint8), cv2.IMREAD_COLOR)


def test_a_frame_comes_back_painted_with_its_number_and_stamp(page) -> None:
    with page.socket() as socket:
        hello = receive(socket, is_kind("hello"))
        assert hello["protocol"] == 1
        assert hello["look"]["styles"] == [{"name": "starfield", "weight": 1.0}]
        send(socket, 1, stamp=4_000_000_000)
        assert receive(socket, lambda m: isinstance(m, Message)).kind is Kind.TAKEN
        painted = receive(socket, is_painted)
        assert (painted.sequence, painted.stamp) == (1, 4_000_000_000)
        assert pixels(painted).shape == (120, 160, 3)
        status = receive(socket, lambda m: is_kind("status")(m) and m["state"] != "loading")
        assert status["state"] in ("painting", "waiting")
        assert "builtin" in status["engine"]
        ask(socket, type="look", look={"styles": [{"name": "wave"}], "intensity": 1})
        look = receive(socket, is_kind("look"))["look"]
        assert look["styles"] == [{"name": "wave", "weight": 1.0}]
        ask(socket, type="look", look={"original": True})
        shown = receive(socket, lambda m: isinstance(m, Message) and not m.is_painted and m.payload)
        assert np.abs(pixels(shown).astype(int) - pixels_of(frame())).mean() < 4


def test_what_is_around_people_is_what_the_look_says(page) -> None:
    """Nobody is in the noise: all of it is the rest, a color first, then another style."""

    def is_green(message: Any) -> bool:
        return is_painted(message) and pixels(message).mean((0, 1))[1] > 150

    with page.socket() as socket:
        ask(socket, type="look", look={"mask": "person", "rest": "green"})
        send(socket, 1)
        receive(socket, is_green)
        ask(socket, type="look", look={"styles": [{"name": "wave"}], "rest": "neon", "steady": 0})
        assert receive(socket, is_kind("look"))["look"]["rest"] == "neon"
        painted = receive(socket, lambda m: is_painted(m) and not is_green(m))
        ask(socket, type="look", look={"mask": "none"})
        plain = receive(
            socket,
            lambda m: is_painted(m) and np.abs(pixels(m) - pixels(painted) * 1.0).mean() > 10,
        )
        assert plain.sequence == painted.sequence
        ask(socket, type="look", look={"mask": "person", "rest": "/etc/passwd"})
        assert "no style" in receive(socket, is_kind("error"))["text"]


def pixels_of(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def test_a_look_that_is_refused_changes_nothing(page) -> None:
    with page.socket() as socket:
        for look in ({"intensity": 3}, {"styles": [{"name": "/etc/passwd"}]}, {"x": 1}, None):
            ask(socket, type="look", look=look)
            assert receive(socket, is_kind("error"))["key"] == "look"
        ask(socket, type="dance")
        assert "dance" in receive(socket, is_kind("error"))["text"]
        ask(socket, type="look", look={})
        assert receive(socket, is_kind("look"))["look"]["intensity"] == 1.0


def test_a_client_that_shows_nothing_gets_as_many_pictures_as_the_window(page) -> None:
    with page.socket() as socket:
        window = receive(socket, is_kind("hello"))["window"]
        pictures = 0
        for sequence in range(1, 6 * window):
            send(socket, sequence, sequence)
            while True:
                message = receive(socket, lambda m: isinstance(m, Message), shows=False)
                pictures += message.kind is Kind.PAINTED
                if message.kind is Kind.TAKEN and message.sequence == sequence:
                    break
        assert pictures <= window


@pytest.mark.parametrize(
    "data",
    [
        b"garbage",
        "no json",
        "[]",
        "x" * 5000,
        "[" * 4000,
        Message(Kind.FRAME, 1, payload=b"no jpeg").encode(),
        Message(Kind.FRAME, 1, payload=frame()[:700]).encode(),
        Message(Kind.FRAME, 0, payload=frame()).encode(),
        Message(Kind.PAINTED, 1, payload=frame()).encode(),
        Message(Kind.SHOWN, 9).encode(),
    ],
)
def test_garbage_ends_the_connection_and_nothing_else(page, data: bytes | str) -> None:
    with page.socket() as socket:
        socket.send(data)
        with pytest.raises(ConnectionClosed) as caught:
            receive(socket, lambda m: False)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 4400
    assert page.get("/api/server").status == 200


def test_a_message_that_is_too_long_ends_the_connection(page) -> None:
    with page.socket() as socket:
        socket.send(bytes(3 << 20))
        with pytest.raises(ConnectionClosed):
            receive(socket, lambda m: False)


def test_other_sites_get_no_connection(page) -> None:
    for headers in (
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        with pytest.raises(InvalidStatus) as caught:
            page.socket(**headers).__enter__()
        assert caught.value.response.status_code == 403


def test_a_page_without_the_token_is_told(shared_page) -> None:
    with shared_page.socket() as socket, pytest.raises(ConnectionClosed) as caught:
        socket.recv(timeout=10)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 4401
    with shared_page.socket(Authorization="Bearer secret-token") as socket:
        assert receive(socket, is_kind("hello"))["source"] == "camera"


def test_who_comes_when_all_places_are_taken_waits_in_line_and_moves_up(page) -> None:
    places = page.get("/api/server").json["max_painting"]
    with ExitStack() as stack:
        open_sockets = [stack.enter_context(page.socket()) for _ in range(places + 1)]
        for socket in open_sockets[:places]:
            send(socket, 1)
            receive(socket, lambda m: isinstance(m, Message) and m.kind is Kind.TAKEN)
        last = open_sockets[places]
        send(last, 1)
        status = receive(last, lambda m: is_kind("status")(m) and m["place"])
        assert (status["state"], status["place"]) == ("busy", 1)
        assert "number 1 in line" in status["text"]
        open_sockets[0].close()
        receive(last, is_painted)
