"""The refinement of a style in the background, one at a time."""

import threading
from collections.abc import Callable

from nst_video.errors import NstVideoError
from nst_video.optimization.background_refinement import BackgroundRefinement, RefineUpdate
from nst_video.optimization.refine_settings import RefineSettings
from nst_video.settings import ModelOptions
from nst_video.style_library.library import Style, StyleLibrary
from nst_video.web.problems import without_paths


class Refiner:
    """At most one refinement. Thread-safe."""

    def __init__(self, options: ModelOptions, on_better: Callable[[], None]) -> None:
        """Prepare.

        Args:
            options: the network that paints.
            on_better: called whenever a style has been given better style parameters.
        """
        self._options, self._on_better = options, on_better
        self._lock = threading.Lock()
        self._running: BackgroundRefinement | None = None
        self._style: Style | None = None
        self._update: RefineUpdate | None = None
        self._state, self._text = "none", ""

    def start(self, style: Style, library: StyleLibrary, minutes: float) -> bool:
        """Begin to refine a style; False if one is being refined already."""
        with self._lock:
            if self._running is not None:
                return False
            settings = RefineSettings(minutes=minutes)
            self._running = BackgroundRefinement(style, library, self._options, settings)
            self._style, self._update = style, None
            self._state, self._text = "running", ""
            run = threading.Thread(
                target=self._follow, args=(self._running,), name="refine", daemon=True
            )
            run.start()
            return True

    def stop(self) -> None:
        """End the refinement; what it has reached is kept."""
        with self._lock:
            if self._running is not None:
                self._running.stop()

    def describe(self) -> dict[str, object]:
        """Return what goes on, as it is sent."""
        update, style = self._update, self._style
        return {
            "state": self._state,
            "style": None if style is None else style.name,
            "done": 0.0 if update is None else round(update.done, 4),
            "remaining_s": None if update is None else round(update.remaining_s),
            "loss": None if update is None else round(update.loss, 4),
            "text": self._text,
        }

    def _follow(self, running: BackgroundRefinement) -> None:
        state, text = "ended", ""
        try:
            for update in running.updates():
                self._update = update
                if update.is_better:
                    self._on_better()
        except NstVideoError as error:
            state, text = "failed", without_paths(str(error))
        finally:
            with self._lock:
                self._running, self._state, self._text = None, state, text
