"""Pictures that Gatys' method optimizes with the loss network while that is being trained.

An optimizer exploits every error of the loss network, as adversarial examples do. So the network is
trained on the pictures to which the optimizer has led, with VGG-19's features as targets.
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from nst_video.frames import Floats, Frame
from nst_video.networks.builtin import LOSS_LAYERS
from nst_video.networks.transformer import Tensor
from nst_video.optimization.losses import gram
from nst_video.training.dataset import content_batch

MAX_STEPS = 80
"""Steps after which a picture is replaced by a new one."""

LEARNING_RATE = 0.02
BETA_1, BETA_2 = 0.9, 0.99
"""Decay rates of Adam."""


class Trajectories:
    """Several pictures that are being optimized, each at a different step.

    Attributes:
        pictures: RGB float32 (n, side, side, 3), 0..1.
        styles: their style images, likewise.
    """

    def __init__(
        self, network: keras.Model, pictures: Sequence[Frame], count: int, side: int
    ) -> None:
        """Prepare; the first `step` draws all pictures.

        Args:
            network: from pictures to features at `LOSS_LAYERS`; its current weights are used.
            pictures: RGB uint8, from which contents and styles are drawn.
            count: number of pictures.
            side: of the pictures, in pixels.
        """
        self._network = network
        self._sources = pictures
        self._side = side
        self.pictures: Floats = np.zeros((count, side, side, 3), np.float32)
        self.styles = np.zeros_like(self.pictures)
        self._mean: Floats = np.zeros_like(self.pictures)
        self._square: Floats = np.zeros_like(self.pictures)
        self._steps = np.zeros(count)
        self._steps_left = np.zeros(count)
        # The first ones are replaced at different steps, so that all steps occur from then on.
        self._next_steps = MAX_STEPS * (1 + np.arange(count)) // max(count, 1)

    def step(self, rng: np.random.Generator) -> Floats:
        """Replace pictures that had all their steps; advance all by one step.

        Returns:
            `pictures`.
        """
        for index in np.flatnonzero(self._steps_left <= 0):
            pair = content_batch(self._sources, 2, self._side, rng)
            self.pictures[index], self.styles[index] = pair
            self._mean[index] = self._square[index] = 0
            self._steps[index] = 0
            self._steps_left[index], self._next_steps[index] = self._next_steps[index], MAX_STEPS
        gradient = np.asarray(self._gradient(self.pictures, self.styles))
        self._steps += 1
        self._steps_left -= 1
        steps = self._steps[:, None, None, None]
        self._mean += (1 - BETA_1) * (gradient - self._mean)
        self._square += (1 - BETA_2) * (gradient**2 - self._square)
        spread = np.sqrt(self._square / (1 - BETA_2**steps)) + 1e-12
        moved = self.pictures - LEARNING_RATE * self._mean / (1 - BETA_1**steps) / spread
        self.pictures = np.clip(np.nan_to_num(moved), 0, 1).astype(np.float32)
        return self.pictures

    @tf.function(autograph=False)
    def _gradient(self, pictures: Tensor, styles: Tensor) -> Tensor:
        """Return the gradient of the relative errors of all Gram matrices, shaped as `pictures`."""
        targets = self._network(styles)
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            features = self._network(pictures)
            loss = 0.0
            for name in LOSS_LAYERS:
                target = gram(targets[name])
                error = ops.sum(ops.square(gram(features[name]) - target), axis=(1, 2))
                loss += ops.sum(error / ops.sum(ops.square(target), axis=(1, 2)))
        return tape.gradient(loss, pictures)
