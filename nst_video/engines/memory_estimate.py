"""Estimates of the memory that painting takes, in bytes."""

from nst_video.frames import Size
from nst_video.networks.config import STRIDE, TransformerConfig

_FLOAT_BYTES = 4
_FEATURE_COPIES = 2
"""Feature maps of the whole frame that painting in tiles keeps."""

_FRAME_BYTES = 2 * 3
"""Bytes per pixel of input and output frame."""

_SUBGRAPH_BYTES = 64 << 20
"""Of the compiled subgraphs that paint tiles, whatever their size."""


def frame_bytes(config: TransformerConfig, size: Size, feature_maps: float) -> int:
    """Estimate the bytes that painting one whole frame takes besides the network itself.

    Args:
        config: shape of the network.
        size: (width, height) of the frame.
        feature_maps: see `EngineCapabilities.peak_feature_maps`.
    """
    per_pixel = feature_maps * config.widths[0] * _FLOAT_BYTES + _FRAME_BYTES
    return int(size[0] * size[1] * per_pixel)


def tiles_bytes(config: TransformerConfig, size: Size, rows: int, feature_maps: float) -> int:
    """Estimate the bytes that painting one frame in tiles of `rows` pixel rows takes."""
    width, height = size
    features = _FEATURE_COPIES * config.widths[2] * _FLOAT_BYTES / STRIDE**2
    tile = frame_bytes(config, (width, rows + 4 * STRIDE), feature_maps)
    return int(width * height * (features + _FRAME_BYTES)) + tile + _SUBGRAPH_BYTES
