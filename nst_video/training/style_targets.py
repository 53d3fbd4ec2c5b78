"""What a painting in a style should look like to a loss network, computed once for each style."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from keras import ops

from nst_video.frames import Floats, Frame
from nst_video.image.resize import center_square
from nst_video.networks.builtin import LOSS_LAYERS
from nst_video.networks.transformer import Tensor
from nst_video.networks.vgg import LossNetwork
from nst_video.optimization.losses import gram
from nst_video.system.paths import write_atomically
from nst_video.training.dataset import pick, random_crop, to_unit
from nst_video.training.style_sampling import Predict, draw_style_picture
from nst_video.training.texture import typical_energies

SIDE = 384
"""Of the style images, in pixels, to which paintings of this short side are compared."""

DIRECTIONS = 32
"""Random directions in the space of each layer's features, on which distributions are compared."""

SAMPLES = 1024
"""Positions of a layer that are compared; all are too many to sort."""

QUANTILES = 128
"""Groups of sorted samples, whose means are compared."""

CHROMA_UNIT = 0.1
"""What a channel of ones has beside those of chroma in their Gram matrix, to bring in the means."""

_CHROMA = np.array([[1.0, -0.5], [0.0, 1.0], [-1.0, -0.5]], np.float32)
"""RGB to red against blue, and green against both."""

DRAWS = 2
"""Draws of samples whose quantiles are averaged for a style."""

PLAIN_SHARE = 0.6
"""Of the drawn styles, those that are parts of paintings as they are."""

_SEED = 3


@dataclass(frozen=True, slots=True)
class StyleTargets:
    """Styles, each a row of every array.

    Attributes:
        bottlenecks: (n, d).
        grams: of each of `LOSS_LAYERS`, then of the chroma, each (n, c, c).
        quantiles: of each of `LOSS_LAYERS`, (n, `DIRECTIONS`, `QUANTILES`).
        energies: of the octaves of texture, (n, bands), see `texture.typical_energies`.
    """

    bottlenecks: Floats
    grams: tuple[Floats, ...]
    quantiles: tuple[Floats, ...]
    energies: Floats

    def __len__(self) -> int:
        return len(self.bottlenecks)

    def arrays(self) -> tuple[Floats, ...]:
        """Return all arrays in order."""
        return (self.bottlenecks, *self.grams, *self.quantiles, self.energies)

    @staticmethod
    def of(arrays: Sequence[Floats]) -> "StyleTargets":
        """Return the styles whose `arrays` these are."""
        layers = len(LOSS_LAYERS)
        grams, quantiles = arrays[1 : layers + 2], arrays[layers + 2 : -1]
        return StyleTargets(arrays[0], tuple(grams), tuple(quantiles), arrays[-1])


def mix(styles: StyleTargets, first: int, second: int, share: float) -> StyleTargets:
    """Return one style, (1, ...): `share` of the first, the rest of the second.

    Quantiles are averaged, as in a Wasserstein barycenter on each direction.
    """

    def blend(array: Floats) -> Floats:
        return share * array[first : first + 1] + (1 - share) * array[second : second + 1]

    return StyleTargets.of([blend(array) for array in styles.arrays()])


def draw_positions(rng: np.random.Generator) -> Floats:
    """Draw where to sample each layer's features, (layers, `SAMPLES`), as shares of all places."""
    return rng.random((len(LOSS_LAYERS), SAMPLES), np.float32)


def statistics(
    network: LossNetwork, pictures: Tensor, features: dict[str, Tensor], positions: Tensor
) -> tuple[list[Tensor], list[Tensor]]:
    """Return Gram matrices and quantiles of pictures, as `StyleTargets` has them.

    Args:
        network: the loss network that the features come from.
        pictures: RGB (n, h, w, 3), 0..1.
        features: of `LOSS_LAYERS`.
        positions: see `draw_positions`.
    """
    chroma = ops.matmul(pictures, _CHROMA)
    ones = ops.full_like(chroma[..., :1], CHROMA_UNIT)
    grams = [gram(features[layer]) for layer in LOSS_LAYERS]
    grams.append(gram(ops.concatenate([ones, chroma], -1)))
    quantiles = [
        _quantiles(features[layer], positions[index], _directions(network.channels(layer)))
        for index, layer in enumerate(LOSS_LAYERS)
    ]
    return grams, quantiles


def _directions(channels: int) -> Floats:
    """Return unit vectors in the space of features, (channels, `DIRECTIONS`), always the same."""
    vectors = np.random.default_rng(_SEED).standard_normal((channels, DIRECTIONS))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=0), np.float32)


def _quantiles(features: Tensor, positions: Tensor, directions: Floats) -> Tensor:
    """Return sorted projections of sampled features, averaged in groups."""
    _, height, width, channels = ops.shape(features)
    rows = ops.reshape(features, (-1, height * width, channels))
    picks = ops.cast(positions * (height * width), "int32")
    projected = ops.matmul(ops.take(rows, picks, axis=1), directions)
    ordered = ops.sort(ops.transpose(projected, (0, 2, 1)), axis=-1)
    groups = ops.reshape(ordered, (-1, DIRECTIONS, QUANTILES, SAMPLES // QUANTILES))
    return ops.mean(groups, axis=-1)


def measure_style(network: LossNetwork, picture: Frame, bottleneck: Floats) -> StyleTargets:
    """Return the targets of one style image (h, w, 3), RGB uint8, of which the middle counts."""
    square = to_unit(center_square(picture, SIDE))[None]
    tensor = ops.convert_to_tensor(square)
    features = network(tensor, LOSS_LAYERS)
    rng = np.random.default_rng(_SEED)
    measured = [
        statistics(network, tensor, features, ops.convert_to_tensor(draw_positions(rng)))
        for _ in range(DRAWS)
    ]
    grams = [np.asarray(each) for each in measured[0][0]]
    quantiles = [
        np.mean([np.asarray(each) for each in draws], axis=0)
        for draws in zip(*(drawn for _, drawn in measured), strict=True)
    ]
    return StyleTargets(bottleneck[None], tuple(grams), tuple(quantiles), typical_energies(square))


def build_style_targets(
    path: Path,
    network: LossNetwork,
    predict: Predict,
    pictures: Sequence[Frame],
    count: int,
    rng: np.random.Generator,
) -> StyleTargets:
    """Return the targets in the file at `path`, which is written where it is missing.

    Args:
        path: the `.npz` file.
        network: the loss network.
        predict: the style predictor.
        pictures: style images, RGB uint8; each is used whole first, then in parts and recolored.
        count: number of styles.
        rng: draws them.
    """
    if not path.is_file():
        styles = []
        for index in range(count):
            whole = index < len(pictures)
            picture = pictures[index] if whole else _draw_style(pictures, rng)
            styles.append(measure_style(network, picture, predict(picture)).arrays())
        joined = {str(i): np.concatenate(each) for i, each in enumerate(zip(*styles, strict=True))}
        write_atomically(path, lambda file: np.savez(file, allow_pickle=False, **joined))
    with np.load(path, allow_pickle=False) as file:
        return StyleTargets.of([file[str(index)] for index in range(len(file.files))])


def _draw_style(pictures: Sequence[Frame], rng: np.random.Generator) -> Frame:
    """Draw half of a painting or more as it is, or else an augmented style image."""
    if rng.random() < PLAIN_SHARE:
        return random_crop(pick(pictures, rng), SIDE, rng)
    return draw_style_picture(pictures, rng, SIDE)
