"""How a film is cut into chunks: the same way however often and by however many it is painted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

SHORTEST_S, USUAL_S, LONGEST_S = 5, 10, 20
"""Seconds of a chunk. What a killed run loses is at most one chunk; each costs a keyframe, which
is 1 % of its bytes with ten seconds."""

CUT_SHARE = 0.9
"""A keyframe that comes before this share of the usual distance was put there because the picture
changed. Where the painted film has a keyframe anyway, a chunk costs no bytes."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a film.

    Attributes:
        number: counted from 0.
        first: number of its first frame.
        end: number of the frame after its last.
    """

    number: int
    first: int
    end: int

    @property
    def frame_count(self) -> int:
        """How many frames it has."""
        return self.end - self.first


def plan_chunks(
    frame_count: int, fps: Fraction, keyframes: Sequence[int] = ()
) -> tuple[Chunk, ...]:
    """Cut a film at keyframes of the source, at cuts if there are any.

    Args:
        frame_count: number of its frames.
        fps: their rate.
        keyframes: numbers of the frames from which keyframes of the source are shown, ascending.

    Returns:
        Chunks of `SHORTEST_S` to `LONGEST_S`; one where the film is shorter than a usual and a
        shortest one.
    """
    shortest, usual, longest = (
        max(1, math.ceil(seconds * fps)) for seconds in (SHORTEST_S, USUAL_S, LONGEST_S)
    )
    cuts = _cuts(keyframes)
    ends = [0]
    while frame_count - ends[-1] >= usual + shortest:
        begin = ends[-1]
        window = range(begin + shortest, min(begin + longest, frame_count - shortest) + 1)
        wanted = begin + usual
        inside = [each for each in keyframes if each in window]
        among = [each for each in inside if each in cuts] or inside
        ends.append(min(among, key=lambda each: abs(each - wanted), default=wanted))
    ends.append(frame_count)
    return tuple(Chunk(number, *bounds) for number, bounds in enumerate(pairwise(ends)))


def _cuts(keyframes: Sequence[int]) -> frozenset[int]:
    """Return the keyframes that come early."""
    usual = max((b - a for a, b in pairwise(keyframes)), default=0)
    return frozenset(b for a, b in pairwise(keyframes) if b - a < CUT_SHARE * usual)
