"""Single pictures are painted one at a time; others wait in a short queue, or are refused."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

from starlette.requests import Request

from nst_video.frames import Frame
from nst_video.image.files import load_picture
from nst_video.web.limits import Limits
from nst_video.web.problems import ProblemError
from nst_video.web.uploads import receive_file

T = TypeVar("T")

RETRY_S = 3.0


class PictureQueue:
    """Runs work that takes a core and memory, one after the other.

    Attributes:
        limits: of what is accepted.
    """

    def __init__(self, limits: Limits) -> None:
        """Set the limits."""
        self.limits = limits
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Run work in a thread when it is its turn.

        Raises:
            ProblemError: too much is waiting.
        """
        if self._waiting >= self.limits.waiting:
            detail = f"The server is busy: {self._waiting} others are waiting."
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, retry_after_s=RETRY_S)
        self._waiting += 1
        try:
            async with self._turn:
                # Shielded: a thread cannot be stopped, and the next one must not run beside it.
                return await asyncio.shield(asyncio.to_thread(work))
        finally:
            self._waiting -= 1

    @contextlib.asynccontextmanager
    async def uploaded_picture(self, request: Request) -> AsyncIterator[Path]:
        """Receive a picture into a temporary file; within the limits of bytes and time.

        Raises:
            ProblemError: it is too large or too slow.
        """
        limits = self.limits
        with tempfile.TemporaryDirectory(prefix="nst-video-") as folder:
            path = Path(folder) / "picture"
            try:
                async with asyncio.timeout(limits.picture_s):
                    await receive_file(request, path, limits.picture_bytes, limits)
            except TimeoutError:
                detail = f"The upload took longer than {limits.picture_s:g} seconds."
                raise ProblemError(HTTPStatus.REQUEST_TIMEOUT, detail) from None
            yield path

    def load(self, path: Path) -> Frame:
        """Return an uploaded picture, RGB uint8 (height, width, 3).

        Raises:
            SourceError: it is no picture, or has too many pixels.
        """
        return load_picture(path, max_pixels=self.limits.picture_pixels)
