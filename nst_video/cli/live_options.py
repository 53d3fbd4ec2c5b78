"""Options of `nst-video live`."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import typer

from nst_video.cli.options import number
from nst_video.cli.output_options import OverwriteOption, QuietOption
from nst_video.cli.region_options import PANEL as MASK_PANEL
from nst_video.cli.region_options import BackgroundOptions
from nst_video.cli.stylizer_options import (
    ENGINE_OPTION,
    GENTLE_OPTION,
    INTENSITY_OPTION,
    MODEL_OPTION,
    STEADY_OPTION,
    STYLE_OPTION,
    STYLE_PANEL,
    MixOption,
    ModelsDirOption,
    OfflineOption,
    check_paint_every,
    paint_every_option,
    parse_mix,
    parse_paint_every,
)
from nst_video.validation import FADE_S, RATE, SECONDS, WORK_SIZE

_INPUT_PANEL = "Input"
_OUTPUT_PANEL = "Output"


@dataclass(frozen=True, kw_only=True)
class LiveOutputOptions:
    """Where frames go."""

    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            help="window: (the default), a file, http: or http:8090 (http:lan for phones), "
            "virtual: or virtual:1280x720, null:; repeat for several.",
            rich_help_panel=_OUTPUT_PANEL,
        ),
    ] = None
    microphone: Annotated[
        str | None,
        typer.Option(
            "--microphone",
            help='Record sound from this microphone; "default" takes that of the system.',
            metavar="NAME",
            rich_help_panel=_OUTPUT_PANEL,
        ),
    ] = None
    save_dir: Annotated[
        Path,
        typer.Option(
            "--save-dir",
            help="Folder for snapshots and recordings started by a key.",
            metavar="DIR",
            rich_help_panel=_OUTPUT_PANEL,
        ),
    ] = Path()
    duration: Annotated[
        float | None,
        number(
            SECONDS,
            "--duration",
            help="Stop after this time.",
            metavar="SECONDS",
            panel=_OUTPUT_PANEL,
        ),
    ] = None
    mirror_outputs: Annotated[
        bool,
        typer.Option(
            "--mirror-outputs",
            help="Mirror recordings, snapshots and streams.",
            rich_help_panel=_OUTPUT_PANEL,
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class LiveStyleOptions:
    """How frames are stylized; None takes the remembered setting."""

    style: Annotated[list[str] | None, STYLE_OPTION] = None
    mix: MixOption = None
    intensity: Annotated[float | None, INTENSITY_OPTION] = None
    keep_colors: Annotated[
        bool | None,
        typer.Option(
            "--keep-colors/--style-colors",
            help="Keep the colors of the input; stylize luminance only.",
            rich_help_panel=STYLE_PANEL,
        ),
    ] = None
    gentle: Annotated[float | None, GENTLE_OPTION] = None
    steady: Annotated[float | None, STEADY_OPTION] = None
    paint_every: Annotated[
        str | None, paint_every_option("auto, the default, adapts it to --target-fps.")
    ] = None
    fade: Annotated[
        float | None,
        number(
            FADE_S,
            "--fade",
            help="Duration of the transition to another style.",
            metavar="SECONDS",
            panel=STYLE_PANEL,
        ),
    ] = None
    work_size: Annotated[
        int | None,
        number(
            replace(WORK_SIZE, or_zero=True),
            "--work-size",
            help="Short side at which the network runs; smaller is faster, with larger strokes. "
            "0 adapts it to --target-fps.",
            metavar="PIXELS",
            panel=STYLE_PANEL,
        ),
    ] = None
    target_fps: Annotated[
        float | None,
        number(
            replace(RATE, or_zero=True),
            "--target-fps",
            help="Frame rate to which the work size is adapted; 0 keeps the work size.",
            metavar="RATE",
            panel=STYLE_PANEL,
        ),
    ] = None

    def given(self) -> dict[str, object]:
        """Return the options as fields of `LiveSettings`; None for those that are not given.

        Raises:
            UsageError: two of them contradict each other.
        """
        every = parse_paint_every(self.paint_every)
        check_paint_every(self.steady, every)
        return {
            "style": self.style,
            "mix": parse_mix(self.mix) or ([] if self.style else None),
            "intensity": self.intensity,
            "gentle": self.gentle,
            "steady": self.steady,
            "paint_every": _or_zero(every),
            "keep_colors": self.keep_colors,
            "fade_s": self.fade,
            "work_size": self.work_size,
            "target_fps": self.target_fps,
        }


def _or_zero(every: int | str | None) -> int | None:
    """Return `LiveSettings.paint_every`, where auto is 0."""
    return every if isinstance(every, int) or every is None else 0


@dataclass(frozen=True, kw_only=True)
class CameraOptions:
    """What to request of the source; None takes the remembered setting."""

    size: Annotated[
        str | None,
        typer.Option(
            "--size",
            help="Frame size to request, such as 1280x720.",
            metavar="WxH",
            rich_help_panel=_INPUT_PANEL,
        ),
    ] = None
    fps: Annotated[
        str | None,
        typer.Option(
            "--fps", help="Frame rate to request.", metavar="RATE", rich_help_panel=_INPUT_PANEL
        ),
    ] = None
    fourcc: Annotated[
        str | None,
        typer.Option(
            "--fourcc",
            help="Pixel format to request of a camera; MJPG is often faster than YUYV.",
            rich_help_panel=_INPUT_PANEL,
        ),
    ] = None
    driver: Annotated[
        str | None,
        typer.Option(
            "--driver",
            help="Camera API, such as V4L2, DSHOW, MSMF or AVFOUNDATION.",
            rich_help_panel=_INPUT_PANEL,
        ),
    ] = None
    mirror: Annotated[
        bool | None,
        typer.Option(
            "--mirror/--no-mirror",
            help="Mirror the picture in the window only; on by default for cameras.",
            rich_help_panel=_INPUT_PANEL,
        ),
    ] = None
    loop: Annotated[
        bool,
        typer.Option("--loop", help="Repeat a file forever.", rich_help_panel=_INPUT_PANEL),
    ] = False

    def given(self) -> dict[str, object]:
        """Return what is requested as fields of `LiveSettings`; None for what is not given."""
        return {name: getattr(self, name) for name in ("size", "fps", "fourcc", "driver")}


@dataclass(frozen=True, kw_only=True)
class LiveModelOptions:
    """The network and what runs it; None takes the remembered setting."""

    model: Annotated[str | None, MODEL_OPTION] = None
    models_dir: ModelsDirOption = None
    offline: OfflineOption = False
    engine: Annotated[str | None, ENGINE_OPTION] = None

    def given(self) -> dict[str, object]:
        """Return the options as fields of `LiveSettings`; None for those that are not given."""
        return {"model": self.model, "engine": self.engine}


@dataclass(frozen=True, kw_only=True)
class LiveArguments:
    """The whole command line of `nst-video live`, except --reset."""

    source: Annotated[
        str | None,
        typer.Argument(
            metavar="SOURCE",
            show_default=False,
            help="Camera number or part of its name (see `devices`), rtsp:// or http:// address, "
            "video file, folder of pictures, screen:, screen:640x480+0+0 or demo:; by default the "
            "first camera.",
        ),
    ] = None
    outputs: LiveOutputOptions = field(default_factory=LiveOutputOptions)
    style: LiveStyleOptions = field(default_factory=LiveStyleOptions)
    mask: Annotated[
        str | None,
        typer.Option(
            "--mask",
            metavar="FILE|person",
            help="Paint only the people found (person), or where a gray picture or video is white; "
            "the key M changes it.",
            rich_help_panel=MASK_PANEL,
        ),
    ] = None
    region: BackgroundOptions = field(default_factory=BackgroundOptions)
    camera: CameraOptions = field(default_factory=CameraOptions)
    model: LiveModelOptions = field(default_factory=LiveModelOptions)
    hud: Annotated[
        bool | None, typer.Option("--hud/--no-hud", help="Show statistics and style thumbnails.")
    ] = None
    overwrite: OverwriteOption = False
    quiet: QuietOption = False

    def given(self) -> dict[str, object]:
        """Return the options as fields of `LiveSettings`; None for those that are not given."""
        parts = self.style.given(), self.camera.given(), self.model.given()
        return {name: value for part in parts for name, value in part.items()} | {"hud": self.hud}
