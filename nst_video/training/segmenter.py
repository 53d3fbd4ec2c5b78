"""Training of the person segmenter: its loss, and how it is judged on held-out pictures."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import keras
import numpy as np
from keras import ops

from nst_video.frames import Frame
from nst_video.image.resize import resize_area, resize_linear
from nst_video.networks.checkpoints import Arrays, assign, collect, load_npz
from nst_video.networks.segmenter import SIZE, segmenter_shapes
from nst_video.networks.segmenter_keras import build_segmenter
from nst_video.networks.transformer import Tensor
from nst_video.training.dataset import to_unit
from nst_video.training.loop import Evaluate, Loss, OnLog, Trainer, TrainingStage
from nst_video.training.person_scenes import Person, SceneDrawer, Scenery
from nst_video.training.state import save_weights

BATCH = 8

LEARNING_RATE = 1.2e-3

SEGMENTER = "segmenter.npz"
"""Name of the file of finished weights in the folder of a run."""

SMALLEST_AREA = 0.01
"""Of the frame: the overlap of smaller people counts as if they were so large."""


def train_segmenter(
    training: Scenery,
    held_out: Scenery,
    folder: Path,
    steps: int,
    on_log: OnLog,
    *,
    start: Path | None = None,
    seed: int = 0,
) -> Path:
    """Train the person segmenter; return the file of its averaged weights, float16.

    A run in the same folder is resumed.

    Args:
        training: what scenes are made of.
        held_out: what the network is judged on.
        folder: of states, log and result.
        steps: number of optimizer steps.
        on_log: called with each log entry.
        start: weights to begin with; layers that it lacks begin small. None for random ones.
        seed: of all random numbers.
    """
    keras.utils.set_random_seed(seed)
    network, average = build_segmenter("mixed_bfloat16"), build_segmenter()
    if start is not None:
        assign(network, _begin_with(start, collect(network)))
    stage = TrainingStage(
        "segmenter",
        steps,
        LEARNING_RATE,
        partial(SceneDrawer(training), BATCH),
        segmenter_loss(network),
        mask_evaluation(held_out.people, held_out.places),
    )
    Trainer(network, average, folder, seed).run(stage, on_log)
    path = folder / SEGMENTER
    save_weights(path, collect(average))
    return path


def _begin_with(start: Path, random: Arrays) -> Arrays:
    """Return the weights in a file; what it lacks adds little to what the others compute."""
    known = load_npz(start, segmenter_shapes(), "the person segmenter", may_lack=True)
    return {key: known.get(key, array * 0.1) for key, array in random.items()}


def segmenter_loss(network: keras.Model) -> Loss:
    """Return the loss of a batch of scenes and masks: cross entropy, and overlap of each scene."""

    def loss(scenes: Tensor, masks: Tensor) -> Tensor:
        logits = network(scenes)
        entropy = ops.mean(ops.binary_crossentropy(masks, logits, from_logits=True))
        found = ops.sigmoid(logits)
        both = ops.mean(found * masks, axis=(1, 2))
        either = ops.mean(found + masks - found * masks, axis=(1, 2))
        overlap = (both + SMALLEST_AREA) / (either + SMALLEST_AREA)
        return entropy + ops.mean(1 - overlap)

    return loss


def mask_evaluation(people: Sequence[Person], places: Sequence[Frame]) -> Evaluate:
    """Return a function that compares masks with the teacher's on held-out pictures.

    It computes the mean IoU, that of the worst tenth, and the share of pixels of `places` that are
    taken for people.
    """
    pictures = to_unit(np.stack([resize_area(person.picture, SIZE) for person in people]))
    masks = np.stack([resize_linear(person.mask, SIZE) for person in people])
    empty = to_unit(np.stack([resize_area(place, SIZE) for place in places]))

    def evaluate(average: keras.Model) -> dict[str, float]:
        found = np.asarray(average.predict(pictures, verbose=0))
        overlaps = np.sort([iou(a > 0, b > 0.5) for a, b in zip(found, masks, strict=True)])
        return {
            "iou": float(overlaps.mean()),
            "iou_worst": float(overlaps[: max(1, len(overlaps) // 10)].mean()),
            "empty": float((np.asarray(average.predict(empty, verbose=0)) > 0).mean()),
        }

    return evaluate


def iou(first: np.ndarray, second: np.ndarray) -> float:
    """Return the overlap of two masks over their union; 1 for two empty ones."""
    either = np.logical_or(first, second).sum()
    return float(np.logical_and(first, second).sum() / either) if either else 1.0
