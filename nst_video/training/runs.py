"""Teaching the networks of `builtin`, from pictures in memory to weights on disk."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras
import numpy as np

from nst_video.engines.openvino.engine import has_bfloat16
from nst_video.errors import UsageError
from nst_video.frames import Floats, Frame
from nst_video.image.resize import center_square
from nst_video.networks.builtin import LOSS_TRUNK, build_style_predictor, load_style_predictor
from nst_video.networks.checkpoints import collect, load_npz, load_transformer
from nst_video.networks.models import StyleModel, style_input
from nst_video.networks.transformer import TRANSFORMERS, StyleTransformer
from nst_video.training.dataset import Pictures, to_unit
from nst_video.training.evaluate import Report, evaluate, painter, psnr
from nst_video.training.layerwise import channels_loss
from nst_video.training.loop import Judge, Log, Task, Trainer
from nst_video.training.loss_network import (
    FAINT,
    MEASURED,
    build_pupil,
    draw_lesson,
    draw_visited,
    likeness_judge,
    perception_loss,
    without_auxiliary,
)
from nst_video.training.optimization_trajectories import Trajectories
from nst_video.training.predictor import Pool, bottleneck_judge, fill_pool, predictor_loss
from nst_video.training.recipe import Recipe
from nst_video.training.state import save_weights
from nst_video.training.transformer import draw_batch, stage_loss
from nst_video.training.vgg import TAPS, Vgg
from nst_video.validation import SEED

RESULTS = TRANSFORMER, PREDICTOR, LOSS = "transformer.npz", "predictor.npz", "loss.npz"
"""Files of finished weights in the folder of a run."""

JUDGED_PAIRS = 8
JUDGED_SIDE = 384


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """What a network is taught from.

    Attributes:
        teacher: the model that is imitated.
        contents, styles: photos, and pictures with a style.
        folder: for states, log and results.
        seed: of everything random.
        vgg: weights of VGG-19, where they are at hand.
    """

    teacher: StyleModel
    contents: Pictures
    styles: Pictures
    folder: Path
    seed: int = 0
    vgg: Path | None = None

    def __post_init__(self) -> None:
        SEED.check("The seed", self.seed)


def teach_transformer(run: TrainingRun, recipe: Recipe, on_log: Log) -> Path:
    """Train the transformer stage by stage; return the file of its averaged weights, float16.

    What was done before in the same folder is not done again.
    """
    teacher = load_transformer(run.teacher.config, run.teacher.arrays)
    keras.utils.set_random_seed(run.seed)
    config = TRANSFORMERS["builtin"]
    student, average = StyleTransformer(config), StyleTransformer(config)
    learner = Trainer(student, average, run.folder, run.seed)
    bank = _pool(run, recipe.pool).bottlenecks
    pictures = (*run.contents.training, *run.styles.training)
    vgg = Vgg(run.vgg, TAPS[:3]) if run.vgg else None
    for stage in recipe.stages:
        learner.run(
            Task(
                f"transformer-{stage.name}",
                stage.steps,
                stage.rate,
                partial(draw_batch, stage, pictures, bank),
                stage_loss(stage, teacher, student, vgg),
                _painting_judge(run, teacher),
            ),
            on_log,
        )
    path = run.folder / TRANSFORMER
    save_weights(path, collect(average))
    return path


def teach_predictor(run: TrainingRun, recipe: Recipe, on_log: Log) -> Path:
    """Train the style predictor; return the file of its averaged weights, float16.

    What was done before in the same folder is not done again.
    """
    keras.utils.set_random_seed(run.seed)
    student, average = build_style_predictor(), build_style_predictor()
    learner = Trainer(student, average, run.folder, run.seed)
    pool = _pool(run, recipe.pool)
    learner.run(
        Task(
            "predictor",
            recipe.predictor_steps,
            recipe.predictor_rate,
            lambda rng: pool.draw(recipe.predictor_batch, rng),
            predictor_loss(student, pool.bottlenecks),
            bottleneck_judge(run.styles.held_out, run.teacher.predictor),
        ),
        on_log,
    )
    path = run.folder / PREDICTOR
    save_weights(path, collect(average))
    return path


def teach_loss(run: TrainingRun, recipe: Recipe, on_log: Log) -> Path:
    """Train the loss network; return the file of its averaged weights, float16.

    What was done before in the same folder is not done again.

    Raises:
        UsageError: `run.vgg` is missing; there is nothing else to learn from.
    """
    if run.vgg is None:
        raise UsageError("The loss network learns from VGG-19: give its weights with --vgg.")
    dtype = "bfloat16" if has_bfloat16() else "float32"
    vgg, whole = Vgg(run.vgg, dtype=dtype), Vgg(run.vgg, LOSS_TRUNK, dtype=dtype)
    keras.utils.set_random_seed(run.seed)
    student, average = build_pupil(vgg), build_pupil(vgg)
    learner = Trainer(student, average, run.folder, run.seed)
    pictures = (*run.contents.training, *run.styles.training)
    held_out = (*run.contents.held_out, *run.styles.held_out)
    rng = np.random.default_rng((run.seed, 2))
    for stage in recipe.lessons:
        stroll = Trajectories(student, pictures, stage.strolling, stage.side)
        examples = draw_visited(pictures, MEASURED, stage.side, rng)
        learner.run(
            Task(
                f"loss-{stage.name}",
                stage.steps,
                stage.rate,
                draw_lesson(stage, pictures, stroll if stage.strolling else None),
                channels_loss(student, whole, examples, FAINT)
                if stage.layerwise
                else perception_loss(student, vgg, examples, stage.gram),
                likeness_judge(draw_visited(held_out, MEASURED, stage.side, rng), vgg),
            ),
            on_log,
        )
    path = run.folder / LOSS
    save_weights(path, without_auxiliary(average))
    return path


def report(run: TrainingRun) -> Report:
    """Judge the weights in the run's folder on all its held-out pictures.

    Raises:
        WeightsError: they are not there, or not of these networks.
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


def _pool(run: TrainingRun, size: int) -> Pool:
    """Return style pictures and their bottlenecks, made once per folder."""
    pictures = (*run.styles.training, *run.contents.training)
    rng = np.random.default_rng((run.seed, 1))
    return fill_pool(run.folder, pictures, run.teacher.predictor, size, rng)


def _painting_judge(run: TrainingRun, teacher: StyleTransformer) -> Judge:
    """Return what tells the decibels between teacher and student on held-out pictures."""
    pairs = list(zip(run.contents.held_out, run.styles.held_out, strict=False))[:JUDGED_PAIRS]
    contents = [to_unit(center_square(content, JUDGED_SIDE))[None] for content, _ in pairs]
    styles = [run.teacher.predictor(style)[None] for _, style in pairs]
    paint = painter(teacher)
    targets = [paint(*pair) for pair in zip(contents, styles, strict=True)]

    def judge(average: keras.Model) -> dict[str, float]:
        own = painter(average)
        values = [
            psnr(own(content, style), target)
            for content, style, target in zip(contents, styles, targets, strict=True)
        ]
        return {"psnr": float(np.mean(values)), "psnr_least": min(values)}

    return judge
