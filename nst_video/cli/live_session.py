"""Starting a live session for `nst-video live`, and remembering its settings."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nst_video.cli.console import FAILED, complain, end_process, say
from nst_video.cli.output_options import check_outputs
from nst_video.errors import NstVideoError, StyleError
from nst_video.settings import DEFAULT_STYLE, ModelOptions, StylizeSettings
from nst_video.system.output_files import OutputFile, check_folder
from nst_video.system.path_lookup import PathKind, look_up, user_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nst_video.live import LiveSession, LiveSource, LiveStylizer, Output
    from nst_video.live.saved_settings import LiveSettings
    from nst_video.video.capture.capture_options import CaptureOptions
    from nst_video.weights import FetchProgress


def open_source(
    source: str, settings: "LiveSettings", given: dict[str, object], *, loop: bool
) -> "tuple[LiveSource, CaptureOptions]":
    """Return the source and what is requested of it; remembered requests are for cameras only."""
    from nst_video.live import open_live_source
    from nst_video.live.saved_settings import CAMERA_SETTINGS

    remembered = _capture_options(settings, loop=loop)
    asked = {name: given[name] or "" for name in CAMERA_SETTINGS}
    capture = _capture_options(replace(settings, **asked), loop=loop)  # type: ignore[arg-type]
    opened = open_live_source(source, capture)
    return (open_live_source(source, remembered) if opened.is_camera else opened), remembered


def open_outputs(
    wanted: "Sequence[str]",
    microphone: str | None,
    *,
    inputs: "Sequence[str]",
    save_dir: Path,
    overwrite: bool,
) -> "list[Output]":
    """Check and return the outputs other than the window.

    Args:
        wanted: the outputs, as typed.
        microphone: its name, for recordings.
        inputs: the source and the styles, which a recording must not replace.
        save_dir: folder of snapshots and recordings started by a key.
        overwrite: existing files may be replaced.

    Raises:
        NstVideoError: an unknown output, or a file that cannot or must not be written.
    """
    from nst_video.live import open_output
    from nst_video.live.output_specs import recording_target
    from nst_video.live.outputs.recording import RECORDING_SUFFIXES

    targets = [recording_target(each) for each in wanted]
    replaced = check_outputs(
        [OutputFile(each, "recording", RECORDING_SUFFIXES) for each in targets if each],
        [user_path(each) for each in inputs],
        overwrite=overwrite,
    )
    check_folder(save_dir)
    return [
        open_output(each, microphone, overwrite=target in replaced)
        for each, target in zip(wanted, targets, strict=True)
    ]


def _capture_options(settings: "LiveSettings", *, loop: bool) -> "CaptureOptions":
    from nst_video.live.saved_settings import parse_whole_size
    from nst_video.video.capture.capture_options import CaptureOptions
    from nst_video.video.media.codec_options import parse_rate

    return CaptureOptions(
        size=parse_whole_size(settings.size) if settings.size else None,
        fps=parse_rate(settings.fps) if settings.fps else None,
        fourcc=settings.fourcc or None,
        driver=settings.driver or None,
        loop=loop,
    )


def stylize_settings(settings: "LiveSettings") -> StylizeSettings:
    """Return the initial settings of the stylizer."""
    return StylizeSettings(
        settings.intensity,
        settings.blend,  # type: ignore[arg-type]  # StylizeSettings checks it
        settings.keep_colors,
        settings.work_size or "auto",
        gentle=settings.gentle,
        steady=settings.steady,
        paint_every=settings.paint_every or "auto",
    )


def find_styles(settings: "LiveSettings", *, may_fall_back: bool) -> "LiveSettings":
    """Check that the styles exist; if allowed, take the default style instead of missing ones.

    Raises:
        StyleError: a style does not exist, and `may_fall_back` is False.
    """
    from nst_video.style_library.library import StyleLibrary

    library = StyleLibrary()
    try:
        for name in settings.style:
            library.get(name)
    except StyleError as error:
        if not may_fall_back:
            raise
        say(f"{error} Using {DEFAULT_STYLE}.")
        return replace(settings, style=[DEFAULT_STYLE], mix=[])
    return settings


def stylizer_opener(
    settings: "LiveSettings",
    models_dir: Path | None,
    *,
    offline: bool,
    quiet: bool,
    is_over: "Callable[[], bool]",
) -> "Callable[[], LiveStylizer]":
    """Return a function that loads the stylizer; the session calls it in a thread."""

    def open_stylizer() -> "LiveStylizer":
        from nst_video.cli.progress import fetch_progress
        from nst_video.live.loader_thread import LoadingCanceled, choose_live_engine
        from nst_video.stylizer import Stylizer

        with fetch_progress(quiet=quiet) as show:

            def on_fetch(progress: "FetchProgress") -> None:
                if is_over():
                    raise LoadingCanceled
                if show is not None:
                    show(progress)

            stylizer = Stylizer(
                settings.style,
                options=ModelOptions(
                    settings.model,
                    choose_live_engine(settings.engine),
                    models_dir=models_dir,
                    offline=offline,
                ),
                mix=settings.mix or None,
                on_fetch=on_fetch,
                fade_s=settings.fade_s,
            )
            stylizer.prepare()
        return stylizer

    return open_stylizer


def print_start(
    session: "LiveSession", outputs: "Sequence[Output]", microphone: str | None
) -> None:
    """Print source, outputs and keys."""
    from nst_video.live import HOTKEYS
    from nst_video.live.output_specs import recording_folders

    say(f"Stylizing {session.capture.source.name}.")
    for output in outputs:
        if output.where:
            say(f"Writing to {output.where}")
    may_record = session.has_window or bool(recording_folders(outputs))
    if may_record and microphone is None and _has_sound(session.capture.source.name):
        say("Recordings have no sound of the video; `nst-video transcode` keeps it.")
    if session.has_window:
        width = max(len(hotkey.label) for hotkey in HOTKEYS)
        for hotkey in HOTKEYS:
            say(f"  {hotkey.label:{width}}  {hotkey.help}")
    else:
        say("Press Ctrl-C to stop.")


def _has_sound(source: str) -> bool:
    """Return whether a source is a file with sound."""
    from nst_video.video.media.probe import probe

    if look_up(source).kind is not PathKind.FILE:
        return False
    try:
        return any(stream.kind == "audio" for stream in probe(user_path(source)).streams)
    except NstVideoError:
        return False


def run(
    session: "LiveSession", settings: "LiveSettings", before: "LiveSettings", *, quiet: bool
) -> None:
    """Run a session to its end and remember its settings unless it failed."""
    from nst_video.live.saved_settings import LiveSettings, settings_path

    try:
        done = session.run()
    except KeyboardInterrupt:
        _remember(session, settings, before)
        raise
    except NstVideoError as error:
        if before != LiveSettings():
            say(f"Remembered settings of {settings_path()} were in use; --reset discards them.")
        if session.left_behind:
            complain(error)
            end_process(FAILED)
        raise
    _remember(session, settings, before)
    if not quiet:
        say(
            f"{done.shown} frames stylized, {done.fps:.1f} fps, "
            f"latency {done.age_p50_ms:.0f} ms (95 %: {done.age_p95_ms:.0f} ms), "
            f"{done.dropped} dropped."
        )
    for failure in session.recording_errors:
        complain(failure)
    # Everything is finished; unloading libraries would keep the user waiting.
    end_process(FAILED if session.recording_errors else 0)


def _remember(session: "LiveSession", settings: "LiveSettings", before: "LiveSettings") -> None:
    """Save the settings of a session that has shown frames, as changed by keys."""
    from nst_video.live.saved_settings import CAMERA_SETTINGS, save_settings

    if not session.has_started:
        return
    state = session.state
    request, look = state.request, state.request.settings
    selection, is_camera = request.selection, session.capture.source.is_camera
    if selection is not None:
        settings = replace(
            settings,
            style=[
                s.name if s.origin != "file" else str(s.path.resolve()) for s in selection.styles
            ],
            mix=[] if len(selection.styles) == 1 else list(selection.mix),
        )
    kept = {name: getattr(settings if is_camera else before, name) for name in CAMERA_SETTINGS}
    settings = replace(
        settings,
        **kept,
        intensity=look.intensity,
        keep_colors=look.keep_colors,
        work_size=look.work_size if isinstance(look.work_size, int) else 0,
        gentle=look.gentle,
        steady=look.steady,
        paint_every=0 if look.paint_every == "auto" else look.paint_every,
        mirror=state.is_mirrored if is_camera else settings.mirror,
        hud=state.shows_hud,
        side_by_side=state.is_side_by_side,
    )
    try:
        save_settings(settings)
    except NstVideoError as error:
        say(str(error))
