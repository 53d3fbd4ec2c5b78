"""Who may use the server: hosts, origins, sites, tokens."""

from http import HTTPStatus

import pytest

from nst_video.web.access import Access

LOCAL = Access(8800)
SHARED = Access(8800, "secret-token", frozenset({"studio.local"}), is_https=True)


def status(access: Access, *headers: tuple[str, str], method: str = "GET", path: str = "/api/x",
           host: str = "localhost:8800") -> HTTPStatus | None:  # fmt: skip
    found = access.refusal(method, path, [("host", host), *headers])
    return None if found is None else found.status


@pytest.mark.parametrize("host", ["localhost:8800", "127.0.0.1:8800", "[::1]:8800", "LOCALHOST"])
def test_loopback_is_allowed_without_a_token(host: str) -> None:
    assert status(LOCAL, host=host) is None


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:8800", "192.168.1.5:8800", "", "a b", "@x"]
)
def test_other_hosts_are_refused_on_loopback(host: str) -> None:
    assert status(LOCAL, host=host) is HTTPStatus.FORBIDDEN


def test_a_request_has_exactly_one_host() -> None:
    for hosts in ([], [("host", "localhost"), ("host", "localhost")]):
        found = LOCAL.refusal("GET", "/", hosts)
        assert found is not None
        assert found.status is HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    "header",
    [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://localhost:8801"),
        ("origin", "https://localhost:8800"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ],
)
def test_pages_of_other_sites_are_refused(header: tuple[str, str]) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert status(LOCAL, header, method=method) is HTTPStatus.FORBIDDEN


def test_the_own_page_is_allowed() -> None:
    own = ("origin", "http://localhost:8800"), ("sec-fetch-site", "same-origin")
    assert status(LOCAL, *own, method="POST") is None
    assert status(LOCAL, ("sec-fetch-site", "none")) is None


def test_a_link_of_another_site_may_open_the_page_but_not_embed_it_nor_call_the_api() -> None:
    link = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]
    opened, framed = ("sec-fetch-dest", "document"), ("sec-fetch-dest", "iframe")
    assert status(LOCAL, *link, opened, path="/") is None
    assert status(LOCAL, *link, framed, path="/") is HTTPStatus.FORBIDDEN
    assert status(LOCAL, *link, opened, path="/api/films") is HTTPStatus.FORBIDDEN
    assert status(LOCAL, *link, opened, path="/", method="POST") is HTTPStatus.FORBIDDEN


def test_methods_that_are_not_used_are_refused() -> None:
    assert status(LOCAL, method="PUT") is HTTPStatus.METHOD_NOT_ALLOWED
    assert status(LOCAL, method="TRACE") is HTTPStatus.METHOD_NOT_ALLOWED


@pytest.mark.parametrize(
    "header",
    [
        ("authorization", "Bearer secret-token"),
        ("authorization", "bearer  secret-token"),
        ("cookie", "other=1; nst_video_8800=secret-token"),
    ],
)
def test_the_token_opens_the_api(header: tuple[str, str]) -> None:
    assert status(SHARED, header, host="192.168.1.5:8800") is None


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("authorization", "Bearer wrong")],
        [("authorization", "Basic secret-token")],
        [("cookie", "nst_video_8801=secret-token")],
        [("cookie", "nst_video_8800=secret-toke")],
        [("cookie", "nst_video_8800=\xe9")],
        [("referer", "https://192.168.1.5:8800/?token=secret-token")],
    ],
)
def test_without_the_right_token_the_api_is_closed(headers: list[tuple[str, str]]) -> None:
    assert status(SHARED, *headers) is HTTPStatus.UNAUTHORIZED
    assert status(SHARED, *headers, path="/ws") is HTTPStatus.UNAUTHORIZED


def test_the_page_itself_needs_no_token() -> None:
    for path in ("/", "/static/page.js", "/favicon.ico"):
        assert status(SHARED, path=path) is None
    assert status(SHARED, path="/staticfoo") is HTTPStatus.UNAUTHORIZED


def test_a_shared_server_is_known_by_addresses_and_its_names_only() -> None:
    token = ("authorization", "Bearer secret-token")
    for host in ("192.168.1.5:8800", "[fe80::1]:8800", "studio.local:8800", "localhost:8800"):
        assert status(SHARED, token, host=host) is None
    for host in ("evil.example", "1.2.3.4.evil.example", "999.1.1.1"):
        assert status(SHARED, token, host=host) is HTTPStatus.FORBIDDEN


def test_the_token_is_in_no_representation() -> None:
    assert "secret-token" not in repr(SHARED)
