"""Paintings of a stylizer in a live session: its errors, and what it returns, checked."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from nst_video.errors import EngineError, NstVideoError
from nst_video.frames import Frame
from nst_video.live.live_stylizer import LiveStylizer


def paint(stylizer: LiveStylizer, content: Frame) -> Frame:
    """Stylize a frame, RGB uint8 (height, width, 3), by itself.

    Raises:
        EngineError: the stylizer fails.
    """
    with explained():
        painting = stylizer(content)
    return checked(painting, content)


@contextmanager
def explained() -> Iterator[None]:
    """Convert errors of a stylizer to `EngineError`."""
    try:
        yield
    except NstVideoError:
        raise
    except Exception as error:
        raise EngineError(f"Painting failed: {error}") from error


def checked(painting: Frame, content: Frame) -> Frame:
    """Return `painting`.

    Raises:
        EngineError: it is no frame of the same size as `content`.
    """
    if painting.shape != content.shape or painting.dtype != np.uint8:
        raise EngineError(
            f"The stylizer returned {painting.dtype} {painting.shape} for {content.shape}."
        )
    return painting
