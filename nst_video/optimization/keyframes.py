"""Which frames of a film are painted by optimization: every so many, at cuts, or after movement."""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import cv2

from nst_video.frames import Frame
from nst_video.optimization.video_settings import MAX_INTERVAL, Every

if TYPE_CHECKING:
    from scenedetect.detectors import ContentDetector

MOVED = 0.05
"""Mean way since the last keyframe, of the picture's diagonal, that calls for another."""

HIDDEN = 0.15
"""Share of the picture that could not be found in the last keyframe, likewise."""

CUT = 27.0
"""Mean change of hue, saturation and value (of 255) from frame to frame that counts as a cut."""

MIN_SCENE = 4
"""Frames a scene has at least, so that a flash is no cut back and forth."""


@dataclass(frozen=True, slots=True)
class Change:
    """What has changed since the last keyframe.

    Attributes:
        frames: how many frames it is ago.
        moved: mean length of the trusted flow, of the picture's diagonal.
        hidden: share of the picture where the flow cannot be trusted.
    """

    frames: int
    moved: float
    hidden: float


def is_due(every: Every, change: Change) -> bool:
    """Say whether the frame that shows this change is to be a keyframe."""
    if isinstance(every, int):
        return change.frames >= every
    return change.frames >= MAX_INTERVAL or change.moved > MOVED or change.hidden > HIDDEN


class CutDetector:
    """Finds scene cuts as the frames come; PySceneDetect's content detector."""

    def __init__(self, fps: Fraction) -> None:
        """Begin before the first frame of a film with `fps` frames a second."""
        self._fps = float(fps)
        self._count = 0
        self._detector = _detector()

    def __call__(self, frame: Frame) -> bool:
        """Take the next frame, RGB uint8; True where it is the first of another scene."""
        from scenedetect import FrameTimecode

        place = FrameTimecode(self._count, self._fps)
        self._count += 1
        found = self._detector.process_frame(place, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        return bool(found)


def _detector() -> "ContentDetector":
    from scenedetect.detector import FlashFilter
    from scenedetect.detectors import ContentDetector

    return ContentDetector(
        threshold=CUT, min_scene_len=MIN_SCENE, filter_mode=FlashFilter.Mode.SUPPRESS
    )
