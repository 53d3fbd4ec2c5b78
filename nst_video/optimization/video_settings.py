"""Settings of video painted by optimization, besides those of each keyframe."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from nst_video.errors import UsageError
from nst_video.validation import COUNT, WORK_SIZE, Range, check_fields

KeyframeInterval: TypeAlias = int | Literal["adaptive"]
"""Frames from one keyframe to the next, or "adaptive": a keyframe after enough motion."""

ADAPTIVE: Literal["adaptive"] = "adaptive"

MAX_INTERVAL = 24
"""Most frames between two keyframes; that many are held in memory."""

INTERVAL = Range(1, MAX_INTERVAL, is_whole=True)

SceneStart: TypeAlias = Literal["settings", "fill"]
"""Initial picture of a scene's first keyframe: as `PaintSettings.start`, or a fast painting."""


_RANGES = {
    "next_steps": COUNT,
    "next_learning_rate": Range(0, 1, is_above=True),
    "long_term_weight": Range(0, 1e6),
}


@dataclass(frozen=True, kw_only=True)
class VideoSettings:
    """How a video is painted by optimization, besides the settings of each keyframe.

    Attributes:
        keyframe_interval: frames from one keyframe to the next, 1..`MAX_INTERVAL`, or "adaptive".
        next_steps: maximum steps of keyframes that start from the previous one.
        next_learning_rate: Adam's learning rate for these, in units of the pixel range 0..1. They
            start near their optimum; longer steps leave grain that adds up over keyframes.
        scene_start: initial picture of a scene's first keyframe.
        long_term_weight: weight of the keyframe before the last in the temporal loss.
        work_size: short side, in pixels, at which frames are painted; None for the video's own.
            Fine detail is restored at full size.

    Raises:
        UsageError: a value is out of its range.
    """

    keyframe_interval: KeyframeInterval = 10
    next_steps: int = 50
    next_learning_rate: float = 0.01
    scene_start: SceneStart = "settings"
    long_term_weight: float = 1.0
    work_size: int | None = 480

    def __post_init__(self) -> None:
        check_interval(self.keyframe_interval)
        check_fields(self, _RANGES)
        if self.scene_start not in get_args(SceneStart):
            raise UsageError(
                f"No scene start {self.scene_start!r}. "
                f"Choose from: {', '.join(get_args(SceneStart))}."
            )
        WORK_SIZE.check_optional("The working size", self.work_size)


def check_interval(interval: KeyframeInterval) -> KeyframeInterval:
    """Return `interval` if it is valid.

    Raises:
        UsageError: it is neither "adaptive" nor within 1..`MAX_INTERVAL`.
    """
    if interval == ADAPTIVE or interval in INTERVAL:
        return interval
    raise UsageError(
        f"A keyframe interval is 1 to {MAX_INTERVAL} frames, or {ADAPTIVE}, not {interval!r}."
    )
