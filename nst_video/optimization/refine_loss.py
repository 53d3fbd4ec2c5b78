"""The loss of style parameters: how a frozen network paints photos with them.

The encoder of a style transformer depends on no style, so photos are encoded once. Relative to the
obvious graph (network, loss network for painting and for photo) a step takes 0.6 of the time.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from keras import ops
from numpy.typing import NDArray

from nst_video.frames import Floats, Frame, size_of
from nst_video.image.resize import resize
from nst_video.networks.fused import keras_backend
from nst_video.networks.fused.convolutions import fuse_transformer
from nst_video.networks.models import StyleModel
from nst_video.networks.transformer import Tensor
from nst_video.networks.vgg import LossNetwork
from nst_video.optimization.autodiff import Losses, compiled, with_gradient
from nst_video.optimization.losses import gram, relative_error
from nst_video.optimization.painting import to_frame, to_unit
from nst_video.optimization.refine_settings import RefineSettings

STYLE_LAYERS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1")
CONTENT_LAYERS = ("block3_conv1", "block4_conv1")

CHROMA_UNIT = 0.1
"""What a channel of ones has beside the two of chroma in their Gram matrix.

It brings in their means, and keeps the relative distance finite for a gray style.
"""

_CHROMA = np.array([[1.0, -0.5], [0.0, 1.0], [-1.0, -0.5]], np.float32)
"""RGB to red against blue, and green against both."""

STYLE_SIDE = 384
"""Short side at which a style image is compared, in pixels."""

MAX_ASPECT = 3.0
"""Of a style image, of which otherwise the middle counts: a long scroll would not fit."""

NOISE = 4 / 255
"""Standard deviation of a camera's noise, of the range of pixels."""

NOISE_WEIGHT = 5.0
"""Of the mean squared change under noise. It keeps the change at 0.6 to 0.9 of the predicted
style's; without it refined styles flicker more."""

EXCESS_WEIGHT = 0.5
"""Of the content distance above the limit: five times that of the distance itself at a boldness of
0.5. Styles that are predicted well would otherwise gain style at the cost of content."""


class EncodedPhotos(NamedTuple):
    """Photos as the loss takes them.

    Attributes:
        features: of the transformer's encoder, (n, h, w, channels).
        noisy: the same of the photos with noise.
        content: features of the loss network for `CONTENT_LAYERS`, each (n, h, w, channels).
        limits: content distance of each photo up to which it costs little, (n,).
    """

    features: NDArray[np.float32]
    noisy: NDArray[np.float32]
    content: tuple[NDArray[np.float32], ...]
    limits: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.features)

    def pick(self, indices: Sequence[int]) -> "EncodedPhotos":
        """Return some of the photos."""
        at = list(indices)
        content = tuple(layer[at] for layer in self.content)
        return EncodedPhotos(self.features[at], self.noisy[at], content, self.limits[at])


