"""Flat frames, of one color or nearly so: they keep their color instead of becoming a lattice.

Instance norm divides by the standard deviation. In a frame without contrast that amplifies rounding
errors and noise, and a dozen norms in a row make them as strong as a picture. A larger epsilon
would not help: each norm would still amplify what is left. So the contrast of the frame itself is
measured once, and the style parameters of the last norm are scaled by it. This works for every
engine, and frames of usual contrast do not change.
"""

import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Floats, Frame, Frames
from nst_video.image.resize import resize_area
from nst_video.image.yuv420 import YuvColors, YuvFrames

FLAT, FULL = 1.0, 8.0
"""Contrasts, of 255: up to `FLAT` a frame keeps its color, from `FULL` on it is painted normally.

Measured: fades and black frames with coding errors up to 0.6, noise of sigma 8 1.5; the least of
14 clips 11.5, of 91 photos 8.9 (a starless night), a line of white text on black 8.8.
"""

CELLS = 64
"""Cells along the longer side; colors are averaged in each, which suppresses noise."""

ROWS_READ = 8
"""Rows of a cell that are read, at most."""

FINE_SHARE = 1 / 64
"""Weight of the variance of single pixels: it detects fine hatching, but noise must not count."""

DARKEST = 0.1 / 255
"""Of 0..1: the sigmoid of the last layer cannot reach black or white."""


def preserve_flat_frames(
    style: Floats, pictures: Frames | YuvFrames, colors: YuvColors | None = None
) -> Floats:
    """Return style parameters that paint flat frames in their own mean color.

    Between `FLAT` and `FULL` the result changes smoothly.

    Args:
        style: style parameters (n or 1, style_size), float32.
        pictures: n RGB frames, or n YUV frames.
        colors: matrix and range of YUV frames, None for RGB.

    Returns:
        `style` itself if all frames have contrast, else (n, style_size).
    """
    measured = [
        _measure(picture) if colors is None else _measure_yuv(picture, colors)
        for picture in pictures
    ]
    shares = np.array([style_share(contrast) for contrast, _ in measured], np.float32)[:, None]
    if (shares == 1).all():
        return style
    means = np.clip(np.stack([mean for _, mean in measured]) / 255, DARKEST, 1 - DARKEST)
    calm = np.repeat(style, len(pictures), 0) if len(style) == 1 else style.copy()
    last = slice(calm.shape[1] // 2 - 3, calm.shape[1] // 2)  # gammas of the last layer
    calm[:, last] *= shares
    calm[:, -3:] = shares * calm[:, -3:] + (1 - shares) * np.log(means / (1 - means))
    return calm


def style_share(contrast: float) -> float:
    """Return how much of the style, 0..1, a frame of some contrast (0..255) gets: a smoothstep."""
    share = min(max((contrast - FLAT) / (FULL - FLAT), 0.0), 1.0)
    return share * share * (3 - 2 * share)


def _measure(frame: Frame) -> tuple[float, Floats]:
    """Return a frame's contrast and mean color (3,), of 255."""
    height, width = frame.shape[:2]
    side = _cell_side(width, height)
    return _summarize(_mean_cells(frame, side), _sample(frame[..., 1], side))


def _measure_yuv(yuv: NDArray[np.uint8], colors: YuvColors) -> tuple[float, Floats]:
    """Return contrast and mean color as `_measure` does, of YUV frames (height * 3 / 2, width)."""
    height, width = len(yuv) * 2 // 3, yuv.shape[1]
    # Even, so that a cell of chroma is half a cell of luma.
    side = -(-_cell_side(width, height) // 2) * 2
    luma, chroma = yuv[:height], yuv[height:].reshape(2, height // 2, width // 2)
    cells = [_mean_cells(luma, side), *(_mean_cells(plane, side // 2) for plane in chroma)]
    to_rgb = colors.to_rgb()
    rgb = np.stack(cells, axis=-1) @ to_rgb[:, :3].T + to_rgb[:, 3]
    return _summarize(np.clip(rgb, 0, 255), _sample(luma, side) * to_rgb[1, 0])


def _cell_side(width: int, height: int) -> int:
    return max(1, max(width, height) // CELLS)


def _mean_cells(plane: NDArray[np.uint8], side: int) -> Floats:
    """Return the mean colors of cells of `side` x `side` pixels; the remainder is left out.

    Cells are whole pixels because fractions take OpenCV ten times as long.
    """
    height, width = plane.shape[:2]
    side = min(side, height, width)
    down, across, count = height // side, width // side, min(side, ROWS_READ)
    rows = (np.arange(down)[:, None] * side + np.arange(count) * side // count).ravel()
    read = plane[rows, : across * side]
    return resize_area(read, (across, down)).astype(np.float32)


def _sample(plane: NDArray[np.uint8], side: int) -> Floats:
    """Return every n-th pixel, n odd: most fine patterns repeat after an even number."""
    step = side // 4 | 1
    return plane[::step, ::step].astype(np.float32)


def _summarize(cells: Floats, samples: Floats) -> tuple[float, Floats]:
    """Return contrast and mean color of cells and of sampled pixels."""
    colors = cells.reshape(-1, 3)
    variance = colors.var(axis=0).mean() + FINE_SHARE * samples.var()
    return float(np.sqrt(variance)), colors.mean(axis=0)
