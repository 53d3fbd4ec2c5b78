"""Refines a style: gradient descent on its style parameters alone, with the network frozen.

The style predictor computes gamma and beta of every normalized layer in one pass over the picture.
Here gradient descent goes on from there until paintings of photos have the style's Gram matrices.
Nothing else changes, so a refined style is as fast as any other, and mixes and fades with it.
"""

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nst_video.errors import UsageError
from nst_video.frames import Floats, Frame, fit_short_side, size_of
from nst_video.image import dead_leaves, synthetic
from nst_video.image.resize import resize
from nst_video.networks.models import StyleModel
from nst_video.networks.vgg import LossNetwork
from nst_video.optimization.refine_loss import EncodedPhotos, RefineLoss
from nst_video.optimization.refine_settings import RefineSettings
from nst_video.optimization.refine_state import RefineState, RefineStep

SIDE = 256
"""Side of the square pictures of the descent, in pixels."""

PHOTO_SIDE = 384
"""Short side of photos before a square is cut out of them: that of paintings in the judgment."""

PHOTO_COUNT, HELD_OUT_COUNT = 16, 4
"""Pictures to descend on, and others to measure with."""

BATCH_SIZE, WIDE_BATCH_SIZE = 2, 1
"""Pictures in a step, and for a network with more than `NARROW` channels."""

NARROW = 32

LEARNING_RATE = 0.02
"""Of Adam at the start, for parameters of which most are between -3 and 3."""

BETA_1, BETA_2 = 0.9, 0.999

MAX_GRADIENT = 1.0
"""Largest norm of a gradient."""

MEASUREMENTS = 8
"""How often the held-out pictures are painted."""

_EPSILON = 1e-7


