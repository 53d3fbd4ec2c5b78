"""Who paints when, how often requests are allowed, and what messages do not tell."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_video.errors import SourceError, StyleError
from nst_video.web.addresses import is_loopback, qr_code
from nst_video.web.film_files import is_film, safe_stem, safe_suffix
from nst_video.web.limits import RateLimiter
from nst_video.web.problems import problem_of, without_paths
from nst_video.web.session_queue import SessionQueue


def test_the_first_sessions_paint_and_the_others_move_up() -> None:
    sessions = SessionQueue(max_painting=2)
    for name in "abcd":
        sessions.join(name)
    sessions.join("a")
    assert [sessions.place(name) for name in "abcd"] == [0, 0, 1, 2]
    sessions.leave("a")
    assert [sessions.place(name) for name in "bcd"] == [0, 0, 1]
    sessions.join("a")
    assert sessions.place("a") == 2


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.booleans())))
def test_never_more_than_the_limit_paint(steps: list[tuple[str, bool]]) -> None:
    sessions, present = SessionQueue(max_painting=2), set()
    for name, comes in steps:
        (sessions.join if comes else sessions.leave)(name)
        (present.add if comes else present.discard)(name)
        painting = [each for each in present if sessions.place(each) == 0]
        assert len(painting) == min(2, len(present))


def test_an_address_that_asks_too_often_is_told_how_long_to_wait() -> None:
    now = 0.0
    limiter = RateLimiter(burst=3, rate=2.0, clock=lambda: now)
    assert [limiter.wait_s("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert limiter.wait_s("b") == 0
    now = 0.5
    assert limiter.wait_s("a") == 0
    assert limiter.wait_s("a") > 0


def test_messages_do_not_tell_folders() -> None:
    for text in (
        "/home/ann/films/a.mp4 is damaged: get it again.",
        r"C:\Users\Ann\films\a.mp4 is damaged: get it again.",
    ):
        assert without_paths(text) == "a.mp4 is damaged: get it again."
    assert without_paths("Cannot read '/srv/data/x/b.png'.") == "Cannot read 'b.png'."
    assert without_paths("3/4 of 24/1 fps") == "3/4 of 24/1 fps"


def test_errors_become_problems_without_their_inside() -> None:
    assert problem_of(StyleError("No style 'x'.")).status_code == 404
    assert problem_of(SourceError("/tmp/x/picture is empty.")).status_code == 422
    hidden = problem_of(ValueError("/etc/passwd secret"))
    assert hidden.status_code == 500
    assert b"secret" not in hidden.body


@pytest.mark.parametrize(
    "head",
    [
        b"\0\0\0\x20ftypisom", b"\x1aE\xdf\xa3", b"RIFF\1\2\3\4AVI LIST", b"OggS",
        b"G" + bytes(187) + b"G", bytes(4) + b"G" + bytes(191) + b"G",
    ],
)  # fmt: skip
def test_films_are_known_by_their_first_bytes(head: bytes) -> None:
    assert is_film(head.ljust(512, b"\0"))


@pytest.mark.parametrize(
    "head",
    [
        b"#EXTM3U\n", b"ffconcat version 1.0\n", b"<?xml version='1.0'?><MPD", b"v=0\r\nm=video",
        b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"", b"PK\3\4",
    ],
)  # fmt: skip
def test_playlists_and_other_files_are_no_films(head: bytes) -> None:
    assert not is_film(head.ljust(512, b" "))


@given(st.text(max_size=200))
def test_names_of_uploads_cannot_leave_their_folder(name: str) -> None:
    made = f"{safe_stem(name)}{safe_suffix(name)}"
    assert Path(made).name == made
    assert not made.startswith(".")


def test_only_this_machine_is_loopback() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.1.2.3", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "192.168.1.5", "::", "example.org")))


def test_a_qr_code_is_made_of_blocks() -> None:
    assert "█" in qr_code("https://192.168.1.5:8800/?token=abc") or "▄" in qr_code("https://x/")
