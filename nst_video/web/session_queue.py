"""Limits how many camera sessions paint at the same time; the others wait in a queue.

Each session has one painting under way at most, and the engine paints them in the order in which
they come: sessions that paint get equal shares.
"""

from dataclasses import dataclass, field

MAX_PAINTING = 4
"""Sessions that paint at a time: on two cores, each of four still gets some frames per second."""


@dataclass(slots=True)
class SessionQueue:
    """Sessions in the order in which they came. Not thread-safe.

    Attributes:
        max_painting: so many sessions paint.
    """

    max_painting: int = MAX_PAINTING
    _order: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many sessions there are."""
        return len(self._order)

    def join(self, session: str) -> None:
        """Add a session at the end of the line; one that is in it keeps its place."""
        if session not in self._order:
            self._order.append(session)

    def leave(self, session: str) -> None:
        """Remove a session, if it is there."""
        if session in self._order:
            self._order.remove(session)

    def place(self, session: str) -> int:
        """Return 0 for a session that may paint, otherwise its position in line, from 1."""
        if session not in self._order:
            return max(0, self.count - self.max_painting) + 1
        return max(0, self._order.index(session) - self.max_painting + 1)
