"""How pictures go from a source through a painter: as RGB, or as 4:2:0 where nothing needs RGB."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from nst_video.engines import PendingFrames
from nst_video.frames import Frame, Frames, Size, VideoInfo
from nst_video.image.yuv420 import Planes, YuvColors
from nst_video.video.sources import FrameSource, VideoFileSource


class Painter(Protocol):
    """Paints batches of frames; the stylizer is one."""

    def __call__(self, frames: Frames, /) -> Frames:
        """Return the batch painted: same shape (n, height, width, 3), uint8 RGB."""
        ...

    def reset(self) -> None:
        """Forget everything about earlier frames; called before the first of each clip."""
        ...


@runtime_checkable
class AsyncPainter(Protocol):
    """A painter that can begin a batch before the one before is done."""

    def start(self, frames: Frames, /) -> PendingFrames:
        """Begin to paint the batch, which is left alone until it is painted."""
        ...


@runtime_checkable
class YuvPainter(Protocol):
    """A painter that need not be given RGB."""

    def takes_planes(self, size: Size, /) -> bool:
        """Say whether it paints planes of pictures of a size, as things are."""
        ...

    def start(self, planes: Planes, colors: YuvColors, /) -> PendingFrames:
        """Begin to paint planes of some colors, to planes of `image.yuv420.OUTPUT_COLORS`."""
        ...

    def reset(self) -> None:
        """Forget as any painter does."""
        ...


@runtime_checkable
class StreamPainter(Protocol):
    """Paints a film as a whole: it may read on before it gives the frames that it has read."""

    def stream(self, frames: Iterable[Frame], info: VideoInfo, /) -> Iterator[Frame]:
        """Yield every frame painted, in order: same shape (height, width, 3), uint8 RGB."""
        ...


P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class PixelPath(Generic[P]):
    """One way from a source to a sink.

    Attributes:
        pictures: of the source: frames, or planes (height * 3 / 2, width).
        painter: gives the same of what it gets.
        as_planes: whether that is planes.
    """

    pictures: Iterable[NDArray[np.uint8]]
    painter: P
    as_planes: bool


def negotiate_format(source: FrameSource, painter: P) -> PixelPath[P | Painter]:
    """Return the cheapest way that both can go.

    Raises:
        WeightsError: the painter's model is missing or broken.
        EngineError: its network does not run here.
    """
    if isinstance(source, VideoFileSource) and isinstance(painter, YuvPainter):
        colors = source.planes_colors
        if colors is not None and painter.takes_planes(source.info.size):
            return PixelPath(source.iterate_planes(), _OnPlanes(painter, colors), as_planes=True)
    return PixelPath(source, painter, as_planes=False)


class _OnPlanes:
    """A painter whose pictures are planes of some colors."""

    def __init__(self, painter: YuvPainter, colors: YuvColors) -> None:
        self._painter = painter
        self._colors = colors

    def __call__(self, planes: Planes, /) -> Planes:
        return self.start(planes).wait()

    def start(self, planes: Planes, /) -> PendingFrames:
        return self._painter.start(planes, self._colors)

    def reset(self) -> None:
        self._painter.reset()