def content_pictures(count: int, *, first: int = 0) -> list[Frame]:
    """Return pictures made by code to refine on: dead leaves, and every fourth one a scene.

    Args:
        count: how many.
        first: seed of the first; others have the seeds after it.

    Returns:
        RGB uint8, (SIDE, SIDE, 3) each.
    """
    size = (SIDE * 16 // 9, SIDE)
    pictures = []
    for seed in range(first, first + count):
        if seed % 4 == 0:
            scene = synthetic.draw(size, (seed * 0.618) % 1)
            left = (size[0] - SIDE) * (seed % 3) // 2
            pictures.append(scene[:, left : left + SIDE])
        else:
            pictures.append(dead_leaves.draw((SIDE, SIDE), seed))
    return pictures


def cut_squares(photos: Sequence[Frame], count: int, rng: np.random.Generator) -> list[Frame]:
    """Return `count` squares of `SIDE` pixels out of photos of any size, at random.

    Raises:
        UsageError: there is no photo.
    """
    if not photos:
        raise UsageError("There is no photo to refine a style on: give at least one.")
    squares = []
    for index in range(count):
        photo = photos[index % len(photos)]
        width, height = fit_short_side(size_of(photo), PHOTO_SIDE)
        enlarged = max(1.0, SIDE / min(width, height))
        size = (round(width * enlarged), round(height * enlarged))
        scaled = resize(photo, size, enlarge="cubic")
        left, top = (int(rng.integers(side - SIDE + 1)) for side in size)
        squares.append(np.ascontiguousarray(scaled[top : top + SIDE, left : left + SIDE]))
    return squares


@dataclass(frozen=True)
class StyleToRefine:
    """A style, and what is known of its style parameters.

    Attributes:
        pictures: the style image, or several of one style, RGB uint8.
        predicted: the predicted style parameters, float32 (p,).
        first: style parameters (p,) to begin with and to be better than; None for the predicted.
    """

    pictures: Sequence[Frame]
    predicted: Floats
    first: Floats | None = None

    def __post_init__(self) -> None:
        if not self.pictures:
            raise UsageError("There is no style image to refine a style by: give at least one.")


def refine(
    model: StyleModel,
    style: StyleToRefine,
    network: LossNetwork,
    settings: RefineSettings | None = None,
    *,
    photos: Sequence[Frame] | None = None,
    state: RefineState | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Generator[RefineStep, None, None]:
    """Refine style parameters, step by step; close the iterator to end early.

    Each step holds all that is needed to go on later, and the best style parameters so far by
    pictures that the descent does not see.

    Args:
        model: its transformer paints.
        style: whose style parameters are refined.
        network: the loss network.
        settings: how long, and how bold.
        photos: pictures to refine on, RGB uint8 of any size; by default some are made by code.
        state: of an earlier step of the same refinement, to go on from there.
        clock: returns the current time in seconds.

    Raises:
        UsageError: there is no photo.
    """
    settings = RefineSettings() if settings is None else settings
    loss = RefineLoss(model, network, style.pictures, style.predicted, settings)
    first = style.predicted if style.first is None else style.first
    batch = BATCH_SIZE if model.config.widths[-1] <= NARROW else WIDE_BATCH_SIZE
    yield from _Refinement(loss, first, batch, settings, photos, state, clock).run()


class _Refinement:
    """One run of a refinement."""

    def __init__(
        self,
        loss: RefineLoss,
        first: Floats,
        batch: int,
        settings: RefineSettings,
        photos: Sequence[Frame] | None,
        state: RefineState | None,
        clock: Callable[[], float],
    ) -> None:
        self._clock, self._settings = clock, settings
        self._begun_step = 0 if state is None else state.step
        self._rng = np.random.default_rng([settings.seed, self._begun_step])
        self._loss, self._batch = loss, batch
        self._photos, self._held_out = self._encode(photos)
        self._order: list[int] = []
        self._state = self._first_state(first) if state is None else state
        self._looped_s = self._begun_s = 0.0

    def run(self) -> Generator[RefineStep, None, None]:
        """Yield every step, at least one, until the time or the number of steps is reached."""
        self._looped_s = self._clock()
        self._begun_s = self._looped_s - self._state.spent_s
        done = self._done()
        measured = int(done * MEASUREMENTS)
        while True:
            losses = self._descend(done)
            done = self._done()
            preview = None
            if int(done * MEASUREMENTS) > measured or done >= 1:
                measured, preview = int(done * MEASUREMENTS), self._measure()
            yield RefineStep(self._state, done, self._remaining_s(), losses, preview)
            if done >= 1:
                return

    def _encode(self, photos: Sequence[Frame] | None) -> tuple[EncodedPhotos, EncodedPhotos]:
        """Return the pictures to descend on, and those to measure with, the scene first."""
        if photos is None:
            seen = content_pictures(PHOTO_COUNT, first=HELD_OUT_COUNT)
            held_out = content_pictures(HELD_OUT_COUNT)
        else:
            rng = np.random.default_rng(self._settings.seed)
            squares = cut_squares(photos, PHOTO_COUNT + HELD_OUT_COUNT, rng)
            seen, held_out = squares[HELD_OUT_COUNT:], squares[:HELD_OUT_COUNT]
        noise = np.random.default_rng(self._settings.seed)
        return self._loss.encode(seen, noise), self._loss.encode(held_out, noise)

    def _first_state(self, first: Floats) -> RefineState:
        zeros = np.zeros_like(first)
        _, loss = self._paint_held_out(first)
        return RefineState(first, zeros, zeros, first, np.array([loss, loss], np.float32))

    def _done(self) -> float:
        """Return the completed share of the time or of the steps."""
        share = (self._clock() - self._begun_s) / (60 * self._settings.minutes)
        if self._settings.steps is not None:
            share = max(share, self._state.step / self._settings.steps)
        return min(1.0, share)

    def _remaining_s(self) -> float:
        now_s = self._clock()
        left_s = max(0.0, 60 * self._settings.minutes - (now_s - self._begun_s))
        if self._settings.steps is None:
            return left_s
        each_s = (now_s - self._looped_s) / max(1, self._state.step - self._begun_step)
        return min(left_s, each_s * (self._settings.steps - self._state.step))

    def _descend(self, done: float) -> dict[str, float]:
        """Do one step of Adam (Kingma & Ba, arXiv 1412.6980); return the losses before it."""
        before = self._state
        if len(self._order) < self._batch:
            self._order = [int(index) for index in self._rng.permutation(len(self._photos))]
        batch, self._order = self._order[: self._batch], self._order[self._batch :]
        losses, gradient = self._loss.descend(before.parameters, self._photos.pick(batch))
        gradient = gradient / max(1.0, float(np.linalg.norm(gradient)) / MAX_GRADIENT)
        step = before.step + 1
        mean = BETA_1 * before.mean + (1 - BETA_1) * gradient
        square = BETA_2 * before.square + (1 - BETA_2) * np.square(gradient)
        spread = np.sqrt(square / (1 - BETA_2**step)) + _EPSILON
        rate = LEARNING_RATE * (1 + np.cos(np.pi * done)) / 2
        moved = before.parameters - rate * mean / (1 - BETA_1**step) / spread
        self._state = RefineState(
            np.asarray(moved, np.float32),
            np.asarray(mean, np.float32),
            np.asarray(square, np.float32),
            before.best,
            before.measures,
            step,
            self._clock() - self._begun_s,
        )
        return losses

    def _measure(self) -> Frame:
        """Measure the current parameters, keep the best, and return the scene painted with them."""
        scene, loss = self._paint_held_out(self._state.parameters)
        state = self._state
        if loss < state.measures[1]:
            measures = np.array([state.measures[0], loss], np.float32)
            self._state = replace(state, best=state.parameters, measures=measures)
        return scene

    def _paint_held_out(self, parameters: Floats) -> tuple[Frame, float]:
        """Return the first held-out picture painted, and the mean loss of all of them."""
        painted, losses = [], []
        for index in range(len(self._held_out)):
            frames, terms = self._loss.measure(parameters, self._held_out.pick([index]))
            painted += frames
            losses.append(terms["total"])
        return painted[0], float(np.mean(losses))
