"""Refines the selected style beside the painting, in a process of its own."""

from collections.abc import Callable

from nst_video.live.background_tasks import BackgroundTasks
from nst_video.optimization.background_refinement import BackgroundRefinement, RefineUpdate
from nst_video.optimization.refine_settings import RefineSettings
from nst_video.settings import ModelOptions
from nst_video.style_library.library import Style, StyleLibrary

MINUTES = 5.0
"""Of a refinement: longer than by itself, since it gets what the painting leaves of one core."""


class StyleRefiner:
    """One refinement at a time. Used in the session's thread."""

    def __init__(
        self,
        tasks: BackgroundTasks,
        *,
        on_better: Callable[[], None],
        notify: Callable[[str], None],
    ) -> None:
        """Prepare.

        Args:
            tasks: run what waits for the other process.
            on_better: called, from another thread, whenever the style has been given better style
                parameters.
            notify: shows a message to the user; called from any thread.
        """
        self._tasks = tasks
        self._on_better = on_better
        self._notify = notify
        self._running: BackgroundRefinement | None = None
        self._update: RefineUpdate | None = None

    @property
    def figure(self) -> str:
        """How far it is, for display; empty if none is running."""
        running, update = self._running, self._update
        if running is None:
            return ""
        if update is None:
            return f"refining {running.style.name}: starting"
        return (
            f"refining {running.style.name}: {update.done:.0%}, {update.remaining_s:.0f} s left, "
            f"loss {update.loss:.2f} of before"
        )

    def toggle(self, style: Style, library: StyleLibrary, options: ModelOptions) -> None:
        """End the running refinement, or begin to refine a style.

        Args:
            style: the style.
            library: where the result is kept.
            options: the network that paints.
        """
        if self._running is not None:
            self._notify(f"Refining {self._running.style.title} ends; it can go on later")
            self.stop()
            return
        if style.origin == "master":
            self._notify(f"{style.title} cannot be refined: its painting is not here")
            return
        settings = RefineSettings(minutes=MINUTES)
        refinement = BackgroundRefinement(style, library, options, settings)
        self._running, self._update = refinement, None
        self._notify(f"Refining {style.title} beside the painting")
        self._tasks.start(lambda: self._follow(refinement))

    def stop(self) -> None:
        """End the running refinement, if there is one, without waiting."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def _follow(self, refinement: BackgroundRefinement) -> None:
        """Wait for a refinement to end and pass on what is better."""
        try:
            for update in refinement.updates():
                self._update = update
                if update.is_better:
                    self._on_better()
                if update.done >= 1:
                    self._notify(_result(refinement.style, update))
        finally:
            if self._running is refinement:
                self._running = None


def _result(style: Style, update: RefineUpdate) -> str:
    if update.loss < 1:
        return f"{style.title} is refined: {update.loss:.2f} of the loss before"
    return f"{style.title} stays as it was: it is no better"
