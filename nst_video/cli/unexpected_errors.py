"""What becomes of errors that nobody foresaw: one sentence, and a log for the report."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from nst_video import __version__
from nst_video.errors import NstVideoError, OutOfMemoryError
from nst_video.system import paths


@contextmanager
def bugs_of(name: object) -> Iterator[None]:
    """Turn any error that was not raised on purpose into one about a file or the like.

    What ends a program on purpose, such as KeyboardInterrupt, passes.

    Args:
        name: what was worked on.

    Raises:
        NstVideoError: such an error, or one raised on purpose.
        KeyboardInterrupt: such an error that a library made of one.
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
            f"{name} met a bug in nst-video ({said[:200]}): please report it{_logged(error)}."
        ) from error


def _logged(error: Exception) -> str:
    """Append the traceback to a log; return where it is, in words that go on a sentence."""
    path = paths.cache_dir() / "bugs.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} nst-video {__version__}\n")
            log.writelines(traceback.format_exception(error))
    except OSError:
        return ""
    return f" with the end of {path}"
