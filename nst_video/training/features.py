"""The layers of a style transformer one by one, for a student to learn from its teacher's."""

from collections.abc import Mapping
from dataclasses import dataclass

from keras import ops

from nst_video.networks.transformer import StyleTransformer, Tensor, double, instance_norm, reflect


@dataclass(frozen=True, slots=True)
class LayerTrace:
    """What went into a convolution and what came out of it and its norm, before the activation."""

    source: Tensor
    result: Tensor


def style_slices(network: StyleTransformer, style: Tensor) -> Mapping[str, tuple[Tensor, Tensor]]:
    """Return (gamma, beta), each (n or 1, channels), of every normalized layer by name."""
    half = network.config.style_size // 2
    slices = {}
    start = 0
    for name, channels in network.config.norms:
        stop = start + channels
        slices[name] = (style[:, start:stop], style[:, half + start : half + stop])
        start = stop
    return slices


def apply_layer(network: StyleTransformer, name: str, source: Tensor, style: Tensor) -> Tensor:
    """Return padding, convolution and norm of the layer `name`, without its activation."""
    layer = network.get_layer(name)
    x = double(source) if name in ("expand1", "expand2") else source
    x = layer(reflect(x, layer.kernel_size[0] // 2))
    norm = style_slices(network, style).get(name)
    return x if norm is None else instance_norm(x, *norm)


def trace(network: StyleTransformer, content: Tensor, style: Tensor) -> dict[str, LayerTrace]:
    """Run the network on pictures whose sides are multiples of 4; return every layer by name.

    The picture it paints is the sigmoid of `expand3`.
    """
    traces: dict[str, LayerTrace] = {}

    def run(name: str, source: Tensor) -> Tensor:
        result = apply_layer(network, name, source, style)
        traces[name] = LayerTrace(source, result)
        return result

    x = content
    for name in ("contract1", "contract2", "contract3"):
        x = ops.relu(run(name, x))
    for block in range(1, network.config.residual_blocks + 1):
        y = ops.relu(run(f"residual{block}_conv1", x))
        x = x + run(f"residual{block}_conv2", y)
    for name in ("expand1", "expand2", "expand3"):
        x = ops.relu(run(name, x))
    return traces


def relative_error(result: Tensor, target: Tensor) -> Tensor:
    """Return the mean squared error of (n, h, w, c) in units of each channel's variance."""
    variance = ops.var(target, axis=(0, 1, 2))
    error = ops.mean(ops.square(result - target), axis=(0, 1, 2))
    return ops.mean(error / (variance + 1e-4))


def layerwise_loss(
    student: StyleTransformer, traces: Mapping[str, LayerTrace], style: Tensor
) -> Tensor:
    """Return how badly each layer of `student` does what the teacher's does, given its input.

    Romero et al. 2015 (arXiv 1412.6550) guide one layer; here all are guided at once, and each sees
    the teacher's input to it, so that no layer waits for those before it.
    A student of its teacher's shape ends near its teacher's weights this way, but for signs.
    """
    errors = [
        relative_error(apply_layer(student, name, each.source, style), each.result)
        for name, each in traces.items()
    ]
    return sum(errors) / len(errors)
