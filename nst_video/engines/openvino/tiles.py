"""The parts of the rewritten transformer for tiles of rows, on OpenVINO; see `engines.tiles`."""

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nst_video.engines.openvino.nodes import Nodes
from nst_video.engines.openvino.quantization import Node
from nst_video.frames import Floats, Frames
from nst_video.networks.config import STRIDE, TransformerConfig
from nst_video.networks.fused import network
from nst_video.networks.fused.convolutions import Convolution
from nst_video.networks.fused.norms import FoldedNorms, tile_moments
from nst_video.networks.fused.statistics import norm_slices

if TYPE_CHECKING:
    import openvino

PARTS_KEPT = 14
"""Compiled parts kept in memory: two sizes of tiles."""


class OpenVinoTiles:
    """`engines.tiles.Stages`, each part compiled once for a height and width of tiles.

    The residual layers share one part, their kernels being inputs. Only the part used last holds
    memory for its pictures.

    Attributes:
        dtype: of the painted rows.
    """

    dtype = np.uint8

    def __init__(
        self,
        config: TransformerConfig,
        convolutions: Mapping[str, Convolution],
        compile_model: "Callable[[openvino.Model], openvino.CompiledModel]",
    ) -> None:
        """Take the network and what compiles its parts."""
        self._config = config
        self._convolutions = convolutions
        self._slices = norm_slices(config)
        self._compile_model = compile_model
        self._compiled = lru_cache(PARTS_KEPT)(self._compile)
        self._last: openvino.CompiledModel | None = None
        self._lock = threading.Lock()

    def encode(self, rows: Frames) -> Floats:
        """Return the cells that rows of a frame (1, rows, width, 3) become."""
        cells: Floats = self._run("encode", "", rows)[0]
        return cells

    def residual(
        self, layer: str, cells: Floats, affine: Floats | None, weights: Floats
    ) -> tuple[Floats, Floats]:
        """Return cells after a layer's convolution, and the moments of its own rows."""
        kernel = np.ascontiguousarray(self._convolutions[layer].kernel.transpose(3, 2, 0, 1))
        before = [] if affine is None else [affine]
        convolved, moments = self._run("residual", "", cells, kernel, weights, *before)
        return convolved, moments[0, 0]

    def measure(self, layer: str, cells: Floats, style: Floats, weights: Floats) -> Floats:
        """Return the moments of what an expanding layer makes of cells."""
        moments: Floats = self._run("measure", layer, cells, style, weights)[0][0, 0]
        return moments

    def finish(self, cells: Floats, style: Floats, width: int) -> Frames:
        """Return the painted rows (1, rows, width, 3)."""
        painted: Frames = self._run("finish", str(width), cells, style)[0]
        return painted

    def _run(self, part: str, detail: str, *inputs: NDArray[Any]) -> list[NDArray[Any]]:
        """Run a part, compiled for these shapes."""
        arrays = [np.ascontiguousarray(each) for each in inputs]
        with self._lock:
            compiled = self._compiled(part, detail, tuple(each.shape for each in arrays))
            if self._last is not None and self._last is not compiled:
                self._last.release_memory()
            self._last = compiled
            result = compiled.create_infer_request().infer(arrays, share_inputs=True)
            return [result[output] for output in compiled.outputs]

    def _compile(
        self, part: str, detail: str, shapes: Sequence[Sequence[int]]
    ) -> "openvino.CompiledModel":
        nodes = Nodes()
        first = np.uint8 if part == "encode" else np.float32
        inputs = [
            nodes.op.parameter(list(shape), np.float32 if index else first, name=f"input{index}")
            for index, shape in enumerate(shapes)
        ]
        builders: Mapping[str, Callable[..., dict[str, Node]]] = {
            "encode": self._encode,
            "residual": self._residual,
            "measure": self._measure,
            "finish": self._finish,
        }
        outputs = builders[part](nodes, detail, *inputs)
        return self._compile_model(nodes.make_model(outputs, inputs))

    def _encode(self, nodes: Nodes, _: str, rows: Node) -> dict[str, Node]:
        _, height, width, _ = rows.get_output_shape(0)
        content = nodes.content(rows, (width, height))
        return {"cells": nodes.to_nhwc(network.encode(nodes, self._convolutions, content))}

    def _residual(
        self,
        nodes: Nodes,
        _: str,
        cells: Node,
        kernel: Node,
        weights: Node,
        affine: Node | None = None,
    ) -> dict[str, Node]:
        x = nodes.to_nchw(cells)
        channels = self._config.widths[2]
        if affine is not None:
            both = nodes.as_1x1(affine)
            scale = nodes.slice(both, "channels", 0, channels)
            x = nodes.relu(x * scale + nodes.slice(both, "channels", channels, 2 * channels))
        y = nodes.convolve_by(nodes.pad(x, (1, 1), (1, 1), "reflect"), kernel)
        moments = tile_moments(nodes, "residual", y, channels, nodes.to_nchw(weights))
        return {"cells": nodes.to_nhwc(y), "moments": nodes.to_nhwc(moments)}

    def _measure(
        self, nodes: Nodes, layer: str, cells: Node, style: Node, weights: Node
    ) -> dict[str, Node]:
        norms = FoldedNorms(nodes, self._config, nodes.as_1x1(style))
        x = nodes.to_nchw(cells)
        y = network.expand(nodes, self._config, self._convolutions, x, norms, layer)
        channels = self._slices[layer].stop - self._slices[layer].start
        moments = tile_moments(nodes, layer, y, channels, nodes.to_nchw(weights))
        return {"moments": nodes.to_nhwc(moments)}

    def _finish(self, nodes: Nodes, width: str, cells: Node, style: Node) -> dict[str, Node]:
        norms = FoldedNorms(nodes, self._config, nodes.as_1x1(style))
        x = nodes.to_nchw(cells)
        blocks = network.finish(nodes, self._config, self._convolutions, x, norms)
        size = int(width), STRIDE * cells.get_output_shape(0)[1]
        return {"painted": nodes.frame(blocks, size)}
