"""The thread that loads: the stylizer, then what keys may ask for before they do."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from nst_video.engines import AUTO, choose_engine
from nst_video.errors import NstVideoError
from nst_video.image.resize import cover
from nst_video.live.render_thread import LiveStylizer, RenderThread
from nst_video.live.state import LiveState
from nst_video.style_library.library import Style

THUMBNAIL_PX = 128
"""Side of the square thumbnails that are kept, in pixels."""

_POLL_S = 0.1


class Abandoned(Exception):  # noqa: N818 - not a failure: the user has left meanwhile
    """What is being loaded is no longer wanted."""


def choose_live_engine(name: str) -> str:
    """Resolve "auto" for pictures that are gone at once: not exact where that is faster.

    At the same rate the fast engine paints more lines, which shows, and what it rounds does not.
    """
    if name == AUTO and choose_engine() == "openvino":
        return "openvino-fast"
    return name


class Loader:
    """Makes the stylizer in a thread; then compiles sizes and learns styles, urgent ones first.

    Attributes:
        error: what went wrong, None while all is well.
    """

    def __init__(
        self,
        open_stylizer: Callable[[], LiveStylizer],
        painter: RenderThread,
        state: LiveState,
        on_ready: Callable[[LiveStylizer, Sequence[Style]], None],
    ) -> None:
        """Prepare; the thread starts on `start`.

        Args:
            open_stylizer: slow; called in the thread.
            painter: says which size it misses.
            state: its request and its styles say what to learn.
            on_ready: called in the thread with the prepared stylizer and the styles it has.
        """
        self.error: BaseException | None = None
        self._open = open_stylizer
        self._painter = painter
        self._state = state
        self._on_ready = on_ready
        self._failed: set[Path] = set()
        self._has_no_predictor = False
        self._wake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="load", daemon=True)

    @property
    def thread(self) -> threading.Thread:
        """The thread in which it loads."""
        return self._thread

    def start(self) -> None:
        """Begin to load."""
        self._thread.start()

    def wake(self) -> None:
        """Look at the state again: other styles may be wanted."""
        self._wake.set()

    def stop(self) -> None:
        """Stop after the present step, without waiting for that: a download may take long."""
        self._stopped = True
        self._wake.set()

    def _work(self) -> None:
        try:
            stylizer = self._open()
            stylizer.prepare()
            self._compile(stylizer)
            if not self._stopped:
                self._on_ready(stylizer, styles_of(stylizer))
            while not self._stopped:
                self._wake.clear()
                if not self._step(stylizer):
                    self._wake.wait(_POLL_S)
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that shows
            self.error = error

    def _step(self, stylizer: LiveStylizer) -> bool:
        """Do what is most urgent; False where nothing is left."""
        selection = self._state.request.selection
        if self._compile(stylizer):
            return True
        if style := self._next(stylizer, () if selection is None else selection.styles):
            self._learn(stylizer, style)
        elif self._state.request.settings.intensity < 1 and self._lacks_predictor(stylizer):
            self._load_predictor(stylizer)
        elif style := self._next(stylizer, self._state.styles):
            self._learn(stylizer, style)
        elif self._lacks_predictor(stylizer):
            self._load_predictor(stylizer)
        else:
            return False
        return True

    def _compile(self, stylizer: LiveStylizer) -> bool:
        """Compile the size that the painter misses; False where it misses none."""
        size = self._painter.missing_size
        if size is None:
            return False
        stylizer.load_size(size)
        self._painter.add_size(size)
        self._painter.missing_size = None
        return True

    def _lacks_predictor(self, stylizer: LiveStylizer) -> bool:
        return not (stylizer.has_predictor or self._has_no_predictor)

    def _load_predictor(self, stylizer: LiveStylizer) -> None:
        """Load it; where that fails, intensity stays the plain cross-fade that it is without."""
        try:
            stylizer.load_predictor()
        except NstVideoError as error:
            self._has_no_predictor = True
            self._state.say(str(error))

    def _next(self, stylizer: LiveStylizer, styles: Sequence[Style]) -> Style | None:
        """Return the first of the styles that is not learned yet."""
        return next(
            (
                style
                for style in styles
                if style.path not in self._failed
                and not (stylizer.has_loaded(style) and style.path in self._state.thumbnails)
            ),
            None,
        )

    def _learn(self, stylizer: LiveStylizer, style: Style) -> None:
        try:
            stylizer.load_style(style)
            picture = cover(style.load(small=True), (THUMBNAIL_PX, THUMBNAIL_PX))
            self._state.thumbnails[style.path] = picture
        except NstVideoError as error:
            self._failed.add(style.path)
            self._state.say(str(error))


def styles_of(stylizer: LiveStylizer, known: Sequence[Style] = ()) -> list[Style]:
    """Return the styles to choose from: pictures named outright, then the library's.

    Args:
        stylizer: its library and the styles it paints in.
        known: styles chosen from so far; those of them that are pictures stay.
    """
    library = stylizer.library.styles()
    paths = {style.path for style in library}
    named = {style.path: style for style in (*known, *stylizer.styles)}
    return [*(s for s in named.values() if s.path not in paths and s.path.is_file()), *library]
