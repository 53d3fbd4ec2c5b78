"""Pictures on their way: Gatys' method, one step at a time, on the loss network that is learning.

An optimizer finds whatever the network overlooks. So the network is shown where it has led it, and
what VGG-19 sees there, as long as it learns.
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from nst_video.frames import Floats, Frame
from nst_video.networks.transformer import Tensor
from nst_video.optimization.losses import gram
from nst_video.training.dataset import content_batch
from nst_video.training.vgg import TAPS

LIFE = 80
"""Steps after which a picture is given up for a new one."""

RATE = 0.02
MOMENTUM, SPREAD = 0.9, 0.99
"""Adam's, per picture."""


class Trajectories:
    """Some pictures that are being painted, each of another age.

    Attributes:
        pictures: (n, side, side, 3), 0..1.
        styles: what they are led to, likewise.
    """

    def __init__(
        self, network: keras.Model, pictures: Sequence[Frame], count: int, side: int
    ) -> None:
        """Begin nowhere: the first `step` draws all pictures.

        Args:
            network: pictures to features at `TAPS`; its weights count as they are at each step.
            pictures: contents and styles are drawn from them.
            count: how many pictures at once.
            side: of them, in pixels.
        """
        self._network = network
        self._sources = pictures
        self._side = side
        self.pictures: Floats = np.zeros((count, side, side, 3), np.float32)
        self.styles = np.zeros_like(self.pictures)
        self._mean: Floats = np.zeros_like(self.pictures)
        self._square: Floats = np.zeros_like(self.pictures)
        self._age = np.zeros(count)
        self._left = np.zeros(count)
        # The first lives differ, so that there are pictures of every age from then on.
        self._next = LIFE * (1 + np.arange(count)) // max(count, 1)

    def step(self, rng: np.random.Generator) -> Floats:
        """Draw new pictures for those at the end of their life; lead all a step further.

        Returns:
            The pictures as they are now.
        """
        for index in np.flatnonzero(self._left <= 0):
            pair = content_batch(self._sources, 2, self._side, rng)
            self.pictures[index], self.styles[index] = pair
            self._mean[index] = self._square[index] = 0
            self._age[index] = 0
            self._left[index], self._next[index] = self._next[index], LIFE
        gradient = np.asarray(self._gradient(self.pictures, self.styles))
        self._age += 1
        self._left -= 1
        age = self._age[:, None, None, None]
        self._mean += (1 - MOMENTUM) * (gradient - self._mean)
        self._square += (1 - SPREAD) * (gradient**2 - self._square)
        spread = np.sqrt(self._square / (1 - SPREAD**age)) + 1e-12
        moved = self.pictures - RATE * self._mean / (1 - MOMENTUM**age) / spread
        self.pictures = np.clip(np.nan_to_num(moved), 0, 1).astype(np.float32)
        return self.pictures

    @tf.function(autograph=False)
    def _gradient(self, pictures: Tensor, styles: Tensor) -> Tensor:
        """Return the gradient of the relative errors of all Gram matrices."""
        targets = self._network(styles)
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            features = self._network(pictures)
            loss = 0.0
            for name in TAPS:
                target = gram(targets[name])
                error = ops.sum(ops.square(gram(features[name]) - target), axis=(1, 2))
                loss += ops.sum(error / ops.sum(ops.square(target), axis=(1, 2)))
        return tape.gradient(loss, pictures)
