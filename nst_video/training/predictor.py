"""What the style predictor learns from: style pictures and the bottlenecks its teacher makes."""

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
from nst_video.training.loop import Batch, Judge, Loss
from nst_video.training.style_bank import SIDE, Predict, style_picture

PICTURES, BOTTLENECKS = "pool-pictures.npy", "pool-bottlenecks.npy"

WHITENED = 0.3
"""How far directions in which bottlenecks vary little are raised to count like the others, 0..1."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Style pictures and their bottlenecks.

    Attributes:
        pictures: uint8 (n, SIDE, SIDE, 3), on disk: 200 kB each.
        bottlenecks: (n, d).
    """

    pictures: NDArray[np.uint8]
    bottlenecks: Floats

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Draw pictures (count, SIDE, SIDE, 3), 0..1, and their bottlenecks."""
        picks = np.sort(rng.integers(len(self.pictures), size=count))
        return to_unit(self.pictures[picks]), self.bottlenecks[picks]


def fill_pool(
    folder: Path, pictures: Sequence[Frame], predict: Predict, size: int, rng: np.random.Generator
) -> Pool:
    """Draw style pictures and ask the teacher about each; take a pool that is there as it is."""
    if not (folder / BOTTLENECKS).is_file():
        folder.mkdir(parents=True, exist_ok=True)
        shape = (size, SIDE, SIDE, 3)
        drawn = np.lib.format.open_memmap(folder / PICTURES, "w+", np.uint8, shape)
        bottlenecks = []
        for index in range(size):
            whole = index < len(pictures)
            picture = (
                center_square(pictures[index], SIDE) if whole else style_picture(pictures, rng)
            )
            drawn[index] = picture
            bottlenecks.append(predict(picture))
        drawn.flush()
        np.save(folder / BOTTLENECKS, np.stack(bottlenecks))
    return Pool(
        np.load(folder / PICTURES, mmap_mode="r", allow_pickle=False),
        np.load(folder / BOTTLENECKS, allow_pickle=False),
    )


def metric(bottlenecks: Floats) -> Floats:
    """Return the matrix (d, d) after which bottlenecks are compared: partly whitened, of size 1."""
    values, directions = np.linalg.eigh(np.cov(bottlenecks.T))
    floor = values.max() * 1e-3
    scales = np.maximum(values, floor) ** (-WHITENED / 2)
    scaled = directions * scales
    size = np.sqrt(np.sum(scales**2 * np.maximum(values, 0)) / len(values))
    return np.asarray(scaled / size, np.float32)


def predictor_loss(network: keras.Model, bottlenecks: Floats) -> Loss:
    """Return the loss of a batch of pictures and bottlenecks: mean square in `metric`."""
    compare = metric(bottlenecks)

    def loss(pictures: Tensor, targets: Tensor) -> Tensor:
        return ops.mean(ops.square(ops.matmul(network(pictures) - targets, compare)))

    return loss


def bottleneck_judge(styles: Sequence[Frame], predict: Predict) -> Judge:
    """Return what tells the cosine of centered bottlenecks on held-out styles."""
    inputs = to_unit(np.stack([center_square(style, SIDE) for style in styles]))
    targets = np.stack([predict(style) for style in styles])

    def judge(average: keras.Model) -> dict[str, float]:
        made = np.asarray(average.predict_on_batch(inputs), np.float32)
        error = float(np.mean(np.square(made - targets)) / np.mean(np.var(targets, axis=0)))
        return {"cosine": centered_cosine(made, targets), "relative_error": error}

    return judge
