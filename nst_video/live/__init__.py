"""Painting of a camera or stream while it runs, shown in a window and controlled by keys.

run_live(0, "wave")                                # camera 0 in a window, until Q
run_live("clip.mp4", stylizer, ["null:"], options=LiveOptions(duration_s=10))
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from nst_video.live.capture_thread import LiveSource
from nst_video.live.hotkeys import HOTKEYS, Hotkey
from nst_video.live.live_stylizer import LiveStylizer
from nst_video.live.loader_thread import choose_live_engine
from nst_video.live.metrics import LiveResult
from nst_video.live.output_specs import WINDOW, open_output
from nst_video.live.outputs.threads import LiveSink, Output
from nst_video.live.saved_settings import FADE_S
from nst_video.live.session import LiveSession
from nst_video.live.session_options import LiveOptions
from nst_video.live.source_specs import open_live_source
from nst_video.settings import ModelOptions
from nst_video.style_library.library import StyleName
from nst_video.stylizer import Stylizer
from nst_video.video.capture.capture_options import CaptureOptions

__all__ = [
    "HOTKEYS",
    "CaptureOptions",
    "Hotkey",
    "LiveOptions",
    "LiveResult",
    "LiveSession",
    "LiveSink",
    "LiveSource",
    "LiveStylizer",
    "Output",
    "open_live_source",
    "open_output",
    "run_live",
]


def run_live(
    source: int | str | Path | LiveSource,
    style: LiveStylizer | StyleName | Sequence[StyleName],
    outputs: Sequence[str | Path | Output] = (WINDOW,),
    *,
    options: LiveOptions | None = None,
    on_message: Callable[[str], None] = lambda text: None,
) -> LiveResult:
    """Paint a live source until the user quits, the source ends or the time is over.

    Call it from the main thread if there is a window: window systems require that.

    Args:
        source: a camera's number or name, a stream's address, a file, a folder of pictures,
            "screen:", "demo:", or an input of your own.
        style: a style's name, the path of any picture, or several of these to mix; or a
            `Stylizer`, whose settings the session begins with.
        outputs: "window:", files, "http:", "virtual:", "null:", or outputs of your own.
        options: rate, duration and the like; see `LiveOptions`.
        on_message: called, from any thread, with messages for the user.

    Returns:
        Frame rate, latency and number of frames.

    Raises:
        SourceError: the source cannot be opened at all, or a file cannot be read.
        EngineError: painting fails.
        SinkError: there is no window system, or every output has failed.
        StyleError: an unknown style.
        UsageError: a source, style or output that makes no sense.
    """
    options = options or LiveOptions()
    stylizer = _stylizer(style)
    if not isinstance(source, LiveSource):
        source = open_live_source(str(source), options.capture)
    others = [output for output in outputs if output != WINDOW]
    opened = [o if isinstance(o, Output) else open_output(o, options.microphone) for o in others]
    return LiveSession(
        source,
        lambda: stylizer,
        opened,
        has_window=len(others) < len(outputs),
        settings=stylizer.settings,
        options=options,
        on_message=on_message,
    ).run()


def _stylizer(style: LiveStylizer | StyleName | Sequence[StyleName]) -> LiveStylizer:
    """Return a stylizer that paints live in a style, with the fastest engine; others are kept."""
    if callable(style):
        return style
    options = ModelOptions(engine=choose_live_engine(ModelOptions.engine))
    return Stylizer(style, options=options, fade_s=FADE_S)
