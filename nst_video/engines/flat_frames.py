"""Frames of one color, or nearly so: they keep their color instead of becoming a lattice.

An instance norm takes away a picture's mean and contrast. Of a frame without contrast it leaves
rounding errors or noise, and a dozen norms in a row make those as strong as a picture. A larger
epsilon would not help: each norm would still enlarge what is too little, until it is much. So the
contrast is measured once, in the frame itself, and given back at the last norm, by way of the style
parameters: for every engine, and without a change to frames of usual contrast.
"""

import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Floats, Frame, Frames
from nst_video.image.resize import resize_area
from nst_video.image.yuv420 import YuvColors, YuvFrames

FLAT, FULL = 1.0, 8.0
"""Contrasts, of 255: up to the first a frame keeps its color, from the second on it is painted.

Measured: fades and black frames with coding errors up to 0.6, noise of sigma 8 1.5; the least of
14 clips 11.5, of 91 photos 8.9 (a starless night), a line of white text on black 8.8.
"""

CELLS = 64
"""Cells along the longer side in which colors are averaged, so that noise counts little."""

ROWS_READ = 8
"""Rows of a cell that are looked at, where it has as many."""

FINE_SHARE = 1 / 64
"""What the variance of single pixels counts: fine hatching is a picture, noise is none."""

DARKEST = 0.1 / 255
"""Of 0..1: the sigmoid at the network's end reaches neither black nor white."""


def calm_flat_frames(
    style: Floats, pictures: Frames | YuvFrames, colors: YuvColors | None = None
) -> Floats:
    """Return style parameters with which flat frames are painted in their own mean color.

    Frames between flat and usual ones get something in between, smoothly.

    Args:
        style: (n or 1, style_size).
        pictures: n RGB frames, or n YUV frames.
        colors: matrix and range of YUV frames, None for RGB.

    Returns:
        `style` itself where all frames have contrast, else (n, style_size).
    """
    looks = [
        _look(picture) if colors is None else _look_yuv(picture, colors) for picture in pictures
    ]
    shares = np.array([paint_share(contrast) for contrast, _ in looks], np.float32)[:, None]
    if (shares == 1).all():
        return style
    means = np.clip(np.stack([mean for _, mean in looks]) / 255, DARKEST, 1 - DARKEST)
    calm = np.repeat(style, len(pictures), 0) if len(style) == 1 else style.copy()
    last = slice(calm.shape[1] // 2 - 3, calm.shape[1] // 2)  # gammas of the last layer
    calm[:, last] *= shares
    calm[:, -3:] = shares * calm[:, -3:] + (1 - shares) * np.log(means / (1 - means))
    return calm


def paint_share(contrast: float) -> float:
    """Return the share of the painting, 0..1, in what becomes of a frame of some contrast."""
    share = min(max((contrast - FLAT) / (FULL - FLAT), 0.0), 1.0)
    return share * share * (3 - 2 * share)


def _look(frame: Frame) -> tuple[float, Floats]:
    """Return a frame's contrast and mean color (3,), of 255."""
    height, width = frame.shape[:2]
    side = _cell_side(width, height)
    return _sum_up(_mean_cells(frame, side), _sample(frame[..., 1], side))


def _look_yuv(yuv: NDArray[np.uint8], colors: YuvColors) -> tuple[float, Floats]:
    """Return contrast and mean color as `_look` does, of YUV frames (height * 3 / 2, width)."""
    height, width = len(yuv) * 2 // 3, yuv.shape[1]
    # Even, so that a cell of chroma is half a cell of luma.
    side = -(-_cell_side(width, height) // 2) * 2
    luma, chroma = yuv[:height], yuv[height:].reshape(2, height // 2, width // 2)
    cells = [_mean_cells(luma, side), *(_mean_cells(plane, side // 2) for plane in chroma)]
    to_rgb = colors.to_rgb()
    rgb = np.stack(cells, axis=-1) @ to_rgb[:, :3].T + to_rgb[:, 3]
    return _sum_up(np.clip(rgb, 0, 255), _sample(luma, side) * to_rgb[1, 0])


def _cell_side(width: int, height: int) -> int:
    return max(1, max(width, height) // CELLS)


def _mean_cells(plane: NDArray[np.uint8], side: int) -> Floats:
    """Return the mean colors of cells of `side` x `side` pixels; a rest at the edges is left out.

    Whole numbers of pixels to a cell, because others take OpenCV ten times as long.
    """
    height, width = plane.shape[:2]
    side = min(side, height, width)
    down, across, count = height // side, width // side, min(side, ROWS_READ)
    rows = (np.arange(down)[:, None] * side + np.arange(count) * side // count).ravel()
    read = plane[rows, : across * side]
    return resize_area(read, (across, down)).astype(np.float32)


def _sample(plane: NDArray[np.uint8], side: int) -> Floats:
    """Return pixels an odd number of steps apart: most fine patterns repeat after an even one."""
    step = side // 4 | 1
    return plane[::step, ::step].astype(np.float32)


def _sum_up(cells: Floats, samples: Floats) -> tuple[float, Floats]:
    """Return contrast and mean color of cells and of sampled pixels."""
    colors = cells.reshape(-1, 3)
    variance = colors.var(axis=0).mean() + FINE_SHARE * samples.var()
    return float(np.sqrt(variance)), colors.mean(axis=0)
