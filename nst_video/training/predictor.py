"""Distillation of the style predictor: dataset of style images and bottlenecks, and the loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from nst_video.frames import Floats, Frame
from nst_video.image.resize import center_square
from nst_video.networks.transformer import Tensor
from nst_video.training.dataset import to_unit
from nst_video.training.evaluate import centered_cosine
from nst_video.training.loop import Batch, Evaluate, Loss
from nst_video.training.style_sampling import SIDE, Predict, draw_style_picture

PICTURES, BOTTLENECKS = "style-pictures.npy", "style-bottlenecks.npy"

WHITENING = 0.3
"""Degree of whitening of the bottlenecks in the loss: 0 for none, 1 for equal variances."""


@dataclass(frozen=True, slots=True)
class StyleDataset:
    """Style images and the teacher's bottlenecks for them.

    Attributes:
        pictures: RGB uint8 (n, SIDE, SIDE, 3), memory-mapped: 200 kB each.
        bottlenecks: float32 (n, d).
    """

    pictures: NDArray[np.uint8]
    bottlenecks: Floats

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Draw style images (count, SIDE, SIDE, 3), 0..1, and their bottlenecks (count, d)."""
        picks = np.sort(rng.integers(len(self.pictures), size=count))
        return to_unit(self.pictures[picks]), self.bottlenecks[picks]


def build_style_dataset(
    folder: Path, pictures: Sequence[Frame], predict: Predict, size: int, rng: np.random.Generator
) -> StyleDataset:
    """Return the style dataset in `folder`, built where it is missing.

    Args:
        folder: of the run.
        pictures: RGB uint8; each is used whole first, then augmented.
        predict: the teacher's style predictor.
        size: number of style images.
        rng: draws them.
    """
    if not (folder / BOTTLENECKS).is_file():
        folder.mkdir(parents=True, exist_ok=True)
        shape = (size, SIDE, SIDE, 3)
        drawn = np.lib.format.open_memmap(folder / PICTURES, "w+", np.uint8, shape)
        bottlenecks = []
        for index in range(size):
            whole = index < len(pictures)
            picture = (
                center_square(pictures[index], SIDE) if whole else draw_style_picture(pictures, rng)
            )
            drawn[index] = picture
            bottlenecks.append(predict(picture))
        drawn.flush()
        np.save(folder / BOTTLENECKS, np.stack(bottlenecks))
    return StyleDataset(
        np.load(folder / PICTURES, mmap_mode="r", allow_pickle=False),
        np.load(folder / BOTTLENECKS, allow_pickle=False),
    )


def whitening_matrix(bottlenecks: Floats) -> Floats:
    """Return the matrix (d, d) that partly whitens bottlenecks (n, d), to mean variance 1."""
    values, directions = np.linalg.eigh(np.cov(bottlenecks.T))
    floor = values.max() * 1e-3
    scales = np.maximum(values, floor) ** (-WHITENING / 2)
    scaled = directions * scales
    size = np.sqrt(np.sum(scales**2 * np.maximum(values, 0)) / len(values))
    return np.asarray(scaled / size, np.float32)


def predictor_loss(network: keras.Model, bottlenecks: Floats) -> Loss:
    """Return the loss of a batch of pictures and bottlenecks: the mean squared whitened error."""
    compare = whitening_matrix(bottlenecks)

    def loss(pictures: Tensor, targets: Tensor) -> Tensor:
        return ops.mean(ops.square(ops.matmul(network(pictures) - targets, compare)))

    return loss


def bottleneck_evaluation(styles: Sequence[Frame], predict: Predict) -> Evaluate:
    """Return a function that computes cosine and relative error on held-out styles."""
    inputs = to_unit(np.stack([center_square(style, SIDE) for style in styles]))
    targets = np.stack([predict(style) for style in styles])

    def evaluate(average: keras.Model) -> dict[str, float]:
        predicted = np.asarray(average.predict_on_batch(inputs), np.float32)
        error = float(np.mean(np.square(predicted - targets)) / np.mean(np.var(targets, axis=0)))
        return {"cosine": centered_cosine(predicted, targets), "relative_error": error}

    return evaluate
