"""Optimizers that change the pixels of a picture, within 0..1, to minimize a loss.

Both normalize the gradient, so that the scale of the loss does not matter.
"""

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

import numpy as np
from keras import ops
from numpy.typing import NDArray

from nst_video.frames import Floats
from nst_video.networks.transformer import Tensor
from nst_video.optimization.autodiff import (
    LossAndGradient,
    Losses,
    LossFunction,
    compiled,
    with_gradient,
)
from nst_video.optimization.settings import OptimizerName, PaintSettings
from nst_video.optimization.targets import Targets

GetPicture: TypeAlias = Callable[[], Floats]
"""Returns the current picture, RGB float32 (h, w, 3), 0..1."""

OnLosses: TypeAlias = Callable[[Mapping[str, float], GetPicture], None]
"""Takes the losses by name before a step, and the picture after it."""

PATIENCE = 25
"""Steps without enough improvement after which an optimization stops early."""

BETA_1, BETA_2 = 0.9, 0.99
"""Adam's decay rates; Kingma & Ba (arXiv 1412.6980) take 0.999, for noisy gradients."""

FINAL_LEARNING_RATE = 0.1
"""Of the cosine schedule, as a share of the initial learning rate."""

FIRST_STEP = 0.02
"""Root mean square of the first step of L-BFGS, in units of the pixel range 0..1."""

HISTORY_SIZE = 10
"""Steps from which L-BFGS approximates the Hessian."""

_EPSILON = 1e-20


class Optimizer(Protocol):
    """Minimizes one loss function; one instance works for pictures of any size."""

    def __call__(
        self,
        picture: Floats,
        targets: Targets,
        settings: PaintSettings,
        steps: int,
        on_losses: OnLosses,
    ) -> Floats:
        """Optimize a picture.

        Args:
            picture: initial picture, RGB float32 (h, w, 3), 0..1.
            targets: of the loss function.
            settings: for `learning_rate` and `tolerance`.
            steps: maximum number of steps.
            on_losses: called after every step, see `OnLosses`.

        Returns:
            The picture after the last step, like the initial one.
        """
        ...


class Convergence:
    """Early stopping: detects that a loss has stopped falling."""

    def __init__(self, tolerance: float) -> None:
        """Stop where a loss falls by less than this share of itself in `PATIENCE` steps."""
        self._tolerance = tolerance
        self._best: list[float] = []

    def reached(self, loss: float) -> bool:
        """Take the next loss; return whether the optimization should stop."""
        self._best.append(min(loss, self._best[-1]) if self._best else loss)
        if len(self._best) <= PATIENCE:
            return False
        return self._best[-1] > (1 - self._tolerance) * self._best[-1 - PATIENCE]


class Adam:
    """Adam (Kingma & Ba, arXiv 1412.6980) on normalized gradients, with a cosine schedule."""

    def __init__(self, loss_function: LossFunction) -> None:
        self._with_gradient = with_gradient(loss_function)

    def __call__(
        self,
        picture: Floats,
        targets: Targets,
        settings: PaintSettings,
        steps: int,
        on_losses: OnLosses,
    ) -> Floats:
        """See `Optimizer`."""
        x = ops.convert_to_tensor(picture[None])
        mean, square = ops.zeros_like(x), ops.zeros_like(x)
        convergence = Convergence(settings.tolerance)
        for step in range(steps):
            cosine = (1 + np.cos(np.pi * step / steps)) / 2
            decay = FINAL_LEARNING_RATE + (1 - FINAL_LEARNING_RATE) * cosine
            scalars = (_scalar(settings.learning_rate * decay), _scalar(step + 1))
            losses, x, mean, square = self._step(x, mean, square, targets, *scalars)
            numbers = _to_floats(losses)
            on_losses(numbers, partial(_to_picture, x))
            if convergence.reached(numbers["total"]):
                break
        return _to_picture(x)

    @cached_property
    def _step(self) -> Callable[..., tuple[Losses, Tensor, Tensor, Tensor]]:
        def step(
            x: Tensor, mean: Tensor, square: Tensor, targets: Targets, rate: Tensor, count: Tensor
        ) -> tuple[Losses, Tensor, Tensor, Tensor]:
            losses, gradient = self._with_gradient(x, targets)
            gradient = gradient * ops.rsqrt(ops.mean(ops.square(gradient)) + _EPSILON)
            mean = BETA_1 * mean + (1 - BETA_1) * gradient
            square = BETA_2 * square + (1 - BETA_2) * ops.square(gradient)
            spread = ops.sqrt(square / (1 - BETA_2**count)) + 1e-6
            moved = x - rate * mean / (1 - BETA_1**count) / spread
            return losses, ops.clip(moved, 0.0, 1.0), mean, square

        return compiled(step)


