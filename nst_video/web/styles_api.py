"""`/api/styles`, `/api/refinement` and `/api/image`: styles, and pictures painted in them."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from urllib.parse import quote

import numpy as np
from PIL import Image
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from nst_video.errors import UsageError
from nst_video.frames import Frame, size_of
from nst_video.image.resize import shrink
from nst_video.style_library.library import Style
from nst_video.validation import Range
from nst_video.web.camera_session import encode_jpeg
from nst_video.web.catalog import is_upload
from nst_video.web.look import Look, check_words, from_query
from nst_video.web.picture_queue import PictureQueue
from nst_video.web.problems import ProblemError
from nst_video.web.refinement import Refiner
from nst_video.web.regions import check
from nst_video.web.shared_engine import SharedEngine
from nst_video.web.thumbnails import thumbnail, version

PICTURE_PX = 512
"""Longest side of the pictures of styles that are sent."""

MINUTES = Range(0.1, 60, unit="minutes")

PAINTED_QUALITY = 92

JSON_BYTES, JSON_S = 1 << 14, 10.0
"""Limits of requests whose body is JSON."""

_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class StyleApi:
    """Answers requests about styles and pictures.

    Attributes:
        engine: paints.
        pictures: paints one picture at a time.
        thumbnails: the same for thumbnails, so that pictures do not wait for a whole gallery.
        refiner: refines one style at a time.
    """

    engine: SharedEngine
    pictures: PictureQueue
    thumbnails: PictureQueue
    refiner: Refiner

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            Route("/api/styles", self.listing, methods=["GET"]),
            Route("/api/styles", self.upload, methods=["POST"]),
            Route("/api/styles/{name:path}/thumbnail.jpg", self.thumbnail),
            Route("/api/styles/{name:path}/picture.jpg", self.picture),
            Route("/api/styles/{name:path}/keep", self.keep, methods=["POST"]),
            Route("/api/styles/{name:path}/refine", self.refine, methods=["POST"]),
            Route("/api/styles/{name:path}", self.remove, methods=["DELETE"]),
            Route("/api/refinement", self.refinement, methods=["GET"]),
            Route("/api/refinement", self.end_refinement, methods=["DELETE"]),
            Route("/api/image", self.paint, methods=["POST"]),
        ]

    async def listing(self, request: Request) -> Response:
        """List the library's styles."""
        # Not in the queue: a gallery does not wait for pictures that are being painted.
        return JSONResponse(await asyncio.to_thread(self._list))

    async def upload(self, request: Request) -> Response:
        """Make an uploaded picture a style."""
        check_words("A request", request.query_params, ("name",))
        title = request.query_params.get("name", "")
        async with self.pictures.uploaded_picture(request) as path:
            catalog = self.engine.catalog
            style = await self.pictures.run(lambda: catalog.upload(self.pictures.load(path), title))
        return JSONResponse(self.describe(style), HTTPStatus.CREATED)

    async def thumbnail(self, request: Request) -> Response:
        """Send a style's thumbnail."""
        style = self.engine.catalog.find(request.path_params["name"])
        data = await self.thumbnails.run(partial(thumbnail, self.engine, style))
        is_newest = request.query_params.get("v") == version(self.engine, style)
        headers = _FOREVER if is_newest else {"Cache-Control": "no-cache"}
        return Response(data, media_type="image/jpeg", headers=headers)

    async def picture(self, request: Request) -> Response:
        """Send a style's picture."""
        style = self.engine.catalog.find(request.path_params["name"])
        if style.origin == "master":
            raise ProblemError(HTTPStatus.NOT_FOUND, f"The painting of {style.title} is not here.")
        data = await self.pictures.run(lambda: encode_jpeg(_small(style.load())))
        return Response(data, media_type="image/jpeg", headers=_FOREVER)

    async def keep(self, request: Request) -> Response:
        """Make an upload one of the user's styles."""
        title = (await read_json(request)).get("name", "")
        if not isinstance(title, str):
            raise UsageError("The name must be a text.")
        name = request.path_params["name"]
        style = await self.pictures.run(lambda: self.engine.catalog.keep(name, title))
        return JSONResponse(self.describe(style), HTTPStatus.CREATED)

    async def remove(self, request: Request) -> Response:
        """Delete an upload or one of the user's styles."""
        name = request.path_params["name"]
        await self.pictures.run(lambda: self.engine.catalog.remove(name))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def refine(self, request: Request) -> Response:
        """Begin to refine a style."""
        minutes = (await read_json(request)).get("minutes", 2.0)
        MINUTES.check("minutes", minutes)
        style = self.engine.catalog.find(request.path_params["name"])
        if style.origin == "master":
            raise ProblemError(
                HTTPStatus.CONFLICT, f"{style.title} cannot be refined: its painting is not here."
            )
        if not self.refiner.start(style, self.engine.catalog.library, float(minutes)):  # type: ignore[arg-type]  # checked
            raise ProblemError(HTTPStatus.CONFLICT, "Another style is being refined already.")
        return JSONResponse(self.refiner.describe(), HTTPStatus.ACCEPTED)

    async def refinement(self, request: Request) -> Response:
        """Tell what the refinement has come to."""
        return JSONResponse(self.refiner.describe())

    async def end_refinement(self, request: Request) -> Response:
        """End the refinement."""
        self.refiner.stop()
        return JSONResponse(self.refiner.describe())

    async def paint(self, request: Request) -> Response:
        """Paint an uploaded picture."""
        look = from_query(request.query_params.multi_items(), self.engine.look, ("format",))
        kind = request.query_params.get("format", "jpg")
        if kind not in ("jpg", "png"):
            raise UsageError(f"The format must be jpg or png, not {kind[:20]!r}.")
        check(look, self.engine.catalog)
        async with self.pictures.uploaded_picture(request) as path:
            data = await self.pictures.run(
                lambda: self._paint(self.pictures.load(path), look, kind)
            )
        return Response(data, media_type="image/png" if kind == "png" else "image/jpeg")

    def describe(self, style: Style) -> dict[str, object]:
        """Return a style as it is sent."""
        engine, address = self.engine, f"/api/styles/{quote(style.name)}"
        mark = version(engine, style) if engine.is_ready else "0"
        picture = None if style.origin == "master" else f"{address}/picture.jpg?v={mark}"
        return {
            "id": style.name,
            "title": style.title,
            "artist": style.artist,
            "description": style.description,
            "license": style.license,
            "origin": "uploaded" if is_upload(style) else style.origin,
            "refined": style.origin == "master" or engine.catalog.library.is_refined(style),
            "thumbnail": f"{address}/thumbnail.jpg?v={mark}",
            "picture": picture,
        }

    def _list(self) -> dict[str, object]:
        return {"styles": [self.describe(style) for style in self.engine.catalog.styles()]}

    def _paint(self, picture: Frame, look: Look, kind: str) -> bytes:
        painted = self.engine.stylizer(replace(look, steady=0.0))(picture)
        if kind == "jpg":
            return encode_jpeg(painted, PAINTED_QUALITY)
        data = io.BytesIO()
        Image.fromarray(painted).save(data, "PNG", compress_level=1)
        return data.getvalue()


async def read_json(request: Request) -> dict[str, object]:
    """Return the JSON object in the body of a request, {} where it is empty.

    Raises:
        UsageError: it is no object.
        ProblemError: it is too large or too slow.
    """
    body = b""
    try:
        async with asyncio.timeout(JSON_S):
            async for part in request.stream():
                body += part
                if len(body) > JSON_BYTES:
                    detail = "The request is too large."
                    raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
    except TimeoutError:
        detail = f"The request took longer than {JSON_S:g} seconds."
        raise ProblemError(HTTPStatus.REQUEST_TIMEOUT, detail) from None
    if not body:
        return {}
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UsageError("The body of the request must be a JSON object.")
    return found


def _small(picture: Frame) -> Frame:
    width, height = size_of(picture)
    scale = min(1.0, PICTURE_PX / max(width, height))
    return np.asarray(
        shrink(picture, (max(1, round(width * scale)), max(1, round(height * scale))))
    )
