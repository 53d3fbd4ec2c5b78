"""Fine-tunes the style transformer without a teacher: it paints what style images look like.

Johnson et al. 2016 (arXiv 1603.08155) for many styles at once. Differs: besides Gram matrices,
which forgive missing texture, distributions of features on random directions count (sliced
Wasserstein distance, Heitz et al. 2021, arXiv 2006.07229), and energies of texture in flat areas.
Change from view to view counts relative to the contrast painted; otherwise faint paintings win.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from keras import ops

from nst_video.frames import Frame
from nst_video.networks.builtin import LOSS_LAYERS
from nst_video.networks.fused import keras_backend
from nst_video.networks.fused.convolutions import PIXEL_SCALE, STRIDES, Convolution, tap_maps
from nst_video.networks.transformer import StyleTransformer, Tensor
from nst_video.networks.vgg import LossNetwork
from nst_video.training.config import FinetuneStage
from nst_video.training.consistency import draw_views
from nst_video.training.halo import draw_halo_weights
from nst_video.training.loop import Batch
from nst_video.training.style_targets import StyleTargets, draw_positions, mix, statistics
from nst_video.training.texture import LUMA, band_energies, flat_energies, flatness, spectrum
from nst_video.training.transformer import flicker

CONTENT_LAYER = LOSS_LAYERS[-1]
"""The coarsest one: finer ones forbid strokes."""

MIX_SHARE = 0.2
"""Of the styles drawn, those that are mixes of two."""

_TINY = 1e-5
"""Energy of texture that nobody sees: a deviation of 1 of 255."""


class Terms(NamedTuple):
    """The terms of the loss, scalars, without their weights.

    Attributes:
        style: relative distance of Gram matrices, the mean over layers and chroma.
        distribution: relative distance of quantiles, the mean over layers.
        content: relative distance of features of `CONTENT_LAYER`.
        texture: squared logarithm of the ratio of texture deviations in flat areas to the style's.
        lattice: share of regular patterns in the texture of flat areas.
        change: mean square of the difference between two views, relative to the energy of texture.
        halo: squared step of luminance beside edges, relative to the variance of luminance.
    """

    style: Tensor
    distribution: Tensor
    content: Tensor
    texture: Tensor
    lattice: Tensor
    change: Tensor
    halo: Tensor


def draw_finetune_batch(
    stage: FinetuneStage, pictures: Sequence[Frame], styles: StyleTargets, rng: np.random.Generator
) -> Batch:
    """Draw the batch of one step, in the order of the arguments of `FinetuneLoss.terms`.

    Args:
        stage: the stage.
        pictures: RGB uint8, to take crops from.
        styles: those that are trained on.
        rng: draws everything.
    """
    views = draw_views(pictures, stage.batch, stage.side, rng, moving=bool(rng.random() < 0.5))
    noisy = np.concatenate([views.noisy_first, views.noisy_second])
    drawn = [_draw_style(styles, rng).arrays() for _ in range(stage.batch)]
    arrays = [np.concatenate(each) for each in zip(*drawn, strict=True)]
    halos = draw_halo_weights(views.first, rng)
    return views.first, noisy, views.kernel, halos, draw_positions(rng), *arrays


def _draw_style(styles: StyleTargets, rng: np.random.Generator) -> StyleTargets:
    first, second = (int(each) for each in rng.integers(len(styles), size=2))
    share = float(rng.uniform(0.2, 0.8)) if rng.random() < MIX_SHARE else 1.0
    return mix(styles, first, second, share)


class FinetuneLoss:
    """The loss of a stage."""

    def __init__(
        self,
        stage: FinetuneStage,
        student: StyleTransformer,
        network: LossNetwork,
        *,
        xla: bool = False,
    ) -> None:
        """Set up.

        Args:
            stage: with the weights of the terms.
            student: the network that is trained.
            network: the loss network.
            xla: compile the painting by XLA: half a minute for 0.6 of its time in every step.
        """
        self._stage = stage
        self._student = student
        self._network = network
        self._paint = self._paint_views
        if xla:
            self._paint = tf.function(self._paint_views, autograph=False, jit_compile=True)

    def __call__(self, *batch: Tensor) -> Tensor:
        """Return the weighted sum of the terms, a scalar."""
        terms = self.terms(*batch)
        weights = self._stage.weights
        return sum(weights[name] * term for name, term in terms._asdict().items())

    def terms(
        self,
        content: Tensor,
        views: Tensor,
        kernel: Tensor,
        halos: Tensor,
        positions: Tensor,
        *styles: Tensor,
    ) -> Terms:
        """Return the terms of the loss.

        Args:
            content: clean contents (n, h, w, 3), 0..1.
            views: first and second views of them, (2n, h, w, 3).
            kernel: see `consistency.shift`.
            halos: see `halo.draw_halo_weights`.
            positions: see `style_targets.draw_positions`.
            styles: the arrays of `StyleTargets`.
        """
        target = StyleTargets.of(styles)
        painted = self._paint(views, target.bottlenecks)
        first = ops.split(painted, 2)[0]
        features = self._network(first, LOSS_LAYERS)
        grams, quantiles = statistics(self._network, first, features, positions)
        seen = self._network(content, [CONTENT_LAYER])[CONTENT_LAYER]
        flat = flatness(content)
        amount = ops.sum(flat, axis=(1, 2))
        counts = amount / (amount + 1)  # less than one flat window counts for little
        return Terms(
            style=_mean(map(_relative, grams, target.grams)),
            distribution=_mean(map(_relative_quantiles, quantiles, target.quantiles)),
            content=_relative(features[CONTENT_LAYER], seen),
            texture=ops.mean(counts * _texture_error(flat_energies(first, flat), target.energies)),
            lattice=ops.mean(counts * _lattice_share(first, flat)),
            change=ops.mean(flicker(painted, kernel) / _contrast(first)),
            halo=_halo(first, halos),
        )

    def _paint_views(self, views: Tensor, bottlenecks: Tensor) -> Tensor:
        parameters = self._student.style_parameters(bottlenecks)
        both = ops.concatenate([parameters, parameters])
        return keras_backend.paint(
            self._student.config, fused_convolutions(self._student), views, both
        )


def fused_convolutions(network: StyleTransformer) -> dict[str, Convolution]:
    """Return the fused convolutions of a network, through which its weights have gradients.

    Training takes 0.65 of the time and less memory than with `StyleTransformer` itself.
    """
    fused = {}
    for name, (rows, columns) in tap_maps(network.config).items():
        layer = network.get_layer(name)
        kernel = ops.einsum("atpu,bsqv,uvio->tspqiabo", rows, columns, layer.kernel)
        down, across, *phases = kernel.shape
        kernel = ops.reshape(kernel, (down, across, int(np.prod(phases[:3])), -1))
        bias = layer.bias if layer.use_bias else None
        if name == "contract1":
            kernel, bias = kernel / PIXEL_SCALE, ops.concatenate([bias, bias])
        fused[name] = Convolution(kernel, bias, STRIDES.get(name, (1, 1)))
    return fused


def _mean(values: Iterable[Tensor]) -> Tensor:
    terms = list(values)
    return sum(terms) / len(terms)


def _relative(values: Tensor, target: Tensor) -> Tensor:
    """Return the mean over pictures of sum (x - t)^2 / sum t^2."""
    axes = tuple(range(1, len(values.shape)))
    error = ops.sum(ops.square(values - target), axes)
    return ops.mean(error / (ops.sum(ops.square(target), axes) + 1e-6))


def _relative_quantiles(values: Tensor, target: Tensor) -> Tensor:
    """Return the mean square error of quantiles relative to the target's variance."""
    error = ops.mean(ops.square(values - target), axis=(1, 2))
    variance = ops.mean(ops.var(target, axis=2), axis=1)
    return ops.mean(error / (variance + 1e-3 * ops.mean(ops.square(target), axis=(1, 2)) + 1e-6))


def _texture_error(energies: Tensor, target: Tensor) -> Tensor:
    ratio = ops.log((energies + _TINY) / (target + _TINY)) / 2
    return ops.mean(ops.square(ratio), axis=1)


def _lattice_share(pictures: Tensor, flat: Tensor) -> Tensor:
    total, peaks = spectrum(pictures, flat)
    return peaks / (total + _TINY)


def _contrast(pictures: Tensor) -> Tensor:
    return ops.mean(ops.sum(band_energies(pictures), axis=-1), axis=(1, 2)) + _TINY


def _halo(pictures: Tensor, weights: Tensor) -> Tensor:
    luminance = ops.sum(pictures * LUMA, axis=-1, keepdims=True)
    steps = ops.sum(luminance * weights, axis=(1, 2))
    variance = ops.var(luminance, axis=(1, 2, 3)) + _TINY
    return ops.mean(ops.mean(ops.square(steps), axis=1) / variance)
