"""`/api/films`: upload a film, look at a frame of it painted, have it painted, download it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from typing import ParamSpec

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from nst_video.errors import SourceError, UsageError
from nst_video.frames import Frame
from nst_video.video.media.file_type import VIDEO_SUFFIXES
from nst_video.web.camera_session import encode_jpeg
from nst_video.web.film_files import check_film, film_info, read_frame
from nst_video.web.film_store import Film
from nst_video.web.films import Films
from nst_video.web.look import Look, changed, check_words, from_query
from nst_video.web.picture_queue import PictureQueue
from nst_video.web.problems import ProblemError
from nst_video.web.regions import check
from nst_video.web.shared_engine import SharedEngine
from nst_video.web.styles_api import read_json
from nst_video.web.uploads import receive_file

EVENT_S = 0.25
"""Seconds between two events of one film."""

FREE_BYTES = 1 << 30
"""Room that an upload leaves on the disk."""

_FRAMES_KEPT = 4

P = ParamSpec("P")


@dataclass
class FilmApi:
    """Answers requests about films.

    Attributes:
        engine: paints previews.
        pictures: paints one of them at a time.
        films: the queue.
        folder: whose films may be chosen, None without.
    """

    engine: SharedEngine
    pictures: PictureQueue
    films: Films
    folder: Path | None = None
    _frames: dict[tuple[str, float], Frame] = field(default_factory=dict)

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        film = "/api/films/{id}"
        return [
            Route("/api/films", self.listing, methods=["GET"]),
            Route("/api/films", self.upload, methods=["POST"]),
            Route("/api/films/from-folder", self.choose, methods=["POST"]),
            Route("/api/films/events", self.events, methods=["GET"]),
            Route(film, self.show, methods=["GET"]),
            Route(film, self.remove, methods=["DELETE"]),
            Route(f"{film}/frame.jpg", self.frame, methods=["GET"]),
            Route(f"{film}/painted.jpg", self.painted, methods=["GET"]),
            Route(f"{film}/start", self.start, methods=["POST"]),
            Route(f"{film}/resume", self.resume, methods=["POST"]),
            Route(f"{film}/pause", self.pause, methods=["POST"]),
            Route(f"{film}/download", self.download, methods=["GET"]),
            Route(f"{film}/play", self.download, methods=["GET"]),
        ]

    async def listing(self, request: Request) -> Response:
        """List the films, and those of the folder."""
        films = [self.films.describe(film) for film in self.films.all()]
        return JSONResponse({"films": films, "folder": await asyncio.to_thread(self._in_folder)})

    async def upload(self, request: Request) -> Response:
        """Receive a film."""
        check_words("A request", request.query_params, ("name",))
        self._check_room(request)
        name = request.query_params.get("name", "film.mp4")
        store, limits = self.films.store, self.pictures.limits
        id_, path = store.reserve(name)
        try:
            await receive_file(request, path, limits.film_bytes, limits)
            film = await self._add(id_, name, path)
        except BaseException:
            store.remove(id_)
            raise
        return JSONResponse(self.films.describe(film), HTTPStatus.CREATED)

    async def choose(self, request: Request) -> Response:
        """Take a film of the folder."""
        name = (await read_json(request)).get("name")
        self._check_room(request)
        if self.folder is None or name not in {each["name"] for each in self._in_folder()}:
            raise ProblemError(HTTPStatus.NOT_FOUND, "There is no such film in the folder.")
        id_, _ = self.films.store.reserve(str(name))
        try:
            film = await self._add(id_, str(name), self.folder / str(name))
        except BaseException:
            self.films.store.remove(id_)
            raise
        return JSONResponse(self.films.describe(film), HTTPStatus.CREATED)

    async def show(self, request: Request) -> Response:
        """Tell what becomes of a film."""
        return JSONResponse(self.films.describe(self._film(request)))

    async def remove(self, request: Request) -> Response:
        """Delete a film."""
        await asyncio.to_thread(self.films.remove, self._film(request).id)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def frame(self, request: Request) -> Response:
        """Send one frame of the film, painted."""
        film = self._film(request)
        look = from_query(request.query_params.multi_items(), film.look, ("at",))
        at = _share(request.query_params.get("at", "0.5"))
        check(look, self.engine.catalog)
        data = await self.pictures.run(lambda: self._preview(film, at, look))
        return Response(data, media_type="image/jpeg")

    async def painted(self, request: Request) -> Response:
        """Send the newest painted frame."""
        data = await asyncio.to_thread(self.films.painted, self._film(request).id)
        return Response(data, media_type="image/jpeg")

    async def start(self, request: Request) -> Response:
        """Have a film painted, from its beginning or from where it stopped in that look."""
        film = self._film(request)
        asked = await read_json(request)
        if unknown := sorted(set(asked) - {"look"}):
            raise UsageError(f"A film is started with a 'look', not with {unknown[0]!r}.")
        look = changed(film.look, asked.get("look", {}))
        check(look, self.engine.catalog)
        return await self._answer(self.films.enqueue, film.id, replace(look, original=False))

    async def resume(self, request: Request) -> Response:
        """Go on with a film."""
        film = self._film(request)
        if film.state == "uploaded":
            raise ProblemError(HTTPStatus.CONFLICT, f"{film.name} has not been started yet.")
        return await self._answer(self.films.enqueue, film.id)

    async def pause(self, request: Request) -> Response:
        """Stop painting a film, to go on later."""
        return await self._answer(self.films.pause, self._film(request).id)

    async def download(self, request: Request) -> Response:
        """Send the painted film, as a file to keep or to play."""
        film = self._film(request)
        if film.state != "done" or not film.target.is_file():
            raise ProblemError(HTTPStatus.CONFLICT, f"{film.name} is not finished yet.")
        kind = "inline" if request.url.path.endswith("/play") else "attachment"
        return FileResponse(film.target, filename=film.target.name, content_disposition_type=kind)

    async def events(self, request: Request) -> Response:
        """Send every change of every film."""
        return StreamingResponse(self._events(request), media_type="text/event-stream")

    async def _events(self, request: Request) -> AsyncIterator[str]:
        seen: dict[str, int] = {}
        while not await request.is_disconnected():
            films = {film.id: film for film in self.films.all()}
            for film in films.values():
                if seen.get(film.id) != film.version:
                    seen[film.id] = film.version
                    yield f"data: {json.dumps(self.films.describe(film))}\n\n"
            for id_ in [id_ for id_ in seen if id_ not in films]:
                del seen[id_]
                yield f"data: {json.dumps({'id': id_, 'state': 'removed'})}\n\n"
            await asyncio.sleep(EVENT_S)

    async def _answer(self, act: Callable[P, Film], *a: P.args, **k: P.kwargs) -> Response:
        film = await asyncio.to_thread(act, *a, **k)
        return JSONResponse(self.films.describe(film))

    def _film(self, request: Request) -> Film:
        return self.films.get(request.path_params["id"])

    async def _add(self, id_: str, name: str, path: Path) -> Film:
        def make() -> Film:
            try:
                check_film(path)
                info = film_info(path)
            except SourceError as error:
                shown = Path(name).name or "The file"
                detail = str(error).replace(str(path), shown).replace(path.name, shown)
                raise SourceError(detail) from error
            return self.films.store.make(id_, name, path, info, self.engine.look)

        film = await self.pictures.run(make)
        self.films.add(film)
        return film

    def _preview(self, film: Film, at: float, look: Look) -> bytes:
        key = (film.id, at)
        frame = self._frames.get(key)
        if frame is None:
            frame = read_frame(film.source, film.info, at)
            self._frames[key] = frame
            while len(self._frames) > _FRAMES_KEPT:
                del self._frames[next(iter(self._frames))]
        if look.original:
            return encode_jpeg(frame)
        return encode_jpeg(self.engine.stylizer(replace(look, steady=0.0))(frame))

    def _check_room(self, request: Request) -> None:
        limits, store = self.pictures.limits, self.films.store
        if self.films.is_elsewhere:
            detail = "Another server of this machine has the films: use its page."
            raise ProblemError(HTTPStatus.CONFLICT, detail)
        if self.films.number >= limits.films:
            detail = f"There are {limits.films} films already: delete some first."
            raise ProblemError(HTTPStatus.INSUFFICIENT_STORAGE, detail)
        length = request.headers.get("content-length", "0")
        wanted = int(length) if length.isdigit() else 0
        if store.free_bytes() < wanted + FREE_BYTES:
            detail = "The disk of the server has too little room for this film."
            raise ProblemError(HTTPStatus.INSUFFICIENT_STORAGE, detail)

    def _in_folder(self) -> list[dict[str, object]]:
        if self.folder is None:
            return []
        found: list[dict[str, object]] = []
        with suppress(OSError):
            for path in sorted(self.folder.iterdir()):
                if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file():
                    found.append({"name": path.name, "bytes": path.stat().st_size})
        return found


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise UsageError(f"at must be a number from 0 to 1, not {text[:20]!r}.")
    return value
