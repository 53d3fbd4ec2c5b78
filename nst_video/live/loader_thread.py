"""The thread that loads the stylizer, then sizes and styles before keys need them."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from nst_video.engines import AUTO, choose_engine
from nst_video.errors import NstVideoError
from nst_video.image.resize import cover
from nst_video.live.live_stylizer import LiveStylizer
from nst_video.live.render_thread import RenderThread
from nst_video.live.state import LiveState
from nst_video.style_library.library import Style
from nst_video.system.thread_priority import run_at_low_priority
from nst_video.temporal import compile_loops

THUMBNAIL_PX = 128
"""Side of the square style thumbnails, in pixels."""

_POLL_S = 0.1


class LoadingCanceled(Exception):  # noqa: N818 - not an error: the user has quit meanwhile
    """Loading was canceled because the session is over."""


def choose_live_engine(name: str) -> str:
    """Resolve "auto" for live video, where speed matters more than exactness.

    At the same frame rate, the fast engine allows a larger working size, which is visible. Its
    rounding is not.
    """
    if name == AUTO and choose_engine() == "openvino":
        return "openvino-fast"
    return name


class LoaderThread:
    """Loads the stylizer in a thread, then compiles sizes and loads styles, urgent ones first.

    Attributes:
        error: why loading failed, None otherwise.
    """

    def __init__(
        self,
        open_stylizer: Callable[[], LiveStylizer],
        renderer: RenderThread,
        state: LiveState,
        on_ready: Callable[[LiveStylizer, Sequence[Style]], None],
    ) -> None:
        """Prepare; the thread starts on `start`.

        Args:
            open_stylizer: creates the stylizer; slow, called in the thread.
            renderer: its `missing_size` is compiled first.
            state: its request and its styles determine what to load.
            on_ready: called in the thread with the prepared stylizer and the styles to choose from.
        """
        self.error: BaseException | None = None
        renderer.loads_regions = True
        self._open = open_stylizer
        self._renderer = renderer
        self._state = state
        self._on_ready = on_ready
        self._failed: set[Path] = set()
        self._has_no_predictor = False
        self._wake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="load", daemon=True)

    @property
    def thread(self) -> threading.Thread:
        """The thread that loads."""
        return self._thread

    def start(self) -> None:
        """Start loading."""
        self._thread.start()

    def wake(self) -> None:
        """Look at the state again, after the selected styles have changed."""
        self._wake.set()

    def stop(self) -> None:
        """Ask the thread to end after the current step, without waiting for that."""
        self._stopped = True
        self._wake.set()

    def _work(self) -> None:
        try:
            stylizer = self._open()
            stylizer.prepare()
            compile_loops()
            self._compile(stylizer)
            if not self._stopped:
                self._on_ready(stylizer, selectable_styles(stylizer))
            while not self._stopped:
                self._wake.clear()
                if not self._step(stylizer):
                    self._wake.wait(_POLL_S)
        except BaseException as error:  # noqa: BLE001 - raised again by the session's thread
            self.error = error

    def _step(self, stylizer: LiveStylizer) -> bool:
        """Do the most urgent step; False if nothing is left."""
        selection = self._state.request.selection
        if self._compile(stylizer) or self._load_regions(stylizer):
            return True
        if style := self._next(stylizer, () if selection is None else selection.styles):
            self._load_style(stylizer, style)
        elif self._state.request.settings.intensity < 1 and self._lacks_predictor(stylizer):
            self._load_predictor(stylizer)
        elif style := self._next(stylizer, self._state.styles):
            self._load_style(stylizer, style)
        elif self._lacks_predictor(stylizer):
            self._load_predictor(stylizer)
        else:
            return False
        return True

    def _compile(self, stylizer: LiveStylizer) -> bool:
        """Compile the size that the render thread is missing; False if it is missing none."""
        size = self._renderer.missing_size
        if size is None:
            return False
        # Painting must not keep frames waiting: where the cores are busy, showing goes first.
        run_at_low_priority(lambda: stylizer.load_size(size))
        self._renderer.add_size(size)
        self._renderer.missing_size = None
        return True

    def _load_regions(self, stylizer: LiveStylizer) -> bool:
        """Load the regions that the render thread is missing; False if it is missing none."""
        missing = self._renderer.missing_regions
        if missing is None:
            return False
        try:
            run_at_low_priority(lambda: stylizer.load_regions(*missing))
        except NstVideoError as error:
            self._state.say(str(error))
            self._state.set_regions(None)
        else:
            self._renderer.add_regions(*missing)
        self._renderer.missing_regions = None
        return True

    def _lacks_predictor(self, stylizer: LiveStylizer) -> bool:
        return not (stylizer.has_predictor or self._has_no_predictor)

    def _load_predictor(self, stylizer: LiveStylizer) -> None:
        """Load the style predictor. Without it, intensity is a plain cross-fade of pixels."""
        try:
            stylizer.load_predictor()
        except NstVideoError as error:
            self._has_no_predictor = True
            self._state.say(str(error))

    def _next(self, stylizer: LiveStylizer, styles: Sequence[Style]) -> Style | None:
        """Return the first style that is not loaded yet."""
        return next(
            (
                style
                for style in styles
                if style.path not in self._failed
                and not (stylizer.has_loaded(style) and style.path in self._state.thumbnails)
            ),
            None,
        )

    def _load_style(self, stylizer: LiveStylizer, style: Style) -> None:
        try:
            stylizer.load_style(style)
            picture = cover(style.load(small=True), (THUMBNAIL_PX, THUMBNAIL_PX))
            self._state.thumbnails[style.path] = picture
        except NstVideoError as error:
            self._failed.add(style.path)
            self._state.say(str(error))


def selectable_styles(stylizer: LiveStylizer, known: Sequence[Style] = ()) -> list[Style]:
    """Return the styles to choose from: style files given by the user, then the library.

    Args:
        stylizer: its library and the styles it paints in.
        known: styles chosen from so far; those of them that are pictures stay.
    """
    library = stylizer.library.styles()
    paths = {style.path for style in library}
    named = {style.path: style for style in (*known, *stylizer.styles)}
    return [*(s for s in named.values() if s.path not in paths and s.path.is_file()), *library]
