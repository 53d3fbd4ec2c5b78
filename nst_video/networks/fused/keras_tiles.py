"""Painting in tiles in `keras.ops`; see `engines.tiles`."""

from collections.abc import Mapping

import numpy as np
from keras import ops
from numpy.typing import DTypeLike, NDArray

from nst_video.frames import Floats
from nst_video.networks.config import STRIDE, TransformerConfig
from nst_video.networks.fused import network
from nst_video.networks.fused.convolutions import PIXEL_SCALE, Convolution
from nst_video.networks.fused.keras_backend import KerasBackend
from nst_video.networks.fused.network import Normalize
from nst_video.networks.fused.norms import FoldedNorms, tile_moments
from nst_video.networks.fused.regions import (
    FoldedRegionNorms,
    Masks,
    RegionMap,
    mix_regions,
    region_moments,
)
from nst_video.networks.transformer import Tensor


class KerasTiles:
    """`engines.tiles.TileNetwork`: without compilation, so tiles may have any height.

    Attributes:
        dtype: of the painted rows.
    """

    def __init__(
        self,
        config: TransformerConfig,
        convolutions: Mapping[str, Convolution],
        dtype: str = "float32",
        *,
        as_bytes: bool = True,
    ) -> None:
        """Store the network.

        Args:
            config: its shape.
            convolutions: as `convolutions.fuse_transformer` returns them.
            dtype: type in which the convolutions compute; everything else is float32.
            as_bytes: paint uint8, not float32 of 0..1.
        """
        self.dtype: DTypeLike = np.uint8 if as_bytes else np.float32
        self._config = config
        self._convolutions = convolutions
        self._ops = KerasBackend(dtype)

    def encode(self, rows: NDArray[np.uint8]) -> Floats:
        """See `TileNetwork.encode`."""
        content = self._ops.content(ops.cast(rows, "float32"))
        return _array(network.encode(self._ops, self._convolutions, content))

    def residual(
        self,
        layer: str,
        features: Floats,
        affine: Floats | None,
        weights: Floats,
        masks: Masks | None = None,
    ) -> tuple[Floats, Floats]:
        """See `TileNetwork.residual`."""
        x = ops.convert_to_tensor(features)
        if affine is not None:
            each = affine[0] if masks is None else mix_regions(affine, masks["quarter"])
            scale, shift = np.split(each, 2, axis=-1)
            x = ops.relu(x * scale + shift)
        x = network.residual(self._ops, self._convolutions[layer], x)
        return _array(x), self._moments(layer, x, int(x.shape[-1]), weights, masks)

    def measure(
        self,
        layer: str,
        features: Floats,
        style: Floats,
        weights: Floats,
        masks: Masks | None = None,
    ) -> Floats:
        """See `TileNetwork.measure`."""
        x = network.expand(
            self._ops,
            self._config,
            self._convolutions,
            ops.convert_to_tensor(features),
            self._norms(style, masks),
            layer,
        )
        return self._moments(layer, x, int(x.shape[-1]) // 4, weights, masks)

    def finish(
        self, features: Floats, style: Floats, width: int, masks: Masks | None = None
    ) -> NDArray[np.uint8] | Floats:
        """See `TileNetwork.finish`."""
        x = ops.convert_to_tensor(features)
        norms = self._norms(style, masks)
        blocks = network.finish(self._ops, self._config, self._convolutions, x, norms)
        painted = _array(self._ops.pixels(blocks, STRIDE * features.shape[1], width))
        if self.dtype == np.float32:
            return painted
        return (painted * PIXEL_SCALE).round().astype(np.uint8)

    def _norms(self, style: Floats, masks: Masks | None) -> Normalize:
        styles = [ops.convert_to_tensor(each)[None, None, None] for each in style]
        if masks is None:
            return FoldedNorms(self._ops, self._config, styles[0])
        maps = {key: RegionMap(ops.convert_to_tensor(mask)) for key, mask in masks.items()}
        return FoldedRegionNorms(self._ops, self._config, styles, maps)

    def _moments(
        self, layer: str, x: Tensor, channels: int, weights: Floats, masks: Masks | None
    ) -> Floats:
        measure = tile_moments if masks is None else region_moments
        return _array(measure(self._ops, layer, x, channels, ops.convert_to_tensor(weights))[0])


def _array(x: Tensor) -> Floats:
    return np.asarray(ops.convert_to_numpy(x), np.float32)
