"""Who may use the server: checks of Host, Origin, Sec-Fetch-Site and the token, without any I/O.

Any web page can make the browser send requests to this machine. `Host` has to be a name or address
of the server, because a page's own host name may resolve to it (DNS rebinding). Browsers name the
requesting page in `Origin` and `Sec-Fetch-Site`: only our own page, and an address that the user
has opened, are allowed. Other programs send neither.
"""

import hmac
import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie

LOOPBACK = frozenset(("localhost", "127.0.0.1", "[::1]"))

PUBLIC = ("/", "/favicon.ico", "/static/")
"""Paths that need no token: the page itself, which has no secrets."""

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[0-9a-z.-]+)(?::(\d{1,5}))?", re.IGNORECASE)

_METHODS = frozenset(("GET", "HEAD", "POST", "PATCH", "DELETE"))

Headers = Sequence[tuple[str, str]]
"""Names in lower case, and values."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is refused.

    Attributes:
        status: of the answer.
        detail: a sentence.
    """

    status: HTTPStatus
    detail: str


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use the server.

    Attributes:
        port: that it listens on, part of the cookie's name: cookies are shared by all ports.
        token: what everyone has to show; None for a server on loopback only.
        names: host names besides those of loopback; with a token every IP address is allowed, too.
        is_https: the server speaks TLS.
    """

    port: int
    token: str | None = field(default=None, repr=False)
    names: frozenset[str] = frozenset()
    is_https: bool = False

    @property
    def cookie(self) -> str:
        """Name of the cookie that holds the token."""
        return f"nst_video_{self.port}"

    def is_token(self, text: str) -> bool:
        """Return whether a text is the token; takes as long for any text."""
        return self.token is None or hmac.compare_digest(text.encode(), self.token.encode())

    def refusal(self, method: str, path: str, headers: Headers) -> Refusal | None:
        """Return why a request is refused, None if it is allowed."""
        found = self._wrong_host(headers) or self._other_site(method, path, headers)
        if found is not None:
            return found
        if method not in _METHODS:
            return Refusal(HTTPStatus.METHOD_NOT_ALLOWED, f"{method} is not used here.")
        is_public = path in PUBLIC or path.startswith(PUBLIC[-1])
        if is_public or self.token is None or self._has_token(headers):
            return None
        detail = "Open the address that the server has printed, with its token."
        return Refusal(HTTPStatus.UNAUTHORIZED, detail)

    def _wrong_host(self, headers: Headers) -> Refusal | None:
        hosts = _values(headers, "host")
        if len(hosts) != 1:
            return Refusal(HTTPStatus.BAD_REQUEST, "A request has one Host.")
        match = _HOST.fullmatch(hosts[0])
        if match is None or not self._is_ours(match[1].lower()):
            return Refusal(HTTPStatus.FORBIDDEN, "The server is not known by this host name.")
        return None

    def _is_ours(self, name: str) -> bool:
        if name in LOOPBACK or name in self.names:
            return True
        # A page cannot have an IP address as its name unless it comes from that address.
        return self.token is not None and _is_address(name)

    def _other_site(self, method: str, path: str, headers: Headers) -> Refusal | None:
        scheme = "https" if self.is_https else "http"
        own = {f"{scheme}://{host.lower()}" for host in _values(headers, "host")}
        refused = Refusal(HTTPStatus.FORBIDDEN, "Pages of other sites cannot use this server.")
        if not {origin.lower() for origin in _values(headers, "origin")} <= own:
            return refused
        sites = set(_values(headers, "sec-fetch-site"))
        if sites <= {"same-origin", "none"} or _is_link(method, path, headers):
            return None
        return refused

    def _has_token(self, headers: Headers) -> bool:
        return any(self.is_token(each) for each in self._tokens(headers))

    def _tokens(self, headers: Headers) -> Iterable[str]:
        for value in _values(headers, "authorization"):
            kind, _, token = value.partition(" ")
            if kind.lower() == "bearer":
                yield token.strip()
        for value in _values(headers, "cookie"):
            try:
                found = SimpleCookie(value).get(self.cookie)
            except CookieError:
                continue
            if found is not None:
                yield found.value


def _is_link(method: str, path: str, headers: Headers) -> bool:
    """Return whether a link on another site leads here: the page is opened, not embedded."""
    modes, targets = _values(headers, "sec-fetch-mode"), _values(headers, "sec-fetch-dest")
    return method == "GET" and path == "/" and modes == ["navigate"] and targets == ["document"]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _values(headers: Headers, name: str) -> list[str]:
    return [value for key, value in headers if key == name]
