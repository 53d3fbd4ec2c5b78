"""Assigns chunks to workers.

A worker that goes on with the next chunk of its film needs not paint the frames that lead to it, so
workers keep to their part of a film, and take over half of what is left of another's only when
nothing else is left.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from nst_video.jobs.chunks import Chunk


class Task(NamedTuple):
    """A chunk of a film.

    Attributes:
        film: which film.
        number: of the chunk.
    """

    film: int
    number: int


class ChunkSchedule:
    """The chunks that nobody has taken yet."""

    def __init__(self) -> None:
        self._free: dict[int, list[int]] = {}
        self._begun: set[int] = set()

    @property
    def fresh_films(self) -> int:
        """Films of which nobody has taken anything."""
        return sum(1 for film, free in self._free.items() if free and film not in self._begun)

    @property
    def left(self) -> int:
        """Number of chunks that nobody has taken."""
        return sum(map(len, self._free.values()))

    def add(self, film: int, chunks: Iterable[Chunk]) -> None:
        """Add the missing chunks of a film."""
        self._free[film] = sorted(chunk.number for chunk in chunks)

    def give_back(self, task: Task) -> None:
        """Have somebody else paint a chunk."""
        self._free[task.film] = sorted({*self._free.get(task.film, ()), task.number})

    def drop(self, film: int) -> None:
        """Take no more of a film."""
        self._free.pop(film, None)

    def take(self, after: Task | None = None) -> Task | None:
        """Return what a worker is to paint next; None where nothing is left.

        Args:
            after: what it has painted last: the next chunk of that, if possible; else the first of
                a film that nobody has begun, else one from the middle of the longest rest.
        """
        if after is not None and after.number + 1 in self._free.get(after.film, ()):
            return self._taken(Task(after.film, after.number + 1))
        for film, free in self._free.items():
            if free and film not in self._begun:
                return self._taken(Task(film, free[0]))
        rests = [(film, rest) for film, free in self._free.items() for rest in _rests(free)]
        if not rests:
            return None
        film, rest = max(rests, key=lambda each: len(each[1]))
        return self._taken(Task(film, rest[len(rest) // 2]))

    def _taken(self, task: Task) -> Task:
        self._free[task.film].remove(task.number)
        self._begun.add(task.film)
        return task


def _rests(free: list[int]) -> list[list[int]]:
    """Divide ascending numbers where they are not consecutive."""
    if not free:
        return []
    cuts = [0, *(i + 1 for i, (a, b) in enumerate(pairwise(free)) if b != a + 1), len(free)]
    return [free[a:b] for a, b in pairwise(cuts)]
