"""The state, the steps and the result of the refinement of a style."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nst_video.frames import Floats, Frame
from nst_video.style_library.folder import Style


@dataclass(frozen=True, slots=True, eq=False)
class RefineState:
    """Where a refinement is; enough to go on with it in another process.

    Attributes:
        parameters: style parameters, float32 (p,).
        mean: Adam's moving average of the gradient, (p,).
        square: of its square, (p,).
        best: the style parameters that were best by the held-out pictures, (p,).
        measures: loss of the held-out pictures: at the beginning, and that of `best`, (2,).
        step: number of steps done.
        spent_s: seconds that they took.
    """

    parameters: Floats
    mean: Floats
    square: Floats
    best: Floats
    measures: Floats
    step: int = 0
    spent_s: float = 0.0

    @property
    def is_better(self) -> bool:
        """Whether `best` is better than the beginning by the held-out pictures."""
        return bool(self.measures[1] < self.measures[0])

    def to_arrays(self) -> dict[str, Floats]:
        """Return everything as arrays, for `from_arrays`."""
        return {
            "parameters": self.parameters,
            "mean": self.mean,
            "square": self.square,
            "best": self.best,
            "measures": self.measures,
            "clock": np.array([self.step, self.spent_s], np.float32),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Floats]) -> "RefineState":
        """Return what `to_arrays` was called on."""
        step, spent_s = arrays["clock"]
        return cls(
            arrays["parameters"],
            arrays["mean"],
            arrays["square"],
            arrays["best"],
            arrays["measures"],
            int(step),
            float(spent_s),
        )

    @staticmethod
    def shapes(size: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the arrays for `size` style parameters."""
        vectors = ("parameters", "mean", "square", "best")
        return {**dict.fromkeys(vectors, (size,)), "measures": (2,), "clock": (2,)}


@dataclass(frozen=True, slots=True, eq=False)
class RefineStep:
    """One step of a refinement.

    Attributes:
        state: where it is now.
        done: completed share of the time or of the steps, 0..1.
        remaining_s: estimated seconds that remain.
        losses: of the pictures of this step: "style" and "content", both relative, "noise", the
            mean squared change under noise, and their weighted sum "total".
        preview: a scene painted with the best style parameters, RGB uint8 (height, width, 3),
            where they have just been measured; else None.
    """

    state: RefineState
    done: float
    remaining_s: float
    losses: Mapping[str, float]
    preview: Frame | None = None


@dataclass(frozen=True, slots=True)
class RefineResult:
    """What a refinement has come to.

    Attributes:
        style: the style, as the library knows it.
        is_kept: whether the refined style parameters are kept: they are better than those before.
        before: loss of the predicted style parameters, or of those refined before, on pictures that
            the descent does not see.
        after: that of the best ones.
        steps: number of steps.
    """

    style: Style
    is_kept: bool
    before: float
    after: float
    steps: int
