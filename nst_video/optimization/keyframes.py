"""Selects the keyframes: at a fixed interval, at scene cuts, or after enough motion."""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import cv2

from nst_video.frames import Frame
from nst_video.optimization.video_settings import MAX_INTERVAL, KeyframeInterval

if TYPE_CHECKING:
    from scenedetect.detectors import ContentDetector

MAX_MOTION = 0.05
"""Mean motion since the last keyframe that makes a new one due, as a share of the diagonal."""

MAX_OCCLUDED = 0.15
"""Share of pixels without reliable flow to the last keyframe that makes a new one due."""

CUT_THRESHOLD = 27.0
"""Mean change of hue, saturation and value, 0..255, between two frames that counts as a cut."""

MIN_SCENE_FRAMES = 4
"""Shortest scene, so that a camera flash is not taken for two cuts."""


@dataclass(frozen=True, slots=True)
class ChangeSinceKeyframe:
    """How much a frame differs from the last keyframe.

    Attributes:
        frames: distance in frames.
        motion: mean length of the reliable flow, as a share of the picture's diagonal.
        occluded: share of pixels, 0..1, where the flow is not reliable.
    """

    frames: int
    motion: float
    occluded: float


def is_keyframe_due(interval: KeyframeInterval, change: ChangeSinceKeyframe) -> bool:
    """Return whether the frame with this change should be a keyframe."""
    if isinstance(interval, int):
        return change.frames >= interval
    return (
        change.frames >= MAX_INTERVAL
        or change.motion > MAX_MOTION
        or change.occluded > MAX_OCCLUDED
    )


class CutDetector:
    """Detects scene cuts frame by frame, with PySceneDetect's content detector."""

    def __init__(self, fps: Fraction) -> None:
        """Prepare for the first frame of a video with `fps` frames per second."""
        self._fps = float(fps)
        self._count = 0
        self._detector = _detector()

    def __call__(self, frame: Frame) -> bool:
        """Take the next frame, RGB uint8 (h, w, 3); return whether it is the first of a scene."""
        from scenedetect import FrameTimecode

        timecode = FrameTimecode(self._count, self._fps)
        self._count += 1
        found = self._detector.process_frame(timecode, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        return bool(found)


def _detector() -> "ContentDetector":
    from scenedetect.detector import FlashFilter
    from scenedetect.detectors import ContentDetector

    return ContentDetector(
        threshold=CUT_THRESHOLD,
        min_scene_len=MIN_SCENE_FRAMES,
        filter_mode=FlashFilter.Mode.SUPPRESS,
    )
