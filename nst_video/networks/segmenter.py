"""The `builtin` person segmenter, a small U-Net, and how OpenVINO runs it.

A picture of `SIZE`, whatever its aspect was, goes in; the probability of a person comes out, for
every pixel. On CPUs that compute in bfloat16 it is the mean of what the network finds in the
picture and in its mirror image, since much of what a small network gets wrong it gets wrong in one
of them only; elsewhere that would take more than 4 ms. The network is described once, by `segment`,
for any backend: `segmenter_keras` trains it, and here OpenVINO runs it, which starts without
TensorFlow.

After Ronneberger et al. 2015 (arXiv 1505.04597). Differs from it: skipped features are added, not
concatenated; strides instead of pooling; the mean of the coarsest features tells every place what
else is in the picture; the last layer writes four pixels at once (arXiv 1609.05158).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np

from nst_video.frames import Floats, Frame, Size
from nst_video.networks.checkpoints import Arrays, Shape, load_npz

SIZE: Size = (256, 144)
"""(width, height) of the input and of the mask: those of MediaPipe's landscape network."""

Tensor: TypeAlias = Any
"""A backend's tensor: feature maps of a batch."""

Run: TypeAlias = Callable[[Frame], Floats]
"""A picture (144, 256, 3), RGB uint8, to the probability of a person (144, 256), 0..1."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution with bias; padding keeps the size up to its stride.

    Attributes:
        side: of the kernel, in pixels.
        inputs: channels.
        outputs: channels.
        stride: of rows and columns.
        dilation: distance of the kernel's taps.
    """

    side: int
    inputs: int
    outputs: int
    stride: int = 1
    dilation: int = 1


LAYERS: dict[str, Layer] = {
    "down1": Layer(3, 3, 16, 2),
    "more1_1": Layer(3, 16, 16),
    "down2": Layer(3, 16, 24, 2),
    "more2_1": Layer(3, 24, 24),
    "more2_2": Layer(3, 24, 24),
    "down3": Layer(3, 24, 48, 2),
    "more3_1": Layer(3, 48, 48),
    "more3_2": Layer(3, 48, 48),
    "more3_3": Layer(3, 48, 48, dilation=2),
    "down4": Layer(3, 48, 64, 2),
    "more4_1": Layer(3, 64, 64),
    "more4_2": Layer(3, 64, 64, dilation=2),
    "context": Layer(1, 64, 64),
    "blend4": Layer(3, 64, 64),
    "narrow3": Layer(1, 64, 48),
    "up3": Layer(3, 48, 32),
    "narrow2": Layer(1, 32, 24),
    "up2": Layer(3, 24, 24),
    "narrow1": Layer(1, 24, 16),
    "up1": Layer(3, 16, 16),
    "mask": Layer(3, 16, 4),
}
"""By name. Levels 1 to 4 have a half to a sixteenth of the resolution."""


class SegmenterOps(Protocol):
    """What `segment` needs of a backend."""

    def convolve(self, x: Tensor, name: str) -> Tensor:
        """Convolve by the layer of that name, with its bias."""
        ...

    def relu(self, x: Tensor) -> Tensor:
        """max(x, 0)."""
        ...

    def double(self, x: Tensor) -> Tensor:
        """Enlarge to twice the size, nearest neighbor."""
        ...

    def mean(self, x: Tensor) -> Tensor:
        """Return the mean over rows and columns, which are kept with length 1."""
        ...


def segment(ops: SegmenterOps, pictures: Tensor) -> Tensor:
    """Return the logits of a person in blocks of 2x2 pixels, (row, column) along the channels.

    Args:
        ops: the backend.
        pictures: RGB, -2..2, of `SIZE`.
    """
    skipped: dict[int, Tensor] = {}
    x = pictures
    for level in range(1, 5):
        x = ops.relu(ops.convolve(x, f"down{level}"))
        for index in range(1, 4):
            if f"more{level}_{index}" in LAYERS:
                x = x + ops.relu(ops.convolve(x, f"more{level}_{index}"))
        skipped[level] = x
    x = ops.relu(x + ops.convolve(ops.mean(x), "context"))
    x = x + ops.relu(ops.convolve(x, "blend4"))
    for level in (3, 2, 1):
        x = ops.double(ops.convolve(x, f"narrow{level}"))
        x = ops.relu(ops.convolve(x + skipped[level], f"up{level}"))
    return ops.convolve(x, "mask")


