"""Camera to painted screen, steered by keys.

run_live(0, Stylizer("wave"))                      # camera 0 in a window, until Q
run_live("clip.mp4", stylizer, ["null:"], options=LiveOptions(duration_s=10))
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from nst_video.live.capture_thread import LiveInput
from nst_video.live.hotkeys import HOTKEYS, Hotkey
from nst_video.live.metrics import LiveResult
from nst_video.live.output_specs import WINDOW, open_output
from nst_video.live.outputs.threads import LiveSink, Output
from nst_video.live.render_thread import LiveStylizer
from nst_video.live.session import LiveSession
from nst_video.live.session_options import LiveOptions
from nst_video.live.source_specs import open_input
from nst_video.video.capture.capture_options import CaptureOptions

__all__ = [
    "HOTKEYS",
    "CaptureOptions",
    "Hotkey",
    "LiveInput",
    "LiveOptions",
    "LiveResult",
    "LiveSession",
    "LiveSink",
    "LiveStylizer",
    "Output",
    "open_input",
    "open_output",
    "run_live",
]


def run_live(
    source: int | str | Path | LiveInput,
    stylizer: LiveStylizer,
    sinks: Sequence[str | Path | Output] = (WINDOW,),
    *,
    options: LiveOptions | None = None,
    on_message: Callable[[str], None] = lambda text: None,
) -> LiveResult:
    """Paint a live source until the user quits, the source ends or the time is over.

    Call it from the main thread when there is a window: toolkits insist on that.

    Args:
        source: a camera's number or name, a stream's address, a file, a folder of pictures,
            "screen:", "demo:", or an input of your own.
        stylizer: paints the frames; the session begins with its settings.
        sinks: "window:", files, "http:", "virtual:", "null:", or outputs of your own.
        options: how to run.
        on_message: told what a user should know; called from any thread.

    Raises:
        SourceError: the source cannot be opened at all, or a file cannot be read.
        EngineError: painting fails.
        SinkError: there is no window system, or every output has failed.
        UsageError: a source or sink that makes no sense.
    """
    options = options or LiveOptions()
    if not isinstance(source, LiveInput):
        source = open_input(str(source), options.capture)
    places = [sink for sink in sinks if sink != WINDOW]
    outputs = [o if isinstance(o, Output) else open_output(o, options.microphone) for o in places]
    return LiveSession(
        source,
        lambda: stylizer,
        outputs,
        has_window=len(places) < len(sinks),
        settings=stylizer.settings,
        options=options,
        on_message=on_message,
    ).run()
