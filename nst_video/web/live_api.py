"""`/api/live`, the WebSocket of the server's own camera, and its streams."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.websockets import WebSocket, WebSocketDisconnect

from nst_video.errors import NstVideoError
from nst_video.web import protocol
from nst_video.web.camera_session import WINDOW
from nst_video.web.camera_socket import BROKEN, MAX_SOCKETS, STATUS_S, TOO_MANY
from nst_video.web.live_control import ACTIONS, LiveControl
from nst_video.web.live_frames import BOUNDARY, LiveFrames
from nst_video.web.look import Look
from nst_video.web.problems import ProblemError, without_paths
from nst_video.web.protocol import Credit, Kind, Message, ProtocolError
from nst_video.web.styles_api import read_json

FIRST_S = 10.0
"""Seconds that a snapshot waits for the first frame."""

_POLL_S = 0.2


@dataclass
class LiveApi:
    """Answers requests about the live session of the server.

    Attributes:
        control: of the session.
        frames: that it has painted.
    """

    control: LiveControl
    frames: LiveFrames
    _count: int = field(default=0, init=False)

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            Route("/api/live", self.show, methods=["GET"]),
            Route("/api/live", self.change, methods=["PATCH"]),
            Route("/api/live/actions/{name}", self.act, methods=["POST"]),
            Route("/snapshot.jpg", self.snapshot, methods=["GET"]),
            Route("/stream.mjpg", self.stream, methods=["GET"]),
        ]

    async def show(self, request: Request) -> Response:
        """Tell what the session does."""
        return JSONResponse(self.control.describe())

    async def change(self, request: Request) -> Response:
        """Change the look."""
        look = await asyncio.to_thread(self.control.change, await read_json(request))
        return JSONResponse({"look": look.to_json()})

    async def act(self, request: Request) -> Response:
        """Do what a key of the session does."""
        if not self.control.act(request.path_params["name"]):
            known = ", ".join(ACTIONS)
            raise ProblemError(HTTPStatus.NOT_FOUND, f"There is no such action; there are {known}.")
        return Response(status_code=HTTPStatus.ACCEPTED)

    async def snapshot(self, request: Request) -> Response:
        """Send the newest frame."""
        await self.frames.wait(0, FIRST_S)
        _, data = await self.frames.jpeg()
        if not data:
            detail = "No frame has been painted yet."
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, retry_after_s=1)
        return Response(data, media_type="image/jpeg")

    async def stream(self, request: Request) -> Response:
        """Send all frames, as MJPEG."""
        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        return StreamingResponse(self.frames.stream(), media_type=kind)

    async def serve(self, socket: WebSocket) -> None:
        """Serve a page to its end."""
        await socket.accept()
        if self._count >= MAX_SOCKETS:
            await socket.close(TOO_MANY, f"There are {self._count} connections already.")
            return
        self._count += 1
        try:
            await _Viewer(socket, self.control, self.frames, lambda: self._count).run()
        finally:
            self._count -= 1


class _Viewer:
    """A page that shows the session and controls it."""

    def __init__(
        self,
        socket: WebSocket,
        control: LiveControl,
        frames: LiveFrames,
        count: Callable[[], int],
    ) -> None:
        self._socket, self._control, self._frames = socket, control, frames
        self._count = count
        self._told = control.look
        self._credit = Credit(WINDOW)
        self._has_credit = asyncio.Event()
        self._has_credit.set()

    async def run(self) -> None:
        await self._send(
            {
                "type": "hello",
                "protocol": protocol.VERSION,
                "session": "live",
                "source": "live",
                "window": WINDOW,
                "max_side": protocol.MAX_SIDE,
                "max_bytes": protocol.MAX_FRAME_BYTES,
                "look": self._told.to_json(),
            }
        )
        works = (self._receive(), self._show(), self._watch())
        tasks = [asyncio.create_task(work) for work in works]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            error = next(iter(done)).exception()
            if isinstance(error, ProtocolError):
                with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
                    await self._socket.close(BROKEN, str(error)[:120])
            elif error is not None and not isinstance(error, (WebSocketDisconnect, OSError)):
                raise error
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _receive(self) -> None:
        while True:
            received = await self._socket.receive()
            if received["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(received.get("code", 1000))
            data, text = received.get("bytes"), received.get("text")
            if data is not None:
                message = protocol.decode(data)
                if message.kind is not Kind.SHOWN:
                    raise ProtocolError("This page shows the server's camera, not its own.")
                self._credit.report(message.sequence)
                self._has_credit.set()
            elif text is not None:
                await self._obey(protocol.parse_text(text))

    async def _obey(self, wanted: dict[str, object]) -> None:
        kind = wanted["type"]
        if kind == "look":
            try:
                look = await asyncio.to_thread(self._control.change, wanted.get("look"))
            except NstVideoError as error:
                text = without_paths(str(error))
                await self._send({"type": "error", "key": "look", "text": text})
            else:
                await self._tell(look)
        elif kind != "action" or not self._control.act(str(wanted.get("name"))):
            await self._send({"type": "error", "key": "type", "text": "There is no such action."})

    async def _show(self) -> None:
        """Send the newest frame whenever the page has shown an earlier one."""
        sent = 0
        while True:
            await self._has_credit.wait()
            if await self._frames.wait(sent, _POLL_S):
                begun = time.monotonic()
                sent, data = await self._frames.jpeg()
                self._credit.send(sent)
                if not self._credit.may_send:
                    self._has_credit.clear()
                took_ms = round(1000 * (time.monotonic() - begun))
                message = Message(Kind.PAINTED, sent, 0, took_ms, True, data)
                await self._socket.send_bytes(message.encode())

    async def _watch(self) -> None:
        """Send the status, and the look where somebody else has changed it."""
        reported_s = 0.0
        while True:
            now = time.monotonic()
            look = self._control.look
            if look != self._told:
                await self._tell(look)
            if now > reported_s + STATUS_S:
                reported_s = now
                more = {"type": "status", "sessions": self._count(), "place": 0}
                await self._send({**self._control.status(), **more})
            await asyncio.sleep(_POLL_S)

    async def _tell(self, look: Look) -> None:
        self._told = look
        await self._send({"type": "look", "look": look.to_json()})

    async def _send(self, message: dict[str, object]) -> None:
        await self._socket.send_text(json.dumps(message))
