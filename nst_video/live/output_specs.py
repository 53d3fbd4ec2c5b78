"""Outputs of a live session, listed in the table `LIVE_OUTPUTS`.

A new output is one class that is a `LiveSink` and one line in `LIVE_OUTPUTS`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from nst_video.errors import UsageError
from nst_video.frames import Size, VideoInfo
from nst_video.live.outputs.mjpeg import PORT, MjpegSink
from nst_video.live.outputs.recording import RecordingSink
from nst_video.live.outputs.threads import LiveSink, Output
from nst_video.live.outputs.virtual_camera import VirtualCameraSink
from nst_video.video.media.codec_options import parse_size
from nst_video.video.sinks import NullSink

WINDOW = "window:"
RECORDING = "recording"
VIRTUAL_CAMERA = "virtual camera"


def recording(target: Path, microphone: str | None = None, *, overwrite: bool = False) -> Output:
    """Return an output that records to `target`, or to a free name beside it unless `overwrite`.

    Raises:
        UsageError: no container for this suffix.
        SinkError: the folder does not exist.
    """
    RecordingSink(target, (2, 2), microphone)

    def start(info: VideoInfo) -> LiveSink:
        return RecordingSink(target, info.size, microphone, overwrite=overwrite)

    return Output(RECORDING, start, str(target), close_s=None)


def recording_folders(outputs: Iterable[Output]) -> list[Path]:
    """Return the folders of the recordings among the outputs."""
    return [Path(output.where).parent for output in outputs if output.name == RECORDING]


def virtual_camera(size: Size | None = None, backend: str | None = None) -> Output:
    """Return an output to a virtual camera of `size`, by default that of the first frame."""

    def start(info: VideoInfo) -> LiveSink:
        return VirtualCameraSink(size or info.size, float(info.fps), backend)

    return Output(VIRTUAL_CAMERA, start)


def _http(rest: str) -> Output:
    if rest and not (rest.isdecimal() and int(rest) < 1 << 16):
        raise UsageError(f"A port is a number up to 65535, as in http:{PORT}, not {rest!r}.")
    port = int(rest or PORT)
    return Output("HTTP", lambda info: MjpegSink(port), f"http://127.0.0.1:{port}/")


def _virtual(rest: str) -> Output:
    if not rest:
        return virtual_camera()
    width, height = parse_size(rest)
    if width is None or height is None:
        raise UsageError(f"The virtual camera's size is written 1280x720, not {rest!r}.")
    return virtual_camera((width, height))


def _null(rest: str) -> Output:
    return Output("null", lambda info: NullSink())


@dataclass(frozen=True, slots=True)
class LiveOutputKind:
    """One line of `LIVE_OUTPUTS`.

    Attributes:
        prefix: how the text begins.
        make: creates the output from the text after the prefix.
    """

    prefix: str
    make: Callable[[str], Output]


LIVE_OUTPUTS = (
    LiveOutputKind("null:", _null),
    LiveOutputKind("http:", _http),
    LiveOutputKind("virtual:", _virtual),
)
"""A text without one of these prefixes is the file of a recording."""


def open_output(
    where: str | Path, microphone: str | None = None, *, overwrite: bool = False
) -> Output:
    """Return the output for a text; it opens with the first frame.

    Args:
        where: a video file, "http:" or "http:PORT", "virtual:" or "virtual:1280x720", "null:".
        microphone: for a file: name of the microphone to record, or "default".
        overwrite: replace an existing file; otherwise a free name beside it is used.

    Raises:
        UsageError: the text is invalid.
        SinkError: the folder of the file does not exist.
    """
    target = recording_target(where)
    if target is not None:
        return recording(target, microphone, overwrite=overwrite)
    text = str(where)
    kind = next(kind for kind in LIVE_OUTPUTS if text.startswith(kind.prefix))
    return kind.make(text.removeprefix(kind.prefix))


def recording_target(where: str | Path) -> Path | None:
    """Return the file of a recording, None if the output is not a file."""
    is_file = not any(str(where).startswith(kind.prefix) for kind in LIVE_OUTPUTS)
    return Path(where) if is_file else None
