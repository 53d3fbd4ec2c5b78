"""How much memory painting takes, estimated."""

from nst_video.frames import Size
from nst_video.networks.config import STRIDE, TransformerConfig

_FLOAT_BYTES = 4
_CELL_PICTURES = 2
"""Pictures of cells that painting in tiles keeps."""

_FRAME_BYTES = 2 * 3
"""Of a pixel's frame and painting."""

_PARTS_BYTES = 64 << 20
"""Of the compiled parts that paint tiles, of any size."""


def frame_bytes(config: TransformerConfig, size: Size, pictures: float) -> int:
    """Estimate what painting one frame whole takes besides the network itself.

    Args:
        config: shape of the network.
        size: (width, height) of the frame.
        pictures: how many full-size pictures of the first layer's width live at once.
    """
    per_pixel = pictures * config.widths[0] * _FLOAT_BYTES + _FRAME_BYTES
    return int(size[0] * size[1] * per_pixel)


def bands_bytes(config: TransformerConfig, size: Size, rows: int, pictures: float) -> int:
    """Estimate what painting one frame in tiles of `rows` rows takes."""
    width, height = size
    cells = _CELL_PICTURES * config.widths[2] * _FLOAT_BYTES / STRIDE**2
    tile = frame_bytes(config, (width, rows + 4 * STRIDE), pictures)
    return int(width * height * (cells + _FRAME_BYTES)) + tile + _PARTS_BYTES
