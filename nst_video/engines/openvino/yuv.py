"""The network for YUV 4:2:0 frames on OpenVINO: the conversion to RGB and back is in the graph.

On a CPU, arithmetic on whole planes costs next to nothing and moving single bytes costs a lot, as
do convolutions with a few channels. So even and odd columns are parted and woven once, and chroma
is never enlarged: measured at 1280x720, both ways together take 1.5 (bfloat16) to 2.5 ms of one
core more than RGB.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Literal

import numpy as np

from nst_video.engines.openvino.backend import OpenVinoBackend, integers, style_inputs
from nst_video.engines.openvino.quantization import Node
from nst_video.frames import Floats, Size
from nst_video.image.yuv420 import OUTPUT_COLORS, ColorMap, YuvColors, yuv_shape
from nst_video.networks.config import STRIDE, TransformerConfig
from nst_video.networks.fused import network
from nst_video.networks.fused.convolutions import PIXEL_SCALE, Convolution
from nst_video.networks.fused.network import MARGIN

if TYPE_CHECKING:
    import openvino


def build_yuv_model(
    config: TransformerConfig,
    convolutions: Mapping[str, Convolution],
    size: Size,
    colors: YuvColors,
    *,
    two_styles: bool = False,
    is_sampled: bool = False,
) -> "openvino.Model":
    """Return the graph that paints one picture of `size`, both sides even.

    Its inputs are a YUV frame, uint8 (1, height * 3 / 2, width), and those of `style_inputs`; its
    output is a YUV frame in `OUTPUT_COLORS`. The colors are no input, because an input would be
    rounded to bfloat16 where the convolutions are computed in it.
    """
    graph = OpenVinoBackend()
    yuv = graph.op.parameter([1, *yuv_shape(size)], np.uint8, name="yuv")
    norms, inputs = style_inputs(graph, config, size, two_styles, is_sampled)
    content = _to_content(graph, yuv, colors.to_rgb(), size)
    blocks = network.paint(graph, config, convolutions, content, norms)
    return graph.make_model({"painted": _rgb_to_yuv(graph, blocks, size)}, [yuv, *inputs])


def _to_content(graph: OpenVinoBackend, yuv: Node, to_rgb: ColorMap, size: Size) -> Node:
    """Turn a YUV frame into padded column blocks of RGB, rounded and clipped to 0..255."""
    op, (width, height) = graph.op, size
    rows = np.pad(np.arange(height), (0, -height % STRIDE), "reflect")
    rows = np.pad(rows, MARGIN, "reflect")
    luma = op.gather(_cut(graph, yuv, 1, 0, height), rows, 1)
    luma = op.reshape(luma, integers(1, len(rows), width // 2, 2), False)
    luma = graph.to_nchw(luma)
    chroma = _cut(graph, yuv, 1, height, yuv_shape(size)[0])
    chroma = op.reshape(chroma, integers(1, 2, height // 2, width // 2), False)
    chroma = op.gather(chroma, rows // 2, 2)
    luma_columns, chromas = _part(graph, luma, 1), _part(graph, chroma, 1)
    colors = []
    for column in (0, 1):
        yuv = [
            op.convert(_pad_columns(graph, plane, column, -width % STRIDE), np.float32)
            for plane in (luma_columns[column], *chromas)
        ]
        for weights in to_rgb:
            color = _mix(graph, yuv, weights)
            colors.append(op.clamp(op.round(color, "half_to_even"), 0, PIXEL_SCALE))
    return graph.concat(colors, "channels")


def _pad_columns(graph: OpenVinoBackend, plane: Node, column: int, extra: int) -> Node:
    """Pad the even (0) or odd (1) columns of a picture as reflection pads the picture.

    Reflection keeps them apart. On the left it repeats the first odd column and not the first even
    one, on the right the last even one and not the last odd one.
    """
    modes: tuple[Literal["symmetric", "reflect"], ...] = ("symmetric", "reflect")
    left, right = modes if column else modes[::-1]
    if extra:
        plane = graph.pad(plane, (0, 0), (0, extra // 2), right)
    plane = graph.pad(plane, (0, 0), (MARGIN // 2, 0), left)
    return graph.pad(plane, (0, 0), (0, MARGIN // 2), right)


def _rgb_to_yuv(graph: OpenVinoBackend, blocks: Node, size: Size) -> Node:
    """Turn shifted blocks of 0..1 into a YUV frame, uint8, of the RGB that rounding gives."""
    op, (width, height) = graph.op, size
    _, channels, rows, columns = blocks.get_output_shape(0)
    pixels = _as_bytes(graph, blocks * graph.number(PIXEL_SCALE))
    # With three axes: OpenVINO moves the channels of four last, where every cut costs a lot.
    pixels = op.reshape(pixels, integers(channels, rows, columns), False)
    to_yuv = OUTPUT_COLORS.from_rgb()
    lines, colors = [], []
    for row in (0, 1):
        line = []
        for column in (0, 1):
            rgb = _take_pixel(graph, pixels, row, column, size)
            line.append(_as_bytes(graph, _mix(graph, rgb, to_yuv[0])))
            colors.append(rgb)
        lines.append(op.reshape(op.concat(line, 2), integers(height // 2, 1, width), False))
    luma = op.reshape(op.concat(lines, 1), integers(1, height, width), False)
    woven = np.arange(width).reshape(2, width // 2).T.ravel()
    sums = [reduce(add, same) for same in zip(*colors, strict=True)]
    parts = [_mix(graph, sums, weights / [4, 4, 4, 1]) for weights in to_yuv[1:]]
    chroma = op.concat([_as_bytes(graph, part) for part in parts], 0)
    chroma = op.reshape(chroma, integers(1, height // 2, width), False)
    return op.concat([op.gather(luma, woven, 2), chroma], 1)


def _take_pixel(
    graph: OpenVinoBackend, pixels: Node, row: int, column: int, size: Size
) -> list[Node]:
    """Return red, green and blue, float32 (1, rows, columns), of one pixel of every 2x2.

    The blocks are shifted by a pixel: the first one of a picture's 2x2 is the last of a block.
    """
    width, height = size
    first = 3 * (3 - 2 * row - column)
    x = _cut(graph, pixels, 0, first, first + 3)
    x = _cut(graph, _cut(graph, x, 1, row, row + height // 2), 2, column, column + width // 2)
    return [graph.op.convert(color, np.float32) for color in _part(graph, x, 0)]


def _mix(graph: OpenVinoBackend, values: Sequence[Node], weights: Floats) -> Node:
    """Return a weighted sum of three values, and the last of the weights."""
    *factors, offset = (graph.number(weight) for weight in weights)
    return reduce(add, (x * factor for x, factor in zip(values, factors, strict=True))) + offset


def _as_bytes(graph: OpenVinoBackend, x: Node) -> Node:
    """Round what lies within 0..255 to uint8."""
    return graph.op.convert(x + graph.number(0.5), np.uint8)


def _cut(graph: OpenVinoBackend, x: Node, axis: int, start: int, stop: int) -> Node:
    """Return a slice along an axis."""
    return graph.op.slice(x, *(integers(value) for value in (start, stop, 1, axis)))


def _part(graph: OpenVinoBackend, x: Node, axis: int) -> list[Node]:
    """Return the slices of length 1 along an axis."""
    length = x.get_output_shape(0)[axis]
    return [_cut(graph, x, axis, start, start + 1) for start in range(length)]
