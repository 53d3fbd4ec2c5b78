"""YUV 4:2:0 (I420), the format of decoders and encoders: half the bytes of RGB.

Chroma is repeated for RGB and averaged for YUV, so a round trip changes nothing. These NumPy
functions are the reference; engines do the same inside their graphs.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nst_video.errors import UsageError
from nst_video.frames import Frames, Size

YuvFrames: TypeAlias = NDArray[np.uint8]
"""A batch of I420 frames: C-contiguous uint8 (n, height * 3 // 2, width), both sides even.

The rows of Y, then U, then V. A row of the array holds two rows of U or V.
"""

ColorMap: TypeAlias = NDArray[np.float32]
"""An affine map of colors 0..255, (3, 4): a matrix, and an offset in the last column."""

_WEIGHTS = {
    "bt709": (0.2126, 0.0722),
    "bt601": (0.299, 0.114),
    "fcc": (0.30, 0.11),
    "smpte240m": (0.212, 0.087),
    "bt2020": (0.2627, 0.0593),
}
"""Weights of red and blue in Y (ITU-T H.273), by the names of ffmpeg's scale filter."""

_LIMITED, _FULL = (16.0, 219.0, 224.0), (0.0, 255.0, 255.0)
"""Y of black; range of Y from black to white; range of chroma."""

_ROWS = 64
"""Rows converted at once, to limit the memory for floats."""


@dataclass(frozen=True, slots=True)
class YuvColors:
    """How the values of a YUV frame are coded.

    Attributes:
        matrix: "bt709", "bt601", "fcc", "smpte240m" or "bt2020" (non-constant luminance).
        is_full_range: black and white are 0 and 255, not 16 and 235.
    """

    matrix: str
    is_full_range: bool

    def to_rgb(self) -> ColorMap:
        """Return the map from (Y, U, V) to (red, green, blue); results can be outside 0..255."""
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
"""The colors of all painted frames."""


def yuv_shape(size: Size) -> tuple[int, int]:
    """Return the array shape of one frame of `size` (width, height), both even."""
    width, height = size
    return height * 3 // 2, width


def yuv_size(yuv: YuvFrames) -> Size:
    """Return (width, height) of the frames of a batch."""
    return int(yuv.shape[-1]), int(yuv.shape[-2]) * 2 // 3


def check_yuv(yuv: YuvFrames) -> None:
    """Check the type and shape of a batch.

    Raises:
        UsageError: not uint8 (n, height * 3 / 2, width) with both sides even.
    """
    if yuv.dtype != np.uint8 or yuv.ndim != 3 or yuv.shape[1] % 3 or yuv.shape[2] % 2:
        raise UsageError(
            "YUV frames are uint8 of shape (n, height * 3 / 2, width), both sides even; "
            f"got {yuv.dtype} of shape {yuv.shape}."
        )


def can_be_yuv420(size: Size) -> bool:
    """Return whether a frame of `size` can be 4:2:0: both sides are even."""
    return not any(side % 2 for side in size)


def yuv_to_rgb(yuv: YuvFrames, colors: YuvColors) -> Frames:
    """Convert a batch to RGB, rounded and clipped, (n, height, width, 3)."""
    width, height = yuv_size(yuv)
    frames = np.empty((len(yuv), height, width, 3), np.uint8)
    color_map = colors.to_rgb()
    for picture, frame in zip(yuv, frames, strict=True):
        luma, chroma = _split(picture, (width, height))
        for start in range(0, height, _ROWS):
            here = luma[start : start + _ROWS]
            around = chroma[:, start // 2 : (start + _ROWS) // 2]
            yuv = np.stack([here, *around.repeat(2, 1).repeat(2, 2)], -1, dtype=np.float32)
            rgb = yuv @ color_map[:, :3].T + color_map[:, 3]
            frame[start : start + _ROWS] = rgb.round().clip(0, 255)
    return frames


def rgb_to_yuv(frames: Frames) -> YuvFrames:
    """Convert a batch of RGB frames with even sides to `OUTPUT_COLORS`, rounded."""
    count, height, width, _ = frames.shape
    yuv = np.empty((count, *yuv_shape((width, height))), np.uint8)
    color_map = OUTPUT_COLORS.from_rgb()
    for picture, frame in zip(yuv, frames, strict=True):
        luma, chroma = _split(picture, (width, height))
        for start in range(0, height, _ROWS):
            rgb = frame[start : start + _ROWS].astype(np.float32)
            luma[start : start + _ROWS] = rgb @ color_map[0, :3] + (color_map[0, 3] + 0.5)
            means = rgb.reshape(len(rgb) // 2, 2, width // 2, 2, 3).mean(axis=(1, 3))
            here = chroma[:, start // 2 : (start + _ROWS) // 2]
            here[:] = np.moveaxis(means @ color_map[1:, :3].T + (color_map[1:, 3] + 0.5), -1, 0)
    return yuv


def to_output_colors(yuv: YuvFrames, colors: YuvColors) -> YuvFrames:
    """Convert a batch of other colors to `OUTPUT_COLORS`, without RGB in between.

    Gray has the same chroma in all of them, so chroma does not depend on luma.
    """
    if colors == OUTPUT_COLORS:
        return yuv
    size = yuv_size(yuv)
    there = np.vstack([colors.to_rgb(), [0, 0, 0, 1]])
    color_map = (OUTPUT_COLORS.from_rgb() @ there).astype(np.float32)
    converted = np.empty_like(yuv)
    for source, target in zip(yuv, converted, strict=True):
        (luma, chroma), (new_luma, new_chroma) = _split(source, size), _split(target, size)
        pair = np.moveaxis(chroma, 0, -1).astype(np.float32)
        parts = pair @ color_map[:, 1:3].T + (color_map[:, 3] + np.float32(0.5))
        added = parts[..., 0].repeat(2, 0).repeat(2, 1)
        new_luma[:] = np.clip(luma * color_map[0, 0] + added, 0, 255)
        new_chroma[:] = np.moveaxis(np.clip(parts[..., 1:], 0, 255), -1, 0)
    return converted


def _split(picture: NDArray[np.uint8], size: Size) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return views of Y (height, width) and of U and V (2, height / 2, width / 2)."""
    width, height = size
    return picture[:height], picture[height:].reshape(2, height // 2, width // 2)
