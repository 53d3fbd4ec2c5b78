"""The application and its routes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from nst_video import __version__
from nst_video.errors import NstVideoError
from nst_video.web.access import Access
from nst_video.web.camera_socket import Sockets
from nst_video.web.films_api import FilmApi
from nst_video.web.guard import Guard
from nst_video.web.limits import Limits
from nst_video.web.live_api import LiveApi
from nst_video.web.openapi import document
from nst_video.web.problems import ProblemError, problem, problem_of, without_paths
from nst_video.web.shared_engine import SharedEngine
from nst_video.web.styles_api import StyleApi

STATIC = Path(__file__).parent / "static"

_GZIP_BYTES = 1000


@dataclass(frozen=True)
class Parts:
    """What the application is made of.

    Attributes:
        engine: paints.
        sockets: the cameras of browsers.
        styles: styles and pictures.
        films: films.
        access: who may use it.
        limits: of what is accepted.
        live: the live session that is shown, None without. Then the engine loads only when a
            picture or a film is painted.
    """

    engine: SharedEngine
    sockets: Sockets
    styles: StyleApi
    films: FilmApi
    access: Access
    limits: Limits
    live: LiveApi | None = None


class _Static(StaticFiles):
    """Files that browsers keep, and ask for again whether they have changed."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """Return the answer with a file."""
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "no-cache"
        return response


def build_app(parts: Parts) -> ASGIApp:
    """Return the ASGI application."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if parts.live is None:
            parts.engine.start()
        parts.films.films.start()
        try:
            yield
        finally:
            parts.styles.refiner.stop()
            await asyncio.to_thread(parts.films.films.close)
            parts.engine.close()

    app = Starlette(
        routes=_routes(parts),
        lifespan=lifespan,
        exception_handlers={
            HTTPException: _our_problem,
            NstVideoError: _our_problem,
            ProblemError: _our_problem,
            Exception: _our_problem,
        },
    )
    return Guard(GZipMiddleware(app, _GZIP_BYTES), parts.access)


def _routes(parts: Parts) -> list[BaseRoute]:
    async def server(request: Request) -> Response:
        return JSONResponse(_describe(parts))

    async def socket(socket: WebSocket) -> None:
        wants_live = socket.query_params.get("source") == "live"
        if parts.live is not None and wants_live:
            await parts.live.serve(socket)
        else:
            parts.engine.start()
            await parts.sockets.serve(socket)

    async def openapi(request: Request) -> Response:
        return JSONResponse(document())

    return [
        Route("/", _file("index.html")),
        Route("/favicon.ico", _file("icon.svg")),
        Mount("/static", _Static(directory=STATIC)),
        Route("/api/server", server),
        Route("/api/openapi.json", openapi),
        *parts.styles.routes(),
        *parts.films.routes(),
        *(parts.live.routes() if parts.live else ()),
        WebSocketRoute("/ws", socket),
    ]


def _describe(parts: Parts) -> dict[str, object]:
    engine = parts.engine
    return {
        "name": "nst-video",
        "version": __version__,
        "model": engine.model_name,
        "engine": engine.description,
        "has_live": parts.live is not None,
        "is_loopback": parts.access.token is None,
        "https": parts.access.is_https,
        "sessions": parts.sockets.sessions.count,
        "max_painting": parts.sockets.sessions.max_painting,
        "limits": asdict(parts.limits),
        "ready": engine.is_ready,
        "text": without_paths(engine.trouble),
    }


def _file(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def send(request: Request) -> Response:
        return FileResponse(STATIC / name, headers={"Cache-Control": "no-cache"})

    return send


async def _our_problem(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        return problem(HTTPStatus(error.status_code), error.detail)
    return problem_of(error)
