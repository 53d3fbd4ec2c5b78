"""What keys do in a session: snapshots, recordings, virtual camera, cameras, styles."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from nst_video.errors import NstVideoError
from nst_video.frames import Frame
from nst_video.image.files import save_picture
from nst_video.image.resize import mirrored
from nst_video.live.background_tasks import BackgroundTasks
from nst_video.live.capture_thread import CaptureThread, LiveSource
from nst_video.live.live_stylizer import LiveStylizer
from nst_video.live.loader_thread import selectable_styles
from nst_video.live.output_set import LiveOutputs
from nst_video.live.output_specs import RECORDING, VIRTUAL_CAMERA, recording, virtual_camera
from nst_video.live.outputs.threads import Output
from nst_video.live.render_thread import RenderedFrame, RenderThread
from nst_video.live.session_options import LiveOptions
from nst_video.live.source_specs import next_camera_source
from nst_video.live.state import LiveState, Selection
from nst_video.live.style_refiner import StyleRefiner
from nst_video.style_library.library import Style


class SessionActions:
    """The actions of keys, as `HotkeyTarget` of `hotkeys.press`; used in the session's thread.

    Attributes:
        state: state of the session.
        tasks: slow actions that are running.
        refiner: refines a style in the background.
        shown: the frame on screen, None before the first.
    """

    def __init__(
        self,
        state: LiveState,
        options: LiveOptions,
        capture: CaptureThread,
        renderer: RenderThread,
        outputs: LiveOutputs,
        *,
        call_later: Callable[[Callable[[], None]], None],
        notify: Callable[[str], None],
    ) -> None:
        """Prepare.

        Args:
            state: state of the session.
            options: options of the session.
            capture: its source can be switched.
            renderer: gets the stylizer.
            outputs: outputs are added and finished here.
            call_later: runs a function in the session's thread; called from other threads.
            notify: shows a message to the user; called from any thread.
        """
        self.state = state
        self.tasks = BackgroundTasks(notify)
        self.refiner = StyleRefiner(
            self.tasks, on_better=lambda: call_later(self._use_refined), notify=notify
        )
        self.shown: RenderedFrame | None = None
        self._options = options
        self._capture = capture
        self._renderer = renderer
        self._outputs = outputs
        self._call_later = call_later
        self._notify = notify

    @property
    def work_size(self) -> int:
        """Short side in pixels at which frames are stylized now."""
        return self._renderer.work_size

    def output_frame(self, rendered: RenderedFrame) -> Frame:
        """Return the frame for outputs, which are mirrored only if the options say so."""
        return mirrored(rendered.painting, self._options.mirror_outputs)

    def save_snapshot(self) -> None:
        """Save the stylized frame on screen as a PNG file."""
        shown = self.shown
        if shown is None:
            self.state.say("There is nothing to save yet")
            return
        target = self._options.new_file(".png")

        def save() -> None:
            save_picture(target, self.output_frame(shown))
            self._notify(f"Saved {target}")

        self.tasks.start(save, saves=True)

    def toggle_recording(self) -> None:
        """Start a recording in a new file, or finish the running one."""
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
            self._notify(str(error))
        else:
            self.state.say(f"{name.capitalize()} on")

    def next_camera(self) -> None:
        """Switch to the next camera of this machine."""
        present = self._capture.source.name

        def find_camera() -> None:
            chosen = next_camera_source(present, self._options.capture)
            self._call_later(lambda: self._switch(chosen))

        self.tasks.start(find_camera)

    def _switch(self, chosen: LiveSource | None) -> None:
        if chosen is None:
            self.state.say("There is no other camera")
            return
        self.state.say(chosen.name)
        self.state.is_mirrored |= not self._capture.source.is_camera
        self._capture.switch(chosen)

    def use_stylizer(self, stylizer: LiveStylizer, styles: Sequence[Style]) -> None:
        """Start rendering with a loaded stylizer, or update its list of styles."""
        state = self.state
        if self._renderer.stylizer is None:
            selection = Selection(tuple(stylizer.styles), tuple(stylizer.mix))
            state.request = replace(state.request, selection=selection)
            state.say("Press ? for all keys")
        state.set_styles(styles)
        self._renderer.stylizer = stylizer

    def reload_styles(self) -> None:
        """Reload the list of style pictures, some of which may be new or changed."""
        stylizer = self._renderer.stylizer
        if stylizer is None:
            return

        def list_styles() -> None:
            styles = selectable_styles(stylizer, self.state.styles)
            self._call_later(lambda: self._reload(stylizer, styles))

        self.tasks.start(list_styles)

    def toggle_refinement(self) -> None:
        """Refine the selected style in the background, or end that."""
        stylizer, selection = self._renderer.stylizer, self.state.request.selection
        if stylizer is not None and selection is not None:
            self.refiner.toggle(selection.styles[0], stylizer.library, stylizer.options)

    def _use_refined(self) -> None:
        """Load styles again: the loader does so, and then the renderer fades to the refined one."""
        if self._renderer.stylizer is not None:
            self._renderer.stylizer.forget_styles()
            self._renderer.forget_styles()

    def _reload(self, stylizer: LiveStylizer, styles: Sequence[Style]) -> None:
        stylizer.forget_styles()
        self._renderer.forget_styles()
        self.state.thumbnails.clear()
        self.use_stylizer(stylizer, styles)
        self.state.say(f"{len(styles)} styles")
