"""Sinks: outputs for the frames of a file transcode, listed in the table `SINKS`.

A new sink is one class and one line in `SINKS`; the contract tests then cover it. Outputs of a live
session have a table of their own, in `live.output_specs`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from nst_video.frames import Frame, VideoInfo
from nst_video.video.media.codec_options import EncodeOptions
from nst_video.video.media.stream_copy import StreamCopyPlan
from nst_video.video.video_file_sink import VideoFileSink, check_frame_shape

__all__ = [
    "NULL_SCHEME",
    "SINKS",
    "FrameSink",
    "NullSink",
    "SinkKind",
    "VideoFileSink",
    "open_sink",
]

NULL_SCHEME = "null:"


class FrameSink(Protocol):
    """An output for frames of one size at a constant rate.

    Used as a context manager: leaving it normally completes the output; leaving it with an error
    removes the unfinished output. All calls come from one thread, except `stop`.
    """

    @property
    def target(self) -> Path | None:
        """The file that is written, final once the context is left; None where nothing is kept."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user about each difference from the source."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def write(self, frame: Frame) -> None:
        """Write the next frame.

        Args:
            frame: RGB uint8 (height, width, 3) of the size given on opening; or, if the sink was
                opened for YUV, 4:2:0 uint8 (height * 3 / 2, width) in
                `image.yuv420.OUTPUT_COLORS`.

        Raises:
            SinkError: the shape is wrong, or it cannot be written.
        """
        ...

    def stop(self) -> None:
        """End a `write` that blocks; may be called from any thread."""
        ...


class NullSink:
    """Counts frames and discards them: to measure the stages before it.

    Attributes:
        target: None, nothing is kept.
        notes: always empty.
        frame_count: frames written.
    """

    target: Path | None = None
    notes: tuple[str, ...] = ()

    def __init__(self, info: VideoInfo | None = None, *, as_yuv: bool = False) -> None:
        """Take RGB or YUV frames of the size of `info`, or frames of any size without it."""
        self._size = None if info is None else info.size
        self._as_yuv = as_yuv
        self.frame_count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing to close."""

    def write(self, frame: Frame) -> None:
        """Count the frame.

        Raises:
            SinkError: the shape is wrong.
        """
        if self._size is not None:
            check_frame_shape(frame, self._size, self._as_yuv)
        self.frame_count += 1

    def stop(self) -> None:
        """Nothing to do: `write` never blocks."""


@dataclass(frozen=True, slots=True)
class SinkKind:
    """One line of `SINKS`.

    Attributes:
        name: for tests and messages.
        accepts: whether it takes a target as the user wrote it.
        open: opens that target.
    """

    name: str
    accepts: Callable[[str], bool]
    open: Callable[[str, VideoInfo, EncodeOptions, StreamCopyPlan | None, bool, bool], FrameSink]


SINKS = (
    SinkKind(
        "null",
        lambda text: text == NULL_SCHEME,
        lambda text, info, options, stream_copy, as_yuv, overwrite: NullSink(info, as_yuv=as_yuv),
    ),
    SinkKind(
        "file",
        lambda text: True,
        lambda text, info, options, stream_copy, as_yuv, overwrite: VideoFileSink(
            Path(text), info, options, stream_copy, as_yuv=as_yuv, overwrite=overwrite
        ),
    ),
)
"""Sinks in the order in which they are tried; the last accepts anything."""


def open_sink(
    where: str | Path,
    info: VideoInfo,
    options: EncodeOptions | None = None,
    stream_copy: StreamCopyPlan | None = None,
    *,
    as_yuv: bool = False,
    overwrite: bool = False,
) -> FrameSink:
    """Open the first sink of `SINKS` that accepts a target.

    Args:
        where: path of a video file, or "null:" to discard the frames.
        info: size and rate of the frames.
        options: codec, quality and speed.
        stream_copy: streams to copy from the source file.
        as_yuv: frames are YUV 4:2:0 instead of RGB; both sides are even.
        overwrite: an existing file is replaced once the new one is complete.

    Raises:
        SinkError: it cannot be written.
        UsageError: the container or codec cannot be written, or the file exists.
    """
    text = str(where)
    kind = next(kind for kind in SINKS if kind.accepts(text))
    return kind.open(text, info, options or EncodeOptions(), stream_copy, as_yuv, overwrite)
