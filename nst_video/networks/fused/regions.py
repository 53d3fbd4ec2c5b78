"""Two styles in one frame: norms with statistics, scale and shift for each region of a soft mask.

With mean and variance of the whole frame, colors of both regions would drift towards each other.
For region r, with w_r its share of each pixel, at every normalized layer:

    mean_r = sum(w_r x) / sum(w_r),  variance_r = sum(w_r x^2) / sum(w_r) - mean_r^2
    y = sum over regions of  w_r (gamma_r (x - mean_r) / sqrt(variance_r + epsilon) + beta_r)

The mask is averaged to the resolution of each layer. Castillo et al. 2017 (arXiv 1701.02096) mask
two finished paintings instead; here strokes at the seam belong to both styles, without a halo.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Floats, Size
from nst_video.image.resize import resize_area
from nst_video.networks.config import STRIDE, TransformerConfig
from nst_video.networks.fused.backend import Backend, Tensor
from nst_video.networks.fused.norms import PHASES, FoldedNorms, is_blocks

REGIONS = 2

SMALL = 0.02
"""Share of the frame under which a region takes its statistics in part from the whole frame.

Those of a few pixels are noise; of none they do not exist. The part grows smoothly, so that nothing
jumps when a person leaves.
"""

SAMPLED_ROWS = 45
"""Rows of cells from which sampled statistics are taken, of frames that have twice as many."""

Resolution: TypeAlias = Literal["quarter", "half", "full"]

RESOLUTIONS: tuple[Resolution, ...] = ("quarter", "half", "full")

_MASK_LEVELS = 255

_Part: TypeAlias = tuple[slice, ...] | slice
"""Rows and columns."""


@dataclass(frozen=True, slots=True, eq=False)
class RegionMap:
    """A soft mask at the resolution of some layers, for one picture or a batch.

    Layers at a quarter of the resolution are in pixels (1 phase); the others in shifted blocks of
    2x2 pixels (4 phases), see `network`.

    Attributes:
        mask: (n, rows, columns, phases): share of the first region, 0..1.
        weights: (n, regions x phases, rows x columns): what a pixel counts in the statistics of a
            region; of each region they add up to 1. Pixels outside of the picture count nothing.
            None where statistics are known.
        step: statistics are those of one in so many rows of cells, and `weights` has only these.
    """

    mask: Tensor
    weights: Tensor = None
    step: int = 1


RegionMaps: TypeAlias = Mapping[Resolution, RegionMap]

Masks: TypeAlias = Mapping[Resolution, Floats]
"""`RegionMap.mask` at each resolution."""


def resolution_of(layer: str) -> Resolution:
    """Return the resolution of a normalized layer's output."""
    if not is_blocks(layer):
        return "quarter"
    return "half" if layer == "expand1" else "full"


def phases_of(resolution: Resolution) -> int:
    """Return the number of pixels in a cell of the layers at some resolution."""
    return 1 if resolution == "quarter" else PHASES


