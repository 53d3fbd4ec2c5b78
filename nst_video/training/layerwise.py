"""The loss network layer by layer: each learns to do VGG-19's work with fewer channels.

A narrower network cannot have all of VGG-19's channels. It first takes after the ones that tell
most of the others, chosen as He et al. 2017 (arXiv 1707.06168) thin a network out. Every layer is
given what VGG-19's layer before makes of the picture, so that none waits for those before it
(compare `features.layerwise_loss`).
"""

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from nst_video.frames import Floats
from nst_video.networks.builtin import LOSS_BLOCKS, LOSS_TRUNK, center_pixels
from nst_video.networks.config import LAYOUT
from nst_video.networks.transformer import Tensor
from nst_video.training.loop import Loss
from nst_video.training.vgg import TAPS, Vgg

Channels = NDArray[np.int_]

HEAD = "_auxiliary"
"""Suffix of the names of the 1x1 layers that training alone has need of."""

RIDGE = 1e-3
"""Of a layer's mean variance: a channel fainter than that explains nothing."""


def telling_channels(features: Floats, count: int) -> Channels:
    """Choose channels whose linear combinations come closest to all the others.

    One by one, each time the one that explains most of the variance that is left.

    Args:
        features: (..., c).
        count: how many, at most c.

    Returns:
        Their indices (count,), in order of choice.
    """
    flat = features.reshape(-1, features.shape[-1]).astype(np.float64)
    flat = flat - flat.mean(axis=0)
    left = flat.T @ flat / len(flat)
    faint = RIDGE * np.trace(left) / len(left)
    chosen: list[int] = []
    for _ in range(count):
        explained = np.sum(left**2, axis=0) / (np.diag(left) + faint)
        explained[chosen] = -1
        best = int(np.argmax(explained))
        chosen.append(best)
        left = left - np.outer(left[:, best], left[best]) / (left[best, best] + 1e-12)
    return np.array(chosen)


def choose_channels(vgg: Vgg, examples: Floats) -> dict[str, Channels]:
    """Return which of VGG-19's channels each layer of the loss network takes after.

    Args:
        vgg: shows all of `LOSS_TRUNK`.
        examples: pictures (n, height, width, 3) to choose by.
    """
    widths = {
        f"block{block}_conv{index}": width
        for block, (width, count) in enumerate(LOSS_BLOCKS, 1)
        for index in range(1, count + 1)
    }
    return {
        name: telling_channels(np.asarray(feature), widths[name])
        for name, feature in vgg(examples).items()
    }


def channels_loss(student: keras.Model, vgg: Vgg, examples: Floats, faint: float) -> Loss:
    """Return how badly each layer does what VGG-19's does, on the channels that are chosen.

    Args:
        student: of `perceive.build_pupil`.
        vgg: shows all of `LOSS_TRUNK`.
        examples: pictures to choose the channels by, and to measure the scale of their errors.
        faint: as in `channel_scales`.
    """
    chosen, scales = choose_channels(vgg, examples), channel_scales(vgg, examples, faint)

    def loss(pictures: Tensor) -> Tensor:
        seen = vgg(pictures)
        source = center_pixels(pictures)
        total = 0.0
        for name in LOSS_TRUNK:
            if name in TAPS[1:]:
                source = ops.average_pool(source, 2, 2, data_format=LAYOUT)
            target = ops.take(seen[name], chosen[name], axis=-1)
            total += _error(student.get_layer(name)(source), target, scales[name][chosen[name]])
            if name in TAPS:
                head = student.get_layer(name + HEAD)
                total += _error(head(target), seen[name], scales[name])
            source = target
        return total / len(LOSS_TRUNK)

    return loss


def _error(guess: Tensor, target: Tensor, scale: Floats) -> Tensor:
    return ops.mean(ops.square(guess - target) * scale)


def view(head: Floats, width: int) -> Floats:
    """Return the square kernel (1, 1, width, width) that measures as the wider `head` does.

    For features x, and their Gram matrices, distances between x @ view are those between x @ head:
    both have the same product with their own transpose. Means over channels stay the same, too.

    Args:
        head: kernel (1, 1, width, channels).
        width: of the features.
    """
    kernel = head.reshape(width, -1).astype(np.float64)
    values, vectors = np.linalg.eigh(kernel @ kernel.T * (width / kernel.shape[1]))
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    return np.asarray(root, np.float32).reshape(1, 1, width, width)


def channel_scales(vgg: Vgg, examples: Floats, faint: float) -> dict[str, Floats]:
    """Return what squared errors of each of VGG-19's channels are to be multiplied with.

    The inverse of its variance on `examples`, plus `faint` of the layer's mean variance.
    """
    scales = {}
    for name, feature in vgg(examples).items():
        variance = np.var(np.asarray(feature), axis=(0, 1, 2))
        scales[name] = (1 / (variance + faint * variance.mean())).astype(np.float32)
    return scales
