"""Gradients and compilation for each Keras backend; no other module depends on the backend."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from nst_video.networks.transformer import Tensor

Losses: TypeAlias = tuple[Tensor, Mapping[str, Tensor]]
"""The total loss, and its terms by name, all scalars."""

LossFunction: TypeAlias = Callable[[Tensor, Any], Losses]
"""A function of a picture (1, h, w, 3) and of its targets."""

LossAndGradient: TypeAlias = Callable[[Tensor, Any], tuple[Losses, Tensor]]
"""The same, which also returns the gradient of the total with respect to the picture."""


def with_gradient(loss_function: LossFunction) -> LossAndGradient:
    """Return a function that returns the losses and the gradient of the total.

    The gradient is with respect to the picture and has its shape.
    """
    import keras

    table: Mapping[str, Callable[[LossFunction], LossAndGradient]] = {
        "tensorflow": _tensorflow_gradient,
        "jax": _jax_gradient,
        "torch": _torch_gradient,
    }
    return table[keras.backend.backend()](loss_function)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function compiled, once for each combination of shapes; PyTorch runs it eagerly.

    Its arguments must be tensors, or tuples and dictionaries of tensors.
    """
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(function, autograph=False)  # type: ignore[no-any-return]
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)  # type: ignore[no-any-return]
    return function


def _tensorflow_gradient(loss_function: LossFunction) -> LossAndGradient:
    import tensorflow as tf

    def run(picture: Tensor, targets: Any) -> tuple[Losses, Tensor]:  # noqa: ANN401
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(picture)
            total, terms = loss_function(picture, targets)
        return (total, terms), tape.gradient(total, picture)

    return run


def _jax_gradient(loss_function: LossFunction) -> LossAndGradient:
    import jax

    return jax.value_and_grad(loss_function, has_aux=True)  # type: ignore[no-any-return]


def _torch_gradient(loss_function: LossFunction) -> LossAndGradient:
    import torch

    def run(picture: Tensor, targets: Any) -> tuple[Losses, Tensor]:  # noqa: ANN401
        free = picture.detach().requires_grad_(True)
        total, terms = loss_function(free, targets)
        (gradient,) = torch.autograd.grad(total, free)
        detached = {name: term.detach() for name, term in terms.items()}
        return (total.detach(), detached), gradient

    return run
