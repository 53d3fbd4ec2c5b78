"""Unexpected exceptions: one sentence for the user, and the traceback in a log."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from nst_video import __version__
from nst_video.errors import NstVideoError, OutOfMemoryError
from nst_video.system import paths


@contextmanager
def report_bugs(name: object) -> Iterator[None]:
    """Turn unexpected exceptions into an NstVideoError that asks for a bug report.

    Args:
        name: the file that was processed.

    Raises:
        NstVideoError: an unexpected exception, or one raised on purpose.
        KeyboardInterrupt: an exception that a library raised because of one.
    """
    try:
        yield
    except NstVideoError:
        raise
    except MemoryError as error:
        raise OutOfMemoryError(
            f"{name} needs more memory than there is: try --size 640x, or a smaller --work-size."
        ) from error
    except Exception as error:
        if isinstance(error.__cause__ or error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise NstVideoError(
            f"{name} failed because of a bug in nst-video ({said[:200]}): "
            f"please report it{_logged(error)}."
        ) from error


def _logged(error: Exception) -> str:
    """Append the traceback to a log; return the end of a sentence that names it, or ""."""
    path = paths.cache_dir() / "bugs.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} nst-video {__version__}\n")
            log.writelines(traceback.format_exception(error))
    except OSError:
        return ""
    return f" with the end of {path}"
