"""What a user chooses about the refinement of a style; imports nothing heavy."""

from dataclasses import dataclass

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
