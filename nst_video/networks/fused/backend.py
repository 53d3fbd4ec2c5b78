"""The tensor operations that the fused transformer needs of a backend such as Keras or OpenVINO."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nst_video.networks.fused.convolutions import Convolution

Tensor: TypeAlias = Any
"""A backend's tensor (NCHW or NHWC); `+`, `-` and `*` broadcast between any two, and numbers."""

Arrange: TypeAlias = Callable[[Tensor], Tensor]
"""Rearranges pixels without changing their values, whatever their type."""

Axis: TypeAlias = Literal["rows", "columns", "channels"]


class Backend(Protocol):
    """Operations on feature maps, which have the axes batch, rows, columns and channels."""

    def convolve(
        self, x: Tensor, convolution: Convolution, arrange: Arrange | None = None
    ) -> Tensor:
        """Convolve without padding, after `arrange` has rearranged `x`; adds the bias.

        `convolution.precision` is a hint that an exact backend may ignore.
        """
        ...

    def pad(
        self,
        x: Tensor,
        rows: tuple[int, int],
        columns: tuple[int, int],
        mode: Literal["symmetric", "reflect"],
    ) -> Tensor:
        """Pad (before, after) along rows and columns."""
        ...

    def slice(self, x: Tensor, axis: Axis, start: int, stop: int | None) -> Tensor:
        """Return a slice along one axis; negative bounds count from the end."""
        ...

    def every(self, x: Tensor, axis: Axis, step: int) -> Tensor:
        """Return one in `step` slices along an axis, from half a step on."""
        ...

    def concat(self, parts: Sequence[Tensor], axis: Axis) -> Tensor:
        """Concatenate along one axis."""
        ...

    def select(self, where: NDArray[np.bool_], x: Tensor, other: Tensor) -> Tensor:
        """Take the channels of `x` where the vector (channels,) is True, else those of `other`."""
        ...

    def vector(self, values: NDArray[np.float32]) -> Tensor:
        """Return a constant (channels,) that broadcasts over rows and columns."""
        ...

    def sum(self, x: Tensor, axis: Axis) -> Tensor:
        """Sum along an axis, which is kept with length 1."""
        ...

    def sum_of_squares(self, x: Tensor, axis: Axis) -> Tensor:
        """Sum the squares along an axis, which is kept with length 1."""
        ...

    def weighted_sums(self, x: Tensor, weights: Tensor) -> Tensor:
        """Return weighted sums over all pixels: a picture of one column, one row for each weight.

        Args:
            x: a picture.
            weights: (n, number of weights, rows x columns of `x`).
        """
        ...

    def repeat_channels(self, x: Tensor, times: int) -> Tensor:
        """Repeat each of a few channels, one after the other, so many times."""
        ...

    def count_valid_pixels(self, x: Tensor) -> Tensor:
        """Return how many pixels of shifted blocks lie inside of the picture, for one picture."""
        ...

    def normalize(self, x: Tensor) -> Tensor:
        """Give every channel of every picture mean 0 and variance 1 over rows and columns."""
        ...

    def depth_to_space(self, x: Tensor) -> Tensor:
        """Turn blocks of 2x2 pixels, (row, column, channel) along the channels, into pixels."""
        ...

    def relu(self, x: Tensor) -> Tensor:
        """max(x, 0)."""
        ...

    def sigmoid(self, x: Tensor) -> Tensor:
        """1 / (1 + exp(-x))."""
        ...

    def inverse_std(self, variance: Tensor) -> Tensor:
        """1 / sqrt(variance + config.NORM_EPSILON)."""
        ...
