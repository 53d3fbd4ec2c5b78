"""The session: source, painter, outputs and window at once, steered by keys.

One thread, that of `run`, owns the session. What others have to say (keys pressed from elsewhere,
a stylizer that has been loaded, an output that has ended) waits in a queue and is done there.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from queue import Empty, SimpleQueue

from nst_video.errors import NstVideoError, SinkError
from nst_video.frames import Frame, VideoInfo, size_of
from nst_video.image.files import save_picture
from nst_video.image.overlay import Hud
from nst_video.image.resize import mirrored
from nst_video.live import hotkeys
from nst_video.live.adaptive_resolution import AdaptiveResolution
from nst_video.live.background_tasks import Helpers, end_threads
from nst_video.live.capture_thread import CaptureThread, LiveInput
from nst_video.live.display import EMPTY_SIZE, make_hud, render, style_at
from nst_video.live.loader_thread import Loader, styles_of
from nst_video.live.metrics import LiveResult, Meter
from nst_video.live.output_set import OutputSet, describe_end
from nst_video.live.output_specs import RECORDING, VIRTUAL_CAMERA, recording, virtual_camera
from nst_video.live.outputs.threads import Output, explain
from nst_video.live.outputs.window import Window
from nst_video.live.render_thread import LiveStylizer, Painted, RenderThread
from nst_video.live.session_options import WORK_SIZE, LiveOptions
from nst_video.live.source_specs import next_camera_input
from nst_video.live.state import LiveState, RenderRequest, Selection
from nst_video.settings import StylizeSettings
from nst_video.style_library.library import Style

_TAKE_S = 0.01
"""Longest wait for a painting before the window is looked after."""

_REDRAW_S = 0.1
"""Seconds after which the same picture is drawn again with new figures and messages."""

LEAVE_S = 0.4
"""Seconds that threads have to end at the end, all together; after that they are left behind: a
driver, a download or a compiler may hold them long."""


class LiveSession:
    """One run of `nst-video live`; `run` does it, `press` steers it from another thread.

    Attributes:
        state: what is wished and shown.
        reader: the source at work.
        painter: the painting at work.
    """

    def __init__(
        self,
        source: LiveInput,
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
            source: what to paint.
            open_stylizer: makes the stylizer; slow, called in a thread.
            outputs: where paintings go beside the window.
            has_window: show a window.
            settings: how to begin; a working size in it is kept until a key changes it.
            options: how to run.
            on_message: told what the user should know; called from any thread.
            on_start: called once, when the first painting is shown.

        Raises:
            SinkError: a window is wanted where there can be none.
        """
        self._options = options or LiveOptions()
        self._window = Window() if has_window else None
        self.state = LiveState(
            RenderRequest(None, settings or StylizeSettings()),
            is_mirrored=source.is_camera,
            clock=time.monotonic,
        )
        self.reader = CaptureThread(
            source,
            on_trouble=self._note_trouble,
            on_note=self._tell,
            stall_s=self._options.stall_s,
            back_off_s=self._options.back_off_s,
        )
        target = self._options.target_fps
        pacer = (
            None if target is None else AdaptiveResolution(target, WORK_SIZE, self._options.bounds)
        )
        self.painter = RenderThread(self.reader.frames, self.state, pacer, WORK_SIZE)
        self._loader = Loader(
            open_stylizer,
            self.painter,
            self.state,
            lambda *loaded: self._calls.put(lambda: self._adopt(*loaded)),
        )
        self._on_message = on_message
        self._on_start = on_start
        self._wanted_outputs = tuple(outputs)
        self._outputs = OutputSet()
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._helpers = Helpers(self._tell)
        self._left_behind: list[threading.Thread] = []
        self._meter = Meter(time.monotonic())
        self._shown: Painted | None = None
        self._drawn_s = 0.0

    @property
    def has_window(self) -> bool:
        """True where there is a window to press keys in."""
        return self._window is not None

    @property
    def work_size(self) -> int:
        """Short side in pixels at which frames are painted now."""
        return self.painter.work_size

    @property
    def result(self) -> LiveResult:
        """The figures so far."""
        return self._meter.result(
            captured=self.reader.frames.put_count,
            dropped=self.dropped,
            reused=self.painter.reused,
            lost_outputs=tuple(lost.output.name for lost in self._outputs.lost),
        )

    @property
    def has_started(self) -> bool:
        """True once a painting has been shown."""
        return self._meter.shown > 0

    @property
    def left_behind(self) -> tuple[str, ...]:
        """Names of threads that hung in a driver, a download or a compiler when `run` was over.

        A program that has nothing else to do should end by `os._exit` then.
        """
        return tuple(thread.name for thread in self._left_behind if thread.is_alive())

    @property
    def dropped(self) -> int:
        """Frames passed over because a newer one was there."""
        return self.reader.frames.dropped + self.painter.painted.dropped

    def press(self, key: str) -> None:
        """Act as if a key of `HOTKEYS` had been pressed; safe from any thread."""
        self._calls.put(lambda: self._press([key]))

    def run(self) -> LiveResult:
        """Go on until the user quits, the source ends or the time is over.

        Raises:
            SourceError: the source cannot be opened at all, or a file cannot be read.
            EngineError: painting fails.
            SinkError: there is no window and every output has failed.
        """
        with ExitStack() as stack:
            # The window goes first: what is left to do needs nobody to look at it.
            stack.callback(self._close)
            if self._window is not None:
                stack.enter_context(self._window)
                self._draw()
                self._hear()
            self._outputs.start(self._wanted_outputs, self._options.save_dir, self._tell)
            self._loader.start()
            self.reader.start()
            self.painter.start()
            self._loop()
        return self.result

    def _loop(self) -> None:
        limit_s = self._options.duration_s
        while not self.state.is_over and not self.painter.painted.is_closed:
            painted = self.painter.painted.take(_TAKE_S)
            self._raise_failures()
            if painted is not None:
                self._show(painted)
            elif time.monotonic() > self._drawn_s + _REDRAW_S:
                self._draw()
            self._hear()
            if limit_s is not None and self._meter.elapsed_s >= limit_s:
                break
        if not self.state.is_over:
            self.painter.painted.take(0)  # raises what ended the painting, if anything did

    def _raise_failures(self) -> None:
        if self._loader.error is not None:
            raise self._loader.error
        lost = self._outputs.lost
        if self._is_headless_without_output() and lost:
            raise SinkError(explain(lost[-1].error or SinkError("every output has ended")))

    def _is_headless_without_output(self) -> bool:
        return self._window is None and bool(self._wanted_outputs) and not self._outputs

    def _adopt(self, stylizer: LiveStylizer, styles: Sequence[Style]) -> None:
        """Begin to paint with a stylizer that has just been loaded, or reload its styles."""
        state = self.state
        if self.painter.stylizer is None:
            selection = Selection(tuple(stylizer.styles), tuple(stylizer.mix))
            state.request = replace(state.request, selection=selection)
            state.say("Press ? for all keys")
        state.set_styles(styles)
        self.painter.stylizer = stylizer
        self._loader.wake()

    def _show(self, painted: Painted) -> None:
        begun = time.monotonic()
        self._shown = painted
        if painted.is_painted:
            info = VideoInfo(size_of(painted.painting), self._rate())
            self._outputs.put(self._outgoing(painted), info)
        self._draw()
        self._hear()
        now = time.monotonic()
        if painted.is_painted:
            is_first = not self.has_started
            self._meter.show_ms.add(1000 * (now - begun))
            self._meter.show(painted.number, painted.captured_s, now)
            if is_first:
                self._on_start()

    def _outgoing(self, painted: Painted) -> Frame:
        """Return what leaves the program: a mirrored window is the user's own view only."""
        return mirrored(painted.painting, self._options.mirror_outputs)

    def _rate(self) -> Fraction:
        """Return the rate of the source as a whole number, 30 before it is known."""
        return Fraction(round(self.reader.rate.per_s(time.monotonic())) or 30)

    def _draw(self) -> None:
        """Put the latest picture on the window, with everything written on it."""
        self._drawn_s = time.monotonic()
        if self._window is None:
            return
        self._window.set_fullscreen(self.state.is_fullscreen)
        self._window.fit(EMPTY_SIZE if self._shown is None else size_of(self._shown.painting))
        self._window.show(render(self._shown, self.state, self._hud(), self._window.size))

    def _hud(self) -> Hud:
        state, now = self.state, time.monotonic()
        stylizer = self.painter.stylizer
        badges = []
        recorder = self._outputs.find(RECORDING)
        if recorder is not None and recorder.begun_s is not None:
            minutes, seconds = divmod(int(now - recorder.begun_s), 60)
            badges.append(f"REC {minutes}:{seconds:02}")
        if self._outputs.find(VIRTUAL_CAMERA) is not None:
            badges.append("CAMERA")
        figures = (
            f"{self._meter.rate.per_s(now):.1f} fps, age {self._meter.age_ms.value:.0f} ms, "
            f"{self.dropped} dropped",
            f"camera {self.reader.rate.per_s(now):.1f} fps, "
            f"wait {self.painter.wait_ms.value:.0f}, paint {self.painter.paint_ms.value:.0f}, "
            f"show {self._meter.show_ms.value:.0f} ms",
            f"{self.work_size} lines, {stylizer.describe()}" if stylizer else "",
        )
        return make_hud(state, tuple(badges), figures, is_loading=not self.has_started)

    def _hear(self) -> None:
        """Let the window live; do what keys were pressed and what other threads have left."""
        if self._window is not None:
            keys, size = self._window.keys(), self._window.size
            self.state.is_over |= self._window.is_closed
            self._press(keys, [style_at(self.state, size, at) for at in self._window.clicks()])
        self._do_calls()

    def _press(self, keys: Sequence[str], clicked: Sequence[int | None] = ()) -> None:
        before = self.state.request.selection
        for key in keys:
            hotkeys.press(self, key)
        for place in clicked:
            if place is not None:
                hotkeys.choose_style(self, place)
        if self.state.request.selection is not before:
            self._loader.wake()

    def _do_calls(self) -> None:
        """Do what other threads have left, and see which outputs have ended."""
        while True:
            try:
                call = self._calls.get_nowait()
            except Empty:
                break
            call()
        for ended in self._outputs.collect():
            text = describe_end(ended)
            # The last one that fails ends a session without a window, with this very error.
            if text and not (ended.error and self._is_headless_without_output()):
                self._tell(text)

    def save_snapshot(self) -> None:
        """Write the painting on screen to a PNG file."""
        shown = self._shown
        if shown is None:
            self.state.say("There is nothing to save yet")
            return
        target = self._options.new_file(".png")

        def save() -> None:
            save_picture(target, self._outgoing(shown))
            self._tell(f"Saved {target}")

        self._helpers.start(save, saves=True)

    def toggle_recording(self) -> None:
        """Begin a recording in a new file, or finish the one that runs."""
        options = self._options
        self._toggle(RECORDING, lambda: recording(options.new_file(".mp4"), options.microphone))

    def toggle_virtual_camera(self) -> None:
        """Turn the virtual camera on or off."""
        size, backend = self._options.virtual_size, self._options.virtual_backend
        self._toggle(VIRTUAL_CAMERA, lambda: virtual_camera(size, backend))

    def _toggle(self, name: str, make: Callable[[], Output]) -> None:
        running = self._outputs.find(name)
        if running is not None:
            self._outputs.finish(running)
            return
        try:
            self._outputs.add(make())
        except NstVideoError as error:
            self._tell(str(error))
        else:
            self.state.say(f"{name.capitalize()} on")

    def next_camera(self) -> None:
        """Read the camera that follows the present one in the list of this machine's."""
        now = self.reader.source.name

        def look_for_it() -> None:
            chosen = next_camera_input(now, self._options.capture)
            self._calls.put(lambda: self._switch(chosen))

        self._helpers.start(look_for_it)

    def _switch(self, chosen: LiveInput | None) -> None:
        if chosen is None:
            self.state.say("There is no other camera")
            return
        self.state.say(chosen.name)
        self.state.is_mirrored |= not self.reader.source.is_camera
        self.reader.switch(chosen)

    def reload_styles(self) -> None:
        """Look for style pictures again, added or changed."""
        stylizer = self.painter.stylizer
        if stylizer is None:
            return

        def look_for_them() -> None:
            styles = styles_of(stylizer, self.state.styles)
            self._calls.put(lambda: self._reload(stylizer, styles))

        self._helpers.start(look_for_them)

    def _reload(self, stylizer: LiveStylizer, styles: Sequence[Style]) -> None:
        stylizer.forget_styles()
        self.painter.forget_styles()
        self.state.thumbnails.clear()
        self._adopt(stylizer, styles)
        self.state.say(f"{len(styles)} styles")

    def _tell(self, text: str) -> None:
        self.state.say(text)
        self._on_message(text)

    def _note_trouble(self, text: str | None) -> None:
        self.state.trouble = text or ""
        if text is not None:
            self._on_message(text)

    def _close(self) -> None:
        """End every thread; outputs finish what they made, the rest has `LEAVE_S`."""
        self.state.is_over = True
        self.reader.stop()
        self.painter.stop()
        self._loader.stop()
        self._outputs.close(self._on_message)
        self._helpers.finish()
        threads = [
            self.painter.thread,
            self._loader.thread,
            *self.reader.threads,
            *self._helpers.threads,
        ]
        self._left_behind = end_threads(threads, LEAVE_S)
        self._do_calls()