def segmenter_shapes() -> dict[str, Shape]:
    """Return the shapes of the network's arrays by name."""
    shapes: dict[str, Shape] = {}
    for name, layer in LAYERS.items():
        shapes[f"{name}.kernel"] = (layer.side, layer.side, layer.inputs, layer.outputs)
        shapes[f"{name}.bias"] = (layer.outputs,)
    return shapes


def open_segmenter(path: Path, *, is_mirrored: bool | None = None) -> Run:
    """Return the network with the weights in `path`. It serves one thread at a time.

    Args:
        path: of the weights.
        is_mirrored: the mask is the mean over both mirror images, in bfloat16; None where the CPU
            has that.

    Raises:
        WeightsError: the file is not one of ours, or not of this network.
    """
    import openvino

    arrays = load_npz(path, segmenter_shapes(), "the person segmenter")
    core = openvino.Core()
    if is_mirrored is None:
        is_mirrored = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    precision = "bf16" if is_mirrored else "f32"
    options = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
    compiled = core.compile_model(_build(arrays, is_mirrored=is_mirrored), "CPU", options)
    request = compiled.create_infer_request()

    def run(picture: Frame) -> Floats:
        inputs = [np.ascontiguousarray(picture[None])]
        return np.array(request.infer(inputs, share_inputs=True)[0][0, 0], np.float32)

    return run


class _OpenVinoOps:
    """`SegmenterOps` on OpenVINO; feature maps are (n, channels, rows, columns)."""

    def __init__(self, arrays: Arrays) -> None:
        from openvino import opset15

        self._op = opset15
        self._arrays = arrays

    def convolve(self, x: Tensor, name: str) -> Tensor:
        layer = LAYERS[name]
        kernel = np.ascontiguousarray(self._arrays[f"{name}.kernel"].transpose(3, 2, 0, 1))
        bias = self._arrays[f"{name}.bias"].reshape(1, -1, 1, 1)
        strides, dilations, none = [layer.stride] * 2, [layer.dilation] * 2, [0, 0]
        # Keras, too, puts what is odd in a padding at its end.
        y = self._op.convolution(x, kernel, strides, none, none, dilations, "same_upper")
        return self._op.add(y, bias)

    def relu(self, x: Tensor) -> Tensor:
        return self._op.relu(x)

    def double(self, x: Tensor) -> Tensor:
        twice, axes = np.array([2, 2], np.float32), np.array([2, 3])
        return self._op.interpolate(
            x, twice, "nearest", "scales", coordinate_transformation_mode="asymmetric",
            nearest_mode="floor", axes=axes,
        )  # fmt: skip

    def mean(self, x: Tensor) -> Tensor:
        return self._op.reduce_mean(x, np.array([2, 3]), True)


def _build(arrays: Arrays, *, is_mirrored: bool) -> Any:  # noqa: ANN401 - OpenVINO has no types
    """Return the graph: (1, 144, 256, 3) to (1, 1, 144, 256).

    Args:
        arrays: weights.
        is_mirrored: the mask is the mean over both mirror images.
    """
    import openvino
    from openvino import opset15 as op

    width, height = SIZE
    picture = op.parameter([1, height, width, 3], np.uint8)
    x = op.transpose(op.convert(picture, np.float32), np.array([0, 3, 1, 2]))
    x = op.subtract(op.multiply(x, np.float32(4 / 255)), np.float32(2))
    seen = op.concat([x, _mirror(x)], 0) if is_mirrored else x
    blocks = segment(_OpenVinoOps(arrays), seen)
    mask = op.sigmoid(op.depth_to_space(blocks, "blocks_first", 2))
    if is_mirrored:
        halves = op.split(mask, np.array(0), 2)
        both = op.add(halves.output(0), _mirror(halves.output(1)))
        mask = op.multiply(both, np.float32(0.5))
    return openvino.Model([mask], [picture], "person_segmenter")


def _mirror(x: Tensor) -> Tensor:
    """Return pictures (n, channels, rows, columns) with left and right changed."""
    from openvino import opset15 as op

    return op.gather(x, np.arange(SIZE[0])[::-1].copy(), np.array(3))
