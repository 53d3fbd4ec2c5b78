"""Compiled loops of mixing: each reads a plane once, with the fields at a quarter of its size.

Such a field is float32 (ceil(height / 4), ceil(width / 4)), one number for each block of 4x4
pixels. It is enlarged linearly row by row, as it is needed.
"""

import cv2
import numpy as np

from nst_video.frames import Floats
from nst_video.system.compiled import compiled
from nst_video.temporal.planes import Plane

BLOCK = 4
"""Pixels on a side that share one number of a field."""

FINE_SIGMA = 0.8
"""Fine structure is what a blur of this sigma removes: what repeated interpolation loses. Across
rows and across columns it has gains of its own: a vertical pan blurs only rows, and one gain for
both would turn the picture into a comb of vertical lines."""

_0, _1, _255, _HALF = np.float32(0), np.float32(1), np.float32(255), np.float32(0.5)
_BLOCK = np.float32(BLOCK)
_NEAREST, _NEAR, _FAR, _FARTHEST = (np.float32(each) for each in (0.875, 0.625, 0.375, 0.125))
_OUTER, _INNER, _ = (np.float32(each) for each in cv2.getGaussianKernel(3, FINE_SIGMA)[:, 0])


@compiled
def blend(canvas: Floats, painted: Plane, kept: Floats, mixed: Floats, means: Floats) -> None:
    """Mix a painting into a canvas, and take the local means of both.

    Args:
        canvas: float32 (h, w), 0..255.
        painted: uint8 (h, w).
        kept: field, 0..1, the share of the canvas that stays.
        mixed: set to the mixture, float32 (h, w).
        means: set to the means of canvas and painting: two fields.
    """
    height, width = canvas.shape
    rows, columns = kept.shape
    between, share = np.empty(columns + 2, np.float32), np.empty(BLOCK * columns, np.float32)
    sums = np.empty((2, BLOCK * columns), np.float32)
    mine, theirs = sums
    for block in range(rows):
        sums[:] = _0
        first, last = BLOCK * block, min(BLOCK * block + BLOCK, height)
        for y in range(first, last):
            _enlarge_row(kept, y, between, share)
            old, new, result = canvas[y], painted[y], mixed[y]
            for x in range(width):
                a, b = old[x], np.float32(new[x])
                mine[x] += a
                theirs[x] += b
                result[x] = b + share[x] * (a - b)
        for each in range(2):
            _average(sums[each], last - first, width, means[each, block])


@compiled
def square_textures(plane: Floats | Plane, mean: Floats, squares: Floats, has_fine: bool) -> None:
    """Take the local means of squared textures, in every second row of a plane.

    Args:
        plane: float32 or uint8 (h, w).
        mean: its local mean, a field.
        squares: set to those of what differs from the mean, and of fine structure across rows and
            across columns: three fields.
        has_fine: whether the last two are wanted.
    """
    height, width = plane.shape
    rows, columns = mean.shape
    between, local = np.empty(columns + 2, np.float32), np.empty(BLOCK * columns, np.float32)
    sums = np.empty((3, BLOCK * columns), np.float32)
    all_, down, across = sums
    for block in range(rows):
        sums[:] = _0
        count = 0
        for y in range(BLOCK * block, min(BLOCK * block + BLOCK, height), 2):
            count += 1
            _enlarge_row(mean, y, between, local)
            row = plane[y]
            for x in range(width):
                texture = np.float32(row[x]) - local[x]
                all_[x] += texture * texture
            if has_fine:
                above, below = plane[max(y - 1, 0)], plane[min(y + 1, height - 1)]
                for x in range(1, width - 1):
                    middle = (_1 - _INNER) * np.float32(row[x])
                    a = middle - _OUTER * (np.float32(above[x]) + np.float32(below[x]))
                    b = middle - _OUTER * (np.float32(row[x - 1]) + np.float32(row[x + 1]))
                    down[x] += a * a
                    across[x] += b * b
        for each in range(3):
            _average(sums[each], count, width, squares[each, block])


