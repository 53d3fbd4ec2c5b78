"""How a session runs, apart from what keys can change."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from nst_video.frames import Size
from nst_video.live.adaptive_resolution import SizeBounds
from nst_video.live.capture_thread import BACK_OFF_S, STALL_S
from nst_video.validation import RATE, SECONDS, SIDE
from nst_video.video.capture.capture_options import CaptureOptions

WORK_SIZE = 256
"""Working size to begin with, short side in pixels."""


@dataclass(frozen=True, kw_only=True)
class LiveOptions:
    """How a session runs; none of it can be changed by a key.

    Attributes:
        target_fps: rate that the working size is chosen for; None keeps the working size.
        bounds: between which sizes it may choose.
        duration_s: seconds of painting after which to stop; None goes on until told.
        save_dir: where snapshots and recordings go.
        microphone: recorded with the picture: a name, or "default"; None records no sound.
        mirror_outputs: swap left and right in everything that is written or sent, too.
        virtual_size: (width, height) of the virtual camera; None takes the first frame's.
        virtual_backend: pyvirtualcam's name of a driver; None takes the first that works.
        stall_s: seconds without a frame after which the source is opened again.
        back_off_s: waits between attempts to do so; the last one repeats.
        capture: what to ask of a camera that a key switches to.
    """

    target_fps: float | None = 30.0
    bounds: SizeBounds = field(default_factory=SizeBounds)
    duration_s: float | None = None
    save_dir: Path = field(default_factory=Path)
    microphone: str | None = None
    mirror_outputs: bool = False
    virtual_size: Size | None = None
    virtual_backend: str | None = None
    stall_s: float = STALL_S
    back_off_s: tuple[float, ...] = BACK_OFF_S
    capture: CaptureOptions = field(default_factory=CaptureOptions)

    def __post_init__(self) -> None:
        RATE.check_optional("The target rate", self.target_fps)
        SECONDS.check_optional("The duration", self.duration_s)
        SECONDS.check("The stall", self.stall_s)
        for wait_s in self.back_off_s:
            SECONDS.check("A wait", wait_s)
        for side in self.virtual_size or ():
            SIDE.check("A side of the virtual camera", side)

    def new_file(self, suffix: str) -> Path:
        """Return a name, made of the time, for a snapshot or recording."""
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S-%f")[:-3]
        return self.save_dir / f"nst-video-{stamp}{suffix}"
