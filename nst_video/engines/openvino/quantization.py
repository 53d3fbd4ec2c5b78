"""Mixed precision in OpenVINO graphs: 8-bit convolutions, and layers kept in float32."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias
from xml.etree import ElementTree

import numpy as np

from nst_video.errors import EngineError
from nst_video.networks.fused.backend import Arrange
from nst_video.networks.fused.convolutions import PIXEL_SCALE, Convolution
from nst_video.networks.fused.quantization import kernel_steps

if TYPE_CHECKING:
    import openvino

Node: TypeAlias = Any
"""A node of an OpenVINO graph."""


class GraphBuilder(Protocol):
    """The part of `backend.OpenVinoBackend` that is needed here.

    Attributes:
        op: OpenVINO's operations.
    """

    op: Any

    def number(self, value: float) -> Node:
        """Return a float32 constant."""
        ...

    def convolve_by(self, x: Node, kernel: Node, strides: tuple[int, int] = (1, 1)) -> Node:
        """Convolve without padding by a kernel (output, input, rows, columns)."""
        ...


BYTE_LEVELS = 256

TINY = 1e-6
"""Keeps the scale of an all-zero input from being 0."""


def convolve_bytes(
    graph: GraphBuilder, x: Node, convolution: Convolution, arrange: Arrange | None = None
) -> Node:
    """Convolve in 8-bit integers, without padding and without bias.

    OpenVINO computes in integers where the inputs are quantized and the kernel is int8 times a
    step for each output channel. Inputs that are bytes stay as they are; others, which are not
    negative, are scaled by the largest value of the picture.

    Args:
        graph: adds the nodes.
        x: the input.
        convolution: its kernel is quantized by `quantize_kernel`.
        arrange: rearranges the quantized input before the convolution.
    """
    scale = None
    if convolution.precision == "scaled uint8":
        scale = _scale(graph, x)
        # The scale may be a little too small because of rounding.
        x = graph.op.clamp(x / scale + graph.number(0.5), 0, PIXEL_SCALE)
        x = graph.op.convert(x, np.uint8)
    x = x if arrange is None else arrange(x)
    bounds = graph.number(0), graph.number(PIXEL_SCALE)
    quantized = graph.op.fake_quantize(
        graph.op.convert(x, np.float32), *bounds, *bounds, BYTE_LEVELS
    )
    y = graph.convolve_by(quantized, _kernel(graph, convolution), convolution.strides)
    return y if scale is None else y * scale


def _scale(graph: GraphBuilder, x: Node) -> Node:
    """Return the divisor that maps the largest value of a picture to 255.

    OpenVINO's CPU plugin computes the end of a graph in float32: every node from which an output
    follows without a convolution or matrix product in between. The scale is a matrix product so
    that the norm before it is not part of the end, where it would be slower.
    """
    largest = graph.op.reduce_max(x, np.array([1, 2, 3]), True) + graph.number(TINY)
    return graph.op.matmul(largest, np.full((1, 1), 1 / PIXEL_SCALE, np.float32), False, False)


def _kernel(graph: GraphBuilder, convolution: Convolution) -> Node:
    """Return the kernel as int8 levels times steps."""
    steps = kernel_steps(convolution.kernel)
    whole = np.round(convolution.kernel / steps).astype(np.int8)
    levels = graph.op.convert(graph.op.constant(_outputs_first(whole)), np.float32)
    return levels * graph.op.constant(_outputs_first(steps))


def _outputs_first(kernel: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))


def keep_float32(model: "openvino.Model", convolutions: Iterable[Node]) -> "openvino.Model":
    """Return the graph with some convolutions, and the padding before them, marked for float32.

    They are computed in float32 whatever the inference precision. The mark can only be set in
    OpenVINO's file format, so the graph is written to a temporary file and read again.

    Raises:
        EngineError: there is no folder for temporary files.
    """
    import openvino

    marked = {node.get_friendly_name() for each in convolutions for node in _with_paddings(each)}
    try:
        with tempfile.TemporaryDirectory(prefix="nst-video-") as folder:
            graph, weights = Path(folder) / "graph.xml", Path(folder) / "graph.bin"
            openvino.serialize(model, graph, weights)
            root = ElementTree.parse(graph).getroot()
            constants = weights.read_bytes()
    except OSError as error:
        raise EngineError(
            f"No temporary file can be written ({error}): set TMPDIR to a folder with some space, "
            "or use --engine openvino."
        ) from error
    for layer in root.iterfind("layers/layer"):
        if layer.get("name") in marked:
            mark = ElementTree.Element("rt_info")
            ElementTree.SubElement(mark, "attribute", name="precise", version="0")
            layer.insert(0 if layer.find("data") is None else 1, mark)
    return openvino.Core().read_model(ElementTree.tostring(root), constants)


def _with_paddings(convolution: Node) -> Iterable[Node]:
    """Yield a convolution and the nodes before it, up to another one: padding, bias, ReLU."""
    node = convolution
    while node.get_type_name() not in ("Parameter", "Transpose"):
        yield node
        node = node.input_value(0).get_node()
        if node.get_type_name() == "Convolution":
            return
