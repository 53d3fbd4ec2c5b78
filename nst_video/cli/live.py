"""`nst-video live`: stylize a camera, a stream, the screen or a file in real time."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nst_video.cli import live_session
from nst_video.cli.console import say
from nst_video.cli.live_options import LiveArguments, LiveOutputOptions
from nst_video.cli.live_pages import split_pages
from nst_video.cli.options import grouped
from nst_video.cli.region_options import choose_regions
from nst_video.errors import UsageError
from nst_video.settings import ModelOptions

if TYPE_CHECKING:
    from nst_video.live import CaptureOptions, LiveOptions, LiveSession, Output
    from nst_video.live.saved_settings import LiveSettings
    from nst_video.web.live_page import LivePage


@grouped
def live(
    *,
    arguments: LiveArguments,
    reset: Annotated[
        bool, typer.Option("--reset", help="Discard the remembered settings first.")
    ] = False,
) -> None:
    """Stylize a camera or another source live in a window; press ? there for all keys.

    Settings are remembered; options take precedence over remembered ones.
    """
    from nst_video.live.saved_settings import forget_settings, load_settings, overlay

    if reset:
        forget_settings()
    remembered = load_settings((lambda text: None) if arguments.quiet else say)
    settings = overlay(remembered, arguments.given())
    session = _open_session(arguments, settings)
    state, mirror = session.state, arguments.camera.mirror
    state.shows_hud, state.is_side_by_side = settings.hud, settings.side_by_side
    if mirror is not None or not settings.mirror:
        state.is_mirrored = bool(mirror)
    live_session.run(session, settings, remembered, quiet=arguments.quiet)


def _open_session(arguments: LiveArguments, settings: "LiveSettings") -> "LiveSession":
    """Open source and outputs, and return the session that connects them.

    Args:
        arguments: the command line.
        settings: the settings to use, with those of the command line.

    Raises:
        NstVideoError: an option makes no sense, or a source or output cannot be opened.
    """
    from nst_video.live import LiveSession
    from nst_video.live.output_specs import WINDOW

    wanted, quiet = arguments.outputs, arguments.quiet
    masks = [Path(arguments.mask)] if arguments.mask else []
    names, regions = choose_regions(settings.style, masks, arguments.region)
    settings = replace(settings, style=names)
    has_window = not wanted.output or WINDOW in wanted.output
    if arguments.camera.mirror and not has_window:
        raise UsageError("--mirror is for the window; use --mirror-outputs for other outputs.")
    styles = live_session.find_styles(settings, may_fall_back=not arguments.style.style)
    source, capture = live_session.open_source(
        arguments.source or "0", settings, arguments.given(), loop=arguments.camera.loop
    )
    outputs, pages = _open_outputs(arguments, settings)

    def print_start() -> None:
        if not quiet:
            live_session.print_start(session, outputs, wanted.microphone)

    session = LiveSession(
        source,
        live_session.stylizer_opener(
            styles,
            arguments.model.models_dir,
            offline=arguments.model.offline,
            quiet=quiet,
            is_over=lambda: session.state.is_over,
        ),
        outputs,
        has_window=has_window,
        settings=live_session.stylize_settings(settings),
        options=_live_options(arguments.outputs, settings, capture),
        on_message=say,
        on_start=print_start,
    )
    session.state.set_regions(regions)
    for page in pages:
        page.attach(session)
    return session


def _open_outputs(
    arguments: LiveArguments, settings: "LiveSettings"
) -> "tuple[list[Output], list[LivePage]]":
    """Return all outputs but the window, and those of them that are pages.

    Raises:
        NstVideoError: an output that cannot be opened.
    """
    from nst_video.live.output_specs import WINDOW

    wanted, model = arguments.outputs, arguments.model
    others, pages = split_pages(
        [each for each in wanted.output or [] if each != WINDOW],
        ModelOptions(
            settings.model, settings.engine, models_dir=model.models_dir, offline=model.offline
        ),
        quiet=arguments.quiet,
    )
    outputs = live_session.open_outputs(
        others,
        wanted.microphone,
        inputs=[arguments.source or "", *settings.style],
        save_dir=wanted.save_dir,
        overwrite=arguments.overwrite,
    )
    return [*outputs, *(page.output() for page in pages)], pages


def _live_options(
    wanted: LiveOutputOptions, settings: "LiveSettings", capture: "CaptureOptions"
) -> "LiveOptions":
    """Return the options of the session that keys cannot change."""
    from nst_video.live import LiveOptions

    return LiveOptions(
        target_fps=settings.target_fps or None,
        duration_s=wanted.duration,
        save_dir=wanted.save_dir,
        microphone=wanted.microphone,
        mirror_outputs=wanted.mirror_outputs,
        capture=capture,
    )
