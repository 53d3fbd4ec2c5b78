"""Layer-by-layer distillation of the style transformer."""

from collections.abc import Mapping
from dataclasses import dataclass

from keras import ops

from nst_video.networks.transformer import StyleTransformer, Tensor, double, instance_norm, reflect


@dataclass(frozen=True, slots=True)
class LayerTrace:
    """Input of a layer, and its output after convolution and norm, before the activation.

    Both are float32 (n, h, w, c).
    """

    input: Tensor
    output: Tensor


def style_slices(network: StyleTransformer, style: Tensor) -> Mapping[str, tuple[Tensor, Tensor]]:
    """Return gamma and beta, each (n or 1, channels), of every normalized layer by name.

    `style` are style parameters, (n or 1, `network.config.style_size`).
    """
    half = network.config.style_size // 2
    slices = {}
    start = 0
    for name, channels in network.config.norms:
        stop = start + channels
        slices[name] = (style[:, start:stop], style[:, half + start : half + stop])
        start = stop
    return slices


def apply_layer(network: StyleTransformer, name: str, source: Tensor, style: Tensor) -> Tensor:
    """Apply padding, convolution and norm of the layer `name`, without its activation."""
    layer = network.get_layer(name)
    x = double(source) if name in ("expand1", "expand2") else source
    x = layer(reflect(x, layer.kernel_size[0] // 2))
    norm = style_slices(network, style).get(name)
    return x if norm is None else instance_norm(x, *norm)


def trace(network: StyleTransformer, content: Tensor, style: Tensor) -> dict[str, LayerTrace]:
    """Run the network; return the trace of every layer by name.

    Args:
        network: the style transformer.
        content: (n, h, w, 3), 0..1; h and w are multiples of 4.
        style: style parameters, see `style_slices`.

    Returns:
        The layers in order; the painting is the sigmoid of the output of `expand3`.
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


def variance_normalized_error(output: Tensor, target: Tensor) -> Tensor:
    """Return the mean squared error of (n, h, w, c), each channel divided by its variance."""
    variance = ops.var(target, axis=(0, 1, 2))
    error = ops.mean(ops.square(output - target), axis=(0, 1, 2))
    return ops.mean(error / (variance + 1e-4))


def layerwise_loss(
    student: StyleTransformer, traces: Mapping[str, LayerTrace], style: Tensor
) -> Tensor:
    """Return the mean error of the student's layers, each given the teacher's input to it.

    Differs from FitNets (Romero et al. 2015, arXiv 1412.6550), which distill one layer: here all
    are distilled at once, and no layer depends on those before it. A student of the teacher's
    architecture ends near the teacher's weights, up to signs.

    Args:
        student: the style transformer that is trained.
        traces: of the teacher, see `trace`.
        style: the student's style parameters.
    """
    errors = [
        variance_normalized_error(apply_layer(student, name, each.input, style), each.output)
        for name, each in traces.items()
    ]
    return sum(errors) / len(errors)
