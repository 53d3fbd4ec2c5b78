"""The training loop of all networks: draw, optimize, average weights, evaluate, log, save."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from nst_video.frames import Floats
from nst_video.networks.checkpoints import assign, collect
from nst_video.networks.transformer import Tensor
from nst_video.training.state import append_log, load_state, save_state

Batch: TypeAlias = tuple[Floats, ...]
"""The arrays of a training step, in the order of the loss function's arguments."""

Loss: TypeAlias = Callable[..., Tensor]
"""Takes the tensors of a batch; returns a scalar."""

DrawBatch: TypeAlias = Callable[[np.random.Generator], Batch]

Evaluate: TypeAlias = Callable[[keras.Model], Mapping[str, float]]
"""Returns metrics of a network on held-out data, by name."""

OnLog: TypeAlias = Callable[[Mapping[str, float | str]], None]
"""Called with each entry of the log."""

WARM_UP_STEPS = 100
"""Steps over which the learning rate rises linearly."""

FINAL_LEARNING_RATE = 0.02
"""Of the cosine schedule, as a share of the highest learning rate."""

CLIP_NORM = 1.0
"""Norm to which gradients are clipped: instance norm on flat crops makes them explode."""

EMA_DECAY = 0.998
"""Decay per step of the exponential moving average of the weights, which is the result."""

CHECKPOINT_INTERVAL = 250
"""Steps between two log entries, each with an evaluation and a saved state."""

LOG = "log.jsonl"
"""Name of the log in the folder of a run."""


@dataclass(frozen=True, slots=True)
class TrainingStage:
    """One stage of training.

    Attributes:
        name: in the log and in file names.
        steps: number of optimizer steps.
        learning_rate: highest learning rate of Adam, see `learning_rate_at`.
        draw_batch: draws the batch of a step.
        loss: the loss function.
        evaluate: evaluates the averaged network at every log entry.
    """

    name: str
    steps: int
    learning_rate: float
    draw_batch: DrawBatch
    loss: Loss
    evaluate: Evaluate


def learning_rate_at(stage: TrainingStage, step: int) -> float:
    """Return the learning rate of a step: linear warm-up, then cosine decay."""
    warm_up = min(1.0, (step + 1) / WARM_UP_STEPS)
    cosine = (1 + math.cos(math.pi * step / stage.steps)) / 2
    decay = FINAL_LEARNING_RATE + (1 - FINAL_LEARNING_RATE) * cosine
    return stage.learning_rate * warm_up * decay


class Trainer:
    """Trains one network in one stage after another.

    Attributes:
        network: the network that is trained.
        average: a network of the same kind with the moving average of its weights.
    """

    def __init__(self, network: keras.Model, average: keras.Model, folder: Path, seed: int) -> None:
        """Copy the weights of `network` to `average`; log and states are written to `folder`."""
        self.network = network
        self.average = average
        self._folder = folder
        self._seed = seed
        assign(average, collect(network))

    def run(self, stage: TrainingStage, on_log: OnLog) -> None:
        """Train, from the saved state where there is one; a finished stage is only loaded."""
        optimizer = keras.optimizers.Adam(stage.learning_rate)
        optimizer.build(self.network.trainable_variables)
        state = self._folder / f"{stage.name}.state.npz"
        networks = {"network": self.network, "average": self.average}
        first_step = load_state(state, networks, optimizer)
        train_step = self._compile_step(stage, optimizer)
        losses: list[float] = []
        started_s = time.monotonic()
        for step in range(first_step, stage.steps):
            optimizer.learning_rate.assign(learning_rate_at(stage, step))
            batch = stage.draw_batch(np.random.default_rng((self._seed, step)))
            losses.append(float(train_step(tuple(map(tf.constant, batch)))))
            if (step + 1) % CHECKPOINT_INTERVAL and step + 1 < stage.steps:
                continue
            entry: dict[str, Any] = {"stage": stage.name, "step": step + 1}
            entry |= {"loss": float(np.mean(losses)), "seconds": time.monotonic() - started_s}
            entry |= stage.evaluate(self.average)
            losses.clear()
            save_state(state, step + 1, networks, optimizer)
            append_log(self._folder / LOG, entry)
            on_log(entry)

    def _compile_step(
        self, stage: TrainingStage, optimizer: keras.Optimizer
    ) -> Callable[[tuple[Tensor, ...]], Tensor]:
        """Return a compiled training step: from a batch to its loss.

        A step whose gradient is not finite changes nothing.
        """
        variables = self.network.trainable_variables
        averages = self.average.trainable_variables

        def update(gradients: list[Tensor]) -> Tensor:
            optimizer.apply(gradients, variables)
            for average, variable in zip(averages, variables, strict=True):
                average.assign(EMA_DECAY * average + (1 - EMA_DECAY) * variable)
            return tf.constant(True)

        @tf.function(autograph=False)
        def step(batch: tuple[Tensor, ...]) -> Tensor:
            with tf.GradientTape() as tape:
                loss = stage.loss(*batch)
            gradients = tape.gradient(loss, variables, unconnected_gradients="zero")
            clipped, norm = tf.clip_by_global_norm(gradients, CLIP_NORM)
            tf.cond(tf.math.is_finite(norm), lambda: update(clipped), lambda: tf.constant(False))
            return loss

        compiled: Callable[[tuple[Tensor, ...]], Tensor] = step
        return compiled
