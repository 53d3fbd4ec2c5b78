"""Trains the networks of `builtin`, from pictures in memory to weights on disk."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras
import numpy as np

from nst_video.engines.openvino.engine import has_bfloat16
from nst_video.errors import UsageError
from nst_video.frames import Floats, Frame
from nst_video.image.resize import center_square
from nst_video.networks.builtin import (
    LOSS_LAYERS,
    LOSS_TRUNK,
    build_style_predictor,
    load_style_predictor,
)
from nst_video.networks.checkpoints import collect, load_npz, load_transformer
from nst_video.networks.models import StyleModel, style_input
from nst_video.networks.transformer import TRANSFORMERS, StyleTransformer
from nst_video.training.config import TrainingConfig
from nst_video.training.dataset import Pictures, to_unit
from nst_video.training.evaluate import Evaluation, evaluate, painter, psnr
from nst_video.training.loop import Evaluate, OnLog, Trainer, TrainingStage
from nst_video.training.loss_network import (
    SCALE_SAMPLES,
    VARIANCE_FLOOR,
    batch_drawer,
    build_student,
    draw_degraded,
    feature_evaluation,
    feature_loss,
    without_auxiliary,
)
from nst_video.training.loss_network_layers import channels_loss
from nst_video.training.optimization_trajectories import Trajectories
from nst_video.training.predictor import (
    StyleDataset,
    bottleneck_evaluation,
    build_style_dataset,
    predictor_loss,
)
from nst_video.training.state import save_weights
from nst_video.training.transformer import draw_batch, stage_loss
from nst_video.training.vgg import Vgg
from nst_video.validation import SEED

RESULTS = TRANSFORMER, PREDICTOR, LOSS = "transformer.npz", "predictor.npz", "loss.npz"
"""Names of the files of finished weights in the folder of a run."""

EVALUATION_PAIRS = 8
"""Pairs of held-out contents and styles that are painted at every log entry."""

EVALUATION_SIDE = 384
"""Side of these contents, in pixels."""


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """Inputs and folder of a training run.

    Attributes:
        teacher: the model that is distilled.
        contents: content images.
        styles: style images.
        folder: of states, log and results.
        seed: of all random numbers.
        vgg: weights of VGG-19; None to train without a perceptual loss.

    Raises:
        UsageError: the seed is out of its range.
    """

    teacher: StyleModel
    contents: Pictures
    styles: Pictures
    folder: Path
    seed: int = 0
    vgg: Path | None = None

    def __post_init__(self) -> None:
        SEED.check("The seed", self.seed)


def train_transformer(run: TrainingRun, config: TrainingConfig, on_log: OnLog) -> Path:
    """Train the style transformer; return the file of its averaged weights, float16.

    A run in the same folder is resumed.

    Args:
        run: teacher, pictures and folder.
        config: its stages.
        on_log: called with each log entry.
    """
    teacher = load_transformer(run.teacher.config, run.teacher.arrays)
    keras.utils.set_random_seed(run.seed)
    architecture = TRANSFORMERS["builtin"]
    student, average = StyleTransformer(architecture), StyleTransformer(architecture)
    trainer = Trainer(student, average, run.folder, run.seed)
    bottlenecks = _style_dataset(run, config.style_samples).bottlenecks
    pictures = (*run.contents.training, *run.styles.training)
    vgg = Vgg(run.vgg, LOSS_LAYERS[:3]) if run.vgg else None
    for stage in config.transformer_stages:
        trainer.run(
            TrainingStage(
                f"transformer-{stage.name}",
                stage.steps,
                stage.learning_rate,
                partial(draw_batch, stage, pictures, bottlenecks),
                stage_loss(stage, teacher, student, vgg),
                _transformer_evaluation(run, teacher),
            ),
            on_log,
        )
    path = run.folder / TRANSFORMER
    save_weights(path, collect(average))
    return path


def train_predictor(run: TrainingRun, config: TrainingConfig, on_log: OnLog) -> Path:
    """Train the style predictor; return the file of its averaged weights, float16.

    A run in the same folder is resumed; for the arguments see `train_transformer`.
    """
    keras.utils.set_random_seed(run.seed)
    student, average = build_style_predictor(), build_style_predictor()
    trainer = Trainer(student, average, run.folder, run.seed)
    dataset = _style_dataset(run, config.style_samples)
    trainer.run(
        TrainingStage(
            "predictor",
            config.predictor_steps,
            config.predictor_learning_rate,
            lambda rng: dataset.draw(config.predictor_batch, rng),
            predictor_loss(student, dataset.bottlenecks),
            bottleneck_evaluation(run.styles.held_out, run.teacher.predictor),
        ),
        on_log,
    )
    path = run.folder / PREDICTOR
    save_weights(path, collect(average))
    return path


def train_loss_network(run: TrainingRun, config: TrainingConfig, on_log: OnLog) -> Path:
    """Train the loss network; return the file of its averaged weights, float16.

    A run in the same folder is resumed; for the arguments see `train_transformer`.

    Raises:
        UsageError: `run.vgg` is missing; VGG-19 is the teacher.
    """
    if run.vgg is None:
        raise UsageError("The teacher of the loss network is VGG-19: give its weights with --vgg.")
    dtype = "bfloat16" if has_bfloat16() else "float32"
    vgg, whole = Vgg(run.vgg, dtype=dtype), Vgg(run.vgg, LOSS_TRUNK, dtype=dtype)
    keras.utils.set_random_seed(run.seed)
    student, average = build_student(vgg), build_student(vgg)
    trainer = Trainer(student, average, run.folder, run.seed)
    pictures = (*run.contents.training, *run.styles.training)
    held_out = (*run.contents.held_out, *run.styles.held_out)
    rng = np.random.default_rng((run.seed, 2))
    for stage in config.loss_stages:
        trajectories = Trajectories(student, pictures, stage.trajectories, stage.side)
        examples = draw_degraded(pictures, SCALE_SAMPLES, stage.side, rng)
        trainer.run(
            TrainingStage(
                f"loss-{stage.name}",
                stage.steps,
                stage.learning_rate,
                batch_drawer(stage, pictures, trajectories if stage.trajectories else None),
                channels_loss(student, whole, examples, VARIANCE_FLOOR)
                if stage.layerwise
                else feature_loss(student, vgg, examples, stage.gram_weight),
                feature_evaluation(draw_degraded(held_out, SCALE_SAMPLES, stage.side, rng), vgg),
            ),
            on_log,
        )
    path = run.folder / LOSS
    save_weights(path, without_auxiliary(average))
    return path


def evaluate_run(run: TrainingRun) -> Evaluation:
    """Evaluate the weights in the run's folder on all held-out pictures.

    Raises:
        WeightsError: the weights are missing, or belong to other networks.
    """
    config = TRANSFORMERS["builtin"]
    arrays = load_npz(run.folder / TRANSFORMER, config.array_shapes(), "the style transformer")
    predictor = load_style_predictor(run.folder / PREDICTOR)

    def predict(picture: Frame) -> Floats:
        return np.asarray(predictor.predict_on_batch(style_input(picture))[0], np.float32)

    return evaluate(
        painter(load_transformer(run.teacher.config, run.teacher.arrays)),
        painter(load_transformer(config, arrays)),
        (run.teacher.predictor, predict),
        (run.contents.held_out, run.styles.held_out),
        run.vgg,
    )


def _style_dataset(run: TrainingRun, size: int) -> StyleDataset:
    """Return the style dataset of the run's folder, built once."""
    pictures = (*run.styles.training, *run.contents.training)
    rng = np.random.default_rng((run.seed, 1))
    return build_style_dataset(run.folder, pictures, run.teacher.predictor, size, rng)


def _transformer_evaluation(run: TrainingRun, teacher: StyleTransformer) -> Evaluate:
    """Return a function that computes the PSNR of student to teacher on held-out pictures."""
    pairs = list(zip(run.contents.held_out, run.styles.held_out, strict=False))[:EVALUATION_PAIRS]
    contents = [to_unit(center_square(content, EVALUATION_SIDE))[None] for content, _ in pairs]
    styles = [run.teacher.predictor(style)[None] for _, style in pairs]
    paint = painter(teacher)
    targets = [paint(*pair) for pair in zip(contents, styles, strict=True)]

    def evaluate(average: keras.Model) -> dict[str, float]:
        paint_average = painter(average)
        values = [
            psnr(paint_average(content, style), target)
            for content, style, target in zip(contents, styles, targets, strict=True)
        ]
        return {"psnr": float(np.mean(values)), "psnr_min": min(values)}

    return evaluate
