"""Ways down: a picture is changed, within 0..1, so that its losses fall.

Both use the gradient in units of its own size, so that nothing depends on how losses are scaled.
"""

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

import numpy as np
from keras import ops
from numpy.typing import NDArray

from nst_video.networks.transformer import Tensor
from nst_video.optimization.autodiff import Losses, Objective, compiled, with_gradient
from nst_video.optimization.settings import Method, PaintSettings
from nst_video.optimization.total_loss import Targets

Floats: TypeAlias = NDArray[np.float32]
Show: TypeAlias = Callable[[], Floats]
"""Returns the picture (h, w, 3), 0..1, as it is now."""

OnLosses: TypeAlias = Callable[[Mapping[str, float], Show], None]

PATIENCE = 25
"""Steps over which the loss must have fallen, or the descent ends."""

MOMENTUM, SPREAD = 0.9, 0.99
"""Adam's decay rates; Kingma & Ba (arXiv 1412.6980) take 0.999, for noisy gradients."""

LAST_RATE = 0.1
"""Share of the first step length that is left at the end."""

FIRST_STEP = 0.02
"""Root mean square of the first step of L-BFGS, in units of the range of pixels."""

MEMORY = 10
"""Steps that L-BFGS remembers."""

_TINY = 1e-20


class Optimizer(Protocol):
    """A way down; made once, it serves pictures of any size."""

    def __call__(
        self,
        picture: Floats,
        aims: Targets,
        settings: PaintSettings,
        steps: int,
        on_losses: OnLosses,
    ) -> Floats:
        """Return the picture (h, w, 3), 0..1, after at most `steps` steps.

        Args:
            picture: where to start, (h, w, 3), 0..1.
            aims: what it is compared with.
            settings: for `rate` and `tolerance`.
            steps: at most.
            on_losses: called after every step with the losses before it and the picture after it.
        """
        ...


class Convergence:
    """Tells when a loss hardly falls any more."""

    def __init__(self, tolerance: float) -> None:
        self._tolerance = tolerance
        self._best: list[float] = []

    def reached(self, loss: float) -> bool:
        """Take the next loss; tell whether the last `PATIENCE` ones brought too little."""
        self._best.append(min(loss, self._best[-1]) if self._best else loss)
        if len(self._best) <= PATIENCE:
            return False
        return self._best[-1] > (1 - self._tolerance) * self._best[-1 - PATIENCE]


class Adam:
    """Kingma & Ba (arXiv 1412.6980) on normalized gradients, steps shrinking along a cosine."""

    def __init__(self, objective: Objective) -> None:
        self._with_gradient = with_gradient(objective)

    def __call__(
        self,
        picture: Floats,
        aims: Targets,
        settings: PaintSettings,
        steps: int,
        on_losses: OnLosses,
    ) -> Floats:
        """See `Optimizer`."""
        x = ops.convert_to_tensor(picture[None])
        mean, square = ops.zeros_like(x), ops.zeros_like(x)
        convergence = Convergence(settings.tolerance)
        for step in range(steps):
            fade = LAST_RATE + (1 - LAST_RATE) * (1 + np.cos(np.pi * step / steps)) / 2
            scalars = (_scalar(settings.rate * fade), _scalar(step + 1))
            losses, x, mean, square = self._step(x, mean, square, aims, *scalars)
            numbers = to_numbers(losses)
            on_losses(numbers, partial(_picture_of, x))
            if convergence.reached(numbers["total"]):
                break
        return _picture_of(x)

    @cached_property
    def _step(self) -> Callable[..., tuple[Losses, Tensor, Tensor, Tensor]]:
        def step(
            x: Tensor, mean: Tensor, square: Tensor, aims: Targets, rate: Tensor, age: Tensor
        ) -> tuple[Losses, Tensor, Tensor, Tensor]:
            losses, gradient = self._with_gradient(x, aims)
            gradient = gradient * ops.rsqrt(ops.mean(ops.square(gradient)) + _TINY)
            mean = MOMENTUM * mean + (1 - MOMENTUM) * gradient
            square = SPREAD * square + (1 - SPREAD) * ops.square(gradient)
            spread = ops.sqrt(square / (1 - SPREAD**age)) + 1e-6
            moved = x - rate * mean / (1 - MOMENTUM**age) / spread
            return losses, ops.clip(moved, 0.0, 1.0), mean, square

        return compiled(step)


class LimitedMemory:
    """L-BFGS-B of SciPy: Byrd et al. 1995, with a line search, within bounds."""

    def __init__(self, objective: Objective) -> None:
        self._evaluate = compiled(with_gradient(objective))

    def __call__(
        self,
        picture: Floats,
        aims: Targets,
        settings: PaintSettings,
        steps: int,
        on_losses: OnLosses,
    ) -> Floats:
        """See `Optimizer`."""
        from scipy.optimize import Bounds, minimize

        convergence = Convergence(settings.tolerance)
        scale = 0.0
        seen: list[Mapping[str, float]] = []

        def picture_of(flat: NDArray[np.float64]) -> Floats:
            return np.asarray(np.clip(flat, 0, 1), np.float32).reshape(picture.shape)

        def evaluate(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            nonlocal scale
            x = ops.convert_to_tensor(picture_of(flat)[None])
            losses, gradient = self._evaluate(x, aims)
            slope = np.asarray(ops.convert_to_numpy(gradient), np.float64).ravel()
            scale = scale or FIRST_STEP / float(np.sqrt(np.mean(slope**2)) + _TINY)
            seen.append(to_numbers(losses))
            return scale * seen[-1]["total"], scale * slope

        def after_step(flat: NDArray[np.float64]) -> None:
            on_losses(seen[0], partial(picture_of, flat))
            del seen[:-1]
            if convergence.reached(seen[-1]["total"]):
                raise StopIteration

        options = {"maxiter": steps, "maxfun": 2 * steps, "maxcor": MEMORY, "ftol": 0, "gtol": 0}
        found: Any = minimize(
            evaluate,
            picture.astype(np.float64).ravel(),
            jac=True,
            method="L-BFGS-B",
            bounds=Bounds(0, 1),
            callback=after_step,
            options=options,
        )
        return picture_of(found.x)


DESCENTS: Mapping[Method, Callable[[Objective], Optimizer]] = MappingProxyType(
    {"adam": Adam, "lbfgs": LimitedMemory}
)
"""What the settings' methods are."""


def to_numbers(losses: Losses) -> dict[str, float]:
    """Return the parts and the total as plain numbers."""
    total, parts = losses
    return {name: float(part) for name, part in {**parts, "total": total}.items()}


def _picture_of(x: Tensor) -> Floats:
    return np.asarray(ops.convert_to_numpy(x)[0], np.float32)


def _scalar(value: float) -> Tensor:
    return ops.convert_to_tensor(value, "float32")
