"""What a user may name as the source of a live session, as a table."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from nst_video.frames import Frame, VideoInfo
from nst_video.image import synthetic
from nst_video.live.capture_thread import LiveInput
from nst_video.system.path_lookup import PathKind, look_up, require_file
from nst_video.video.capture.camera import CameraSource, driver_number
from nst_video.video.capture.capture_options import CaptureOptions
from nst_video.video.capture.devices import Camera, find_camera, list_cameras
from nst_video.video.capture.folder import PictureFolderSource
from nst_video.video.capture.screen import ScreenSource
from nst_video.video.capture.stream import StreamSource
from nst_video.video.media.codec_options import DecodeOptions
from nst_video.video.queues import ReaderThread
from nst_video.video.sources import DEMO_SCHEME, FrameSource, SyntheticSource, open_source

SCREEN_SCHEME = "screen:"
STREAM_SCHEMES = frozenset(("rtsp", "rtsps", "http", "https", "rtmp", "udp", "tcp", "srt", "mms"))

AHEAD_FRAMES = 12
"""Frames decoded ahead of the clock, so that beginning again at the end goes unnoticed."""

LATE_S = 0.25
"""Seconds of delay after which the clock of a file is set anew instead of caught up with."""


class RealtimeSource:
    """Plays something that can be read at any speed at its own rate, perhaps again and again."""

    def __init__(self, open_source: Callable[[], FrameSource], *, loop: bool) -> None:
        """Open it for the first time.

        Args:
            open_source: called again for every round.
            loop: begin again at the end.

        Raises:
            SourceError: it cannot be opened.
        """
        self._open = open_source
        self._loop = loop
        self._stopped = threading.Event()
        self._first: FrameSource | None = open_source()
        self._current = self._first
        self._info: VideoInfo | None = None

    @property
    def info(self) -> VideoInfo:
        """As the source says."""
        return self._current.info

    @property
    def notes(self) -> tuple[str, ...]:
        """As the source says."""
        return self._current.notes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the iteration at once."""
        self._stopped.set()
        self._current.stop()

    def __iter__(self) -> Iterator[Frame]:
        """Deliver each frame when it is due.

        Raises:
            SourceError: it cannot be read.
        """
        with ReaderThread(self._rounds(), stop=self.stop, max_items=AHEAD_FRAMES) as frames:
            due_s = time.monotonic()
            for frame in frames:
                now_s = time.monotonic()
                if now_s > due_s + LATE_S:
                    due_s = now_s
                if self._stopped.wait(max(0.0, due_s - now_s)):
                    return
                yield frame
                due_s += 1 / float(self._current.info.fps)

    def _rounds(self) -> Iterator[Frame]:
        """Deliver the frames of all rounds; the next round is opened before it is needed."""
        upcoming, self._first = self._first, None
        while upcoming is not None and not self._stopped.is_set():
            self._current, upcoming = upcoming, None
            with self._current as source:
                for number, frame in enumerate(source):
                    yield frame
                    if self._loop and number == AHEAD_FRAMES:
                        upcoming = self._open()
            if self._loop and upcoming is None:
                upcoming = self._open()


class _DemoLoop:
    """The synthetic scene, drawn once and kept: drawing takes longer than a frame lasts."""

    def __init__(self, options: CaptureOptions) -> None:
        source = SyntheticSource(options.size or synthetic.SIZE, options.fps or synthetic.FPS)
        self._source = source
        self._frames: list[Frame] = []

    def open(self) -> FrameSource:
        return _Replay(self._source, self._frames)


class _Replay(SyntheticSource):
    """The synthetic scene from memory where it is there."""

    def __init__(self, source: SyntheticSource, frames: list[Frame]) -> None:
        super().__init__(source.info.size, source.info.fps)
        self._kept = frames

    def __iter__(self) -> Iterator[Frame]:
        if len(self._kept) == self.info.frame_count:
            for frame in self._kept:
                if self._stopped:
                    return
                yield frame
            return
        self._kept.clear()
        for frame in super().__iter__():
            self._kept.append(frame)
            yield frame


