"""The WebSocket of a browser's camera: messages in both directions, see `protocol`."""

import asyncio
import contextlib
import json
import secrets
import time
from dataclasses import asdict, dataclass, field
from functools import partial

from starlette.websockets import WebSocket, WebSocketDisconnect

from nst_video.errors import NstVideoError
from nst_video.web import protocol
from nst_video.web.camera_session import WINDOW, CameraSession
from nst_video.web.problems import without_paths
from nst_video.web.protocol import Kind, Message, ProtocolError
from nst_video.web.session_queue import SessionQueue
from nst_video.web.shared_engine import SharedEngine

STATUS_S, HEARTBEAT_S = 1.0, 2.0
"""Seconds between two reports of what the session does, and of the same thing: the page takes
silence for a cut connection."""

LEAVE_S = 15.0
"""Seconds without a frame after which another session may have the place."""

IDLE_S = 600.0
"""Seconds without a message after which the connection is closed."""

MAX_SOCKETS, MAX_SOCKETS_EACH = 64, 32
"""Most connections, in all and from one address."""

_MAX_WAITING = 64
"""Most messages that a page may leave unread; frames are limited by their credit."""

BROKEN, IDLE, TOO_MANY = 4400, 4408, 4429
"""Codes with which a connection is closed."""


@dataclass
class Sockets:
    """The open connections.

    Attributes:
        engine: whose engine they share.
        sessions: who of them paints.
    """

    engine: SharedEngine
    sessions: SessionQueue = field(default_factory=SessionQueue)
    _open: dict[str, str] = field(default_factory=dict)

    async def serve(self, socket: WebSocket) -> None:
        """Serve one connection to its end."""
        await socket.accept()
        address = socket.client.host if socket.client else ""
        count = sum(each == address for each in self._open.values())
        if len(self._open) >= MAX_SOCKETS or count >= MAX_SOCKETS_EACH:
            reason = f"There are {len(self._open)} connections already, {count} from here."
            await socket.close(TOO_MANY, reason)
            return
        name = secrets.token_hex(4)
        self._open[name] = address
        try:
            await _Connection(socket, name, self.engine, self.sessions).run()
        finally:
            del self._open[name]
            self.sessions.leave(name)


class _Connection:
    """One page with its camera."""

    def __init__(
        self, socket: WebSocket, name: str, engine: SharedEngine, sessions: SessionQueue
    ) -> None:
        self._socket, self._name = socket, name
        self._engine, self._sessions = engine, sessions
        self._outbox: asyncio.Queue[Message | dict[str, object]] = asyncio.Queue(_MAX_WAITING)
        self._loop = asyncio.get_running_loop()
        self._session = CameraSession(engine, engine.look, self._send_from_thread)
        self._held: Message | None = None
        self._heard_s = self._frame_s = time.monotonic()
        self._status: dict[str, object] = {}

    async def run(self) -> None:
        """Serve the page until either side ends the connection."""
        self._put(self._hello())
        self._session.start()
        tasks = [
            asyncio.create_task(work) for work in (self._receive(), self._write(), self._watch())
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await self._close(next(iter(done)))
        finally:
            self._session.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _close(self, ended: "asyncio.Task[None]") -> None:
        error = ended.exception()
        code = IDLE
        if isinstance(error, (ProtocolError, asyncio.QueueFull)):
            code = BROKEN
        elif isinstance(error, (WebSocketDisconnect, OSError)):
            return
        elif error is not None:
            raise error
        with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
            await self._socket.close(code, str(error or "")[:120])

    async def _receive(self) -> None:
        while True:
            received = await self._socket.receive()
            if received["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(received.get("code", 1000))
            self._heard_s = time.monotonic()
            data, text = received.get("bytes"), received.get("text")
            if data is not None:
                await self._take(protocol.decode(data))
            elif text is not None:
                await self._obey(text)

    async def _take(self, message: Message) -> None:
        """Take a binary message."""
        if message.kind is Kind.SHOWN:
            self._session.shown(message.sequence)
            return
        if message.kind is not Kind.FRAME:
            raise ProtocolError(f"A page does not send messages of kind {message.kind}.")
        protocol.jpeg_size(message.payload)
        self._session.incoming.send(message.sequence)
        self._frame_s = self._heard_s
        self._sessions.join(self._name)
        if self._sessions.place(self._name):
            self._held = message
        else:
            self._held = None
            await self._loop.run_in_executor(None, self._session.put, message)

    async def _obey(self, text: str) -> None:
        """Do what a JSON message asks for."""
        wanted = protocol.parse_text(text)
        kind = wanted["type"]
        if kind == "look":
            try:
                given = wanted.get("look")
                look = await self._loop.run_in_executor(None, self._session.change, given)
            except NstVideoError as error:
                text = without_paths(str(error))
                self._put({"type": "error", "key": "look", "text": text})
            else:
                self._put({"type": "look", "look": look.to_json()})
        elif kind == "restart":
            self._session.restart()
        else:
            self._put({"type": "error", "key": "type", "text": f"There is no {kind!r:.40} here."})

    async def _write(self) -> None:
        while True:
            message = await self._outbox.get()
            if isinstance(message, Message):
                if message.kind is Kind.TAKEN:
                    self._session.incoming.report(message.sequence)
                await self._socket.send_bytes(message.encode())
            else:
                await self._socket.send_text(json.dumps(message))

    async def _watch(self) -> None:
        """Report the status until the page has been silent for too long."""
        sent_s = 0.0
        while time.monotonic() < self._heard_s + IDLE_S:
            if time.monotonic() > self._frame_s + LEAVE_S:
                self._sessions.leave(self._name)
            held, place = self._held, self._sessions.place(self._name)
            if held is not None and not place:
                self._held = None
                await self._loop.run_in_executor(None, self._session.put, held)
            status = self._describe(place if held is not None else 0)
            if status != self._status or time.monotonic() >= sent_s + HEARTBEAT_S:
                self._status, sent_s = status, time.monotonic()
                self._put(status)
            await asyncio.sleep(STATUS_S)

    def _hello(self) -> dict[str, object]:
        return {
            "type": "hello",
            "protocol": protocol.VERSION,
            "session": self._name,
            "source": "camera",
            "window": WINDOW,
            "max_side": protocol.MAX_SIDE,
            "max_bytes": protocol.MAX_FRAME_BYTES,
            "look": self._session.look.to_json(),
        }

    def _describe(self, place: int) -> dict[str, object]:
        status = asdict(self._session.status())
        if self._engine.trouble:
            status |= {"state": "trouble", "text": without_paths(self._engine.trouble)}
        if place:
            others = self._sessions.max_painting
            text = f"The server paints for {others} others now; you are number {place} in line."
            status |= {"state": "busy", "text": text}
        return {
            "type": "status",
            **status,
            "engine": self._engine.description,
            "sessions": self._sessions.count,
            "place": place,
        }

    def _put(self, message: Message | dict[str, object]) -> None:
        """Queue a message.

        Raises:
            QueueFull: the page does not read.
        """
        self._outbox.put_nowait(message)

    def _send_from_thread(self, message: Message) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(partial(self._put_or_drop, message))

    def _put_or_drop(self, message: Message) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self._put(message)
