"""The fused transformer as an OpenVINO graph.

Tensors are (n, channels, rows, columns) in the graph, as OpenVINO's convolutions expect; its CPU
plugin stores channels last in memory nevertheless.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from nst_video.engines.openvino.quantization import Node, convolve_bytes, keep_float32
from nst_video.frames import Size
from nst_video.networks.config import NORM_EPSILON, STRIDE, TransformerConfig
from nst_video.networks.fused import network
from nst_video.networks.fused.backend import Arrange, Axis
from nst_video.networks.fused.convolutions import PIXEL_SCALE, Convolution
from nst_video.networks.fused.network import EDGE, MARGIN, Normalize
from nst_video.networks.fused.norms import ExactNorms
from nst_video.networks.fused.regions import (
    REGIONS,
    ExactRegionNorms,
    RegionMap,
    map_shapes,
    phases_of,
    sampled_rows,
)

if TYPE_CHECKING:
    import openvino

_AXES: Mapping[Axis, int] = {"channels": 1, "rows": 2, "columns": 3}
_TO_NCHW, _TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)


def build_model(
    config: TransformerConfig,
    convolutions: Mapping[str, Convolution],
    size: Size,
    *,
    two_styles: bool = False,
    is_sampled: bool = False,
) -> "openvino.Model":
    """Return the graph that paints one frame of `size`.

    Its inputs are the frame, uint8 (1, height, width, 3), and those of `style_inputs`; its output
    is the painted frame, uint8 (1, height, width, 3).
    """
    graph = OpenVinoBackend()
    width, height = size
    frame = graph.op.parameter([1, height, width, 3], np.uint8, name="frame")
    norms, inputs = style_inputs(graph, config, size, two_styles, is_sampled)
    blocks = network.paint(graph, config, convolutions, graph.content(frame, size), norms)
    return graph.make_model({"painted": graph.frame(blocks, size)}, [frame, *inputs])


def style_inputs(
    graph: "OpenVinoBackend",
    config: TransformerConfig,
    size: Size,
    two_styles: bool,
    is_sampled: bool,
) -> tuple[Normalize, list[Node]]:
    """Return the norms of a graph that paints pictures of `size`, and its inputs for them.

    These are the style parameters, float32 (1, style_size). For two styles there are those of the
    second region, and mask and weights of `fused.regions.RegionMap` at each resolution,
    whose statistics may be sampled.
    """
    style = graph.op.parameter([1, config.style_size], np.float32, name="style")
    if not two_styles:
        return ExactNorms(graph, config, graph.as_1x1(style)), [style]
    other = graph.op.parameter([1, config.style_size], np.float32, name="second_style")
    inputs, maps = [style, other], {}
    for resolution, shape in map_shapes(size).items():
        phases = phases_of(resolution)
        here = sampled_rows(shape[0], is_sampled=is_sampled)
        mask, weights = (
            graph.op.parameter(list(each), np.float32, name=f"{name}_{resolution}")
            for name, each in (
                ("mask", (1, *shape, phases)),
                ("weights", (1, REGIONS * phases, len(here) * shape[1])),
            )
        )
        inputs += [mask, weights]
        maps[resolution] = RegionMap(graph.to_nchw(mask), weights, here.step)
    styles = [graph.as_1x1(each) for each in (style, other)]
    return ExactRegionNorms(graph, config, styles, maps), inputs


def _make_model(outputs: Mapping[str, Node], inputs: Sequence[Node]) -> "openvino.Model":
    import openvino

    model = openvino.Model(list(outputs.values()), list(inputs), "style_transformer")
    # Output names are part of the key in the cache on disk. Default names contain a counter of all
    # nodes that the process has created, which would change the key.
    for index, name in enumerate(outputs):
        model.output(index).set_names({name})
    return model


def integers(*values: int) -> NDArray[np.int64]:
    """Return an int64 vector, the type of OpenVINO's shapes, axes and bounds."""
    return np.array(values, np.int64)


