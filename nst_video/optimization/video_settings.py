"""How a film is painted, besides how each keyframe is: checked choices, without anything heavy."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from nst_video.errors import UsageError
from nst_video.validation import COUNT, WORK_SIZE, Range, check_fields

Every: TypeAlias = int | Literal["adaptive"]

ADAPTIVE: Literal["adaptive"] = "adaptive"

MAX_INTERVAL = 24
"""Frames between two keyframes at most: as many are held in memory."""

INTERVAL = Range(1, MAX_INTERVAL, is_whole=True)

Opening: TypeAlias = Literal["settings", "fill"]
"""Where the first keyframe of a scene starts: as the optimizer's settings say, or painted fast."""


_RANGES = {"next_steps": COUNT, "next_rate": Range(0, 1, is_above=True), "long_term": Range(0, 1e6)}


@dataclass(frozen=True, kw_only=True)
class VideoSettings:
    """How a film is painted, besides how each keyframe is.

    Attributes:
        every: a keyframe every so many frames, or "adaptive": after enough movement.
        next_steps: steps at most for keyframes that start from another.
        next_rate: longest step of Adam for these, in units of the range of pixels. They are near
            their aim already; longer steps leave grain that adds up from keyframe to keyframe.
        opening: where the first keyframe of a scene starts.
        long_term: weight of the keyframe before the last among what a keyframe is kept close to.
        work_size: short side in pixels at which all is painted, None for the film's own; the
            result is brought back to full size with its fine structure.

    Raises:
        UsageError: a value out of its range.
    """

    every: Every = 10
    next_steps: int = 50
    next_rate: float = 0.01
    opening: Opening = "settings"
    long_term: float = 1.0
    work_size: int | None = 480

    def __post_init__(self) -> None:
        check_every(self.every)
        check_fields(self, _RANGES)
        if self.opening not in get_args(Opening):
            raise UsageError(
                f"No opening {self.opening!r}. Choose from: {', '.join(get_args(Opening))}."
            )
        WORK_SIZE.check_optional("The working size", self.work_size)


def check_every(every: Every) -> Every:
    """Return `every` if it can be meant.

    Raises:
        UsageError: neither "adaptive" nor 1 .. `MAX_INTERVAL`.
    """
    if every == ADAPTIVE or every in INTERVAL:
        return every
    raise UsageError(
        f"Keyframes come every 1 to {MAX_INTERVAL} frames, or {ADAPTIVE}, not {every!r}."
    )
