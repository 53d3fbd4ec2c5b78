"""Options of a session that keys cannot change."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from nst_video.frames import Size
from nst_video.live.adaptive_resolution import AdaptiveResolution, SizeBounds
from nst_video.live.capture_thread import BACK_OFF_S, STALL_S
from nst_video.validation import RATE, SECONDS, SIDE
from nst_video.video.capture.capture_options import CaptureOptions

WORK_SIZE = 256
"""Initial working size, short side in pixels."""


@dataclass(frozen=True, kw_only=True)
class LiveOptions:
    """Options of a session that keys cannot change.

    Attributes:
        target_fps: frame rate for which the working size is adapted; None keeps the size fixed.
        bounds: smallest and largest working size.
        duration_s: seconds after the first painted frame at which to stop; None runs until quit.
        save_dir: folder of snapshots and recordings.
        microphone: name of the microphone to record, or "default"; None records no sound.
        mirror_outputs: mirror everything that is written or sent.
        virtual_size: (width, height) of the virtual camera; None takes the first frame's.
        virtual_backend: pyvirtualcam's name of a driver; None takes the first that works.
        stall_s: seconds without a frame after which the source is opened again.
        back_off_s: seconds between attempts to reopen it; the last one repeats.
        capture: options of a camera that a key switches to.
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

    def adaptive_resolution(self) -> AdaptiveResolution | None:
        """Return what holds the target rate, from `WORK_SIZE` on; None keeps the size fixed."""
        if self.target_fps is None:
            return None
        return AdaptiveResolution(self.target_fps, WORK_SIZE, self.bounds)

    def new_file(self, suffix: str) -> Path:
        """Return a path in `save_dir`, named by the time, for a snapshot or recording."""
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S-%f")[:-3]
        return self.save_dir / f"nst-video-{stamp}{suffix}"