class RefineLoss:
    """Loss and gradient of style parameters of one model for one style."""

    def __init__(
        self,
        model: StyleModel,
        network: LossNetwork,
        pictures: Sequence[Frame],
        start: Floats,
        settings: RefineSettings,
    ) -> None:
        """Compute the style's Gram matrices: the mean over its pictures.

        Args:
            model: its transformer paints.
            network: the loss network; it has all of `STYLE_LAYERS`.
            pictures: the style images, RGB uint8.
            start: the predicted style parameters (p,), whose content distances are the measure of
                others.
            settings: for the weight and the limit of the content distance.
        """
        self._config = model.config
        self._network = network
        self._start = start
        self._content_weight = settings.content_weight
        self._content_limit = settings.content_limit
        self._convolutions = fuse_transformer(model.config, model.arrays)
        self._aims = _mean_grams(network, pictures)
        self._with_gradient = compiled(with_gradient(self._losses))
        self._measured = compiled(self._measure)
        self._encoded = compiled(self._encode)

    def descend(self, parameters: Floats, photos: EncodedPhotos) -> tuple[dict[str, float], Floats]:
        """Return the losses by name, with their weighted sum "total", and its gradient (p,).

        Args:
            parameters: style parameters (p,).
            photos: always as many, since the graph is compiled for each number.
        """
        style = ops.convert_to_tensor(parameters[None])
        (_, terms), gradient = self._with_gradient(style, photos)
        return _to_floats(terms), np.asarray(ops.convert_to_numpy(gradient)[0], np.float32)

    def measure(
        self, parameters: Floats, photos: EncodedPhotos
    ) -> tuple[list[Frame], dict[str, float]]:
        """Return the photos painted, and the losses without that of noise, see `descend`."""
        painted, terms = self._measured(ops.convert_to_tensor(parameters[None]), photos)
        frames = [to_frame(picture) for picture in np.asarray(ops.convert_to_numpy(painted))]
        return frames, _to_floats(terms)

    def encode(self, photos: Sequence[Frame], rng: np.random.Generator) -> EncodedPhotos:
        """Encode photos (height, width, 3), RGB uint8, all of one size, with noise from `rng`."""
        parts = []
        for photo in photos:
            clean = to_unit(photo)[None]
            grain = rng.normal(0, NOISE, clean.shape).astype(np.float32)
            pair = map(ops.convert_to_tensor, (clean, np.clip(clean + grain, 0, 1)))
            encoded = self._encoded(*pair)
            parts.append([np.asarray(ops.convert_to_numpy(each)) for each in encoded])
        features, noisy, limits, *content = (np.concatenate(p) for p in zip(*parts, strict=True))
        return EncodedPhotos(features, noisy, tuple(content), limits)

    def _encode(self, clean: Tensor, noisy: Tensor) -> tuple[Tensor, ...]:
        """Return features of a photo without and with noise, its limit and its content."""
        features, noisy = (
            keras_backend.encode(self._convolutions, each) for each in (clean, noisy)
        )
        seen = self._network(clean, CONTENT_LAYERS)
        content = [seen[layer] for layer in CONTENT_LAYERS]
        painted = self._network(self._paint(features, self._start[None]), CONTENT_LAYERS)
        limits = self._content_limit * self._content(painted, content)
        return features, noisy, limits, *content

    def _paint(self, features: Tensor, parameters: Tensor) -> Tensor:
        return keras_backend.decode(self._config, self._convolutions, features, parameters)

    def _losses(self, parameters: Tensor, photos: EncodedPhotos) -> Losses:
        """Return the total loss of style parameters (1, p) for photos, and its terms."""
        painted, terms = self._measure(parameters, photos)
        noisy = self._paint(photos.noisy, parameters)
        noise = ops.mean(ops.square(painted - noisy))
        total = terms["total"] + NOISE_WEIGHT * noise
        return total, {**terms, "noise": noise, "total": total}

    def _measure(
        self, parameters: Tensor, photos: EncodedPhotos
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the painted photos and the losses without that of noise."""
        painted = self._paint(photos.features, parameters)
        ours = self._network(painted, STYLE_LAYERS)
        grams = _grams(painted, ours)
        errors = [relative_error(grams[k], aim) for k, aim in self._aims.items()]
        # `relative_error` sums up over the batch, and the aim is there once.
        style = sum(errors) / (len(errors) * ops.cast(ops.shape(painted)[0], "float32"))
        each = self._content(ours, photos.content)
        content, excess = ops.mean(each), ops.mean(ops.relu(each - photos.limits))
        total = style + self._content_weight * content + EXCESS_WEIGHT * excess
        return painted, {"style": style, "content": content, "total": total}

    def _content(self, ours: Mapping[str, Tensor], seen: Sequence[Tensor]) -> Tensor:
        """Return the relative content distance of each picture, (n,), the mean over layers."""
        distances = []
        for layer, target in zip(CONTENT_LAYERS, seen, strict=True):
            error = ops.sum(ops.square(ours[layer] - target), axis=(1, 2, 3))
            distances.append(error / (ops.sum(ops.square(target), axis=(1, 2, 3)) + 1e-6))
        return sum(distances) / len(distances)


def _to_floats(terms: Mapping[str, Tensor]) -> dict[str, float]:
    return {name: float(term) for name, term in terms.items()}


def _grams(pictures: Tensor, features: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return Gram matrices (n, c, c) of features of `STYLE_LAYERS`, and of the pictures' chroma.

    In those of features brightness outweighs color: without the chroma, blue and yellow go gray.
    """
    chroma = ops.matmul(pictures, _CHROMA)
    ones = ops.full_like(chroma[..., :1], CHROMA_UNIT)
    grams = {layer: gram(features[layer]) for layer in STYLE_LAYERS}
    return {**grams, "chroma": gram(ops.concatenate([ones, chroma], -1))}


def _mean_grams(network: LossNetwork, pictures: Sequence[Frame]) -> dict[str, Tensor]:
    """Return the Gram matrices (1, c, c) that a style has: the mean over its pictures."""
    grams = []
    for picture in pictures:
        scaled = ops.convert_to_tensor(to_unit(_comparable(picture))[None])
        grams.append(_grams(scaled, network(scaled, STYLE_LAYERS)))
    return {name: sum(each[name] for each in grams) / len(grams) for name in grams[0]}


def _comparable(picture: Frame) -> Frame:
    """Return a style image at a short side of `STYLE_SIDE`, without the ends of a long one."""
    width, height = size_of(picture)
    longest = round(MAX_ASPECT * min(width, height))
    top, left = max(0, (height - longest) // 2), max(0, (width - longest) // 2)
    middle = picture[top : top + longest, left : left + longest]
    width, height = size_of(middle)
    scale = STYLE_SIDE / min(width, height)
    return resize(middle, (round(width * scale), round(height * scale)), enlarge="cubic")
