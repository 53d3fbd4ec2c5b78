"""How pictures go from a source through a painter: as RGB, or as 4:2:0 where nothing needs RGB."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from nst_video.engines import PendingFrames
from nst_video.errors import EngineError
from nst_video.frames import Frame, Frames, Size, VideoInfo
from nst_video.image.yuv420 import YuvColors, YuvFrames
from nst_video.video.sources import FrameSource, VideoFileSource


class Painter(Protocol):
    """Paints batches of frames; `Stylizer` is one.

    A subclass needs `__call__` only: the other methods have defaults.
    """

    @abstractmethod
    def __call__(self, frames: Frames, /) -> Frames:
        """Return the batch painted: same shape (n, height, width, 3), uint8 RGB."""

    def reset(self) -> None:
        """Forget everything about earlier frames; called before the first of each clip."""

    def submit(self, frames: Frames, /) -> PendingFrames:
        """Begin to paint a batch; by default, paint it at once.

        The batch is not changed until the result has been waited for. A painter that returns
        before it has finished is given the next batch while it works on this one.
        """
        return PendingFrames.done(self(frames))

    def accepts_yuv(self, size: Size, /) -> bool:
        """Return whether `submit_yuv` is the fast way for pictures of `size` (width, height)."""
        return False

    def submit_yuv(self, yuv: YuvFrames, colors: YuvColors, /) -> PendingFrames:
        """Begin to paint 4:2:0 frames (n, height * 3 / 2, width), uint8, with some colors.

        Returns:
            YuvFrames of the same shape in `image.yuv420.OUTPUT_COLORS`.

        Raises:
            EngineError: `accepts_yuv` is False.
        """
        raise EngineError("This painter takes RGB frames only.")


@runtime_checkable
class StreamPainter(Protocol):
    """Paints a film as a whole: it may read on before it gives the frames that it has read."""

    def stream(self, frames: Iterable[Frame], info: VideoInfo, /) -> Iterator[Frame]:
        """Yield every frame painted, in order: same shape (height, width, 3), uint8 RGB."""
        ...


P = TypeVar("P", bound="Painter | StreamPainter")


@dataclass(frozen=True, slots=True)
class PixelPath(Generic[P]):
    """One way from a source to a sink.

    Attributes:
        pictures: of the source: frames, or YUV frames (height * 3 / 2, width).
        painter: gives the same of what it gets.
        as_yuv: whether that is YUV frames.
    """

    pictures: Iterable[NDArray[np.uint8]]
    painter: P
    as_yuv: bool


def negotiate_format(source: FrameSource, painter: P) -> PixelPath[P | Painter]:
    """Return the cheapest way that both can go.

    Raises:
        WeightsError: the painter's model is missing or broken.
        EngineError: its network does not run here.
    """
    if isinstance(source, VideoFileSource) and not isinstance(painter, StreamPainter):
        colors = source.yuv_colors
        if colors is not None and painter.accepts_yuv(source.info.size):
            return PixelPath(source.iterate_yuv(), _YuvToRgbPainter(painter, colors), as_yuv=True)
    return PixelPath(source, painter, as_yuv=False)


class _YuvToRgbPainter(Painter):
    """A painter of YUV frames with some colors instead of frames."""

    def __init__(self, painter: Painter, colors: YuvColors) -> None:
        self._painter = painter
        self._colors = colors

    def __call__(self, yuv: YuvFrames, /) -> YuvFrames:
        return self.submit(yuv).wait()

    def submit(self, yuv: YuvFrames, /) -> PendingFrames:
        return self._painter.submit_yuv(yuv, self._colors)

    def reset(self) -> None:
        self._painter.reset()
