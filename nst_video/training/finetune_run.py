"""Runs the fine-tuning of a style transformer, see `finetune`."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from nst_video.frames import Frame
from nst_video.networks.checkpoints import collect, load_transformer
from nst_video.networks.models import StyleModel
from nst_video.networks.transformer import StyleTransformer, Tensor
from nst_video.networks.vgg import LossNetwork
from nst_video.training.config import FinetuneConfig, FinetuneStage
from nst_video.training.dataset import Pictures
from nst_video.training.finetune import FinetuneLoss, Terms, draw_finetune_batch
from nst_video.training.loop import Batch, Evaluate, OnLog, Trainer, TrainingStage
from nst_video.training.state import save_weights
from nst_video.training.style_targets import StyleTargets, build_style_targets

STYLES, HELD_OUT_STYLES = "styles.npz", "held-out-styles.npz"
"""Names of the files of style targets in the folder of a run."""

FINETUNED = "finetuned.npz"
"""Name of the file of finished weights in the folder of a run."""

EVALUATION_BATCHES = 12
"""Batches of held-out contents and styles, whose mean is logged."""


def finetune_transformer(
    model: StyleModel,
    contents: Pictures,
    styles: Pictures,
    network: LossNetwork,
    folder: Path,
    config: FinetuneConfig,
    on_log: OnLog,
    seed: int = 0,
) -> Path:
    """Fine-tune the transformer and style head of a model; its predictor stays as it is.

    A run in the same folder is resumed.

    Args:
        model: where it starts.
        contents: content images.
        styles: style images.
        network: the loss network.
        folder: of states, log and result.
        config: stages and number of styles.
        on_log: called with each log entry.
        seed: of all random numbers.

    Returns:
        The file of the averaged weights, float16.
    """
    student, average = (load_transformer(model.config, model.arrays) for _ in range(2))
    trainer = Trainer(student, average, folder, seed)

    def targets(name: str, pictures: Sequence[Frame], count: int) -> StyleTargets:
        rng = np.random.default_rng((seed, 1))
        return build_style_targets(folder / name, network, model.predictor, pictures, count, rng)

    trained = targets(STYLES, styles.training, config.styles)
    held_out = targets(HELD_OUT_STYLES, styles.held_out, len(styles.held_out))
    for stage in config.stages:
        trainer.run(
            TrainingStage(
                f"finetune-{stage.name}",
                stage.steps,
                stage.learning_rate,
                partial(draw_finetune_batch, stage, contents.training, trained),
                FinetuneLoss(stage, student, network, xla=True),
                _evaluation(stage, average, network, contents.held_out, held_out),
            ),
            on_log,
        )
    path = folder / FINETUNED
    save_weights(path, collect(average))
    return path


def _evaluation(
    stage: FinetuneStage,
    average: StyleTransformer,
    network: LossNetwork,
    pictures: Sequence[Frame],
    styles: StyleTargets,
) -> Evaluate:
    """Return a function that computes the terms of the loss on held-out contents and styles."""
    batches = [
        draw_finetune_batch(stage, pictures, styles, np.random.default_rng(index))
        for index in range(EVALUATION_BATCHES)
    ]
    terms = _compiled_terms(FinetuneLoss(stage, average, network))

    def evaluate(_average: keras.Model) -> dict[str, float]:
        measured = np.mean([terms(batch) for batch in batches], axis=0)
        return dict(zip(Terms._fields, map(float, measured), strict=True))

    return evaluate


def _compiled_terms(loss: FinetuneLoss) -> Callable[[Batch], tuple[float, ...]]:
    @tf.function(autograph=False)
    def run(batch: tuple[Tensor, ...]) -> Terms:
        return loss.terms(*batch)

    return lambda batch: tuple(float(term) for term in run(tuple(map(tf.constant, batch))))
