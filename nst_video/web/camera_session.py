"""Paints the frames of one browser's camera: the threads of a live session, without a camera.

`put` is given JPEG pictures by the event loop. The render thread of live sessions paints the newest
of them. Another thread encodes what is painted, as soon as the page has shown the picture before.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from nst_video.errors import NstVideoError
from nst_video.frames import Frame, Size, fit_short_side, size_of
from nst_video.live.capture_thread import CapturedFrame
from nst_video.live.metrics import RateMeter, SmoothedValue
from nst_video.live.render_thread import RenderedFrame, RenderThread
from nst_video.live.session_options import WORK_SIZE, LiveOptions
from nst_video.live.state import LiveState, RenderRequest, Selection
from nst_video.settings import Regions, StylizeSettings
from nst_video.video.queues import LatestQueue
from nst_video.web.look import Look, changed
from nst_video.web.protocol import Credit, Kind, Message, ProtocolError
from nst_video.web.regions import is_plain, regions_of
from nst_video.web.shared_engine import SharedEngine

TARGET_FPS = 24.0
"""Rate for which lines and paintings are adapted: the browser needs part of the same cores."""

WINDOW = 2
"""Frames that may be on the way in each direction: one is painted while the next one comes."""

JPEG_QUALITY = 85

WAITING_S = 2.0
"""Seconds without a frame after which the session says that it waits."""

_POLL_S = 0.1
_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """What a session does.

    Attributes:
        state: "loading", "waiting", "painting" or "trouble".
        text: a sentence, or empty.
        fps: painted frames sent per second.
        age_ms: time of a frame in the server, averaged.
        paint_ms: time to paint a frame, averaged.
        lines: short side at which frames are painted.
        every: one of so many frames is painted.
    """

    state: str
    text: str
    fps: float
    age_ms: int
    paint_ms: int
    lines: int
    every: int


class _TakenQueue(LatestQueue[CapturedFrame]):
    """The newest frame; tells when one is taken."""

    def __init__(self, on_taken: Callable[[int], None]) -> None:
        super().__init__()
        self._on_taken = on_taken

    def take(self, timeout_s: float) -> CapturedFrame | None:
        item = super().take(timeout_s)
        if item is not None:
            self._on_taken(item.number)
        return item


class CameraSession:
    """Paints the newest frame of one browser. Looks may be changed from any thread.

    Attributes:
        look: what is wanted.
        incoming: credit of the page's frames.
        outgoing: credit of the painted ones.
    """

    def __init__(self, engine: SharedEngine, look: Look, send: Callable[[Message], None]) -> None:
        """Prepare; `start` starts the threads.

        Args:
            engine: whose engine is engine.
            look: to begin with.
            send: given each message for the page, from any thread; must not block.
        """
        self.look = look
        self.incoming, self.outgoing = Credit(WINDOW), Credit(WINDOW)
        self._engine, self._send = engine, send
        self._state = LiveState(RenderRequest(None, self._settings()), clock=time.monotonic)
        self._frames = _TakenQueue(self._taken)
        resolution = LiveOptions(target_fps=TARGET_FPS).adaptive_resolution()
        self._renderer = RenderThread(self._frames, self._state, resolution, WORK_SIZE)
        self._stamps: deque[tuple[int, int, float]] = deque(maxlen=_REMEMBERED)
        self._opening = 0
        self._last_s = time.monotonic()
        self._rate, self._age_ms = RateMeter(), SmoothedValue()
        self._trouble = ""
        self._is_loading = self._is_painted = False
        self._changing = threading.Lock()
        self._wanted: Regions | None = None
        self._regions: Regions | None = None
        self._frame_size: Size | None = None
        self._refined = engine.refined
        self._is_over = threading.Event()
        self._may_send = threading.Condition()
        self._sender = threading.Thread(target=self._work, name="send", daemon=True)

    def start(self) -> None:
        """Start to paint."""
        self._renderer.start()
        self._sender.start()

    def stop(self) -> None:
        """End the threads, without waiting for them."""
        self._is_over.set()
        self._renderer.stop()
        self._frames.close()
        with self._may_send:
            self._may_send.notify_all()

    def put(self, message: Message) -> None:
        """Decode a frame of the page and have it painted; blocks for some milliseconds.

        The caller has counted it in `incoming`.

        Raises:
            ProtocolError: it is no JPEG.
        """
        now = time.monotonic()
        data = np.frombuffer(message.payload, np.uint8)
        decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
        if decoded is None:
            raise ProtocolError("A frame must be a complete JPEG picture.")
        frame = np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)
        self._stamps.append((message.sequence, message.stamp, now))
        self._last_s, self._frame_size = now, size_of(frame)
        self._frames.put(CapturedFrame(frame, message.sequence, now, self._opening))

    def restart(self) -> None:
        """Forget earlier frames, as the camera has changed."""
        self._opening += 1

    def shown(self, sequence: int) -> None:
        """Note that the page has shown a painted frame.

        Raises:
            ProtocolError: it has not been sent.
        """
        with self._may_send:
            self.outgoing.report(sequence)
            self._may_send.notify_all()

    def change(self, given: object) -> Look:
        """Change parts of the look from the next frame on; return the look.

        What is known of a style is loaded here, so that the next painting is in it.

        Args:
            given: the parts, see `look.changed`.

        Raises:
            UsageError: no parts of a look.
            StyleError: an unknown style.
            SourceError: the picture of a style cannot be read.
        """
        with self._changing:
            look = changed(self.look, given)
            self._use(look)
            return look

    def _use(self, look: Look) -> None:
        styles, stylizer = self._engine.catalog.select(look.names), self._renderer.stylizer
        wanted = regions_of(look, self._engine.catalog)
        selection = None
        if stylizer is not None:
            for style in styles:
                stylizer.load_style(style)
            selection = Selection(styles, look.mix)
        self.look, self._wanted = look, wanted
        self._regions = self._possible_regions()
        self._state.request = RenderRequest(
            selection, self._settings(), is_original=look.original, regions=self._regions
        )

    def _refresh(self) -> None:
        """Use the look again, as more of it has become possible."""
        with self._changing:
            self._use(self.look)

    def status(self) -> SessionStatus:
        """Return what the session does now."""
        now, renderer = time.monotonic(), self._renderer
        state, text = "painting", self._trouble
        if text:
            state = "trouble"
        elif renderer.stylizer is None or (renderer.missing_size and not self._is_painted):
            state = "loading"
        elif now > self._last_s + WAITING_S:
            state = "waiting"
        return SessionStatus(
            state,
            text or self._state.toast,
            fps=round(self._rate.per_s(now), 1),
            age_ms=round(self._age_ms.value),
            paint_ms=round(renderer.paint_ms.value),
            lines=renderer.work_size,
            every=renderer.every,
        )

    def _settings(self) -> StylizeSettings:
        settings = self.look.live_settings()
        return settings if self._engine.has_loops else replace(settings, steady=0)

    def _possible_regions(self) -> Regions | None:
        """Return the regions of the look, or those in use until its network is compiled."""
        size = self._work_size()
        if self._has_two_styles and not (size and self._engine.has_two_styles(size)):
            return self._regions
        return self._wanted

    def _work_size(self) -> Size | None:
        """Return the (width, height) at which frames are painted, None before the first frame."""
        size = self._frame_size
        return size and fit_short_side(size, min(self._renderer.work_size, *size))

    def _taken(self, number: int) -> None:
        self._send(Message(Kind.TAKEN, number))

    def _work(self) -> None:
        while not self._is_over.is_set():
            self._load()
            with self._may_send:
                if not self.outgoing.may_send:
                    self._may_send.wait(_POLL_S)
                    continue
            try:
                rendered = self._renderer.rendered.take(_POLL_S)
            except Exception as error:  # noqa: BLE001 - shown to the user
                self._trouble = str(error)
                return
            if rendered is not None and not self._is_over.is_set():
                self._pass_on(rendered)

    def _pass_on(self, rendered: RenderedFrame) -> None:
        begun = time.monotonic()
        data = encode_jpeg(rendered.painting)
        now = time.monotonic()
        self._renderer.show_s = now - begun
        stamp, put_s = self._stamp_of(rendered.number)
        age_ms = 1000 * (now - put_s)
        self._age_ms.add(age_ms)
        self._rate.tick(now)
        is_painted = rendered.painting is not rendered.content
        self._is_painted = rendered.is_painted
        with self._may_send:
            self.outgoing.send(rendered.number)
        self._send(Message(Kind.PAINTED, rendered.number, stamp, round(age_ms), is_painted, data))

    def _stamp_of(self, number: int) -> tuple[int, float]:
        """Return the page's stamp of a frame and when it came."""
        for sequence, stamp, at_s in reversed(self._stamps.copy()):
            if sequence == number:
                return stamp, at_s
        return 0, time.monotonic()

    def _load(self) -> None:
        """Let the loader's thread load what is missing: stylizer, size, styles, predictor."""
        if self._is_loading or not self._engine.is_ready:
            return
        work = self._missing()
        if work is not None:
            self._is_loading = True
            self._engine.later(work, self._loaded)

    def _missing(self) -> Callable[[], object] | None:
        renderer, request = self._renderer, self._state.request
        stylizer = renderer.stylizer
        if stylizer is None:
            return self._open
        size = renderer.missing_size
        if size is not None:

            def compile_size() -> None:
                self._engine.compile_size(size)
                if self._has_two_styles:
                    self._engine.compile_two_styles(size)
                renderer.add_size(size)
                renderer.missing_size = None

            return compile_size
        styles = request.selection.styles if request.selection else ()
        if self._refined != self._engine.refined:
            self._refined = self._engine.refined
            stylizer.forget_styles()
            renderer.forget_styles()
        style = next((each for each in styles if not stylizer.has_loaded(each)), None)
        if style is not None:
            return lambda: stylizer.load_style(style)
        if request.settings.intensity < 1 and not stylizer.has_predictor:
            return stylizer.load_predictor
        now = self._work_size()
        if now is not None and self._has_two_styles and not self._engine.has_two_styles(now):
            return lambda: self._engine.compile_two_styles(now)
        if request.settings != self._settings() or self._regions != self._possible_regions():
            return self._refresh
        return None

    @property
    def _has_two_styles(self) -> bool:
        return self._wanted is not None and not is_plain(self._wanted.rest)

    def _open(self) -> None:
        stylizer = self._engine.live_stylizer(self.look)
        for style in stylizer.styles:
            stylizer.load_style(style)
        stylizer.prepare()
        selection = Selection(tuple(stylizer.styles), tuple(stylizer.mix))
        self._state.request = replace(self._state.request, selection=selection)
        self._renderer.stylizer = stylizer
        self._refresh()

    def _loaded(self, found: object) -> None:
        if isinstance(found, NstVideoError):
            self._state.say(str(found))
        self._is_loading = False


def encode_jpeg(frame: Frame, quality: int = JPEG_QUALITY) -> bytes:
    """Return a frame, RGB uint8 (height, width, 3), as JPEG."""
    picture = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise NstVideoError(f"A picture of {size_of(frame)} pixels cannot be encoded.")
    return data.tobytes()
