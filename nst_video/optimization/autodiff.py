"""Gradients and compilation on whichever backend Keras runs; nothing else here differs by it."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from nst_video.networks.transformer import Tensor

Losses: TypeAlias = tuple[Tensor, Mapping[str, Tensor]]
"""The total that counts, and its parts by name, all scalars."""

Objective: TypeAlias = Callable[[Tensor, Any], Losses]
"""A function of a picture and of what it is compared with."""

WithGradient: TypeAlias = Callable[[Tensor, Any], tuple[Losses, Tensor]]


def with_gradient(objective: Objective) -> WithGradient:
    """Return the function that also returns the gradient of the total by the picture."""
    import keras

    table: Mapping[str, Callable[[Objective], WithGradient]] = {
        "tensorflow": _tensorflow_gradient,
        "jax": _jax_gradient,
        "torch": _torch_gradient,
    }
    return table[keras.backend.backend()](objective)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function traced once for each combination of shapes, where the backend can.

    Arguments are tensors, or tuples and dictionaries of tensors.
    """
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(function, autograph=False)  # type: ignore[no-any-return]
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)  # type: ignore[no-any-return]
    return function


def _tensorflow_gradient(objective: Objective) -> WithGradient:
    import tensorflow as tf

    def run(picture: Tensor, aims: Any) -> tuple[Losses, Tensor]:  # noqa: ANN401
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(picture)
            total, parts = objective(picture, aims)
        return (total, parts), tape.gradient(total, picture)

    return run


def _jax_gradient(objective: Objective) -> WithGradient:
    import jax

    return jax.value_and_grad(objective, has_aux=True)  # type: ignore[no-any-return]


def _torch_gradient(objective: Objective) -> WithGradient:
    import torch

    def run(picture: Tensor, aims: Any) -> tuple[Losses, Tensor]:  # noqa: ANN401
        free = picture.detach().requires_grad_(True)
        total, parts = objective(free, aims)
        (gradient,) = torch.autograd.grad(total, free)
        detached = {name: part.detach() for name, part in parts.items()}
        return (total.detach(), detached), gradient

    return run
