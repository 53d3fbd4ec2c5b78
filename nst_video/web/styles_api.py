"""`/api/styles`: the styles that pages choose from."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from nst_video.style_library.library import Style
from nst_video.web.studio import Studio


def style_routes(studio: Studio) -> list[BaseRoute]:
    """Return the routes of the styles."""

    async def listing(request: Request) -> Response:
        styles = [_describe(style, studio) for style in studio.catalog.styles()]
        return JSONResponse({"styles": styles})

    return [Route("/api/styles", listing)]


def _describe(style: Style, studio: Studio) -> dict[str, object]:
    return {
        "id": style.name,
        "title": style.title,
        "artist": style.artist,
        "description": style.description,
        "license": style.license,
        "origin": style.origin,
        "refined": style.origin == "master" or studio.catalog.library.is_refined(style),
    }