def camera_input(camera: Camera, options: CaptureOptions) -> LiveInput:
    """Return a camera as an input."""
    name = f"Camera {camera.number}"
    if camera.name != name:
        name = f"{name} ({camera.name})"
    return LiveInput(name, lambda: CameraSource(camera.number, name, options), is_camera=True)


def next_camera_input(present: str, options: CaptureOptions) -> LiveInput | None:
    """Return the camera that follows the input called `present` in this machine's list.

    None where there is no other one.
    """
    inputs = [camera_input(camera, options) for camera in list_cameras()]
    names = [each.name for each in inputs]
    if not names or names == [present]:
        return None
    place = names.index(present) + 1 if present in names else 0
    return inputs[place % len(inputs)]


def _named_camera(text: str, options: CaptureOptions) -> LiveInput:
    driver_number(options.driver)
    looks_like_path = Path(text).suffix != "" or len(Path(text).parts) > 1
    if looks_like_path:
        require_file(text)
    return camera_input(find_camera(text), options)


def _device(text: str, options: CaptureOptions) -> LiveInput:
    driver_number(options.driver)
    return LiveInput(text, lambda: CameraSource(text, text, options), is_camera=True)


def _stream(text: str, options: CaptureOptions) -> LiveInput:
    return LiveInput(text, lambda: StreamSource(text, options))


def _screen(text: str, options: CaptureOptions) -> LiveInput:
    where = text.removeprefix(SCREEN_SCHEME)
    return LiveInput(ScreenSource(where, options).name, lambda: ScreenSource(where, options))


def _demo(text: str, options: CaptureOptions) -> LiveInput:
    film = _DemoLoop(options)
    return LiveInput("The demo", lambda: RealtimeSource(film.open, loop=True), is_endless=False)


def _folder(text: str, options: CaptureOptions) -> LiveInput:
    def open_once() -> FrameSource:
        source = PictureFolderSource(Path(text), options)
        source.__enter__()  # its size is known only then
        return source

    return LiveInput(text, lambda: RealtimeSource(open_once, loop=options.loop), is_endless=False)


def _file(text: str, options: CaptureOptions) -> LiveInput:
    decode = DecodeOptions(size=options.size, fps=options.fps)

    def open_once() -> FrameSource:
        return open_source(text, decode)

    return LiveInput(text, lambda: RealtimeSource(open_once, loop=options.loop), is_endless=False)


@dataclass(frozen=True, slots=True)
class LiveSourceKind:
    """One line of the table: what it is called, what it takes, how to open that."""

    name: str
    example: str
    accepts: Callable[[str], bool]
    make: Callable[[str, CaptureOptions], LiveInput]


LIVE_SOURCES = (
    LiveSourceKind("demo scene", DEMO_SCHEME, lambda text: text == DEMO_SCHEME, _demo),
    LiveSourceKind("screen", "screen:640x480+0+0", lambda t: t.startswith(SCREEN_SCHEME), _screen),
    LiveSourceKind(
        "stream",
        "rtsp://host/live",
        lambda t: t.partition(":")[0].lower() in STREAM_SCHEMES,
        _stream,
    ),
    LiveSourceKind(
        "folder of pictures", "frames/", lambda text: look_up(text).kind is PathKind.FOLDER, _folder
    ),
    LiveSourceKind(
        "video file", "clip.mp4", lambda text: look_up(text).kind is PathKind.FILE, _file
    ),
    LiveSourceKind("device", "/dev/video0", lambda text: text.startswith("/dev/"), _device),
    LiveSourceKind("camera", "0, or part of its name", lambda text: True, _named_camera),
)
"""Tried in order; the last takes anything."""


def open_input(what: str | Path, options: CaptureOptions | None = None) -> LiveInput:
    """Find out what a user means; nothing is opened but what is needed to know that.

    Args:
        what: a camera's number or part of its name, the address of a stream, a file, a folder of
            pictures, "screen:" or "demo:".
        options: what to ask of it.

    Raises:
        SourceError: there is no such camera or file.
        UsageError: no such screen region or driver.
    """
    text = str(what)
    kind = next(kind for kind in LIVE_SOURCES if kind.accepts(text))
    return kind.make(text, options or CaptureOptions())
