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

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nst_video.frames import Floats, Frame, Frames
from nst_video.networks.config import STRIDE, TransformerConfig
from nst_video.networks.fused.norms import PHASES
from nst_video.networks.fused.statistics import Statistics, norm_slices

Painted: TypeAlias = NDArray[Any]
"""uint8, or float32 of 0..1: what `TileNetwork` returns."""

HALO = 2
"""Rows of the feature map above and below a tile: 8 pixels, as 7 are wrong after the encoder and 7
after the decoder."""

EXPANDING = ("expand1", "expand2", "expand3")


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
        self, layer: str, features: Floats, affine: Floats | None, weights: Floats
    ) -> tuple[Floats, Floats]:
        """Apply a convolution of a residual block, and measure the statistics of the tile's rows.

        Args:
            layer: name of the convolution.
            features: its input, before `affine`.
            affine: (1, 2 x channels), scale and shift of the norm before it, applied with a ReLU;
                None to apply neither.
            weights: weight of each row in the statistics, see `norms.tile_moments`.

        Returns:
            The feature map, and (2, channels): means, variances.
        """
        ...

    def measure(self, layer: str, features: Floats, style: Floats, weights: Floats) -> Floats:
        """Return the statistics (2, channels) of a decoder layer's output: means, variances.

        Args:
            layer: "expand1", "expand2" or "expand3".
            features: input of the decoder.
            style: scales and shifts (1, style_size) of the layers before it, see
                `Statistics.fold`.
            weights: weight of each row in the statistics, see `norms.tile_moments`.
        """
        ...

    def finish(self, features: Floats, style: Floats, width: int) -> Painted:
        """Return the painted rows (1, rows, width, 3), RGB; `style` as for `measure`."""
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
) -> Painted:
    """Paint one frame tile by tile.

    Args:
        network: the parts of the network.
        config: its shape.
        frame: (height, width, 3), uint8 RGB.
        style: style parameters (1, `config.style_size`).
        rows: height of a tile in pixels; at least `STRIDE`.

    Returns:
        The painted frame (height, width, 3), RGB, of type `network.dtype`.
    """
    tiled = _TiledPass(network, config, frame, style, rows)
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
    ) -> None:
        self._network = network
        self._config = config
        self._frame = frame
        self._style = style
        self._statistics = Statistics.blank(config)
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
            scale, shift = np.split(self._affine(second), 2, axis=1)
            for tile in self._tiles:
                y[tile.own] *= scale
                y[tile.own] += shift
                x[tile.own] += y[tile.own]

    def _convolve(self, layer: str, x: Floats, affine: Floats | None, y: Floats) -> None:
        """Apply a layer to the feature map `x`; write its output to `y`, which may be `x`."""
        moments = []
        above = None
        for tile in self._tiles:
            window = x[tile.window]
            if x is y and above is not None:
                window = window.copy()
                window[tile.inner.start - 1] = above
            above = x[tile.own.stop - 1].copy()
            weights = _weights(tile, x.shape[1])
            features, own = self._network.residual(layer, window[None], affine, weights)
            y[tile.own] = features[0, tile.inner]
            moments.append(own)
        self._keep(layer, moments)

    def _affine(self, layer: str) -> Floats:
        """Return scale and shift (1, 2 x channels) of a layer whose statistics are known."""
        scale, shift = np.split(self._statistics.fold(self._style), 2, axis=1)
        here = self._slices[layer]
        return np.concatenate([scale[:, here], shift[:, here]], axis=1)

    def measure(self, x: Floats) -> None:
        """Measure the statistics of the decoder's layers."""
        for layer, enlarged in zip(EXPANDING, (2, 4, 4), strict=True):
            here = self._slices[layer]
            style = self._statistics.fold(self._style)
            moments = []
            for tile in self._tiles:
                weights = _block_weights(tile, x.shape[1], enlarged, here.stop - here.start)
                moments.append(self._network.measure(layer, x[None, tile.window], style, weights))
            self._keep(layer, moments)

    def _keep(self, layer: str, moments: list[Floats]) -> None:
        """Combine the statistics of the tiles into those of the layer."""
        means, variances = np.asarray(moments, np.float64).swapaxes(0, 1)
        shares = [tile.own.stop - tile.own.start for tile in self._tiles]
        mean = np.average(means, axis=0, weights=shares)
        variance = np.average(variances + (means - mean) ** 2, axis=0, weights=shares)
        self._statistics.mean[:, self._slices[layer]] = mean
        self._statistics.variance[:, self._slices[layer]] = variance

    def finish(self, x: Floats) -> Painted:
        """Return the painted frame."""
        height, width = self._frame.shape[:2]
        style = self._statistics.fold(self._style)
        painted = np.empty(self._frame.shape, self._network.dtype)
        for tile in self._tiles:
            rows = self._network.finish(x[None, tile.window], style, width)[0]
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
