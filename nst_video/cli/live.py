"""`nst-video live`: stylize a camera, a stream, the screen or a file in real time."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from nst_video.cli import live_session
from nst_video.cli.console import say
from nst_video.cli.options import grouped, number
from nst_video.cli.output_options import OverwriteOption, QuietOption
from nst_video.cli.stylizer_options import (
    ENGINE_OPTION,
    INTENSITY_OPTION,
    MODEL_OPTION,
    STYLE_OPTION,
    STYLE_PANEL,
    MixOption,
    ModelsDirOption,
    OfflineOption,
    parse_mix,
    work_size_option,
)
from nst_video.errors import UsageError
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
            help="window: (the default), a file, http: or http:8090, virtual: or "
            "virtual:1280x720, null:; repeat for several.",
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
        work_size_option(replace(WORK_SIZE, or_zero=True), "0 adapts it to --target-fps."),
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


@dataclass(frozen=True, kw_only=True)
class LiveModelOptions:
    """The network and what runs it; None takes the remembered setting."""

    model: Annotated[str | None, MODEL_OPTION] = None
    models_dir: ModelsDirOption = None
    offline: OfflineOption = False
    engine: Annotated[str | None, ENGINE_OPTION] = None


@grouped
def live(
    source: Annotated[
        str | None,
        typer.Argument(
            help="Camera number or part of its name (see `devices`), rtsp:// or http:// address, "
            "video file, folder of pictures, screen:, screen:640x480+0+0 or demo:."
        ),
    ] = None,
    *,
    outputs: LiveOutputOptions,
    look: LiveStyleOptions,
    camera: CameraOptions,
    network: LiveModelOptions,
    hud: Annotated[
        bool | None, typer.Option("--hud/--no-hud", help="Show statistics and style thumbnails.")
    ] = None,
    reset: Annotated[
        bool, typer.Option("--reset", help="Discard the remembered settings first.")
    ] = False,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
) -> None:
    """Stylize a camera or another source live in a window; press ? there for all keys.

    The default source is the first camera. Settings are remembered: options take precedence over
    remembered settings, and those over the defaults.
    """
    from nst_video.live import LiveOptions, LiveSession
    from nst_video.live.output_specs import WINDOW
    from nst_video.live.saved_settings import forget_settings, load_settings, overlay

    if reset:
        forget_settings()
    given: dict[str, object] = {
        "style": look.style,
        "mix": parse_mix(look.mix) or ([] if look.style else None),
        "intensity": look.intensity,
        "keep_colors": look.keep_colors,
        "fade_s": look.fade,
        "work_size": look.work_size,
        "target_fps": look.target_fps,
        "size": camera.size,
        "fps": camera.fps,
        "fourcc": camera.fourcc,
        "driver": camera.driver,
        "model": network.model,
        "engine": network.engine,
        "hud": hud,
    }
    remembered = load_settings((lambda text: None) if quiet else say)
    settings = overlay(remembered, given)
    has_window = not outputs.output or WINDOW in outputs.output
    if camera.mirror and not has_window:
        raise UsageError("--mirror is for the window; use --mirror-outputs for other outputs.")
    styles = live_session.find_styles(settings, may_fall_back=not look.style)
    opened, capture = live_session.open_source(source or "0", settings, given, loop=camera.loop)
    places = [place for place in outputs.output or [] if place != WINDOW]
    opened_outputs = live_session.open_outputs(
        places,
        outputs.microphone,
        inputs=[source or "", *settings.style],
        save_dir=outputs.save_dir,
        overwrite=overwrite,
    )
    session = LiveSession(
        opened,
        live_session.stylizer_opener(
            styles,
            network.models_dir,
            offline=network.offline,
            quiet=quiet,
            is_over=lambda: session.state.is_over,
        ),
        opened_outputs,
        has_window=has_window,
        settings=live_session.stylize_settings(settings),
        options=LiveOptions(
            target_fps=settings.target_fps or None,
            duration_s=outputs.duration,
            save_dir=outputs.save_dir,
            microphone=outputs.microphone,
            mirror_outputs=outputs.mirror_outputs,
            capture=capture,
        ),
        on_message=say,
        on_start=lambda: (
            None if quiet else live_session.greet(session, opened_outputs, outputs.microphone)
        ),
    )
    state = session.state
    state.shows_hud, state.is_side_by_side = settings.hud, settings.side_by_side
    if camera.mirror is not None or not settings.mirror:
        state.is_mirrored = bool(camera.mirror)
    live_session.run(session, settings, remembered, quiet=quiet)
