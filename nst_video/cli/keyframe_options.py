"""Options of the keyframes of a video painted by optimization."""

import reprlib
from dataclasses import dataclass
from typing import Annotated, get_args

import typer

from nst_video.cli.completion import among
from nst_video.cli.options import number
from nst_video.errors import UsageError
from nst_video.optimization.settings import WEIGHT
from nst_video.optimization.video_settings import (
    ADAPTIVE,
    INTERVAL,
    MAX_INTERVAL,
    KeyframeInterval,
    SceneStart,
    VideoSettings,
)
from nst_video.settings import WorkSize
from nst_video.validation import COUNT

_PANEL = "Keyframes"


@dataclass(frozen=True, kw_only=True)
class KeyframeOptions:
    """How keyframes are chosen and painted, as typed."""

    every: Annotated[
        str,
        typer.Option(
            "--every",
            metavar=f"1..{MAX_INTERVAL}|{ADAPTIVE}",
            help="Keyframe interval in frames; adaptive: a keyframe after enough motion.",
            rich_help_panel=_PANEL,
        ),
    ] = str(VideoSettings.keyframe_interval)
    next_steps: Annotated[
        int,
        number(
            COUNT,
            "--next-steps",
            help="Maximum steps of keyframes that start from the previous one.",
            panel=_PANEL,
        ),
    ] = VideoSettings.next_steps
    scene_start: Annotated[
        str,
        typer.Option(
            "--scene-start",
            autocompletion=among(get_args(SceneStart)),
            metavar="|".join(get_args(SceneStart)),
            help="Start of the first keyframe of a scene: as --init says (settings), or stylized "
            "by the fast network (fill).",
            rich_help_panel=_PANEL,
        ),
    ] = VideoSettings.scene_start
    temporal_weight: Annotated[
        float | None,
        number(
            WEIGHT,
            "--temporal-weight",
            help="Weight of the temporal loss: the distance to the previous keyframe, warped along "
            "the optical flow.",
            panel=_PANEL,
        ),
    ] = None

    def settings(self, work_size: WorkSize) -> VideoSettings:
        """Return the settings of a video.

        Args:
            work_size: as typed; "auto" for the default.

        Raises:
            UsageError: a value that makes no sense.
        """
        lines = VideoSettings.work_size if work_size == "auto" else work_size
        return VideoSettings(
            keyframe_interval=parse_interval(self.every),
            next_steps=self.next_steps,
            scene_start=self.scene_start,  # type: ignore[arg-type]  # VideoSettings checks it
            work_size=None if lines == "full" else lines,
        )


def parse_interval(text: str) -> KeyframeInterval:
    """Turn "10" or "adaptive" into the value that `VideoSettings` takes.

    Raises:
        UsageError: it is neither.
    """
    if text == ADAPTIVE:
        return ADAPTIVE
    try:
        return int(INTERVAL.parse("--every", text))
    except UsageError:
        shown = reprlib.repr(text)
        raise UsageError(f"--every must be {INTERVAL}, or {ADAPTIVE}, not {shown}.") from None
