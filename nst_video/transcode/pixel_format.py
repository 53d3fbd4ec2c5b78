"""The pixel format between decoder, painter and encoder: RGB, or YUV 4:2:0 where nothing needs RGB.

YUV 4:2:0 has half the bytes and needs no conversion in ffmpeg.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from nst_video.engines import PendingFrames
from nst_video.image.yuv420 import YuvColors, YuvFrames
from nst_video.transcode.painters import Painter, StreamPainter
from nst_video.video.sources import FrameSource, VideoFileSource

P_co = TypeVar("P_co", bound="Painter | StreamPainter", covariant=True)


@dataclass(frozen=True, slots=True)
class PixelPath(Generic[P_co]):
    """Frames of a source in one pixel format, and a painter for that format.

    Attributes:
        frames: RGB (height, width, 3), or YUV 4:2:0 (height * 3 / 2, width), uint8.
        painter: returns frames in the same format.
        as_yuv: whether that is YUV 4:2:0.
    """

    frames: Iterable[NDArray[np.uint8]]
    painter: P_co
    as_yuv: bool


@overload
def negotiate_format(source: FrameSource, painter: Painter) -> PixelPath[Painter]: ...


@overload
def negotiate_format(
    source: FrameSource, painter: Painter | StreamPainter
) -> PixelPath[Painter | StreamPainter]: ...


def negotiate_format(
    source: FrameSource, painter: Painter | StreamPainter
) -> PixelPath[Painter | StreamPainter]:
    """Return the fastest pixel format that both source and painter support.

    Raises:
        WeightsError: the painter's model is missing or broken.
        EngineError: its network does not run on this machine.
    """
    if isinstance(source, VideoFileSource) and painter.paints == "batches":
        colors = source.yuv_colors
        if colors is not None and painter.accepts_yuv(source.info.size):
            return PixelPath(source.iterate_yuv(), _YuvPainter(painter, colors), as_yuv=True)
    return PixelPath(source, painter, as_yuv=False)


class _YuvPainter(Painter):
    """Paints YUV frames of fixed colors with another painter's `submit_yuv`."""

    def __init__(self, painter: Painter, colors: YuvColors) -> None:
        self._painter = painter
        self._colors = colors

    def __call__(self, yuv: YuvFrames, /) -> YuvFrames:
        return self.submit(yuv).wait()

    def submit(self, yuv: YuvFrames, /) -> PendingFrames:
        return self._painter.submit_yuv(yuv, self._colors)

    def reset(self) -> None:
        self._painter.reset()

    def begin_at(self, frame: int, /) -> None:
        self._painter.begin_at(frame)

    def renew(self, frames: int, /) -> None:
        self._painter.renew(frames)
