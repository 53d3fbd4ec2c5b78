"""The live session: capture, rendering, outputs and window, controlled by keys.

The way of a frame: `capture_thread` captures it, `render_thread` stylizes it, `_show` passes it to
the outputs and draws it in the window.

The session's state belongs to the thread of `run`. Other threads put calls into a queue; they run
in the main loop.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from fractions import Fraction
from queue import Empty, SimpleQueue

from nst_video.errors import SinkError
from nst_video.frames import VideoInfo, size_of
from nst_video.image.overlay import Hud
from nst_video.live import hotkeys
from nst_video.live.background_tasks import join_threads
from nst_video.live.capture_thread import CaptureThread, LiveSource
from nst_video.live.display import EMPTY_SIZE, make_hud, render, style_at
from nst_video.live.live_stylizer import LiveStylizer
from nst_video.live.loader_thread import LoaderThread
from nst_video.live.metrics import LiveMetrics, LiveResult
from nst_video.live.output_set import LiveOutputs, describe_end
from nst_video.live.outputs.threads import Output, error_text
from nst_video.live.outputs.window import Window
from nst_video.live.render_thread import RenderedFrame, RenderThread
from nst_video.live.session_actions import SessionActions
from nst_video.live.session_options import WORK_SIZE, LiveOptions
from nst_video.live.state import LiveState, RenderRequest
from nst_video.settings import StylizeSettings
from nst_video.style_library.library import Style
from nst_video.system.opencv_threads import one_opencv_thread_on_few_cores

_TAKE_S = 0.01
"""Longest wait in seconds for a frame before the window's events are processed."""

_REDRAW_S = 0.1
"""Seconds after which the same frame is drawn again with current figures and messages."""

LEAVE_S = 0.4
"""Seconds that the threads have to end, in total. Those that are blocked in a driver, a download or
a compiler are left running."""


