"""Painting one frame tile by tile, for frames that do not fit into memory; same output.

A tile is a range of rows and the full width, so it is contiguous in memory. It is computed from a
window that is larger by a halo above and below: the wrong values that padding at the window's edge
causes stay inside the halo. At the edges of the frame the padding is correct. So tiles run through
the same network as whole frames.

Instance norm needs the statistics of the whole frame. Only the encoder's feature map, at a quarter
of the resolution, is kept in memory. The residual layers update it in place, one norm at a time.
The last three layers are computed from it four times: up to each of their norms to measure its
statistics, then to the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nst_video.engines.base import SecondStyle
from nst_video.engines.tile_regions import TileRegions
from nst_video.frames import Floats, Frame, Frames
from nst_video.networks.config import STRIDE, TransformerConfig
from nst_video.networks.fused.norms import PHASES
from nst_video.networks.fused.regions import Masks, mix_regions
from nst_video.networks.fused.statistics import Statistics, norm_slices

Painted: TypeAlias = NDArray[Any]
"""uint8, or float32 of 0..1: what `TileNetwork` returns."""

HALO = 2
"""Rows of the feature map above and below a tile: 8 pixels, as 7 are wrong after the encoder and 7
after the decoder."""

EXPANDING = {"expand1": 2, "expand2": 4, "expand3": 4}
"""The decoder's layers: rows of pixels for each row of the feature map."""


class TileNetwork(Protocol):
    """The parts of a fused transformer that painting in tiles needs, on one backend.

    Feature maps are float32 (1, rows, columns, channels), at a quarter of the frame's resolution.
    """

    @property
    def dtype(self) -> DTypeLike:
        """Type of the painted rows: uint8, or float32 of 0..1."""
        ...

    def encode(self, rows: Frames) -> Floats:
        """Return the encoder's feature map of rows of a frame (1, rows, width, 3), uint8 RGB."""
        ...

    def residual(
        self,
        layer: str,
        features: Floats,
        affine: Floats | None,
        weights: Floats,
        masks: Masks | None = None,
    ) -> tuple[Floats, Floats]:
        """Apply a convolution of a residual block, and measure the statistics of the tile's rows.

        Args:
            layer: name of the convolution.
            features: its input, before `affine`.
            affine: (regions, 2 x channels), scale and shift of the norm before it, applied with a
                ReLU; None to apply neither.
            weights: weight of each row in the statistics, see `norms.tile_moments`; for two styles
                that of each pixel, see `regions.RegionMap`.
            masks: of the window, for two styles.

        Returns:
            The feature map, and (regions, 2, channels): means, variances.
        """
        ...

    def measure(
        self,
        layer: str,
        features: Floats,
        style: Floats,
        weights: Floats,
        masks: Masks | None = None,
    ) -> Floats:
        """Return the statistics of a decoder layer's output, (regions, 2, channels), as above.

        Args:
            layer: "expand1", "expand2" or "expand3".
            features: input of the decoder.
            style: scales and shifts (regions, style_size) of the layers before it, see
                `Statistics.fold`.
            weights: as for `residual`.
            masks: of the window, for two styles.
        """
        ...

    def finish(
        self, features: Floats, style: Floats, width: int, masks: Masks | None = None
    ) -> Painted:
        """Return the painted rows (1, rows, width, 3), RGB; arguments as for `measure`."""
        ...


@dataclass(frozen=True, slots=True)
class Tile:
    """Rows of the feature map.

    Attributes:
        window: rows that are computed, the halo included.
        own: rows whose values are correct and kept.
    """

    window: slice
    own: slice

    @property
    def inner(self) -> slice:
        """`own`, relative to the first row of `window`."""
        return slice(self.own.start - self.window.start, self.own.stop - self.window.start)


