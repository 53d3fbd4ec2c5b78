"""`nst-video live`: paint a camera, a stream, the screen or a file as it runs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nst_video.cli import options
from nst_video.cli.console import interruptible, say
from nst_video.errors import NstVideoError, StyleError, UsageError
from nst_video.look import DEFAULT_STYLE, Look
from nst_video.ranges import FADE_S, INTENSITY, RATE, SECONDS, WORK_SIZE

if TYPE_CHECKING:
    from nst_video.capture.options import CaptureOptions
    from nst_video.live import LiveSession, LiveStylizer
    from nst_video.live.settings import LiveSettings

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
        options.number(
            SECONDS, help="Stop after painting so long.", metavar="SECONDS", panel=_OUTPUT_PANEL
        ),
    ] = None,
    style: Annotated[
        list[str] | None,
        typer.Option(
            "--style",
            "-s",
            help="A style's name (see `styles list`) or any picture; repeat it to mix.",
            rich_help_panel=_STYLE_PANEL,
        ),
    ] = None,
    mix: options.MixOption = None,
    intensity: Annotated[
        float | None,
        options.number(
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
        options.number(
            FADE_S,
            help="How long one style takes to turn into the next.",
            metavar="SECONDS",
            panel=_STYLE_PANEL,
        ),
    ] = None,
    work_size: Annotated[
        int | None,
        options.number(
            replace(WORK_SIZE, or_zero=True),
            help="Short side at which the network paints; 0 chooses it for --target-fps.",
            metavar="PIXELS",
            panel=_STYLE_PANEL,
        ),
    ] = None,
    target_fps: Annotated[
        float | None,
        options.number(
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
            help="See `models list`; auto takes the best at hand.",
            rich_help_panel=_MODEL_PANEL,
        ),
    ] = None,
    models_dir: options.ModelsDirOption = None,
    offline: options.OfflineOption = False,
    engine: Annotated[
        str | None,
        typer.Option(help="What runs the network; see `doctor`.", rich_help_panel=_MODEL_PANEL),
    ] = None,
    hud: Annotated[
        bool | None, typer.Option("--hud/--no-hud", help="Show figures and thumbnails.")
    ] = None,
    reset: Annotated[
        bool, typer.Option("--reset", help="Forget the remembered settings first.")
    ] = False,
    quiet: options.QuietOption = False,
) -> None:
    """Paint what a camera sees, live in a window; press ? there for all keys.

    Settings are remembered: an option given here goes before the remembered value, and that
    before the default.
    """
    from nst_video.live import LiveOptions, LiveSession, open_input, open_output
    from nst_video.live.places import WINDOW
    from nst_video.live.settings import forget_settings, load_settings, overlay

    if reset:
        forget_settings()
    given: dict[str, object] = {
        "source": source, "style": style, "mix": options.parse_mix(mix) or ([] if style else None),
        "intensity": intensity, "keep_colors": keep_colors, "fade_s": fade,
        "work_size": work_size, "target_fps": target_fps, "size": size, "fps": fps,
        "fourcc": fourcc, "driver": driver, "model": model, "engine": engine, "hud": hud,
    }  # fmt: skip
    settings = overlay(load_settings(), given)
    wanted = LiveOptions(
        target_fps=settings.target_fps or None,
        duration_s=duration,
        save_dir=save_dir,
        microphone=microphone,
        mirror_outputs=mirror_outputs,
        capture=_capture_options(settings, loop=loop),
    )
    places = [place for place in output or [] if place != WINDOW]
    session = LiveSession(
        open_input(settings.source, wanted.capture),
        _stylizer_opener(
            settings, models_dir, offline=offline, may_fall_back=not style, quiet=quiet
        ),
        outputs := [open_output(place, microphone) for place in places],
        has_window=not output or WINDOW in output,
        look=_look(settings),
        options=wanted,
        on_message=say,
    )
    if mirror and not session.has_window:
        raise UsageError("--mirror is for the window: try --mirror-outputs.")
    state = session.state
    state.shows_hud, state.is_side_by_side = settings.hud, settings.side_by_side
    if mirror is not None or not settings.mirror:
        state.is_mirrored = bool(mirror)
    if not quiet:
        _greet(session, [each.where for each in outputs if each.where])
    _run(session, settings, quiet=quiet)


def _capture_options(settings: "LiveSettings", *, loop: bool) -> "CaptureOptions":
    from nst_video.capture.options import CaptureOptions
    from nst_video.media.options import parse_rate, parse_size

    size = parse_size(settings.size) if settings.size else None
    if size is not None and None in size:
        raise UsageError(f"--size of a live source is written 1280x720, not {settings.size!r}.")
    return CaptureOptions(
        size=size,  # type: ignore[arg-type]  # both sides are there
        fps=parse_rate(settings.fps) if settings.fps else None,
        fourcc=settings.fourcc or None,
        driver=settings.driver or None,
        loop=loop,
    )


def _look(settings: "LiveSettings") -> Look:
    return Look(
        settings.intensity,
        settings.blend,  # type: ignore[arg-type]  # Look checks it
        settings.keep_colors,
        settings.work_size or None,
    )


def _stylizer_opener(
    settings: "LiveSettings",
    models_dir: Path | None,
    *,
    offline: bool,
    may_fall_back: bool,
    quiet: bool,
) -> "Callable[[], LiveStylizer]":
    """Return what makes the stylizer, in a thread of the session, while the window is up."""

    def open_stylizer() -> "LiveStylizer":
        from nst_video.cli.progress import fetch_progress
        from nst_video.library import StyleLibrary
        from nst_video.stylizer import Stylizer

        library, styles, mix = StyleLibrary(), settings.style, settings.mix
        try:
            for name in styles:
                library.get(name)
        except StyleError as error:
            if not may_fall_back:
                raise
            say(f"{error} Painting in {DEFAULT_STYLE}.")
            styles, mix = [DEFAULT_STYLE], []
        with fetch_progress(quiet=quiet) as on_fetch:
            stylizer = Stylizer(
                settings.model,
                styles,
                mix=mix or None,
                engine=settings.engine,
                library=library,
                models_dir=models_dir,
                offline=offline,
                on_fetch=on_fetch,
                fade_s=settings.fade_s,
            )
            stylizer.prepare()
        return stylizer

    return open_stylizer


def _greet(session: "LiveSession", places: list[str]) -> None:
    """Say what happens, and by which keys it can be steered."""
    from nst_video.live import HOTKEYS

    say(f"Painting {session.reader.source.name}.")
    for place in places:
        say(f"Writing to {place}")
    if session.has_window:
        width = max(len(hotkey.label) for hotkey in HOTKEYS)
        for hotkey in HOTKEYS:
            say(f"  {hotkey.label:{width}}  {hotkey.help}")
    else:
        say("Ctrl-C ends it.")


def _run(session: "LiveSession", settings: "LiveSettings", *, quiet: bool) -> None:
    """Run to the end; remember the settings however it ends."""
    from nst_video.live.settings import save_settings

    with interruptible():
        try:
            done = session.run()
        finally:
            try:
                save_settings(_remembered(session, settings))
            except NstVideoError as error:
                say(str(error))
    if not quiet:
        say(
            f"{done.shown} frames painted, {done.fps:.1f} fps, "
            f"age {done.age_p50_ms:.0f} ms (95 %: {done.age_p95_ms:.0f} ms), "
            f"{done.dropped} dropped."
        )


def _remembered(session: "LiveSession", settings: "LiveSettings") -> "LiveSettings":
    """Return the settings as keys have left them."""
    state = session.state
    wish, look = state.wish, state.wish.look
    selection = wish.selection
    if selection is not None:
        single = len(selection.styles) == 1
        settings = replace(
            settings,
            style=[
                s.name if s.origin != "file" else str(s.path.resolve()) for s in selection.styles
            ],
            mix=[] if single else list(selection.mix),
        )
    return replace(
        settings,
        intensity=look.intensity,
        keep_colors=look.keep_colors,
        work_size=look.work_size or 0,
        mirror=state.is_mirrored if session.reader.source.is_camera else settings.mirror,
        hud=state.shows_hud,
        side_by_side=state.is_side_by_side,
    )
