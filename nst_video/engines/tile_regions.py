"""Two styles in a frame that is painted in tiles: the parts of the mask that a tile needs."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Floats
from nst_video.networks.fused.regions import (
    Resolution,
    cells_of,
    lent_weights,
    mask_levels,
    resolution_of,
    statistics_weights,
)

ROWS: Mapping[Resolution, int] = {"quarter": 1, "half": 2, "full": 4}
"""Rows of the mask for each row of the feature map at a quarter of the resolution."""


class TileRegions:
    """The mask of one frame at all resolutions."""

    def __init__(self, mask: NDArray[np.uint8]) -> None:
        """Shrink the mask, uint8 (height, width): 255 where the first style is."""
        self._levels = mask_levels(mask)
        self._lent = lent_weights(self._levels)

    def masks(self, window: slice) -> dict[Resolution, Floats]:
        """Return the mask of a window of rows of the feature map, as `RegionMap.mask` has it."""
        return {
            resolution: cells_of(self._window(resolution, window), resolution)[None]
            for resolution in self._levels
        }

    def weights(self, layer: str, window: slice, inner: slice) -> tuple[Floats, tuple[float, ...]]:
        """Return what the pixels of a window count in the statistics of both regions.

        Args:
            layer: a normalized layer.
            window: rows of the feature map.
            inner: those of them, relative to the first, that count.

        Returns:
            (1, regions x phases, rows x columns), as `RegionMap.weights`, and what each region has
            of the tile.
        """
        resolution = resolution_of(layer)
        rows = ROWS[resolution]
        level = self._window(resolution, window)
        own = slice(rows * inner.start, rows * inner.stop)
        weights, totals = statistics_weights(level, resolution, self._lent, own)
        return weights[None], totals

    def _window(self, resolution: Resolution, window: slice) -> Floats:
        rows = ROWS[resolution]
        return self._levels[resolution][rows * window.start : rows * window.stop]
