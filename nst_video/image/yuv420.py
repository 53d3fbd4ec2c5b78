"""YUV 4:2:0 as decoders give it and encoders take it: half the bytes of RGB.

Chroma is repeated on the way to RGB and averaged on the way back: a round trip that changes
nothing. What is written here in numpy is what engines do within their graphs.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nst_video.errors import UsageError
from nst_video.frames import Frames, Size

Planes: TypeAlias = NDArray[np.uint8]
"""A batch of pictures in I420: C-contiguous uint8 (n, height * 3 // 2, width), both sides even.

The rows of Y, then those of U and V, each a quarter of Y and two of its rows to one of the array.
"""

ColorMap: TypeAlias = NDArray[np.float32]
"""(3, 4), affine over values of 0..255: the last column is added."""

_WEIGHTS = {
    "bt709": (0.2126, 0.0722),
    "bt601": (0.299, 0.114),
    "fcc": (0.30, 0.11),
    "smpte240m": (0.212, 0.087),
    "bt2020": (0.2627, 0.0593),
}
"""Shares of red and blue in Y (ITU-T H.273), by the names of ffmpeg's scale filter."""

_LIMITED, _FULL = (16.0, 219.0, 224.0), (0.0, 255.0, 255.0)
"""Y of black; steps of Y from black to white, and of chroma from end to end."""

_ROWS = 64
"""Rows converted at once, so that the floats of a large picture need little memory."""


@dataclass(frozen=True, slots=True)
class YuvColors:
    """What the numbers of a YUV picture mean.

    Attributes:
        matrix: one of "bt709", "bt601", "fcc", "smpte240m" and "bt2020" (not constant luminance).
        is_full_range: black and white are 0 and 255, not 16 and 235.
    """

    matrix: str
    is_full_range: bool

    def to_rgb(self) -> ColorMap:
        """Return the map from (Y, U, V) to (red, green, blue), which may leave 0..255."""
        inverse = np.linalg.inv(self._linear())
        return np.column_stack([inverse, -inverse @ self._offset()]).astype(np.float32)

    def from_rgb(self) -> ColorMap:
        """Return the map from (red, green, blue) of 0..255 to (Y, U, V)."""
        return np.column_stack([self._linear(), self._offset()]).astype(np.float32)

    def _offset(self) -> NDArray[np.float64]:
        return np.array([(_FULL if self.is_full_range else _LIMITED)[0], 128.0, 128.0])

    def _linear(self) -> NDArray[np.float64]:
        red, blue = _WEIGHTS[self.matrix]
        luma = np.array([red, 1 - red - blue, blue])
        _, luma_steps, chroma_steps = _FULL if self.is_full_range else _LIMITED
        blueness = ([0, 0, 1] - luma) / (2 * (1 - blue)) * chroma_steps
        redness = ([1, 0, 0] - luma) / (2 * (1 - red)) * chroma_steps
        return np.stack([luma * luma_steps, blueness, redness]) / 255


OUTPUT_COLORS = YuvColors("bt709", is_full_range=False)
"""Those of all that is painted."""


def planes_shape(size: Size) -> tuple[int, int]:
    """Return the shape of the planes of one picture of `size`, even (width, height)."""
    width, height = size
    return height * 3 // 2, width


def planes_size(planes: Planes) -> Size:
    """Return (width, height) of the pictures of a batch."""
    return int(planes.shape[-1]), int(planes.shape[-2]) * 2 // 3


def check_planes(planes: Planes) -> None:
    """Refuse what is no batch of planes.

    Raises:
        UsageError: not uint8 (n, height * 3 / 2, width), both sides even.
    """
    if planes.dtype != np.uint8 or planes.ndim != 3 or planes.shape[1] % 3 or planes.shape[2] % 2:
        raise UsageError(
            "Planes are uint8 of shape (n, height * 3 / 2, width), both sides even; "
            f"got {planes.dtype} of shape {planes.shape}."
        )


def has_planes(size: Size) -> bool:
    """Say whether a picture of `size` can be 4:2:0: both sides even."""
    return not any(side % 2 for side in size)


def to_frames(planes: Planes, colors: YuvColors) -> Frames:
    """Return the pictures as RGB, rounded and clipped."""
    width, height = planes_size(planes)
    frames = np.empty((len(planes), height, width, 3), np.uint8)
    color_map = colors.to_rgb()
    for picture, frame in zip(planes, frames, strict=True):
        luma, chroma = _split(picture, (width, height))
        for start in range(0, height, _ROWS):
            here = luma[start : start + _ROWS]
            around = chroma[:, start // 2 : (start + _ROWS) // 2]
            yuv = np.stack([here, *around.repeat(2, 1).repeat(2, 2)], -1, dtype=np.float32)
            rgb = yuv @ color_map[:, :3].T + color_map[:, 3]
            frame[start : start + _ROWS] = rgb.round().clip(0, 255)
    return frames


def to_planes(frames: Frames) -> Planes:
    """Return RGB pictures with even sides as planes of `OUTPUT_COLORS`, rounded."""
    count, height, width, _ = frames.shape
    planes = np.empty((count, *planes_shape((width, height))), np.uint8)
    color_map = OUTPUT_COLORS.from_rgb()
    for picture, frame in zip(planes, frames, strict=True):
        luma, chroma = _split(picture, (width, height))
        for start in range(0, height, _ROWS):
            rgb = frame[start : start + _ROWS].astype(np.float32)
            luma[start : start + _ROWS] = rgb @ color_map[0, :3] + (color_map[0, 3] + 0.5)
            means = rgb.reshape(len(rgb) // 2, 2, width // 2, 2, 3).mean(axis=(1, 3))
            here = chroma[:, start // 2 : (start + _ROWS) // 2]
            here[:] = np.moveaxis(means @ color_map[1:, :3].T + (color_map[1:, 3] + 0.5), -1, 0)
    return planes


def _split(picture: NDArray[np.uint8], size: Size) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return views of Y (height, width) and of both chromas (2, height / 2, width / 2)."""
    width, height = size
    return picture[:height], picture[height:].reshape(2, height // 2, width // 2)
