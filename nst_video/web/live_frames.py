"""The newest painted frame of a live session, for all pages and streams."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from nst_video.frames import Frame
from nst_video.web.camera_session import encode_jpeg

REPEAT_S = 5.0
"""Seconds after which a stream repeats an unchanged frame, to notice clients that have left."""

BOUNDARY = "nst-video-frame"


class LiveFrames:
    """The newest frame, encoded once for everybody; used in the event loop only.

    Attributes:
        number: counts the frames, 0 before the first.
    """

    def __init__(self) -> None:
        self.number = 0
        self._frame: Frame | None = None
        self._jpeg: tuple[int, bytes] = (0, b"")
        self._changed = asyncio.Event()
        self._encoding = asyncio.Lock()

    def put(self, frame: Frame) -> None:
        """Replace the frame, RGB uint8 (height, width, 3)."""
        self._frame, self.number = frame, self.number + 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait(self, number: int, timeout_s: float) -> bool:
        """Wait for a frame after `number`; False where there is none within `timeout_s` seconds."""
        if self.number <= number:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait()
        return self.number > number

    async def jpeg(self) -> tuple[int, bytes]:
        """Return number and JPEG of the newest frame; (0, empty) before the first."""
        async with self._encoding:
            number, frame = self.number, self._frame
            if frame is not None and self._jpeg[0] != number:
                self._jpeg = number, await asyncio.to_thread(encode_jpeg, frame)
            return self._jpeg

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield the parts of an MJPEG stream: always the newest frame."""
        yield f"--{BOUNDARY}\r\n".encode()
        sent = 0
        while True:
            await self.wait(sent, REPEAT_S)
            sent, data = await self.jpeg()
            if data:
                head = f"Content-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                # A boundary ends the picture at once: browsers show it only when they see one.
                yield head.encode() + data + f"\r\n--{BOUNDARY}\r\n".encode()
