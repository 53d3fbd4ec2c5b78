"""Layer-by-layer distillation of the loss network from VGG-19, with fewer channels.

Each layer is trained on a subset of VGG-19's channels, those that best predict the others, selected
similarly to channel pruning (He et al. 2017, arXiv 1707.06168). Its input is VGG-19's input to that
layer, so that no layer depends on those before it (compare `layer_distillation.layerwise_loss`).
"""

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from nst_video.frames import Floats
from nst_video.networks.builtin import LOSS_BLOCKS, LOSS_LAYERS, LOSS_TRUNK, center_pixels
from nst_video.networks.config import LAYOUT
from nst_video.networks.transformer import Tensor
from nst_video.training.loop import Loss
from nst_video.training.vgg import Vgg

Channels = NDArray[np.int_]

AUXILIARY = "_auxiliary"
"""Suffix of the names of the 1x1 layers that are used in training only."""

RIDGE = 1e-3
"""Ridge regularization of the channel selection, as a share of a layer's mean variance."""


def select_channels(features: Floats, count: int) -> Channels:
    """Select the channels that best predict all others linearly.

    Greedy: each selected channel explains most of the remaining variance.

    Args:
        features: (..., c).
        count: number of channels, at most c.

    Returns:
        Their indices (count,), in order of selection.
    """
    flat = features.reshape(-1, features.shape[-1]).astype(np.float64)
    flat = flat - flat.mean(axis=0)
    covariance = flat.T @ flat / len(flat)
    ridge = RIDGE * np.trace(covariance) / len(covariance)
    chosen: list[int] = []
    for _ in range(count):
        explained = np.sum(covariance**2, axis=0) / (np.diag(covariance) + ridge)
        explained[chosen] = -1
        best = int(np.argmax(explained))
        chosen.append(best)
        explained_by_best = np.outer(covariance[:, best], covariance[best])
        covariance = covariance - explained_by_best / (covariance[best, best] + 1e-12)
    return np.array(chosen)


def select_layer_channels(vgg: Vgg, examples: Floats) -> dict[str, Channels]:
    """Return the indices of VGG-19's channels that each layer of the loss network reproduces.

    Args:
        vgg: returns the features of all layers of `LOSS_TRUNK`.
        examples: pictures (n, h, w, 3), 0..1, on which the channels are selected.
    """
    widths = {
        f"block{block}_conv{index}": width
        for block, (width, count) in enumerate(LOSS_BLOCKS, 1)
        for index in range(1, count + 1)
    }
    return {
        name: select_channels(np.asarray(feature), widths[name])
        for name, feature in vgg(examples).items()
    }


def channels_loss(student: keras.Model, vgg: Vgg, examples: Floats, variance_floor: float) -> Loss:
    """Return the loss of a batch of pictures: the mean error of the layers on selected channels.

    Args:
        student: of `loss_network.build_student`.
        vgg: returns the features of all layers of `LOSS_TRUNK`.
        examples: pictures (n, h, w, 3), 0..1, on which channels are selected and scales measured.
        variance_floor: see `channel_scales`.
    """
    chosen, scales = (
        select_layer_channels(vgg, examples),
        channel_scales(vgg, examples, variance_floor),
    )

    def loss(pictures: Tensor) -> Tensor:
        features = vgg(pictures)
        source = center_pixels(pictures)
        total = 0.0
        for name in LOSS_TRUNK:
            if name in LOSS_LAYERS[1:]:
                source = ops.average_pool(source, 2, 2, data_format=LAYOUT)
            target = ops.take(features[name], chosen[name], axis=-1)
            total += _error(student.get_layer(name)(source), target, scales[name][chosen[name]])
            if name in LOSS_LAYERS:
                auxiliary = student.get_layer(name + AUXILIARY)
                total += _error(auxiliary(target), features[name], scales[name])
            source = target
        return total / len(LOSS_TRUNK)

    return loss


def _error(features: Tensor, target: Tensor, scale: Floats) -> Tensor:
    return ops.mean(ops.square(features - target) * scale)


def square_kernel(kernel: Floats, width: int) -> Floats:
    """Return a 1x1 kernel (1, 1, width, width) that replaces a wider one in the losses.

    Distances of features, and of their Gram matrices, are the same after both: both have the same
    product with their own transpose, scaled so that means over channels agree.

    Args:
        kernel: (1, 1, width, channels).
        width: number of channels of the features.
    """
    wide = kernel.reshape(width, -1).astype(np.float64)
    values, vectors = np.linalg.eigh(wide @ wide.T * (width / wide.shape[1]))
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    return np.asarray(root, np.float32).reshape(1, 1, width, width)


def channel_scales(vgg: Vgg, examples: Floats, variance_floor: float) -> dict[str, Floats]:
    """Return the weight (c,) of each channel's squared error, by layer.

    It is 1 / (v + f m), with the variance v of the channel on `examples` (n, h, w, 3), 0..1, the
    mean m of these variances over the layer, and f = `variance_floor`.
    """
    scales = {}
    for name, feature in vgg(examples).items():
        variance = np.var(np.asarray(feature), axis=(0, 1, 2))
        scales[name] = (1 / (variance + variance_floor * variance.mean())).astype(np.float32)
    return scales