def map_shapes(size: Size) -> dict[Resolution, tuple[int, int]]:
    """Return rows and columns of the maps for pictures of `size` (width, height)."""
    columns, rows = (-(-side // STRIDE) for side in size)
    return {
        "quarter": (rows, columns),
        "half": (rows + 1, columns + 1),
        "full": (2 * rows + 1, 2 * columns + 1),
    }


def sampled_rows(rows: int, *, is_sampled: bool) -> range:
    """Return the rows of cells that statistics are taken from, of `rows` in all."""
    step = max(1, rows // SAMPLED_ROWS) if is_sampled else 1
    return range(step // 2, rows, step)


def region_maps(
    masks: NDArray[np.uint8], *, is_sampled: bool = False
) -> dict[Resolution, RegionMap]:
    """Return what the network needs of masks.

    Args:
        masks: uint8 (n, height, width): 255 is the first region.
        is_sampled: statistics are those of some rows, see `sampled_rows`: several times as fast.
    """
    each = [_maps_of(mask, is_sampled) for mask in masks]
    return {
        resolution: RegionMap(
            _batch([maps[resolution].mask for maps in each]),
            _batch([maps[resolution].weights for maps in each]),
            each[0][resolution].step,
        )
        for resolution in RESOLUTIONS
    }


def _batch(arrays: Sequence[Floats]) -> Floats:
    """Return arrays stacked; a single one, as OpenVINO takes them, is not copied."""
    return arrays[0][None] if len(arrays) == 1 else np.stack(arrays)


def _maps_of(mask: NDArray[np.uint8], is_sampled: bool) -> dict[Resolution, RegionMap]:
    """Return the maps of one mask (height, width), without the axis of the batch."""
    levels = mask_levels(mask)
    lent = lent_weights(levels)
    maps = {}
    for resolution, level in levels.items():
        cells = cells_of(level, resolution)
        here = sampled_rows(len(cells), is_sampled=is_sampled)
        if here.step == 1:
            weights = statistics_weights(level, resolution, lent)[0]
        else:
            weights = _sampled_weights(cells, here, resolution, lent)
        maps[resolution] = RegionMap(cells, weights, here.step)
    return maps


def _sampled_weights(
    cells: Floats, here: range, resolution: Resolution, lent: tuple[float, float]
) -> Floats:
    """Return the weights of some rows of cells, as `statistics_weights` does of all."""
    some = cells[here.start :: here.step].transpose(2, 0, 1)
    inside = np.ones(some.shape, np.float32)
    if phases_of(resolution) > 1:
        inside[:2, 0] *= float(here.start > 0)
        inside[2:, -1] *= float(here[-1] < len(cells) - 1)
        inside[0::2, :, 0] = inside[1::2, :, -1] = 0
    weights = np.stack([(some + lent[0]) * inside, (1 + lent[1] - some) * inside])
    totals = np.maximum(weights.sum((1, 2, 3), np.float64), np.finfo(np.float32).tiny)
    weights *= (1 / totals).astype(np.float32)[:, None, None, None]
    return weights.reshape(REGIONS * len(some), -1)


def mask_levels(mask: NDArray[np.uint8]) -> dict[Resolution, Floats]:
    """Return a mask, uint8 (height, width), as 0..1 at all resolutions, sides padded to whole."""
    extra = [(0, -side % STRIDE) for side in mask.shape]
    padded = np.pad(mask, extra, "reflect") if any(end for _, end in extra) else mask
    full = padded.astype(np.float32) * np.float32(1 / _MASK_LEVELS)
    height, width = full.shape
    half = resize_area(full, (width // 2, height // 2))
    return {"quarter": resize_area(half, (width // 4, height // 4)), "half": half, "full": full}


def cells_of(level: Floats, resolution: Resolution) -> Floats:
    """Return pixels (height, width) as cells (rows, columns, phases), the edge repeated."""
    if phases_of(resolution) == 1:
        return level[..., None]
    return _blocks(np.pad(level, 1, "edge"))


def lent_weights(levels: Mapping[Resolution, Floats]) -> tuple[float, float]:
    """Return what every pixel of the frame counts in each region besides its share, see `SMALL`."""
    share = float(levels["quarter"].mean())
    return max(0.0, SMALL - share), max(0.0, SMALL - (1 - share))


def statistics_weights(
    level: Floats, resolution: Resolution, lent: tuple[float, float], own: slice = slice(None)
) -> tuple[Floats, tuple[float, ...]]:
    """Return the weights of `RegionMap`, (regions x phases, rows x columns), and their sums before.

    Args:
        level: share of the first region (height, width), 0..1.
        resolution: of the level.
        lent: see `lent_weights`.
        own: rows that count.
    """
    height, width = level.shape
    first, last, _ = own.indices(height)
    covered = float(level[own].sum(dtype=np.float64))
    is_pixels = phases_of(resolution) == 1
    shape = (height, width, 1) if is_pixels else (height // 2 + 1, width // 2 + 1, PHASES)
    weights = np.zeros((REGIONS * shape[2], *shape[:2]), np.float32)
    totals = []
    for region, (sign, base) in enumerate(((1.0, lent[0]), (-1.0, 1 + lent[1]))):
        total = sign * covered + base * (last - first) * width
        totals.append(total)
        if total <= 0:
            continue
        factor, offset = np.float32(sign / total), np.float32(base / total)
        for phase in range(shape[2]):
            pixels, cells = (own, own) if is_pixels else _phase_of(phase, first, last, width)
            plane = weights[region * shape[2] + phase]
            np.multiply(level[pixels], factor, out=plane[cells])
            plane[cells] += offset
    return weights.reshape(len(weights), -1), tuple(totals)


def _phase_of(phase: int, first: int, last: int, width: int) -> tuple[_Part, _Part]:
    """Return where a phase of shifted blocks is: among pixels, and among blocks.

    Args:
        phase: of the block, (row, column).
        first: row of pixels.
        last: row of pixels after the last one.
        width: of the picture.
    """
    row, column = divmod(phase, 2)
    # Block i holds the pixels 2i-1 and 2i.
    top = first + (first + 1 + row) % 2
    rows, columns = range(top, last, 2), range(1 - column, width, 2)
    above, left = (top + 1 - row) // 2, 1 - column
    return (
        (slice(rows.start, rows.stop, 2), slice(columns.start, columns.stop, 2)),
        (slice(above, above + len(rows)), slice(left, left + len(columns))),
    )


def _blocks(padded: Floats) -> Floats:
    """Return pixels (2 rows, 2 columns) as blocks (rows, columns, 4)."""
    height, width = padded.shape
    blocks = np.empty((height // 2, width // 2, PHASES), np.float32)
    for phase in range(PHASES):
        blocks[..., phase] = padded[phase // 2 :: 2, phase % 2 :: 2]
    return blocks


def mix_regions(values: Floats, mask: Floats) -> Floats:
    """Return values of two regions (2, channels) at each pixel, given a mask (..., 1)."""
    return np.asarray(values[1] + mask * (values[0] - values[1]), np.float32)


class FoldedRegionNorms:
    """Norms with known statistics in two regions: styles hold scales and shifts."""

    def __init__(
        self, ops: Backend, config: TransformerConfig, styles: Sequence[Tensor], maps: RegionMaps
    ) -> None:
        """Prepare.

        Args:
            ops: the backend.
            config: shape of the network.
            styles: for each region a picture of 1x1 and `config.style_size` channels.
            maps: tensors.
        """
        self._ops = ops
        self._regions = [FoldedNorms(ops, config, style) for style in styles]
        self._maps = maps

    def __call__(self, layer: str, x: Tensor) -> Tensor:
        """Apply the norm of `layer`."""
        return self._apply(layer, x, [region.parameters(layer) for region in self._regions])

    def _apply(self, layer: str, x: Tensor, affines: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        """Scale and shift `x` in each region; the first region's as the difference to the other."""
        (scale, shift), (base_scale, base_shift) = affines
        mask = self._maps[resolution_of(layer)].mask
        vectors = [scale - base_scale, shift - base_shift, base_scale, base_shift]
        # In one picture first: otherwise engines merge roots and divisions into what they compute
        # for every pixel.
        packed = self._ops.concat(vectors, "rows")
        vectors = [self._ops.slice(packed, "rows", row, row + 1) for row in range(len(vectors))]
        if is_blocks(layer):
            mask = self._ops.repeat_channels(mask, self._regions[0].channels(layer))
        scale, shift, base_scale, base_shift = (
            _for_phases(self._ops, layer, each) for each in vectors
        )
        return x * base_scale + base_shift + mask * (x * scale + shift)


class ExactRegionNorms(FoldedRegionNorms):
    """Norms with the statistics of the picture's regions themselves."""

    def __call__(self, layer: str, x: Tensor) -> Tensor:
        """Apply the norm of `layer`."""
        ops, channels = self._ops, self._regions[0].channels(layer)
        here = self._maps[resolution_of(layer)]
        weights, sample = here.weights, x
        if here.step > 1:
            sample = ops.every(x, "rows", here.step)
        means = region_sums(ops, layer, sample, channels, weights)
        # From the middle of both means: the difference of two large numbers would lose precision.
        middle = reduce(add, means) * ops.vector(np.full(channels, 1 / REGIONS, np.float32))
        centered = sample - _for_phases(ops, layer, middle)
        squares = region_sums(ops, layer, centered * centered, channels, weights)
        affines = []
        for region, mean, square in zip(self._regions, means, squares, strict=True):
            gamma, beta = region.parameters(layer)
            off = mean - middle
            # Rounding may make the variance of a flat picture negative.
            scale = gamma * ops.inverse_std(ops.relu(square - off * off))
            affines.append((scale, beta - mean * scale))
        return self._apply(layer, x, affines)


def _for_phases(ops: Backend, layer: str, vector: Tensor) -> Tensor:
    """Return a value for each channel of a layer's picture, given one for each of the layer."""
    return ops.concat([vector] * PHASES, "channels") if is_blocks(layer) else vector


def region_sums(
    ops: Backend, layer: str, x: Tensor, channels: int, weights: Tensor
) -> list[Tensor]:
    """Return for each region the weighted sum over all pixels: pictures of 1x1.

    Args:
        ops: the backend.
        layer: a normalized layer.
        x: its picture.
        channels: of the layer; in blocks there are four times as many.
        weights: see `RegionMap`.
    """
    phases = phases_of(resolution_of(layer))
    sums = ops.weighted_sums(x, weights)
    parts = [
        ops.slice(ops.slice(sums, "rows", row, row + 1), "channels", start, start + channels)
        for row in range(REGIONS * phases)
        for start in [row % phases * channels]
    ]
    return [
        reduce(add, parts[start : start + phases]) for start in range(0, REGIONS * phases, phases)
    ]


def region_moments(ops: Backend, layer: str, x: Tensor, channels: int, weights: Tensor) -> Tensor:
    """Return mean and variance in each region over the rows that belong to a tile.

    Args:
        ops: the backend.
        layer: a normalized layer.
        x: the tile's picture before that norm.
        channels: of the layer.
        weights: see `RegionMap`; 0 for rows that are not the tile's own.

    Returns:
        A picture of two rows, one for each region: means in the first column, variances in the
        second.
    """
    rows = []
    for region, mean in enumerate(region_sums(ops, layer, x, channels, weights)):
        # Subtract the mean first: the difference of two large numbers would lose precision.
        centered = x - _for_phases(ops, layer, mean)
        squares = region_sums(ops, layer, centered * centered, channels, weights)
        rows.append(ops.concat([mean, squares[region]], "columns"))
    return ops.concat(rows, "rows")