def plan_tiles(rows: int, max_rows: int) -> list[Tile]:
    """Divide `rows` of a feature map into tiles of at most `max_rows`, with equal windows."""
    count = -(-rows // max_rows)
    step = -(-rows // count)
    height = min(rows, step + 2 * HALO)
    tiles = []
    for start in range(0, rows, step):
        first = min(max(start - HALO, 0), rows - height)
        tiles.append(Tile(slice(first, first + height), slice(start, min(start + step, rows))))
    return tiles


def paint_in_tiles(
    network: TileNetwork,
    config: TransformerConfig,
    frame: Frame,
    style: Floats,
    rows: int,
    second: SecondStyle | None = None,
) -> Painted:
    """Paint one frame tile by tile.

    Args:
        network: the parts of the network.
        config: its shape.
        frame: (height, width, 3), uint8 RGB.
        style: style parameters (1, `config.style_size`).
        rows: height of a tile in pixels; at least `STRIDE`.
        second: another style for a part of the frame.

    Returns:
        The painted frame (height, width, 3), RGB, of type `network.dtype`.
    """
    tiled = _TiledPass(network, config, frame, style, rows, second)
    x = tiled.encode()
    tiled.transform(x)
    tiled.measure(x)
    return tiled.finish(x)


class _TiledPass:
    """The passes over one frame; between them feature maps have no batch axis."""

    def __init__(
        self,
        network: TileNetwork,
        config: TransformerConfig,
        frame: Frame,
        style: Floats,
        rows: int,
        second: SecondStyle | None,
    ) -> None:
        self._network = network
        self._config = config
        self._frame = frame
        self._style = style if second is None else np.concatenate([style, second.style])
        self._regions = None if second is None else TileRegions(second.masks[0])
        self._statistics = Statistics.blank(config, len(self._style))
        self._slices = norm_slices(config)
        self._tiles = plan_tiles(-(-frame.shape[0] // STRIDE), max(1, rows // STRIDE))

    def encode(self) -> Floats:
        """Return the feature map of the whole frame."""
        height, width = self._frame.shape[:2]
        features = np.empty(
            (-(-height // STRIDE), -(-width // STRIDE), self._config.widths[2]), "f4"
        )
        for tile in self._tiles:
            features[tile.own] = self._network.encode(self._rows(tile)[None])[0, tile.inner]
        return features

    def _rows(self, tile: Tile) -> Frame:
        """Return the pixels of a tile's window; below the frame, padded by reflection."""
        start, stop = STRIDE * tile.window.start, STRIDE * tile.window.stop
        beyond = stop - self._frame.shape[0]
        if beyond <= 0:
            return self._frame[start:stop]
        return np.pad(self._frame[start:stop], ((0, beyond), (0, 0), (0, 0)), "reflect")

    def transform(self, x: Floats) -> None:
        """Run the residual blocks over the feature map `x`, in place."""
        y = np.empty_like(x)
        for block in range(1, self._config.residual_blocks + 1):
            first, second = f"residual{block}_conv1", f"residual{block}_conv2"
            self._convolve(first, x, None, y)
            self._convolve(second, y, self._affine(first), y)
            for tile in self._tiles:
                scale, shift = np.split(self._affine_of(second, tile), 2, axis=-1)
                y[tile.own] *= scale
                y[tile.own] += shift
                x[tile.own] += y[tile.own]

    def _affine_of(self, layer: str, tile: Tile) -> Floats:
        """Return scale and shift of the rows of a tile; with two styles, those of each pixel."""
        affine = self._affine(layer)
        if self._regions is None:
            return affine
        mask = self._regions.masks(tile.own)["quarter"][0]
        return mix_regions(affine, mask)

    def _convolve(self, layer: str, x: Floats, affine: Floats | None, y: Floats) -> None:
        """Apply a layer to the feature map `x`; write its output to `y`, which may be `x`."""
        moments, totals = [], []
        above = None
        for tile in self._tiles:
            window = x[tile.window]
            if x is y and above is not None:
                window = window.copy()
                window[tile.inner.start - 1] = above
            above = x[tile.own.stop - 1].copy()
            weights, counts = self._weights(layer, tile, x.shape[1])
            masks = self._masks(tile)
            features, own = self._network.residual(layer, window[None], affine, weights, masks)
            y[tile.own] = features[0, tile.inner]
            moments.append(own)
            totals.append(counts)
        self._keep(layer, moments, totals)

    def _masks(self, tile: Tile) -> Masks | None:
        return None if self._regions is None else self._regions.masks(tile.window)

    def _weights(self, layer: str, tile: Tile, columns: int) -> tuple[Floats, tuple[float, ...]]:
        """Return a tile's weights in the statistics, and how much each region has of the tile."""
        if self._regions is not None:
            return self._regions.weights(layer, tile.window, tile.inner)
        rows = tile.own.stop - tile.own.start
        if layer not in EXPANDING:
            return _weights(tile, columns), (rows,)
        here = self._slices[layer]
        return _block_weights(tile, columns, EXPANDING[layer], here.stop - here.start), (rows,)

    def _affine(self, layer: str) -> Floats:
        """Return scale and shift (regions, 2 x channels) of a layer whose statistics are known."""
        scale, shift = np.split(self._statistics.fold(self._style), 2, axis=1)
        here = self._slices[layer]
        return np.concatenate([scale[:, here], shift[:, here]], axis=1)

    def measure(self, x: Floats) -> None:
        """Measure the statistics of the decoder's layers."""
        for layer in EXPANDING:
            style = self._statistics.fold(self._style)
            moments, totals = [], []
            for tile in self._tiles:
                weights, counts = self._weights(layer, tile, x.shape[1])
                window, masks = x[None, tile.window], self._masks(tile)
                moments.append(self._network.measure(layer, window, style, weights, masks))
                totals.append(counts)
            self._keep(layer, moments, totals)

    def _keep(self, layer: str, moments: list[Floats], totals: Sequence[tuple[float, ...]]) -> None:
        """Combine the statistics of the tiles into those of the layer, for each region."""
        for region, shares in enumerate(zip(*totals, strict=True)):
            own = np.asarray([each[region] for each in moments], np.float64)
            means, variances = own.swapaxes(0, 1)
            mean = np.average(means, axis=0, weights=shares)
            variance = np.average(variances + (means - mean) ** 2, axis=0, weights=shares)
            self._statistics.mean[region, self._slices[layer]] = mean
            self._statistics.variance[region, self._slices[layer]] = variance

    def finish(self, x: Floats) -> Painted:
        """Return the painted frame."""
        height, width = self._frame.shape[:2]
        style = self._statistics.fold(self._style)
        painted = np.empty(self._frame.shape, self._network.dtype)
        for tile in self._tiles:
            window, masks = x[None, tile.window], self._masks(tile)
            rows = self._network.finish(window, style, width, masks)[0]
            start, stop = STRIDE * tile.own.start, min(STRIDE * tile.own.stop, height)
            first = STRIDE * tile.inner.start
            painted[start:stop] = rows[first : first + stop - start]
        return painted


def _weights(tile: Tile, columns: int) -> Floats:
    """Return the weight of each row of a window in the statistics: (1, rows, 1, 1)."""
    weights = np.zeros((1, tile.window.stop - tile.window.start, 1, 1), np.float32)
    weights[:, tile.inner] = 1 / (columns * (tile.own.stop - tile.own.start))
    return weights


def _block_weights(tile: Tile, columns: int, enlarged: int, channels: int) -> Floats:
    """Return the weight of each pixel of shifted blocks in the statistics of a window.

    There are `enlarged` pixel rows for each row of the feature map, and one more on either side,
    outside of the picture.

    Returns:
        (1, rows of blocks, 1, 4 channels).
    """
    features = np.pad(_weights(tile, columns).ravel().repeat(enlarged), 1)
    features /= enlarged**2
    return features.reshape(-1, 2).repeat(PHASES // 2 * channels, axis=1)[None, :, None]
