"""What the server's addresses do, as a table; `document` makes an OpenAPI document of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from nst_video import __version__
from nst_video.web.look import FLAGS, MASKS, MAX_STYLES, NUMBERS, WORDS
from nst_video.web.problems import MEDIA_TYPE

Body: TypeAlias = Literal["", "file", "json", "look", "start"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that the server does.

    Attributes:
        method: of the request.
        path: of the request, with its variables in braces.
        summary: a sentence.
        answer: media type of the answer, empty where it has none.
        status: of the answer.
        body: what the request carries: a file as it is, a JSON object, a look or a part of it, or
            how a film is started.
        query: parameters that may be given.
    """

    method: str
    path: str
    summary: str
    answer: str = "application/json"
    status: int = 200
    body: Body = ""
    query: tuple[str, ...] = ()


_JPEG = "image/jpeg"
_STYLE, _FILM = "/api/styles/{name}", "/api/films/{id}"

OPERATIONS = (
    Operation("GET", "/api/server", "What runs here: version, model, limits."),
    Operation("GET", "/api/openapi.json", "This document."),
    Operation("GET", "/api/styles", "The styles, with the addresses of their thumbnails."),
    Operation(
        "POST", "/api/styles", "Make a picture a style at once.",
        status=201, body="file", query=("name",),
    ),
    Operation("DELETE", _STYLE, "Delete an uploaded style or one of the user's.", "", 204),
    Operation("GET", f"{_STYLE}/thumbnail.jpg", "A scene painted in the style, 320x200.", _JPEG),
    Operation("GET", f"{_STYLE}/picture.jpg", "The picture of the style.", _JPEG),
    Operation(
        "POST", f"{_STYLE}/keep", "Make an uploaded style one of the user's; `name` names it.",
        status=201, body="json",
    ),
    Operation(
        "POST", f"{_STYLE}/refine", "Refine a style for some `minutes`, in the background.",
        status=202, body="json",
    ),
    Operation("GET", "/api/refinement", "What the refinement has come to."),
    Operation("DELETE", "/api/refinement", "End the refinement; what it has reached is kept."),
    Operation(
        "POST", "/api/image", "Paint a picture; `format` is jpg or png.",
        _JPEG, body="file", query=(*WORDS, "format"),
    ),
    Operation("GET", "/api/films", "The films, and those of the server's folder."),
    Operation(
        "POST", "/api/films", "Upload a film.", status=201, body="file", query=("name",)
    ),
    Operation(
        "POST", "/api/films/from-folder", "Take the film `name` of the server's folder.",
        status=201, body="json",
    ),
    Operation(
        "GET", "/api/films/events", "Every change of every film, as events.", "text/event-stream"
    ),
    Operation("GET", _FILM, "What becomes of a film."),
    Operation("DELETE", _FILM, "Delete a film and everything made of it.", "", 204),
    Operation(
        "GET", f"{_FILM}/frame.jpg", "One frame, painted; `at` is where, from 0 to 1.",
        _JPEG, query=(*WORDS, "at"),
    ),
    Operation("GET", f"{_FILM}/painted.jpg", "The frame that was painted last.", _JPEG),
    Operation("POST", f"{_FILM}/start", "Paint the film after those before it.", body="start"),
    Operation("POST", f"{_FILM}/pause", "Stop painting the film, to go on later."),
    Operation("POST", f"{_FILM}/resume", "Go on with the film."),
    Operation("GET", f"{_FILM}/download", "The painted film, to keep.", "video/*"),
    Operation("GET", f"{_FILM}/play", "The painted film, to play.", "video/*"),
    Operation("GET", "/api/live", "What the live session of the server does."),
    Operation("PATCH", "/api/live", "Change its look: only what the body has.", body="look"),
    Operation("POST", "/api/live/actions/{name}", "Do what a key of the session does.", "", 202),
    Operation("GET", "/snapshot.jpg", "The newest frame of the live session.", _JPEG),
    Operation("GET", "/stream.mjpg", "Its frames as MJPEG.", "multipart/x-mixed-replace"),
)  # fmt: skip
"""Every operation of the API, in the order of the documentation."""

_LOOK_PARTS: dict[str, dict[str, object]] = {
    **{
        name: {"type": "number", "minimum": allowed.low, "maximum": allowed.high}
        for name, allowed in NUMBERS.items()
    },
    **{name: {"type": "boolean"} for name in FLAGS},
    "mask": {"type": "string", "enum": list(MASKS)},
    "rest": {"type": "string"},
}
"""What a look has besides its styles."""

_BODIES: dict[str, tuple[str, dict[str, object]]] = {
    "file": ("application/octet-stream", {"type": "string", "format": "binary"}),
    "json": ("application/json", {"type": "object"}),
    "look": ("application/json", {"$ref": "#/components/schemas/Look"}),
    "start": (
        "application/json",
        {"type": "object", "properties": {"look": {"$ref": "#/components/schemas/Look"}}},
    ),
}


def document() -> dict[str, object]:
    """Return the OpenAPI document."""
    paths: dict[str, dict[str, object]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "nst-video", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": {"Look": _look_schema(), "Problem": _problem_schema()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def markdown() -> str:
    """Return a table of the operations, in Markdown."""
    rows = ["| request | what it does | body | query |", "|---|---|---|---|"]
    for each in OPERATIONS:
        query = "a look" * (each.query[: len(WORDS)] == WORDS)
        rest = [f"`{name}`" for name in each.query if name not in WORDS]
        asked = ", ".join(filter(None, (query, *rest)))
        body = {"look": "a look, or a part", "start": '`{"look": {...}}`'}.get(each.body, each.body)
        rows.append(f"| `{each.method} {each.path}` | {each.summary} | {body} | {asked} |")
    return "\n".join(rows) + "\n"


def _describe(operation: Operation) -> dict[str, object]:
    content: dict[str, object] = {operation.answer: {}} if operation.answer else {}
    answer: dict[str, object] = {"description": operation.summary}
    if content:
        answer["content"] = content
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    described: dict[str, object] = {
        "summary": operation.summary,
        "parameters": list(_parameters(operation)),
        "responses": {
            str(operation.status): answer,
            "default": {"description": "What is wrong, in words.", "content": problem},
        },
    }
    if operation.body:
        kind, schema = _BODIES[operation.body]
        described["requestBody"] = {"content": {kind: {"schema": schema}}}
    return described


def _parameters(operation: Operation) -> Iterator[dict[str, object]]:
    for name in re.findall(r"{(\w+)}", operation.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    for name in operation.query:
        schema: dict[str, object] = {"type": "string"}
        if name == "style":
            schema = {"type": "array", "items": {"type": "string"}, "maxItems": MAX_STYLES}
        elif name in _LOOK_PARTS:
            schema = _LOOK_PARTS[name]
        yield {"name": name, "in": "query", "schema": schema}


def _look_schema() -> dict[str, object]:
    style = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "weight": {"type": "number", "minimum": 0}},
        "required": ["name"],
    }
    styles = {"type": "array", "items": style, "maxItems": MAX_STYLES}
    properties: dict[str, object] = {"styles": styles, **_LOOK_PARTS}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _problem_schema() -> dict[str, object]:
    texts = {name: {"type": "string"} for name in ("type", "title", "detail")}
    more = {"status": {"type": "integer"}, "retry_after_s": {"type": "number"}}
    return {"type": "object", "properties": {**texts, **more}}
