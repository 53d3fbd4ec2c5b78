"""What a user may name as an output of a live session, as a table."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nst_video.errors import UsageError
from nst_video.frames import Frame, Size, VideoInfo
from nst_video.live.mjpeg import PORT, MjpegSink
from nst_video.live.outputs import LiveSink, Output
from nst_video.live.record import RecordingSink
from nst_video.live.virtual import VirtualCameraSink
from nst_video.media.containers import container_for
from nst_video.media.options import parse_size

WINDOW = "window:"
RECORDING = "recording"
VIRTUAL_CAMERA = "virtual camera"


class _Discard:
    """Takes frames and forgets them."""

    def __enter__(self) -> "_Discard":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was opened."""

    def write(self, frame: Frame) -> None:
        """Forget the frame."""

    def stop(self) -> None:
        """Nothing hangs."""


def recording(target: Path, microphone: str | None = None) -> Output:
    """Return a recording into `target`.

    Raises:
        UsageError: no container for that suffix.
        SinkError: there is no folder to write in.
    """
    RecordingSink(target, (2, 2), microphone)

    def start(info: VideoInfo) -> LiveSink:
        return RecordingSink(target, info.size, microphone)

    return Output(RECORDING, start, str(target))


def virtual_camera(size: Size | None = None, backend: str | None = None) -> Output:
    """Return a virtual camera of a size, by default that of the first frame."""

    def start(info: VideoInfo) -> LiveSink:
        return VirtualCameraSink(size or info.size, float(info.fps), backend)

    return Output(VIRTUAL_CAMERA, start)


def _http(rest: str, _: str | None) -> Output:
    if rest and not (rest.isdecimal() and int(rest) < 1 << 16):
        raise UsageError(f"A port is a number up to 65535, as in http:{PORT}, not {rest!r}.")
    port = int(rest or PORT)
    return Output("HTTP", lambda info: MjpegSink(port), f"http://127.0.0.1:{port}/")


def _virtual(rest: str, _: str | None) -> Output:
    if not rest:
        return virtual_camera()
    width, height = parse_size(rest)
    if width is None or height is None:
        raise UsageError(f"The virtual camera's size is written 1280x720, not {rest!r}.")
    return virtual_camera((width, height))


def _null(rest: str, _: str | None) -> Output:
    return Output("null", lambda info: _Discard())


def _file(rest: str, microphone: str | None) -> Output:
    container_for(Path(rest))
    return recording(Path(rest), microphone)


@dataclass(frozen=True, slots=True)
class OutputKind:
    """One line of the table: how it begins, and how to make it of the rest and a microphone."""

    prefix: str
    make: Callable[[str, str | None], Output]


OUTPUTS = (
    OutputKind("null:", _null),
    OutputKind("http:", _http),
    OutputKind("virtual:", _virtual),
    OutputKind("", _file),
)
"""Tried in order; the last takes anything."""


def open_output(where: str | Path, microphone: str | None = None) -> Output:
    """Find out what a user means; it is opened with the first frame.

    Args:
        where: a video file, "http:" or "http:PORT", "virtual:" or "virtual:1280x720", "null:".
        microphone: for a file: name of the one to record, or "default".

    Raises:
        UsageError: it makes no sense.
        SinkError: there is no folder for the file.
    """
    text = str(where)
    kind = next(kind for kind in OUTPUTS if text.startswith(kind.prefix))
    return kind.make(text.removeprefix(kind.prefix), microphone)
