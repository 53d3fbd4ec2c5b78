"""The ASGI layer around everything: refuses who may not use the server, and adds the headers."""

from http import HTTPStatus
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nst_video.web.access import Access
from nst_video.web.limits import RateLimiter
from nst_video.web.problems import problem

_SELF = "'self'"

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"script-src {_SELF}",
        f"style-src {_SELF}",
        f"img-src {_SELF} blob: data:",
        f"media-src {_SELF} blob:",
        f"connect-src {_SELF}",
        f"font-src {_SELF}",
        f"worker-src {_SELF}",
        f"manifest-src {_SELF}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), fullscreen=(self), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Headers of every answer: not readable by other sites, not framed, nothing from elsewhere."""

DENIED = 4401
"""Code with which a WebSocket without the token is closed."""

_COOKIE_S = 30 * 24 * 3600


class Guard:
    """Lets through what `Access` allows."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        """Wrap an application."""
        self._app, self._access = app, access
        self._limiter = RateLimiter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection of the ASGI server."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"]]
        method = scope.get("method", "GET")
        refused = self._access.refusal(method, scope["path"], headers)
        if scope["type"] == "websocket":
            if refused is None:
                await self._app(scope, receive, send)
            else:
                await _refuse_socket(refused.status, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    added.setdefault(name, value)
                added.setdefault("Cache-Control", "no-store")
            await send(message)

        if refused:
            answer: Response | None = problem(refused.status, refused.detail)
        else:
            answer = self._limit(method, scope) or self._exchange(scope)
        await (answer or self._app)(scope, receive, send_with_headers)

    def _limit(self, method: str, scope: Scope) -> Response | None:
        """Return the answer to an address that changes too much, None if it may go on."""
        if method in ("GET", "HEAD"):
            return None
        client = scope.get("client")
        wait_s = self._limiter.wait_s(client[0] if client else "")
        if not wait_s:
            return None
        detail = f"Too many requests: try again in {wait_s:.1f} seconds."
        return problem(HTTPStatus.TOO_MANY_REQUESTS, detail, retry_after_s=round(wait_s, 2))

    def _exchange(self, scope: Scope) -> Response | None:
        """Return the answer to an address with a token: the page's own address and a cookie."""
        access = self._access
        if access.token is None or scope["path"] != "/":
            return None
        tokens = parse_qs(scope["query_string"].decode("latin-1")).get("token")
        if not tokens:
            return None
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        if access.is_token(tokens[0]):
            answer.set_cookie(
                access.cookie,
                access.token,
                _COOKIE_S,
                httponly=True,
                samesite="strict",
                secure=access.is_https,
            )
        return answer


async def _refuse_socket(status: HTTPStatus, receive: Receive, send: Send) -> None:
    """Close a WebSocket; a page of ours is told that the token is missing."""
    await receive()
    if status is HTTPStatus.UNAUTHORIZED:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": DENIED, "reason": "The token is missing."})
    else:
        await send({"type": "websocket.close", "code": 1008})
