"""`nst-video live`: paint a camera, a stream, the screen or a file as it runs."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from nst_video.cli import common_options, completion, live_session
from nst_video.cli.console import say
from nst_video.errors import UsageError
from nst_video.validation import FADE_S, INTENSITY, RATE, SECONDS, WORK_SIZE

_CAMERA_PANEL = "Camera"
_STYLE_PANEL = "Style"
_MODEL_PANEL = "Model"
_OUTPUT_PANEL = "Where to"


def live(
    source: Annotated[
        str | None,
        typer.Argument(
            help="Camera number or part of its name (see `devices`), rtsp:// or http:// address, "
            "video file, folder of pictures, screen:, screen:640x480+0+0 or demo:."
        ),
    ] = None,
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            help="window: (the default), a file, http: or http:8090, virtual: or "
            "virtual:1280x720, null:; repeat it for several at once.",
            rich_help_panel=_OUTPUT_PANEL,
        ),
    ] = None,
    microphone: Annotated[
        str | None,
        typer.Option(
            help='Record sound, too: a microphone\'s name, or "default".',
            metavar="NAME",
            rich_help_panel=_OUTPUT_PANEL,
        ),
    ] = None,
    save_dir: Annotated[
        Path,
        typer.Option(
            help="Folder for snapshots and recordings made by key.", rich_help_panel=_OUTPUT_PANEL
        ),
    ] = Path(),
    duration: Annotated[
        float | None,
        common_options.number(
            SECONDS, help="Stop after painting so long.", metavar="SECONDS", panel=_OUTPUT_PANEL
        ),
    ] = None,
    style: Annotated[
        list[str] | None,
        typer.Option(
            "--style",
            "-s",
            autocompletion=completion.styles,
            help="A style's name (see `styles list`) or any picture; repeat it to mix.",
            rich_help_panel=_STYLE_PANEL,
        ),
    ] = None,
    mix: common_options.MixOption = None,
    intensity: Annotated[
        float | None,
        common_options.number(
            INTENSITY,
            help="How far to go, from 0 (the picture) to 1 (the style).",
            panel=_STYLE_PANEL,
        ),
    ] = None,
    keep_colors: Annotated[
        bool | None,
        typer.Option(
            "--keep-colors/--style-colors",
            help="Keep the picture's own colors.",
            rich_help_panel=_STYLE_PANEL,
        ),
    ] = None,
    fade: Annotated[
        float | None,
        common_options.number(
            FADE_S,
            help="How long one style takes to turn into the next.",
            metavar="SECONDS",
            panel=_STYLE_PANEL,
        ),
    ] = None,
    work_size: Annotated[
        int | None,
        common_options.number(
            replace(WORK_SIZE, or_zero=True),
            help="Short side at which the network paints; 0 chooses it for --target-fps.",
            metavar="PIXELS",
            panel=_STYLE_PANEL,
        ),
    ] = None,
    target_fps: Annotated[
        float | None,
        common_options.number(
            replace(RATE, or_zero=True),
            help="Rate for which the working size is chosen; 0 leaves it as it is.",
            metavar="RATE",
            panel=_STYLE_PANEL,
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            help="Size to ask of the source, such as 1280x720.",
            metavar="WxH",
            rich_help_panel=_CAMERA_PANEL,
        ),
    ] = None,
    fps: Annotated[
        str | None,
        typer.Option(help="Rate to ask of the source.", rich_help_panel=_CAMERA_PANEL),
    ] = None,
    fourcc: Annotated[
        str | None,
        typer.Option(
            help="Pixel format to ask of a camera: MJPG is often faster than YUYV.",
            rich_help_panel=_CAMERA_PANEL,
        ),
    ] = None,
    driver: Annotated[
        str | None,
        typer.Option(
            help="Camera interface, such as V4L2, DSHOW, MSMF or AVFOUNDATION.",
            rich_help_panel=_CAMERA_PANEL,
        ),
    ] = None,
    mirror: Annotated[
        bool | None,
        typer.Option(
            "--mirror/--no-mirror",
            help="Show the picture mirrored in the window, as cameras are by default; outputs "
            "are not.",
            rich_help_panel=_CAMERA_PANEL,
        ),
    ] = None,
    mirror_outputs: Annotated[
        bool,
        typer.Option(
            "--mirror-outputs",
            help="Swap left and right in recordings, snapshots and streams.",
            rich_help_panel=_OUTPUT_PANEL,
        ),
    ] = False,
    loop: Annotated[
        bool,
        typer.Option(
            "--loop", help="Begin a file again at its end.", rich_help_panel=_CAMERA_PANEL
        ),
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            autocompletion=completion.models,
            help="See `models list`; auto takes the best at hand.",
            rich_help_panel=_MODEL_PANEL,
        ),
    ] = None,
    models_dir: common_options.ModelsDirOption = None,
    offline: common_options.OfflineOption = False,
    engine: Annotated[
        str | None,
        typer.Option(
            autocompletion=completion.among(completion.ENGINE_NAMES),
            help="What runs the network; see `doctor`.",
            rich_help_panel=_MODEL_PANEL,
        ),
    ] = None,
    hud: Annotated[
        bool | None, typer.Option("--hud/--no-hud", help="Show figures and thumbnails.")
    ] = None,
    reset: Annotated[
        bool, typer.Option("--reset", help="Forget the remembered settings first.")
    ] = False,
    overwrite: common_options.OverwriteOption = False,
    quiet: common_options.QuietOption = False,
) -> None:
    """Paint what a camera sees, live in a window; press ? there for all keys.

    Without a source it is the first camera. Settings are remembered: an option given here goes
    before the remembered value, and that before the default.
    """
    from nst_video.live import LiveOptions, LiveSession
    from nst_video.live.output_specs import WINDOW
    from nst_video.live.saved_settings import forget_settings, load_settings, overlay

    if reset:
        forget_settings()
    given: dict[str, object] = {
        "style": style, "mix": common_options.parse_mix(mix) or ([] if style else None),
        "intensity": intensity, "keep_colors": keep_colors, "fade_s": fade,
        "work_size": work_size, "target_fps": target_fps, "size": size, "fps": fps,
        "fourcc": fourcc, "driver": driver, "model": model, "engine": engine, "hud": hud,
    }  # fmt: skip
    remembered = load_settings((lambda text: None) if quiet else say)
    settings = overlay(remembered, given)
    has_window = not output or WINDOW in output
    if mirror and not has_window:
        raise UsageError("--mirror is for the window: try --mirror-outputs.")
    styles = live_session.find_styles(settings, may_fall_back=not style)
    opened, capture = live_session.open_source(source or "0", settings, given, loop=loop)
    places = [place for place in output or [] if place != WINDOW]
    outputs = live_session.open_outputs(
        places,
        microphone,
        inputs=[source or "", *settings.style],
        save_dir=save_dir,
        overwrite=overwrite,
    )
    session = LiveSession(
        opened,
        live_session.stylizer_opener(
            styles,
            models_dir,
            offline=offline,
            quiet=quiet,
            is_over=lambda: session.state.is_over,
        ),
        outputs,
        has_window=has_window,
        settings=live_session.stylize_settings(settings),
        options=LiveOptions(
            target_fps=settings.target_fps or None,
            duration_s=duration,
            save_dir=save_dir,
            microphone=microphone,
            mirror_outputs=mirror_outputs,
            capture=capture,
        ),
        on_message=say,
        on_start=lambda: None if quiet else live_session.greet(session, outputs, microphone),
    )
    state = session.state
    state.shows_hud, state.is_side_by_side = settings.hud, settings.side_by_side
    if mirror is not None or not settings.mirror:
        state.is_mirrored = bool(mirror)
    live_session.run(session, settings, remembered, quiet=quiet)
