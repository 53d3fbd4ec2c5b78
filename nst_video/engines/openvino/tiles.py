"""Painting in tiles on OpenVINO: the parts of the transformer as graphs; see `engines.tiles`."""

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nst_video.engines.openvino.backend import OpenVinoBackend
from nst_video.engines.openvino.quantization import Node
from nst_video.frames import Floats, Frames
from nst_video.networks.config import STRIDE, TransformerConfig
from nst_video.networks.fused import network
from nst_video.networks.fused.convolutions import Convolution
from nst_video.networks.fused.network import Normalize
from nst_video.networks.fused.norms import FoldedNorms, tile_moments
from nst_video.networks.fused.regions import (
    FoldedRegionNorms,
    Masks,
    RegionMap,
    region_moments,
)
from nst_video.networks.fused.statistics import norm_slices

if TYPE_CHECKING:
    import openvino

PARTS_KEPT = 14
"""Compiled graphs kept in memory, enough for two sizes of tiles."""


class OpenVinoTiles:
    """`engines.tiles.TileNetwork`, each part compiled once for each size of tiles.

    The residual layers share one graph that takes the kernel as an input. Only the graph used last
    keeps memory for its intermediate results. Thread-safe.

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
        """Store the network; its parts are compiled by `compile_model` when first used."""
        self._config = config
        self._convolutions = convolutions
        self._slices = norm_slices(config)
        self._compile_model = compile_model
        self._compiled = lru_cache(PARTS_KEPT)(self._compile)
        self._last: openvino.CompiledModel | None = None
        self._lock = threading.Lock()

    def encode(self, rows: Frames) -> Floats:
        """See `TileNetwork.encode`."""
        features: Floats = self._run("encode", "", rows)[0]
        return features

    def residual(
        self,
        layer: str,
        features: Floats,
        affine: Floats | None,
        weights: Floats,
        masks: Masks | None = None,
    ) -> tuple[Floats, Floats]:
        """See `TileNetwork.residual`."""
        kernel = np.ascontiguousarray(self._convolutions[layer].kernel.transpose(3, 2, 0, 1))
        before = [] if affine is None else [affine]
        if affine is not None and masks is not None:
            before.append(masks["quarter"])
        convolved, moments = self._run("residual", "", features, kernel, weights, *before)
        return convolved, moments[0]

    def measure(
        self,
        layer: str,
        features: Floats,
        style: Floats,
        weights: Floats,
        masks: Masks | None = None,
    ) -> Floats:
        """See `TileNetwork.measure`."""
        arrays = features, style, weights, *_block_masks(masks)
        moments: Floats = self._run("measure", layer, *arrays)[0][0]
        return moments

    def finish(
        self, features: Floats, style: Floats, width: int, masks: Masks | None = None
    ) -> Frames:
        """See `TileNetwork.finish`."""
        arrays = features, style, *_block_masks(masks)
        painted: Frames = self._run("finish", str(width), *arrays)[0]
        return painted

    def _run(self, part: str, detail: str, *inputs: NDArray[Any]) -> list[NDArray[Any]]:
        """Inference a part, compiled for these shapes."""
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
        graph = OpenVinoBackend()
        first = np.uint8 if part == "encode" else np.float32
        inputs = [
            graph.op.parameter(list(shape), np.float32 if index else first, name=f"input{index}")
            for index, shape in enumerate(shapes)
        ]
        builders: Mapping[str, Callable[..., dict[str, Node]]] = {
            "encode": self._encode,
            "residual": self._residual,
            "measure": self._measure,
            "finish": self._finish,
        }
        outputs = builders[part](graph, detail, *inputs)
        return self._compile_model(graph.make_model(outputs, inputs))

    def _encode(self, graph: OpenVinoBackend, _: str, rows: Node) -> dict[str, Node]:
        _, height, width, _ = rows.get_output_shape(0)
        content = graph.content(rows, (width, height))
        return {"features": graph.to_nhwc(network.encode(graph, self._convolutions, content))}

    def _residual(
        self,
        graph: OpenVinoBackend,
        _: str,
        features: Node,
        kernel: Node,
        weights: Node,
        affine: Node | None = None,
        mask: Node | None = None,
    ) -> dict[str, Node]:
        x = graph.to_nchw(features)
        channels = self._config.widths[2]
        if affine is not None:
            both = _regions(graph, affine)
            each = both[0]
            if mask is not None:
                each = both[1] + graph.to_nchw(mask) * (both[0] - both[1])
            scale = graph.slice(each, "channels", 0, channels)
            x = graph.relu(x * scale + graph.slice(each, "channels", channels, 2 * channels))
        y = graph.convolve_by(graph.pad(x, (1, 1), (1, 1), "reflect"), kernel)
        moments = _moments(graph, "residual", y, channels, weights)
        return {"features": graph.to_nhwc(y), "moments": graph.to_nhwc(moments)}

    def _measure(
        self,
        graph: OpenVinoBackend,
        layer: str,
        features: Node,
        style: Node,
        weights: Node,
        *masks: Node,
    ) -> dict[str, Node]:
        norms = self._norms(graph, style, masks)
        x = graph.to_nchw(features)
        y = network.expand(graph, self._config, self._convolutions, x, norms, layer)
        channels = self._slices[layer].stop - self._slices[layer].start
        moments = _moments(graph, layer, y, channels, weights)
        return {"moments": graph.to_nhwc(moments)}

    def _finish(
        self, graph: OpenVinoBackend, width: str, features: Node, style: Node, *masks: Node
    ) -> dict[str, Node]:
        norms = self._norms(graph, style, masks)
        x = graph.to_nchw(features)
        blocks = network.finish(graph, self._config, self._convolutions, x, norms)
        size = int(width), STRIDE * features.get_output_shape(0)[1]
        return {"painted": graph.frame(blocks, size)}

    def _norms(self, graph: OpenVinoBackend, style: Node, masks: Sequence[Node]) -> Normalize:
        styles = _regions(graph, style)
        if not masks:
            return FoldedNorms(graph, self._config, styles[0])
        half, full = (RegionMap(graph.to_nchw(mask)) for mask in masks)
        return FoldedRegionNorms(graph, self._config, styles, {"half": half, "full": full})


def _block_masks(masks: Masks | None) -> list[Floats]:
    """Return the masks that the decoder needs."""
    return [] if masks is None else [masks["half"], masks["full"]]


def _regions(graph: OpenVinoBackend, vectors: Node) -> list[Node]:
    """Return the rows of (regions, channels), each as a picture of 1x1."""
    count = vectors.get_output_shape(0)[0]
    if count == 1:
        return [graph.as_1x1(vectors)]
    return [graph.as_1x1(graph.rows(vectors, row, row + 1)) for row in range(count)]


def _moments(graph: OpenVinoBackend, layer: str, x: Node, channels: int, weights: Node) -> Node:
    """Return the statistics of a tile, for pictures with an axis of rows and columns of weights."""
    if len(weights.get_output_shape(0)) == 4:
        return tile_moments(graph, layer, x, channels, graph.to_nchw(weights))
    return region_moments(graph, layer, x, channels, weights)
