"""How far a transcode is, and which of its stages holds up the others."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Progress:
    """State of a running transcode.

    Attributes:
        frame: frames painted so far.
        frame_count: frames to paint in all, None where unknown.
        fps: frames per second since the first one was painted; 0 before the second.
        elapsed_s: seconds since the start.
        remaining_s: seconds to go at this speed, None where unknown.
        limiting_stage: "decode", "paint" or "encode": the one that worked most of the time.
    """

    frame: int
    frame_count: int | None
    fps: float
    elapsed_s: float
    remaining_s: float | None
    limiting_stage: str


OnProgress = Callable[[Progress], None]


@dataclass(slots=True)
class ProgressMeter:
    """Turns counts and busy times into `Progress`.

    The first batch is left out of the speed: it includes the painter's compilation.
    """

    frame_count: int | None
    clock: Callable[[], float] = time.monotonic
    frame: int = 0
    _begun_s: float = field(init=False)
    _first: tuple[int, float] | None = None

    def __post_init__(self) -> None:
        self._begun_s = self.clock()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return self.clock() - self._begun_s

    def advance(self, frames: int, busy_s: dict[str, float]) -> Progress:
        """Count `frames` more and describe the state.

        Args:
            frames: frames painted since the last call.
            busy_s: seconds each stage has worked since the start.
        """
        self.frame += frames
        now = self.clock()
        if self._first is None:
            self._first = (self.frame, now)
        counted, since = self.frame - self._first[0], now - self._first[1]
        fps = counted / since if counted and since > 0 else 0.0
        left = None if self.frame_count is None else max(0, self.frame_count - self.frame)
        return Progress(
            frame=self.frame,
            frame_count=self.frame_count,
            fps=fps,
            elapsed_s=now - self._begun_s,
            remaining_s=left / fps if left is not None and fps else (0.0 if left == 0 else None),
            limiting_stage=max(busy_s, key=lambda stage: busy_s[stage]),
        )
