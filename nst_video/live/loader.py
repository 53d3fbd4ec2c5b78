"""The thread that loads: the stylizer, then what keys may ask for before they do."""

import threading
from collections.abc import Callable, Sequence

from nst_video.errors import NstVideoError
from nst_video.letterbox import fill
from nst_video.library import Style
from nst_video.live.painter import LiveStylizer, PaintLoop
from nst_video.live.state import LiveState

THUMBNAIL_PX = 128
"""Side of the square thumbnails that are kept, in pixels."""

_POLL_S = 0.1


class Loader:
    """Makes the stylizer in a thread; then compiles sizes and learns styles, urgent ones first.

    Attributes:
        error: what went wrong, None while all is well.
    """

    def __init__(
        self,
        open_stylizer: Callable[[], LiveStylizer],
        painter: PaintLoop,
        state: LiveState,
        on_ready: Callable[[LiveStylizer, Sequence[Style]], None],
    ) -> None:
        """Prepare; the thread starts on `start`.

        Args:
            open_stylizer: slow; called in the thread.
            painter: says which size it misses.
            state: its wish and its styles say what to learn.
            on_ready: called in the thread with the prepared stylizer and the styles it has.
        """
        self.error: BaseException | None = None
        self._open = open_stylizer
        self._painter = painter
        self._state = state
        self._on_ready = on_ready
        self._failed: set[str] = set()
        self._wake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="load", daemon=True)

    def start(self) -> None:
        """Begin to load."""
        self._thread.start()

    def wake(self) -> None:
        """Look at the state again: other styles may be wanted."""
        self._wake.set()

    def close(self) -> None:
        """Stop after the present step, and wait for that."""
        self._stopped = True
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _work(self) -> None:
        try:
            stylizer = self._open()
            stylizer.prepare()
            if not self._stopped:
                self._on_ready(stylizer, styles_of(stylizer))
            while not self._stopped:
                self._wake.clear()
                size = self._painter.missing_size
                if size is not None:
                    stylizer.load_size(size)
                    self._painter.add_size(size)
                    self._painter.missing_size = None
                elif (style := self._next(stylizer)) is not None:
                    self._learn(stylizer, style)
                else:
                    self._wake.wait(_POLL_S)
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that shows
            self.error = error

    def _next(self, stylizer: LiveStylizer) -> Style | None:
        selection = self._state.wish.selection
        wanted = () if selection is None else selection.styles
        return next(
            (
                style
                for style in (*wanted, *self._state.styles)
                if style.name not in self._failed
                and not (stylizer.has_loaded(style) and style.name in self._state.thumbnails)
            ),
            None,
        )

    def _learn(self, stylizer: LiveStylizer, style: Style) -> None:
        try:
            stylizer.load_style(style)
            picture = fill(style.load(), (THUMBNAIL_PX, THUMBNAIL_PX))
            self._state.thumbnails[style.name] = picture
        except NstVideoError as error:
            self._failed.add(style.name)
            self._state.say(str(error))


def styles_of(stylizer: LiveStylizer) -> list[Style]:
    """Return the library's styles, after them those in use that are none of it."""
    styles = stylizer.library.styles()
    names = {style.name for style in styles}
    return [*styles, *(style for style in stylizer.styles if style.name not in names)]
