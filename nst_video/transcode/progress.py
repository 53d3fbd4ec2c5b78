"""Progress of a transcode: frames, speed, remaining time and the slowest stage."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a running transcode.

    Attributes:
        frame: frames painted so far.
        frame_count: total number of frames, None where unknown.
        fps: frames painted per second, without the first batch; 0 before the second batch.
        elapsed_s: seconds since the start.
        remaining_s: estimated seconds to the end, None where unknown.
        limiting_stage: the slowest stage: "decode", "paint" or "encode".
        busy_s: seconds that each stage has worked since the start.
    """

    frame: int
    frame_count: int | None
    fps: float
    elapsed_s: float
    remaining_s: float | None
    limiting_stage: str
    busy_s: dict[str, float] = field(default_factory=dict)


OnProgress = Callable[[Progress], None]


@dataclass(slots=True)
class ProgressMeter:
    """Computes `Progress` from frame counts and the busy time of each stage.

    The speed leaves out the first batch, which includes the compilation of the network.

    Attributes:
        frame_count: total number of frames, None where unknown.
        clock: returns monotonic seconds.
        frame: frames painted so far.
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
        """Add `frames` painted frames and return the progress.

        Args:
            frames: frames painted since the last call.
            busy_s: seconds that each stage has worked since the start.
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
            busy_s=busy_s,
        )