class LBFGS:
    """SciPy's L-BFGS-B with a line search (Byrd et al. 1995, doi 10.1137/0916069)."""

    def __init__(self, loss_function: LossFunction) -> None:
        self._evaluate = compiled(with_gradient(loss_function))

    def __call__(
        self,
        picture: Floats,
        targets: Targets,
        settings: PaintSettings,
        steps: int,
        on_losses: OnLosses,
    ) -> Floats:
        """See `Optimizer`."""
        from scipy.optimize import Bounds, minimize

        convergence = Convergence(settings.tolerance)
        run = _ScipyRun(self._evaluate, picture, targets, convergence, on_losses)
        options = {
            "maxiter": steps,
            "maxfun": 2 * steps,
            "maxcor": HISTORY_SIZE,
            "ftol": 0,
            "gtol": 0,
        }
        found: Any = minimize(
            run.evaluate,
            picture.astype(np.float64).ravel(),
            jac=True,
            method="L-BFGS-B",
            bounds=Bounds(0, 1),
            callback=run.after_step,
            options=options,
        )
        return run.to_picture(found.x)


class _ScipyRun:
    """The callbacks of one run of SciPy's optimizer, which works on flat float64 vectors."""

    def __init__(
        self,
        evaluate: LossAndGradient,
        picture: Floats,
        targets: Targets,
        convergence: Convergence,
        on_losses: OnLosses,
    ) -> None:
        self._evaluate, self._targets = evaluate, targets
        self._convergence, self._on_losses = convergence, on_losses
        self._shape = picture.shape
        self._scale = 0.0
        self._losses: list[Mapping[str, float]] = []
        """Of the last step, then of all evaluations since: a line search needs several."""

    def to_picture(self, flat: NDArray[np.float64]) -> Floats:
        return np.asarray(np.clip(flat, 0, 1), np.float32).reshape(self._shape)

    def evaluate(self, flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Return the scaled loss and gradient; the first gradient gets the size of FIRST_STEP."""
        x = ops.convert_to_tensor(self.to_picture(flat)[None])
        losses, tensor = self._evaluate(x, self._targets)
        gradient = np.asarray(ops.convert_to_numpy(tensor), np.float64).ravel()
        if self._scale == 0:
            self._scale = FIRST_STEP / float(np.sqrt(np.mean(gradient**2)) + _EPSILON)
        self._losses.append(_to_floats(losses))
        return self._scale * self._losses[-1]["total"], self._scale * gradient

    def after_step(self, flat: NDArray[np.float64]) -> None:
        self._on_losses(self._losses[0], partial(self.to_picture, flat))
        del self._losses[:-1]
        if self._convergence.reached(self._losses[-1]["total"]):
            raise StopIteration


OPTIMIZERS: Mapping[OptimizerName, Callable[[LossFunction], Optimizer]] = MappingProxyType(
    {"adam": Adam, "lbfgs": LBFGS}
)
"""By the name that `PaintSettings.optimizer` takes."""


def _to_floats(losses: Losses) -> dict[str, float]:
    """Return the terms and the total as plain numbers."""
    total, terms = losses
    return {name: float(term) for name, term in {**terms, "total": total}.items()}


def _to_picture(x: Tensor) -> Floats:
    return np.asarray(ops.convert_to_numpy(x)[0], np.float32)


def _scalar(value: float) -> Tensor:
    return ops.convert_to_tensor(value, "float32")
