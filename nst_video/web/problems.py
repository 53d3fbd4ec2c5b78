"""Errors as answers: RFC 9457, `application/problem+json`."""

import logging
import re
from http import HTTPStatus

from starlette.responses import JSONResponse

from nst_video.errors import (
    EngineError,
    NstVideoError,
    OutOfMemoryError,
    SourceError,
    StyleError,
    UsageError,
)

_log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

_STATUS: tuple[tuple[type[NstVideoError], HTTPStatus], ...] = (
    (StyleError, HTTPStatus.NOT_FOUND),
    (SourceError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (UsageError, HTTPStatus.BAD_REQUEST),
    (OutOfMemoryError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (EngineError, HTTPStatus.UNPROCESSABLE_ENTITY),
)

_PATH = re.compile(r"(?<![\w/\\.])(?:[A-Za-z]:)?(?:[\\/][^\\/\s'\":;,]+)*[\\/]([^\\/\s'\":;,]+)")
"""An absolute path; its last part is told."""


class ProblemError(Exception):
    """A request that is answered with a problem.

    Attributes:
        status: of the answer.
        detail: a sentence for people.
        retry_after_s: seconds after which the request may be sent again, None where it makes no
            difference.
    """

    def __init__(
        self, status: HTTPStatus, detail: str, *, retry_after_s: float | None = None
    ) -> None:
        """Set status and sentence."""
        super().__init__(detail)
        self.status, self.detail, self.retry_after_s = status, detail, retry_after_s


def without_paths(text: str) -> str:
    """Return a message with every absolute path replaced by its last part."""
    return _PATH.sub(lambda match: match[1], text)


def problem(status: HTTPStatus, detail: str, *, retry_after_s: float | None = None) -> JSONResponse:
    """Return a problem as an answer."""
    content: dict[str, object] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
    }
    headers = {}
    if retry_after_s is not None:
        content["retry_after_s"] = retry_after_s
        headers["Retry-After"] = str(max(1, round(retry_after_s)))
    return JSONResponse(content, int(status), headers, MEDIA_TYPE)


def problem_of(error: Exception) -> JSONResponse:
    """Return the answer for an exception; what is no error of ours is not described."""
    if isinstance(error, ProblemError):
        return problem(error.status, error.detail, retry_after_s=error.retry_after_s)
    if isinstance(error, NstVideoError):
        status = next(
            (status for kind, status in _STATUS if isinstance(error, kind)),
            HTTPStatus.INTERNAL_SERVER_ERROR,
        )
        return problem(status, without_paths(str(error)))
    _log.error("A request has failed", exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The server has made a mistake.")
