"""Where frames come from: a table of sources, each an iterable context manager.

A new source is one class, one line in `SOURCES`, and passes the contract tests as they are.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from nst_video import scene
from nst_video.frames import Frame, Size, VideoInfo
from nst_video.media.options import DecodeOptions
from nst_video.media.video_file import VideoFileSource, fit_size

__all__ = [
    "DEMO_SCHEME",
    "SOURCES",
    "FrameSource",
    "SourceKind",
    "SyntheticSource",
    "VideoFileSource",
    "fit_size",
    "open_source",
]

DEMO_SCHEME = "demo:"


class FrameSource(Protocol):
    """Frames in order at a constant rate, upright, with square pixels.

    Used as a context manager and iterated once. `stop` may be called from another thread.
    """

    @property
    def info(self) -> VideoInfo:
        """What the frames look like; known before the first is read."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user about what was done to the source."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def __iter__(self) -> Iterator[Frame]: ...

    def stop(self) -> None:
        """Make a running iteration end soon."""
        ...


class SyntheticSource:
    """A short moving scene made by code: hills, a sea, a boat, birds, a sinking sun.

    The same arguments give the same frames.
    """

    def __init__(
        self,
        size: Size = scene.SIZE,
        fps: Fraction = scene.FPS,
        duration_s: float = scene.DURATION_S,
    ) -> None:
        """Prepare the scene; frames are drawn as they are read."""
        self._info = VideoInfo(size, fps, max(1, math.floor(duration_s * fps)))
        self._stopped = False

    @property
    def info(self) -> VideoInfo:
        """As constructed."""
        return self._info

    @property
    def notes(self) -> tuple[str, ...]:
        """Nothing: it is what it is."""
        return ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def __iter__(self) -> Iterator[Frame]:
        count = self._info.frame_count or 0
        for index in range(count):
            if self._stopped:
                return
            yield scene.draw(self._info.size, index / count)

    def stop(self) -> None:
        """End the iteration at the next frame."""
        self._stopped = True


@dataclass(frozen=True, slots=True)
class SourceKind:
    """One line of the table: a name, what it takes, and how to open that."""

    name: str
    accepts: Callable[[str], bool]
    open: Callable[[str, DecodeOptions], FrameSource]


def _open_demo(_: str, options: DecodeOptions) -> FrameSource:
    size = fit_size(scene.SIZE, options.size)
    end_s = scene.DURATION_S if options.end_s is None else options.end_s
    return SyntheticSource(size, options.fps or scene.FPS, end_s)


SOURCES = (
    SourceKind("demo", lambda text: text == DEMO_SCHEME, _open_demo),
    SourceKind(
        "file", lambda text: True, lambda text, options: VideoFileSource(Path(text), options)
    ),
)
"""Tried in order; the last takes anything."""


def open_source(what: str | Path, options: DecodeOptions | None = None) -> FrameSource:
    """Open a source of frames.

    Args:
        what: path of a video file, or "demo:" for the synthetic scene.
        options: which part to deliver, and how.

    Raises:
        SourceError: it cannot be read, has no video, or is damaged.
        UsageError: the options ask for what it does not have.
    """
    text = str(what)
    kind = next(kind for kind in SOURCES if kind.accepts(text))
    return kind.open(text, options or DecodeOptions())
