"""Sources of a live session, listed in the table `LIVE_SOURCES`.

A new source is one `FrameSource` class and one line in `LIVE_SOURCES`.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from nst_video.frames import Frame, VideoInfo
from nst_video.image import synthetic
from nst_video.live.capture_thread import LiveSource
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
"""Frames decoded ahead of time, so that a file loops without a pause."""

LATE_S = 0.25
"""Delay in seconds after which playback continues late instead of catching up."""


class RealtimeSource:
    """Plays a source at its own frame rate, optionally in a loop."""

    def __init__(self, open_source: Callable[[], FrameSource], *, loop: bool) -> None:
        """Open the source for the first time.

        Args:
            open_source: called again for every repetition.
            loop: start again at the end.

        Raises:
            SourceError: the source cannot be opened.
        """
        self._open = open_source
        self._loop = loop
        self._stopped = threading.Event()
        self._first: FrameSource | None = open_source()
        self._current = self._first
        self._info: VideoInfo | None = None

    @property
    def info(self) -> VideoInfo:
        """See `FrameSource`."""
        return self._current.info

    @property
    def notes(self) -> tuple[str, ...]:
        """See `FrameSource`."""
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
        """End the iteration at once, from any thread."""
        self._stopped.set()
        self._current.stop()

    def __iter__(self) -> Iterator[Frame]:
        """Yield each frame when it is due.

        Raises:
            SourceError: the source cannot be read.
        """
        with ReaderThread(self._repetitions(), stop=self.stop, max_items=AHEAD_FRAMES) as frames:
            due_s = time.monotonic()
            for frame in frames:
                now_s = time.monotonic()
                if now_s > due_s + LATE_S:
                    due_s = now_s
                if self._stopped.wait(max(0.0, due_s - now_s)):
                    return
                yield frame
                due_s += 1 / float(self._current.info.fps)

    def _repetitions(self) -> Iterator[Frame]:
        """Yield the frames of every repetition; the next one is opened ahead of time."""
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
    """The synthetic scene, drawn once and kept in memory: drawing is slower than real time."""

    def __init__(self, options: CaptureOptions) -> None:
        source = SyntheticSource(options.size or synthetic.SIZE, options.fps or synthetic.FPS)
        self._source = source
        self._frames: list[Frame] = []

    def open(self) -> FrameSource:
        return _Replay(self._source, self._frames)


class _Replay(SyntheticSource):
    """The synthetic scene, played from memory if it has been drawn before."""

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


def camera_source(camera: Camera, options: CaptureOptions) -> LiveSource:
    """Return the live source of a camera."""
    name = f"Camera {camera.number}"
    if camera.name != name:
        name = f"{name} ({camera.name})"
    return LiveSource(name, lambda: CameraSource(camera.number, name, options), is_camera=True)


def next_camera_source(present: str, options: CaptureOptions) -> LiveSource | None:
    """Return the camera after the source named `present` in the list of cameras.

    None if there is no other camera.
    """
    inputs = [camera_source(camera, options) for camera in list_cameras()]
    names = [each.name for each in inputs]
    if not names or names == [present]:
        return None
    place = names.index(present) + 1 if present in names else 0
    return inputs[place % len(inputs)]


def _named_camera(text: str, options: CaptureOptions) -> LiveSource:
    driver_number(options.driver)
    looks_like_path = Path(text).suffix != "" or len(Path(text).parts) > 1
    if looks_like_path:
        require_file(text)
    return camera_source(find_camera(text), options)


def _device(text: str, options: CaptureOptions) -> LiveSource:
    driver_number(options.driver)
    return LiveSource(text, lambda: CameraSource(text, text, options), is_camera=True)


def _stream(text: str, options: CaptureOptions) -> LiveSource:
    return LiveSource(text, lambda: StreamSource(text, options))


def _screen(text: str, options: CaptureOptions) -> LiveSource:
    where = text.removeprefix(SCREEN_SCHEME)
    return LiveSource(ScreenSource(where, options).name, lambda: ScreenSource(where, options))


def _demo(text: str, options: CaptureOptions) -> LiveSource:
    demo = _DemoLoop(options)
    return LiveSource("The demo", lambda: RealtimeSource(demo.open, loop=True), is_endless=False)


def _folder(text: str, options: CaptureOptions) -> LiveSource:
    def open_once() -> FrameSource:
        source = PictureFolderSource(Path(text), options)
        source.__enter__()  # its size is known only then
        return source

    return LiveSource(text, lambda: RealtimeSource(open_once, loop=options.loop), is_endless=False)


def _file(text: str, options: CaptureOptions) -> LiveSource:
    decode = DecodeOptions(size=options.size, fps=options.fps, is_quick=True)

    def open_once() -> FrameSource:
        return open_source(text, decode)

    return LiveSource(text, lambda: RealtimeSource(open_once, loop=options.loop), is_endless=False)


@dataclass(frozen=True, slots=True)
class LiveSourceKind:
    """One line of `LIVE_SOURCES`.

    Attributes:
        name: shown to the user.
        example: a text that it accepts.
        accepts: says whether a text names such a source.
        make: creates the source from the text and the options.
    """

    name: str
    example: str
    accepts: Callable[[str], bool]
    make: Callable[[str, CaptureOptions], LiveSource]


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
"""Tried in order; the last one accepts any text."""


def open_live_source(what: str | Path, options: CaptureOptions | None = None) -> LiveSource:
    """Return the source for a text, without opening more than needed to identify it.

    Args:
        what: a camera's number or part of its name, the address of a stream, a file, a folder of
            pictures, "screen:" or "demo:".
        options: requested size, rate and driver.

    Raises:
        SourceError: no such camera or file.
        UsageError: no such screen region or driver.
    """
    text = str(what)
    kind = next(kind for kind in LIVE_SOURCES if kind.accepts(text))
    return kind.make(text, options or CaptureOptions())
