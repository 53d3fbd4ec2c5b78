"""The session: source, painter, outputs and window at once, steered by keys."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path

from nst_video.capture.devices import list_cameras
from nst_video.errors import NstVideoError, SinkError
from nst_video.frames import Frame, VideoInfo, mirrored, size_of
from nst_video.hud import Hud, draw_hud
from nst_video.library import Style
from nst_video.live import hotkeys
from nst_video.live.display import compose, make_hud, placeholder
from nst_video.live.inputs import camera_input
from nst_video.live.loader import Loader, styles_of
from nst_video.live.meter import LiveResult, Meter
from nst_video.live.options import WORK_SIZE, LiveOptions
from nst_video.live.outputs import Output, OutputThread, explain
from nst_video.live.pace import Pacer
from nst_video.live.painter import LiveStylizer, Painted, PaintLoop
from nst_video.live.places import RECORDING, VIRTUAL_CAMERA, recording, virtual_camera
from nst_video.live.reader import LiveInput, Reader
from nst_video.live.state import LiveState, Selection, Wish
from nst_video.live.window import Window
from nst_video.look import Look
from nst_video.pictures import save_picture

_TAKE_S = 0.01
"""Longest wait for a painting before the window is looked after."""

_REDRAW_S = 0.1
"""Seconds after which the same picture is drawn again with new figures and messages."""


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
        look: Look | None = None,
        options: LiveOptions | None = None,
        on_message: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Prepare; nothing is opened before `run`.

        Args:
            source: what to paint.
            open_stylizer: makes the stylizer; slow, called in a thread.
            outputs: where paintings go beside the window.
            has_window: show a window.
            look: how to begin; a working size in it is kept until a key changes it.
            options: how to run.
            on_message: told what the user should know; called from any thread.

        Raises:
            SinkError: a window is wanted where there can be none.
        """
        self._options = options or LiveOptions()
        self._window = Window() if has_window else None
        self.state = LiveState(
            Wish(None, look or Look()), is_mirrored=source.is_camera, clock=time.monotonic
        )
        self.reader = Reader(
            source,
            on_trouble=self._note_trouble,
            stall_s=self._options.stall_s,
            back_off_s=self._options.back_off_s,
        )
        target = self._options.target_fps
        pacer = None if target is None else Pacer(target, WORK_SIZE, self._options.bounds)
        self.painter = PaintLoop(self.reader.frames, self.state, pacer, WORK_SIZE)
        self._loader = Loader(open_stylizer, self.painter, self.state, self._note_stylizer)
        self._arrived: tuple[LiveStylizer, Sequence[Style]] | None = None
        self._on_message = on_message
        self._wanted_outputs = tuple(outputs)
        self._outputs: list[OutputThread] = []
        self._finished: list[OutputThread] = []
        self._lost: list[OutputThread] = []
        self._pressed: list[str] = []
        self._helpers: list[threading.Thread] = []
        self._meter = Meter(time.monotonic())
        self._shown: Painted | None = None
        self._recording_since_s = 0.0
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
            lost_outputs=tuple(lost.output.name for lost in self._lost),
        )

    @property
    def dropped(self) -> int:
        """Frames passed over because a newer one was there."""
        return self.reader.frames.dropped + self.painter.painted.dropped

    def press(self, key: str) -> None:
        """Act as if a key of `HOTKEYS` had been pressed; safe from any thread."""
        self._pressed.append(key)

    def run(self) -> LiveResult:
        """Go on until the user quits, the source ends or the time is over.

        Raises:
            SourceError: the source cannot be opened at all, or a file cannot be read.
            EngineError: painting fails.
            SinkError: there is no window and every output has failed.
        """
        with ExitStack() as stack:
            if self._window is not None:
                stack.enter_context(self._window)
                self._draw()
                self._hear()
            stack.callback(self._close)
            self._outputs = [OutputThread(o, self._note_end) for o in self._wanted_outputs]
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
        self.painter.painted.take(0)  # raises what ended the painting, if anything did

    def _raise_failures(self) -> None:
        if self._loader.error is not None:
            raise self._loader.error
        if self._arrived is not None:
            self._adopt(*self._arrived)
            self._arrived = None
        if self._window is None and self._wanted_outputs and not self._outputs:
            raise SinkError(explain(self._lost[0].error or SinkError("every output has ended")))

    def _adopt(self, stylizer: LiveStylizer, styles: Sequence[Style]) -> None:
        """Begin to paint with a stylizer that has just been loaded, or reload its styles."""
        state = self.state
        if state.wish.selection is None:
            selection = Selection(tuple(stylizer.styles), tuple(stylizer.mix))
            state.wish = replace(state.wish, selection=selection)
            state.say("Press ? for all keys")
        state.set_styles(styles)
        self.painter.stylizer = stylizer
        self._loader.wake()

    def _show(self, painted: Painted) -> None:
        begun = time.monotonic()
        self._shown = painted
        if painted.is_painted:
            info = VideoInfo(size_of(painted.painting), self._rate())
            picture = self._outgoing(painted)
            for output in self._outputs:
                output.put(picture, info)
        self._draw()
        self._hear()
        now = time.monotonic()
        if painted.is_painted:
            self._meter.show_ms.add(1000 * (now - begun))
            self._meter.show(painted.number, painted.captured_s, now)

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
        frame = placeholder()
        if self._shown is not None:
            shown = self._shown
            frame = compose(shown.content, shown.painting, self.state)
        self._window.set_fullscreen(self.state.is_fullscreen)
        self._window.show(draw_hud(frame, self._hud()))

    def _hud(self) -> Hud:
        state, now = self.state, time.monotonic()
        stylizer = self.painter.stylizer
        badges = []
        if self._running(RECORDING) is not None:
            minutes, seconds = divmod(int(now - self._recording_since_s), 60)
            badges.append(f"REC {minutes}:{seconds:02}")
        if self._running(VIRTUAL_CAMERA) is not None:
            badges.append("CAMERA")
        figures = (
            f"{self._meter.rate.per_s(now):.1f} fps, age {self._meter.age_ms.value:.0f} ms, "
            f"{self.dropped} dropped",
            f"camera {self.reader.rate.per_s(now):.1f} fps, "
            f"wait {self.painter.wait_ms.value:.0f}, paint {self.painter.paint_ms.value:.0f}, "
            f"show {self._meter.show_ms.value:.0f} ms",
            f"{self.work_size} lines, {stylizer.describe()}" if stylizer else "",
        )
        return make_hud(state, tuple(badges), figures, is_loading=stylizer is None)

    def _hear(self) -> None:
        """Let the window live, and do what keys were pressed."""
        keys, self._pressed = self._pressed, []
        if self._window is not None:
            keys += self._window.keys()
            self.state.is_over |= self._window.is_closed
        before = self.state.wish.selection
        for key in keys:
            hotkeys.press(self, key)
        if keys:
            self._helpers = [helper for helper in self._helpers if helper.is_alive()]
        if self.state.wish.selection is not before:
            self._loader.wake()

    def save_snapshot(self) -> None:
        """Write the painting on screen to a PNG file."""
        shown = self._shown
        if shown is None:
            self.state.say("There is nothing to save yet")
            return
        target = self._new_file(".png")

        def save() -> None:
            save_picture(target, self._outgoing(shown))
            self._tell(f"Saved {target}")

        self._help(save)

    def toggle_recording(self) -> None:
        """Begin a recording in a new file, or finish the one that runs."""
        running = self._running(RECORDING)
        if running is not None:
            running.finish()
            self._outputs.remove(running)
            self._finished.append(running)
            return
        try:
            output = recording(self._new_file(".mp4"), self._options.microphone)
        except NstVideoError as error:
            self._tell(str(error))
            return
        self._recording_since_s = time.monotonic()
        self._outputs.append(OutputThread(output, self._note_end))

    def toggle_virtual_camera(self) -> None:
        """Turn the virtual camera on or off."""
        running = self._running(VIRTUAL_CAMERA)
        if running is not None:
            running.finish()
            self._outputs.remove(running)
            self._finished.append(running)
            return
        options = self._options
        output = virtual_camera(options.virtual_size, options.virtual_backend)
        self._outputs.append(OutputThread(output, self._note_end))
        self.state.say("Virtual camera on")

    def next_camera(self) -> None:
        """Read the camera that follows the present one in the list of this machine's."""

        def switch() -> None:
            inputs = [camera_input(c, self._options.capture) for c in list_cameras()]
            names = [each.name for each in inputs]
            now = self.reader.source.name
            place = names.index(now) + 1 if now in names else 0
            if not names or names == [now]:
                self.state.say("There is no other camera")
                return
            chosen = inputs[place % len(inputs)]
            self.state.say(chosen.name)
            self.state.is_mirrored |= not self.reader.source.is_camera
            self.reader.switch(chosen)

        self._help(switch)

    def reload_styles(self) -> None:
        """Look for style pictures again, added or changed."""
        stylizer = self.painter.stylizer
        if stylizer is None:
            return

        def reload() -> None:
            styles = styles_of(stylizer)
            stylizer.forget_styles()
            self.state.thumbnails.clear()
            self._arrived = (stylizer, styles)
            self.state.say(f"{len(styles)} styles")

        self._help(reload)

    def _running(self, name: str) -> OutputThread | None:
        return next((o for o in self._outputs if o.output.name == name), None)

    def _new_file(self, suffix: str) -> Path:
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S-%f")[:-3]
        return self._options.save_dir / f"nst-video-{stamp}{suffix}"

    def _help(self, work: Callable[[], None]) -> None:
        """Do something slow in a thread of its own; its failure is a message."""

        def run() -> None:
            try:
                work()
            except NstVideoError as error:
                self._tell(str(error))

        helper = threading.Thread(target=run, name="helper", daemon=True)
        self._helpers.append(helper)
        helper.start()

    def _tell(self, text: str) -> None:
        self.state.say(text)
        self._on_message(text)

    def _note_trouble(self, text: str | None) -> None:
        self.state.trouble = text or ""
        if text is not None:
            self._on_message(text)

    def _note_stylizer(self, stylizer: LiveStylizer, styles: Sequence[Style]) -> None:
        self._arrived = (stylizer, styles)

    def _note_end(self, ended: OutputThread) -> None:
        """Say what became of an output; called in its thread."""
        name, where = ended.output.name, ended.output.where
        if ended.error is not None:
            self._lost.append(ended)
            self._tell(f"The {name} was dropped. {explain(ended.error)}")
        elif name == RECORDING and ended.written:
            self._tell(f"Saved {where}")
        elif name == VIRTUAL_CAMERA:
            self.state.say("Virtual camera off")
        self._outputs = [output for output in self._outputs if output is not ended]

    def _close(self) -> None:
        """End every thread; outputs finish what they made."""
        self.reader.frames.close()
        for output in (*self._outputs, *self._finished):
            output.finish()
        self.painter.close()
        self.reader.close()
        for output in (*self._outputs, *self._finished):
            output.close()
        for helper in self._helpers:
            helper.join()
        self._loader.close()