@compiled
def assemble(
    mixed: Floats, gain: Floats, offset: Floats, fine: Floats, has_fine: bool, result: Floats
) -> None:
    """Give contrast back to a mixture.

    Args:
        mixed: float32 (h, w), 0..255.
        gain: field: of the plane.
        offset: field: added to it then.
        fine: two fields: further gain of the fine structure across rows and across columns.
        has_fine: whether there is one.
        result: set to the result, float32 (h, w).
    """
    height, width = mixed.shape
    columns = gain.shape[1]
    between, scratch = np.empty(columns + 2, np.float32), np.empty((4, BLOCK * columns), np.float32)
    gains, offsets, down, across = scratch
    for y in range(height):
        _enlarge_row(gain, y, between, gains)
        _enlarge_row(offset, y, between, offsets)
        row, out = mixed[y], result[y]
        if not has_fine:
            for x in range(width):
                out[x] = row[x] * gains[x] + offsets[x]
            continue
        _enlarge_row(fine[0], y, between, down)
        _enlarge_row(fine[1], y, between, across)
        above, below = mixed[max(y - 1, 0)], mixed[min(y + 1, height - 1)]
        for x in range(1, width - 1):
            middle = (_1 - _INNER) * row[x]
            a = middle - _OUTER * (above[x] + below[x])
            b = middle - _OUTER * (row[x - 1] + row[x + 1])
            out[x] = row[x] * gains[x] + offsets[x] + down[x] * a + across[x] * b
        for x in (0, width - 1):
            out[x] = row[x] * gains[x] + offsets[x]


@compiled
def approach(plane: Floats, goal: Floats, share: Floats, result: Floats) -> None:
    """Set `result` to a plane that has gone `share`, a field, of the way to another."""
    height, width = plane.shape
    columns = share.shape[1]
    between, shares = np.empty(columns + 2, np.float32), np.empty(BLOCK * columns, np.float32)
    for y in range(height):
        _enlarge_row(share, y, between, shares)
        for x in range(width):
            result[y, x] = plane[y, x] + shares[x] * (goal[y, x] - plane[y, x])


@compiled
def quantize(plane: Floats, result: Plane) -> None:
    """Set `result` to a plane, rounded and clipped to uint8."""
    height, width = plane.shape
    for y in range(height):
        for x in range(width):
            result[y, x] = np.uint8(min(max(plane[y, x] + _HALF, _0), _255))


@compiled
def _enlarge_row(field: Floats, y: int, between: Floats, full: Floats) -> None:
    """Set `full` to row `y` of an enlarged field; `between` is for intermediate results."""
    rows, columns = field.shape
    position = (y + 0.5) / BLOCK - 0.5
    top = int(np.floor(position))
    share = np.float32(position - top)
    above, below = field[max(top, 0)], field[min(top + 1, rows - 1)]
    for x in range(columns):
        between[x + 1] = above[x] + share * (below[x] - above[x])
    between[0], between[columns + 1] = between[1], between[columns]
    for x in range(columns):
        left, middle, right = between[x], between[x + 1], between[x + 2]
        full[BLOCK * x] = _FAR * left + _NEAR * middle
        full[BLOCK * x + 1] = _FARTHEST * left + _NEAREST * middle
        full[BLOCK * x + 2] = _NEAREST * middle + _FARTHEST * right
        full[BLOCK * x + 3] = _NEAR * middle + _FAR * right


@compiled
def _average(sums: Floats, count: int, width: int, means: Floats) -> None:
    """Set a row of a field to the means of `count` rows, whose `width` sums are followed by 0."""
    columns = len(means)
    for x in range(columns):
        total = sums[BLOCK * x] + sums[BLOCK * x + 1] + sums[BLOCK * x + 2] + sums[BLOCK * x + 3]
        means[x] = total / (_BLOCK * np.float32(count))
    means[columns - 1] *= _BLOCK / np.float32(width - BLOCK * (columns - 1))