class OpenVinoBackend:
    """`networks.fused.backend.Backend` whose tensors are graph nodes, float32 NCHW."""

    def __init__(self) -> None:
        from openvino import opset1, opset15

        self.op = opset15
        self._pad = opset1.pad  # OpenVINO's conversions lose the runtime info of later versions
        self._float32: list[Node] = []

    def make_model(self, outputs: Mapping[str, Node], inputs: Sequence[Node]) -> "openvino.Model":
        """Return the graph from inputs to named outputs.

        Raises:
            EngineError: see `keep_float32`.
        """
        model = _make_model(outputs, inputs)
        return keep_float32(model, self._float32) if self._float32 else model

    def as_1x1(self, vector: Node) -> Node:
        """Reshape a vector (1, channels) to (1, channels, 1, 1)."""
        return self.op.reshape(vector, integers(1, vector.get_output_shape(0)[1], 1, 1), False)

    def rows(self, matrix: Node, start: int, stop: int) -> Node:
        """Return some rows of a matrix."""
        return self.op.slice(matrix, integers(start), integers(stop), integers(1), integers(0))

    def to_nchw(self, x: Node) -> Node:
        """Transpose NHWC to NCHW."""
        return self.op.transpose(x, integers(*_TO_NCHW))

    def to_nhwc(self, x: Node) -> Node:
        """Transpose NCHW to NHWC."""
        return self.op.transpose(x, integers(*_TO_NHWC))

    def content(self, frame: Node, size: Size) -> Node:
        """Turn a frame into padded column blocks; padded as uint8, which moves fewer bytes."""
        extra = [-side % STRIDE for side in size]
        end = integers(0, extra[1], extra[0], 0)
        if end.any():
            frame = self.op.pad(frame, integers(0, 0, 0, 0), end, "reflect")
        margin = integers(0, MARGIN, MARGIN, 0)
        frame = self.op.pad(frame, margin, margin, "reflect")
        _, rows, columns, _ = frame.get_output_shape(0)
        blocks = self.op.reshape(frame, integers(1, rows, columns // 2, 6), False)
        blocks = self.op.convert(blocks, np.float32)
        return self.to_nchw(blocks)

    def frame(self, blocks: Node, size: Size) -> Node:
        """Turn shifted blocks of 0..1 into the frame, uint8.

        One transpose of bytes does depth-to-space: twice as fast here as DepthToSpace.
        """
        scaled = blocks * self.number(PIXEL_SCALE) + self.number(0.5)
        _, _, rows, columns = scaled.get_output_shape(0)
        pixels = self.op.convert(self.to_nhwc(scaled), np.uint8)
        pixels = self.op.reshape(pixels, integers(1, rows, columns, 2, 6), False)
        pixels = self.op.transpose(pixels, integers(0, 1, 3, 2, 4))
        pixels = self.op.reshape(pixels, integers(1, 2 * rows, 2 * columns, 3), False)
        width, height = size
        ends = integers(EDGE + height, EDGE + width)
        return self.op.slice(pixels, integers(EDGE, EDGE), ends, integers(1, 1), integers(1, 2))

    def convolve(self, x: Node, convolution: Convolution, arrange: Arrange | None = None) -> Node:
        """Convolve without padding, after `arrange` has rearranged `x`; adds the bias."""
        if convolution.precision.endswith("uint8"):
            y = convolve_bytes(self, x, convolution, arrange)
        else:
            x = x if arrange is None else arrange(x)
            kernel = np.ascontiguousarray(convolution.kernel.transpose(3, 2, 0, 1))
            # Passing the array itself would take OpenVINO ten times as long.
            y = self.convolve_by(x, self.op.constant(kernel), convolution.strides)
        if convolution.precision == "float32":
            self._float32.append(y)
        return y if convolution.bias is None else y + self.vector(convolution.bias)

    def convolve_by(self, x: Node, kernel: Node, strides: tuple[int, int] = (1, 1)) -> Node:
        """Convolve by a kernel (output, input, rows, columns), which may be an input."""
        return self.op.convolution(x, kernel, list(strides), [0, 0], [0, 0], [1, 1])

    def pad(
        self,
        x: Node,
        rows: tuple[int, int],
        columns: tuple[int, int],
        mode: Literal["symmetric", "reflect"],
    ) -> Node:
        """Pad (before, after) along rows and columns."""
        before, after = zip(rows, columns, strict=True)
        return self._pad(x, integers(0, 0, *before), integers(0, 0, *after), mode)

    def slice(self, x: Node, axis: Axis, start: int, stop: int | None) -> Node:
        """Return a slice along one axis; negative bounds count from the end."""
        index = _AXES[axis]
        end = x.get_output_shape(0)[index] if stop is None else stop
        return self.op.slice(x, integers(start), integers(end), integers(1), integers(index))

    def every(self, x: Node, axis: Axis, step: int) -> Node:
        """Return one in `step` slices along an axis, from half a step on."""
        index = _AXES[axis]
        end = x.get_output_shape(0)[index]
        return self.op.slice(x, integers(step // 2), integers(end), integers(step), integers(index))

    def concat(self, parts: Sequence[Node], axis: Axis) -> Node:
        """Concatenate along one axis."""
        return self.op.concat(list(parts), _AXES[axis])

    def select(self, where: NDArray[np.bool_], x: Node, other: Node) -> Node:
        """Take the channels of `x` where the vector (channels,) is True, else those of `other`."""
        return self.op.select(where.reshape(1, -1, 1, 1), x, other)

    def vector(self, values: NDArray[np.float32]) -> Node:
        """Return a constant (channels,) that broadcasts over rows and columns."""
        return self.op.constant(values.reshape(1, -1, 1, 1).astype(np.float32))

    def sum(self, x: Node, axis: Axis) -> Node:
        """Sum along an axis, which is kept with length 1."""
        return self.op.reduce_sum(x, integers(_AXES[axis]), True)

    def sum_of_squares(self, x: Node, axis: Axis) -> Node:
        """Sum the squares along an axis, which is kept with length 1."""
        norm = self.op.reduce_l2(x, integers(_AXES[axis]), True)
        return norm * norm

    def weighted_sums(self, x: Node, weights: Node) -> Node:
        """Return weighted sums over all pixels: a picture of one column, one row for each weight.

        A matrix product reads each pixel once; products and sums apart took 1.5 times one style.
        """
        _, channels, rows, columns = x.get_output_shape(0)
        count = weights.get_output_shape(0)[1]
        pixels = self.op.reshape(self.to_nhwc(x), integers(rows, columns, channels), False)
        lines = self.op.reshape(weights, integers(count, rows, columns), False)
        lines = self.op.transpose(lines, integers(1, 0, 2))
        sums = self.op.reduce_sum(self.op.matmul(lines, pixels, False, False), integers(0), True)
        return self.op.unsqueeze(self.op.transpose(sums, integers(0, 2, 1)), integers(3))

    def repeat_channels(self, x: Node, times: int) -> Node:
        """Repeat each of a few channels, one after the other, so many times.

        By a convolution, which keeps the layout in memory that others write.
        """
        channels = x.get_output_shape(0)[1]
        kernel = np.repeat(np.eye(channels, dtype=np.float32), times, axis=0)[..., None, None]
        return self.convolve_by(x, self.op.constant(kernel))

    def count_valid_pixels(self, x: Node) -> Node:
        """Return how many pixels of shifted blocks lie inside of the picture, for one picture."""
        _, _, rows, columns = x.get_output_shape(0)
        return self.number((2 * rows - 2) * (2 * columns - 2))

    def normalize(self, x: Node) -> Node:
        """Give every channel mean 0 and variance 1 over rows and columns."""
        return self.op.mvn(x, integers(2, 3), True, NORM_EPSILON, "inside_sqrt")

    def depth_to_space(self, x: Node) -> Node:
        """Turn blocks of 2x2 pixels, (row, column, channel) along the channels, into pixels."""
        return self.op.depth_to_space(x, "blocks_first", 2)

    def relu(self, x: Node) -> Node:
        """max(x, 0)."""
        return self.op.relu(x)

    def sigmoid(self, x: Node) -> Node:
        """1 / (1 + exp(-x))."""
        return self.op.sigmoid(x)

    def inverse_std(self, variance: Node) -> Node:
        """1 / sqrt(variance + NORM_EPSILON)."""
        return self.op.power(variance + self.number(NORM_EPSILON), self.number(-0.5))

    def number(self, value: float) -> Node:
        """Return a float32 constant; OpenVINO would infer another type from a Python number."""
        return self.op.constant(np.array(value, np.float32))
