"""The training loop, the same for every network: draw, step, average, log, keep, go on."""

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
from nst_video.training.state import load_state, log_line, save_state

Batch: TypeAlias = tuple[Floats, ...]
Loss: TypeAlias = Callable[..., Tensor]
Draw: TypeAlias = Callable[[np.random.Generator], Batch]
Judge: TypeAlias = Callable[[keras.Model], Mapping[str, float]]
Log: TypeAlias = Callable[[Mapping[str, float | str]], None]

WARM_UP_STEPS = 100
LAST_RATE = 0.02

CLIP_NORM = 1.0
"""Gradients are scaled down to this norm: instance norm on flat crops makes them explode."""

AVERAGE = 0.998
"""Per step, how much of the averaged weights stays; these are the ones that are kept."""

KEEP_EVERY = 250
"""Steps between two entries of the log, and two saved states."""

LOG = "log.jsonl"
"""Name of the log in the folder of a run."""


@dataclass(frozen=True, slots=True)
class Task:
    """A stretch of training.

    Attributes:
        name: of the stretch, for log and files.
        steps: how many.
        rate: Adam's learning rate, reached in `WARM_UP_STEPS` and led to `LAST_RATE` of it.
        draw: makes the batch of a step from a generator.
        loss: takes the batch as tensors.
        judge: figures of merit of the averaged network.
    """

    name: str
    steps: int
    rate: float
    draw: Draw
    loss: Loss
    judge: Judge


def rate_at(task: Task, step: int) -> float:
    """Return the learning rate: a short rise, then half a cosine down."""
    rise = min(1.0, (step + 1) / WARM_UP_STEPS)
    cosine = (1 + math.cos(math.pi * step / task.steps)) / 2
    return task.rate * rise * (LAST_RATE + (1 - LAST_RATE) * cosine)


class Trainer:
    """Trains one network on one task after another.

    Attributes:
        network: what learns.
        average: a network of the same kind, with the running average of its weights.
    """

    def __init__(self, network: keras.Model, average: keras.Model, folder: Path, seed: int) -> None:
        """Log and states go to `folder`; `average` is overwritten with the weights of `network`."""
        self.network = network
        self.average = average
        self._folder = folder
        self._seed = seed
        assign(average, collect(network))

    def run(self, task: Task, on_log: Log) -> None:
        """Do what is left of `task`; a task that was finished only gives back its result."""
        optimizer = keras.optimizers.Adam(task.rate)
        optimizer.build(self.network.trainable_variables)
        state = self._folder / f"{task.name}.state.npz"
        networks = {"network": self.network, "average": self.average}
        done = load_state(state, networks, optimizer)
        step_once = self._step_function(task, optimizer)
        losses: list[float] = []
        began = time.monotonic()
        for step in range(done, task.steps):
            optimizer.learning_rate.assign(rate_at(task, step))
            batch = task.draw(np.random.default_rng((self._seed, step)))
            losses.append(float(step_once(tuple(map(tf.constant, batch)))))
            if (step + 1) % KEEP_EVERY and step + 1 < task.steps:
                continue
            entry: dict[str, Any] = {"task": task.name, "step": step + 1}
            entry |= {"loss": float(np.mean(losses)), "seconds": time.monotonic() - began}
            entry |= task.judge(self.average)
            losses.clear()
            save_state(state, step + 1, networks, optimizer)
            log_line(self._folder / LOG, entry)
            on_log(entry)

    def _step_function(
        self, task: Task, optimizer: keras.Optimizer
    ) -> Callable[[tuple[Tensor, ...]], Tensor]:
        """Compile a step: loss, clipped gradient, update, average; none where it is not finite."""
        variables = self.network.trainable_variables
        means = self.average.trainable_variables

        def update(gradients: list[Tensor]) -> Tensor:
            optimizer.apply(gradients, variables)
            for mean, variable in zip(means, variables, strict=True):
                mean.assign(AVERAGE * mean + (1 - AVERAGE) * variable)
            return tf.constant(True)

        @tf.function(autograph=False)
        def step(batch: tuple[Tensor, ...]) -> Tensor:
            with tf.GradientTape() as tape:
                loss = task.loss(*batch)
            gradients = tape.gradient(loss, variables, unconnected_gradients="zero")
            clipped, norm = tf.clip_by_global_norm(gradients, CLIP_NORM)
            tf.cond(tf.math.is_finite(norm), lambda: update(clipped), lambda: tf.constant(False))
            return loss

        compiled: Callable[[tuple[Tensor, ...]], Tensor] = step
        return compiled
