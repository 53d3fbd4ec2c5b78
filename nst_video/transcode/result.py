"""What a transcode is asked for beyond its options, and what it returns."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nst_video.frames import VideoInfo


@dataclass(frozen=True, slots=True)
class ResumeOptions:
    """What happens with the finished chunks of an interrupted run.

    Attributes:
        restart: they are discarded instead of used.
        command: how the user called the program, for `nst-video jobs`; "" where nobody typed it.
        on_note: called with a sentence on what was found, or is kept for the next run.
        own: folder of a job of the caller's for the same target, such as that of its keyframes.
    """

    restart: bool = False
    command: str = ""
    on_note: Callable[[str], None] | None = None
    own: Path | None = None

    def note(self, text: str) -> None:
        """Pass on a sentence, if anybody listens."""
        if self.on_note is not None:
            self.on_note(text)


@dataclass(frozen=True, slots=True)
class TranscodeResult:
    """A finished transcode.

    Attributes:
        target: the file that was written.
        info: size, rate and number of its frames.
        elapsed_s: seconds from start to end.
        busy_s: seconds that each stage worked: "decode", "paint" and "encode".
        notes: sentences for the user about differences from the source.
        kept_frames: how many of the frames an interrupted run had finished.
    """

    target: Path
    info: VideoInfo
    elapsed_s: float
    busy_s: dict[str, float]
    notes: tuple[str, ...]
    kept_frames: int = 0
