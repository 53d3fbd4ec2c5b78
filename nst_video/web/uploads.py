"""Reading the body of a request into a file, within limits of bytes and time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

from starlette.requests import ClientDisconnect, Request

from nst_video.web.problems import ProblemError


async def receive_file(request: Request, target: Path, max_bytes: int, stall_s: float) -> int:
    """Write the body of a request to a file, which is deleted where that does not succeed.

    Args:
        request: its body is the file, as it is.
        target: in a folder that exists.
        max_bytes: most bytes.
        stall_s: seconds without a byte after which the upload is given up.

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
            async for part in _parts(request, stall_s):
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


async def _parts(request: Request, stall_s: float) -> AsyncIterator[bytes]:
    stream = request.stream().__aiter__()
    while True:
        try:
            async with asyncio.timeout(stall_s):
                part = await anext(stream, None)
        except TimeoutError:
            detail = f"Nothing came for {stall_s:g} seconds: the upload has been given up."
            raise ProblemError(HTTPStatus.REQUEST_TIMEOUT, detail) from None
        except ClientDisconnect:
            raise ProblemError(HTTPStatus.BAD_REQUEST, "The upload ended early.") from None
        if part is None:
            return
        yield part


def _too_large(max_bytes: int) -> ProblemError:
    detail = f"The file is larger than the {max_bytes >> 20} MB that are allowed."
    return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
