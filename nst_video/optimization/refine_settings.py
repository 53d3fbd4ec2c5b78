"""What a user chooses about the refinement of a style, and its progress."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nst_video.frames import Floats, Frame
from nst_video.style_library.folder import Style
from nst_video.validation import BOLDNESS, COUNT, MINUTES, SEED

SHYEST, BOLDEST = 1.0, 0.01
"""Weights of the content at a boldness of 0 and of 1; those between follow a geometric scale."""

CONTENT_LIMIT = 1.0
"""Content distance at a boldness of 0.5, relative to the predicted style's; half of it at 0, twice
at 1."""


@dataclass(frozen=True)
class RefineSettings:
    """How a style is refined.

    Attributes:
        minutes: how long, at most, without the few seconds to prepare; the descent slows down
            toward the end of it.
        bold: 0..1: 0 keeps more of the content, 1 has more of the style.
        steps: at most so many steps, None for as many as fit into the time. With it, the same
            settings give the same result on a fast and on a slow machine.
        seed: of the order of the pictures.

    Raises:
        UsageError: a value out of its range.
    """

    minutes: float = 2.0
    bold: float = 0.5
    steps: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        MINUTES.check("The minutes", self.minutes)
        BOLDNESS.check("The boldness", self.bold)
        COUNT.check_optional("The number of steps", self.steps)
        SEED.check("The seed", self.seed)

    @property
    def content_weight(self) -> float:
        """Weight of the content loss beside a style loss of weight 1."""
        return float(SHYEST * (BOLDEST / SHYEST) ** self.bold)

    @property
    def content_limit(self) -> float:
        """Content distance, relative to the predicted style's, above which it costs more."""
        return float(CONTENT_LIMIT * 4 ** (self.bold - 0.5))


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
