"""Sources: where the frames of a file transcode come from, listed in the table `SOURCES`.

A new source is one class and one line in `SOURCES`; the contract tests then cover it. Sources of a
live session (cameras, network streams, the screen) are in `video.capture`.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from nst_video.errors import SourceError, UsageError
from nst_video.frames import Frame, Size, VideoInfo, size_of
from nst_video.image import synthetic
from nst_video.image.files import animation_frames
from nst_video.image.resize import resize
from nst_video.system.path_lookup import PathKind, look_up
from nst_video.video.media.codec_options import DecodeOptions
from nst_video.video.media.timeline import exact
from nst_video.video.media.timing import choose_rate
from nst_video.video.video_file_source import VideoFileSource, fit_size

__all__ = [
    "DEMO_SCHEME",
    "SOURCES",
    "AnimationSource",
    "FrameSource",
    "SourceKind",
    "SyntheticSource",
    "VideoFileSource",
    "fit_size",
    "open_source",
]

DEMO_SCHEME = "demo:"

WEBP_ANIMATION = 2
"""Animation flag in the header of a WebP file."""


class FrameSource(Protocol):
    """Frames in order at a constant rate, upright, with square pixels.

    Used as a context manager and iterated once, in one thread. Iterating yields RGB uint8
    (height, width, 3) of `info.size`, each frame a new array, and raises `SourceError` where the
    source fails.
    """

    @property
    def info(self) -> VideoInfo:
        """Size, rate and number of the frames; known before the first is read."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user about what was changed, such as the frame rate."""
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
        """End a running iteration soon; may be called from any thread."""
        ...


class SyntheticSource:
    """The synthetic scene of `image.synthetic`; the same arguments give the same frames."""

    def __init__(
        self,
        size: Size = synthetic.SIZE,
        fps: Fraction = synthetic.FPS,
        duration_s: float = synthetic.DURATION_S,
    ) -> None:
        """Prepare the scene; frames are drawn as they are read."""
        self._info = VideoInfo(size, fps, max(1, math.floor(duration_s * fps)))
        self._stopped = False

    @property
    def info(self) -> VideoInfo:
        """The size, rate and number of frames asked for."""
        return self._info

    @property
    def notes(self) -> tuple[str, ...]:
        """Always empty."""
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
            yield synthetic.draw(self._info.size, index / count)

    def stop(self) -> None:
        """End the iteration at the next frame."""
        self._stopped = True


class AnimationSource:
    """An animated WebP, decoded by Pillow, because the FFmpeg in PyAV does not read it."""

    def __init__(self, path: Path, options: DecodeOptions | None = None) -> None:
        """Decode it once, to know how long each frame is shown.

        Raises:
            SourceError: it cannot be read, or ends before the start.
            UsageError: the options ask for a second video stream.
        """
        options = options or DecodeOptions()
        if options.video_stream not in (None, 1):
            raise UsageError(f"{path} has no video stream {options.video_stream}, only one.")
        self._path = path
        self._begins = [Fraction(0)]
        size = (1, 1)
        for frame, milliseconds in animation_frames(path):
            size = size_of(frame)
            self._begins.append(self._begins[-1] + Fraction(milliseconds, 1000))
        end_s = self._begins.pop()
        self._rate = choose_rate(self._begins, [len(self._begins) / end_s])
        self._start_s = exact(options.start_s)
        if self._start_s >= end_s:
            raise SourceError(
                f"{path} lasts {float(end_s):.2f} s: nothing left from {options.start_s:g} s."
            )
        if options.end_s is not None:
            end_s = min(end_s, exact(options.end_s))
        fps = options.fps or self._rate.fps
        count = max(1, math.floor((end_s - self._start_s) * fps + Fraction(1, 2)))
        self._info = VideoInfo(fit_size(size, options.size), fps, count)
        self._stopped = False

    @property
    def info(self) -> VideoInfo:
        """Size, rate and number of the frames that will be delivered."""
        return self._info

    @property
    def notes(self) -> tuple[str, ...]:
        """Whether the frame rate was changed."""
        return self._rate.notes(self._info.fps)

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
        """Deliver the frames.

        Raises:
            SourceError: the file has changed since it was opened.
        """
        ticks = (self._start_s + i / self._info.fps for i in range(self._info.frame_count or 0))
        wanted = [bisect_right(self._begins, time) - 1 for time in ticks]
        for index, (frame, _) in enumerate(animation_frames(self._path)):
            if index not in wanted:
                continue
            shown = resize(frame, self._info.size)
            for _ in range(wanted.count(index)):
                if self._stopped:
                    return
                yield shown.copy()

    def stop(self) -> None:
        """End the iteration at the next frame."""
        self._stopped = True


@dataclass(frozen=True, slots=True)
class SourceKind:
    """One line of `SOURCES`.

    Attributes:
        name: for tests and messages.
        accepts: whether it reads a source as the user wrote it.
        open: opens that source.
    """

    name: str
    accepts: Callable[[str], bool]
    open: Callable[[str, DecodeOptions], FrameSource]


def _open_demo(_: str, options: DecodeOptions) -> FrameSource:
    size = fit_size(synthetic.SIZE, options.size)
    end_s = synthetic.DURATION_S if options.end_s is None else options.end_s
    return SyntheticSource(size, options.fps or synthetic.FPS, end_s)


SOURCES = (
    SourceKind("demo", lambda text: text == DEMO_SCHEME, _open_demo),
    SourceKind(
        "animation",
        lambda text: is_animated_webp(Path(text)),
        lambda text, options: AnimationSource(Path(text), options),
    ),
    SourceKind(
        "file", lambda text: True, lambda text, options: VideoFileSource(Path(text), options)
    ),
)
"""Sources in the order in which they are tried; the last accepts anything."""


def is_animated_webp(path: Path) -> bool:
    """Return whether a file is an animated WebP; False where it cannot be read."""
    found = look_up(path)
    if found.kind is not PathKind.FILE:
        return False
    try:
        with found.path.open("rb") as file:
            head = file.read(21)
    except OSError:
        return False
    is_extended = head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X"
    return is_extended and len(head) == 21 and bool(head[20] & WEBP_ANIMATION)


def open_source(what: str | Path, options: DecodeOptions | None = None) -> FrameSource:
    """Open the first source of `SOURCES` that accepts a name.

    Args:
        what: path of a video file, or "demo:" for the synthetic scene.
        options: which part to read, at which size and rate.

    Raises:
        SourceError: it cannot be read, has no video, or is damaged.
        UsageError: the options ask for what it does not have.
    """
    text = str(what)
    kind = next(kind for kind in SOURCES if kind.accepts(text))
    return kind.open(text, options or DecodeOptions())