class LiveSession:
    """One run of `nst-video live`. `run` blocks until the end; `press` may be called meanwhile.

    Attributes:
        state: what keys have changed, and what is shown.
        capture: captures frames from the source.
        renderer: stylizes the newest frame.
        outputs: the running outputs besides the window.
        actions: what keys do.
        metrics: measures the frames shown.
    """

    def __init__(
        self,
        source: LiveSource,
        open_stylizer: Callable[[], LiveStylizer],
        outputs: Sequence[Output] = (),
        *,
        has_window: bool = True,
        settings: StylizeSettings | None = None,
        options: LiveOptions | None = None,
        on_message: Callable[[str], None] = lambda text: None,
        on_start: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare; nothing is opened before `run`.

        Args:
            source: the source of frames.
            open_stylizer: creates the stylizer; slow, called in a thread.
            outputs: outputs besides the window.
            has_window: show a window.
            settings: how to begin; a working size in it is kept until a key changes it.
            options: options that keys cannot change.
            on_message: called with messages for the user, from any thread.
            on_start: called once, when the first stylized frame is shown.

        Raises:
            SinkError: no window can be opened.
        """
        self._options = options or LiveOptions()
        self._window = Window() if has_window else None
        self.state = LiveState(
            RenderRequest(None, settings or StylizeSettings()),
            is_mirrored=source.is_camera,
            clock=time.monotonic,
        )
        self.capture = CaptureThread(
            source,
            on_trouble=self._note_trouble,
            on_note=self._notify,
            stall_s=self._options.stall_s,
            back_off_s=self._options.back_off_s,
            holds_films=True,
        )
        resolution = self._options.adaptive_resolution()
        self.renderer = RenderThread(self.capture.frames, self.state, resolution, WORK_SIZE)
        self._loader = LoaderThread(
            open_stylizer,
            self.renderer,
            self.state,
            lambda *loaded: self._pending_calls.put(lambda: self._use_stylizer(*loaded)),
        )
        self._on_message, self._on_start = on_message, on_start
        self._wanted_outputs = tuple(outputs)
        self.outputs = LiveOutputs()
        self._pending_calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.actions = SessionActions(
            self.state,
            self._options,
            self.capture,
            self.renderer,
            self.outputs,
            call_later=self._pending_calls.put,
            notify=self._notify,
        )
        self.metrics = LiveMetrics(time.monotonic())
        self._left_behind: list[threading.Thread] = []
        self._shown: RenderedFrame | None = None
        self._drawn_s = 0.0

    @property
    def has_window(self) -> bool:
        """True if the session has a window."""
        return self._window is not None

    @property
    def work_size(self) -> int:
        """Short side in pixels at which frames are painted now."""
        return self.renderer.work_size

    @property
    def result(self) -> LiveResult:
        """The statistics so far."""
        return self.metrics.result(
            captured=self.capture.frames.put_count,
            dropped=self.dropped,
            reused=self.renderer.reused,
            lost_outputs=tuple(lost.output.name for lost in self.outputs.lost),
        )

    @property
    def recording_errors(self) -> tuple[BaseException, ...]:
        """Why recordings failed, one error for each that did."""
        return self.outputs.recording_errors()

    @property
    def has_started(self) -> bool:
        """True once a stylized frame has been shown."""
        return self.metrics.shown > 0

    @property
    def left_behind(self) -> tuple[str, ...]:
        """Names of threads that were still blocked in a driver or a download when `run` ended.

        A program should end with `os._exit` then, or it waits for them.
        """
        return tuple(thread.name for thread in self._left_behind if thread.is_alive())

    @property
    def dropped(self) -> int:
        """Frames skipped because a newer one was available."""
        return self.capture.frames.dropped + self.renderer.rendered.dropped

    def press(self, key: str) -> None:
        """Press a key of `HOTKEYS`. Thread-safe."""
        self._pending_calls.put(lambda: self._press([key]))

    def change(self, change: Callable[[LiveState], None]) -> None:
        """Change the state in the session's thread, and load what it asks for. Thread-safe."""

        def apply() -> None:
            change(self.state)
            self._loader.wake()

        self._pending_calls.put(apply)

    @property
    def fps(self) -> float:
        """Painted frames shown per second now."""
        return self.metrics.rate.per_s(time.monotonic())

    def run(self) -> LiveResult:
        """Run until the user quits, the source ends or `duration_s` is over.

        Raises:
            SourceError: the source cannot be opened, or a file cannot be read.
            EngineError: stylizing fails.
            SinkError: there is no window and every output has failed.
        """
        with ExitStack() as stack:
            stack.enter_context(one_opencv_thread_on_few_cores())
            # The window closes first: finishing the outputs may take a while.
            stack.callback(self._close)
            if self._window is not None:
                stack.enter_context(self._window)
                self._draw()
                self._process_input()
            self.outputs.start(self._wanted_outputs, self._options.save_dir, self._notify)
            self._loader.start()
            self.capture.start()
            self.renderer.start()
            self._loop()
        return self.result

    def _loop(self) -> None:
        limit_s = self._options.duration_s
        while not self.state.is_over and not self.renderer.rendered.is_closed:
            painted = self.renderer.rendered.take(_TAKE_S)
            self._raise_failures()
            if painted is not None:
                self._show(painted)
            elif time.monotonic() > self._drawn_s + _REDRAW_S:
                self._draw()
            self._process_input()
            if limit_s is not None and self.metrics.elapsed_s >= limit_s:
                break
        if not self.state.is_over:
            self.renderer.rendered.take(0)  # raises the error that ended the rendering, if any

    def _raise_failures(self) -> None:
        if self._loader.error is not None:
            raise self._loader.error
        lost = self.outputs.lost
        if self._is_headless_without_output() and lost:
            raise SinkError(error_text(lost[-1].error or SinkError("every output has ended")))

    def _is_headless_without_output(self) -> bool:
        return self._window is None and bool(self._wanted_outputs) and not self.outputs

    def _use_stylizer(self, stylizer: LiveStylizer, styles: Sequence[Style]) -> None:
        self.actions.use_stylizer(stylizer, styles)
        self._loader.wake()

    def _show(self, painted: RenderedFrame) -> None:
        begun = time.monotonic()
        self._shown = self.actions.shown = painted
        if painted.is_painted:
            info = VideoInfo(size_of(painted.painting), self._rate())
            self.outputs.put(self.actions.output_frame(painted), info)
        self._draw()
        self._process_input()
        now = time.monotonic()
        if painted.is_painted:
            is_first = not self.has_started
            self.metrics.show_ms.add(1000 * (now - begun))
            self.renderer.show_s = self.metrics.show_ms.value / 1000
            self.metrics.show(painted.number, painted.captured_s, now)
            if is_first:
                self.capture.play()
                self._on_start()

    def _rate(self) -> Fraction:
        """Return the rounded frame rate of the source, 30 before it is known."""
        return Fraction(round(self.capture.rate.per_s(time.monotonic())) or 30)

    def _draw(self) -> None:
        """Draw the latest frame and the overlay in the window."""
        self._drawn_s = time.monotonic()
        if self._window is None:
            return
        self._window.set_fullscreen(self.state.is_fullscreen)
        self._window.fit(EMPTY_SIZE if self._shown is None else size_of(self._shown.painting))
        self._window.show(render(self._shown, self.state, self._hud(), self._window.size))

    def _hud(self) -> Hud:
        now_s = time.monotonic()
        stylizer, metrics = self.renderer.stylizer, self.metrics
        lines = (
            f"{metrics.rate.per_s(now_s):.1f} fps, age {metrics.age_ms.value:.0f} ms, "
            f"{self.dropped} dropped",
            f"camera {self.capture.rate.per_s(now_s):.1f} fps, "
            f"wait {self.renderer.wait_ms.value:.0f}, paint {self.renderer.paint_ms.value:.0f}, "
            f"show {metrics.show_ms.value:.0f} ms",
            f"{self.work_size} lines, {self._painting_rate()}{stylizer.describe()}"
            if stylizer
            else "",
            self.actions.refiner.figure,
        )
        figures = tuple(filter(None, lines))
        badges = self.outputs.badges(now_s)
        return make_hud(self.state, badges, figures, is_loading=not self.has_started)

    def _painting_rate(self) -> str:
        every = self.renderer.every
        return f"1 of {every} frames painted, " if every > 1 else ""

    def _process_input(self) -> None:
        """Process the window's events, the pressed keys and the calls of other threads."""
        if self._window is not None:
            keys, size = self._window.keys(), self._window.size
            self.state.is_over |= self._window.is_closed
            self._press(keys, [style_at(self.state, size, at) for at in self._window.clicks()])
        self._run_pending_calls()

    def _press(self, keys: Sequence[str], clicked: Sequence[int | None] = ()) -> None:
        before = self.state.request.selection
        for key in keys:
            hotkeys.press(self.actions, key)
        for place in clicked:
            if place is not None:
                hotkeys.choose_style(self.actions, place)
        if self.state.request.selection is not before:
            self._loader.wake()

    def _run_pending_calls(self) -> None:
        """Run the calls of other threads; report the outputs that have ended."""
        while True:
            try:
                call = self._pending_calls.get_nowait()
            except Empty:
                break
            call()
        for ended in self.outputs.collect():
            text = describe_end(ended)
            # If no output is left and there is no window, the session raises this error itself.
            if text and not (ended.error and self._is_headless_without_output()):
                self._notify(text)

    def _notify(self, text: str) -> None:
        self.state.say(text)
        self._on_message(text)

    def _note_trouble(self, text: str | None) -> None:
        self.state.trouble = text or ""
        if text is not None:
            self._on_message(text)

    def _close(self) -> None:
        """Finish the outputs, then end the other threads within `LEAVE_S`."""
        self.state.is_over = True
        self.capture.stop()
        self.renderer.stop()
        self._loader.stop()
        self.actions.refiner.stop()
        self.outputs.close(self._on_message)
        self.actions.tasks.finish()
        threads = [
            self.renderer.thread,
            self._loader.thread,
            *self.capture.threads,
            *self.actions.tasks.threads,
        ]
        self._left_behind = join_threads(threads, LEAVE_S)
        self._run_pending_calls()
