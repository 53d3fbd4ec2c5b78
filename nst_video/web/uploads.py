"""Reading the body of a request into a file, within limits of bytes and time."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

from starlette.requests import ClientDisconnect, Request

from nst_video.web.limits import Limits
from nst_video.web.problems import ProblemError


async def receive_file(request: Request, target: Path, max_bytes: int, limits: Limits) -> int:
    """Write the body of a request to a file, which is deleted where that does not succeed.

    Args:
        request: its body is the file, as it is.
        target: in a folder that exists.
        max_bytes: most bytes.
        limits: how slow it may be.

    Returns:
        The number of bytes.

    Raises:
        ProblemError: it is empty, too large or too slow, or ends early.
    """
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > max_bytes:
        raise _too_large(max_bytes)
    received = 0
    try:
        with target.open("xb") as file:
            async for part in _parts(request, limits):
                received += len(part)
                if received > max_bytes:
                    raise _too_large(max_bytes)
                if part:
                    await asyncio.to_thread(file.write, part)
    except BaseException:
        with contextlib.suppress(OSError):
            target.unlink()
        raise
    if not received:
        target.unlink()
        raise ProblemError(HTTPStatus.BAD_REQUEST, "The request has no file in its body.")
    return received


async def _parts(request: Request, limits: Limits) -> AsyncIterator[bytes]:
    stream, stall_s = request.stream().__aiter__(), limits.stall_s
    begun_s, received = time.monotonic(), 0
    while True:
        try:
            async with asyncio.timeout(stall_s):
                part = await anext(stream, None)
        except TimeoutError:
            raise _too_slow(f"Nothing came for {stall_s:g} seconds") from None
        except ClientDisconnect:
            raise ProblemError(HTTPStatus.BAD_REQUEST, "The upload ended early.") from None
        if part is None:
            return
        received += len(part)
        yield part
        now_s = time.monotonic()
        if now_s > begun_s + stall_s:
            if received < limits.slowest * (now_s - begun_s):
                raise _too_slow(f"Fewer than {limits.slowest} bytes per second came")
            begun_s, received = now_s, 0


def _too_slow(why: str) -> ProblemError:
    return ProblemError(HTTPStatus.REQUEST_TIMEOUT, f"{why}: the upload has been given up.")


def _too_large(max_bytes: int) -> ProblemError:
    detail = f"The file is larger than the {max_bytes >> 20} MB that are allowed."
    return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
