"""The thread that paints: newest frame in, painted frame out, requests applied in between."""

import threading
import time
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from nst_video.errors import EngineError, NstVideoError
from nst_video.frames import Frame, Frames, Size, fit_short_side, size_of
from nst_video.live.adaptive_resolution import AdaptiveResolution
from nst_video.live.capture_thread import Captured
from nst_video.live.metrics import Smoothed
from nst_video.live.state import LiveState, RenderRequest, Selection
from nst_video.settings import StylizeSettings
from nst_video.style_library.library import Style, StyleLibrary
from nst_video.validation import WORK_SIZE
from nst_video.video.queues import LatestQueue

_POLL_S = 0.03
"""Longest wait for a frame before the one at hand is looked at again: it may be a still."""


class LiveStylizer(Protocol):
    """What a session needs of a stylizer; `nst_video.stylizer.Stylizer` is one."""

    settings: StylizeSettings
    library: StyleLibrary

    @property
    def styles(self) -> tuple[Style, ...]:
        """The styles in use."""
        ...

    @property
    def mix(self) -> tuple[float, ...]:
        """A weight for each of them."""
        ...

    def prepare(self) -> None:
        """Load and test everything."""
        ...

    def load_style(self, style: Style) -> None:
        """Learn a style beforehand, so that choosing it takes no time."""
        ...

    def has_loaded(self, style: Style) -> bool:
        """Say whether choosing the style takes no time."""
        ...

    def forget_styles(self) -> None:
        """Learn every style anew when it is needed next."""
        ...

    @property
    def has_predictor(self) -> bool:
        """Say whether an intensity below 1 can be blended between style vectors at once."""
        ...

    def load_predictor(self) -> None:
        """Load what that takes; slow."""
        ...

    def set_style(self, style: tuple[Style, ...], mix: tuple[float, ...]) -> None:
        """Paint in these styles from now on."""
        ...

    def load_size(self, size: Size) -> None:
        """Compile ahead for a working size (width, height)."""
        ...

    @property
    def is_fading(self) -> bool:
        """True while a switch of styles is not complete."""
        ...

    def describe(self) -> str:
        """Name model, engine and device in a few words."""
        ...

    def __call__(self, frames: Frame) -> Frame | Frames:
        """Paint a frame."""
        ...


@dataclass(frozen=True, slots=True)
class Painted:
    """A frame and its painting.

    Attributes:
        content: the frame.
        painting: of the same shape; the content itself where nothing was painted.
        number: of the captured frame.
        captured_s: when the frame came (monotonic seconds).
        is_painted: a stylizer made it, or the user asked for the original.
    """

    content: Frame
    painting: Frame
    number: int
    captured_s: float
    is_painted: bool


@dataclass(frozen=True, slots=True)
class _Recipe:
    """All that a painting depends on, apart from the frame and the moment.

    Attributes:
        stylizer: None where the frame is shown as it is.
        settings: with the working size in use.
        selection: the styles in use, None for those that the stylizer began with.
    """

    stylizer: LiveStylizer | None
    settings: StylizeSettings
    selection: Selection | None


class RenderThread:
    """Paints the newest captured frame, one after the other, in a thread of its own.

    Until the stylizer is there and compiled, frames pass through as they are. A frame that stays
    (a still, a paused film) is painted again when anything else changes.

    Attributes:
        painted: where the newest painting waits; closed at the end or with what went wrong.
        stylizer: None until it is loaded.
        paint_ms: smoothed time of a painting.
        wait_ms: smoothed time that a frame waited for the painter.
        reused: frames that equaled the one before.
        work_size: short side at which the last frame was painted, in pixels.
        missing_size: (width, height) that should be compiled, None where all is there.
    """

    def __init__(
        self,
        frames: LatestQueue[Captured],
        state: LiveState,
        pacer: AdaptiveResolution | None,
        fixed_size: int,
    ) -> None:
        """Prepare; the thread starts on `start`.

        Args:
            frames: what to paint.
            state: its request says how.
            pacer: chooses how much to paint while the request has no working size; None keeps
                `fixed_size`.
            fixed_size: the working size without a pacer.
        """
        self.painted: LatestQueue[Painted] = LatestQueue()
        self.stylizer: LiveStylizer | None = None
        self.paint_ms = Smoothed()
        self.wait_ms = Smoothed()
        self.reused = 0
        self.work_size = fixed_size if pacer is None else pacer.pace.size
        self._frames = frames
        self._state = state
        self._pacer = pacer
        self._fixed_size = fixed_size
        self._applied: Selection | None = None
        self._held: Captured | None = None
        self._recipe: _Recipe | None = None
        self._last: Painted | None = None
        self._is_settled = False
        self._has_painted = False
        self._next_number = 0
        self.missing_size: Size | None = None
        self._ready_sizes: set[Size] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="paint", daemon=True)

    @property
    def thread(self) -> threading.Thread:
        """The thread in which it paints."""
        return self._thread

    def start(self) -> None:
        """Begin to paint."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the frame that is being painted, without waiting for that."""
        self._stopped.set()

    def forget_styles(self) -> None:
        """Take over the wished styles anew: their pictures may have changed. From any thread."""
        self._applied = None

    def _work(self) -> None:
        try:
            while not self._stopped.is_set() and not self._frames.is_closed:
                captured = self._frames.take(_POLL_S)
                painted = None
                if captured is None or self._state.request.is_paused:
                    painted = self._paint_again()
                elif captured.number >= self._next_number:
                    self._held = captured
                    painted = self._paint(captured)
                if painted is not None:
                    self.painted.put(painted)
            if not self._stopped.is_set():
                self._frames.take(0)  # raises what ended the reading, if anything did
                self._paint_last()
            self.painted.close()
        except BaseException as error:  # noqa: BLE001 - raised again where paintings are taken
            self.painted.close(error)

    def _paint_last(self) -> None:
        """Paint the last frame of a source that ended before everything was loaded."""
        while self._held is not None and not self._has_painted and not self._stopped.wait(_POLL_S):
            painted = self._paint_again()
            if painted is not None:
                self.painted.put(painted)

    def _paint_again(self) -> Painted | None:
        """Paint the frame at hand again if anything that matters has changed; else None."""
        held = self._held
        if held is None:
            return None
        recipe = self._choose(self._state.request, size_of(held.frame))
        if recipe == self._recipe and not self._is_under_way(recipe):
            return None
        return self._paint(replace(held, at_s=time.monotonic()))

    def _paint(self, captured: Captured) -> Painted:
        request, content = self._state.request, captured.frame
        recipe = self._choose(request, size_of(content))
        stylizer = recipe.stylizer
        done = Painted(
            content, content, captured.number, captured.at_s,
            is_painted=stylizer is not None or (self.stylizer is not None and request.is_original),
        )  # fmt: skip
        self._has_painted = done.is_painted
        is_new = recipe != self._recipe
        may_reuse = not is_new and not self._is_under_way(recipe)
        # What begins while a style still turns into the next is not yet what will be.
        self._is_settled = not is_new and (stylizer is None or not stylizer.is_fading)
        self._recipe = recipe
        if stylizer is None:
            return done
        begun = time.monotonic()
        self.wait_ms.add(1000 * (begun - captured.at_s))
        if may_reuse and self._last is not None and np.array_equal(content, self._last.content):
            self.reused += 1
            return replace(done, painting=self._last.painting)
        done = replace(done, painting=self._run(stylizer, recipe.settings, content))
        self._keep_pace(time.monotonic() - begun, captured.number, min(size_of(content)))
        self._last = done
        return done

    def _is_under_way(self, recipe: _Recipe) -> bool:
        """Say whether the same frame painted again by `recipe` may come out different."""
        stylizer = recipe.stylizer
        return stylizer is not None and (stylizer.is_fading or not self._is_settled)

    def _choose(self, request: RenderRequest, size: Size) -> _Recipe:
        """Take over of the request what is loaded and compiled; say how to paint now."""
        stylizer = self.stylizer
        is_compiled = self._choose_size(request, size)
        if stylizer is None or request.is_original:
            return _Recipe(None, request.settings, None)
        self._apply(stylizer, request)
        if not is_compiled:
            return _Recipe(None, request.settings, None)
        # Frames smaller than any working size are painted as they are, or refused as too small.
        is_tiny = self.work_size not in WORK_SIZE
        settings = replace(request.settings, work_size=None if is_tiny else self.work_size)
        if settings.intensity < 1 and not stylizer.has_predictor:
            # The predictor is not loaded yet; a cross-fade needs none.
            settings = replace(settings, blend="pixel")
        return _Recipe(stylizer, settings, self._applied)

    def _run(self, stylizer: LiveStylizer, settings: StylizeSettings, content: Frame) -> Frame:
        stylizer.settings = settings
        try:
            painting = stylizer(content)
        except NstVideoError:
            raise
        except Exception as error:
            raise EngineError(f"Painting failed: {error}") from error
        if painting.shape != content.shape or painting.dtype != np.uint8:
            raise EngineError(
                f"The stylizer returned {painting.dtype} {painting.shape} for {content.shape}."
            )
        return painting

    def _choose_size(self, request: RenderRequest, size: Size) -> bool:
        """Change to the wished working size once it is compiled; False where none is yet."""
        automatic = self._fixed_size if self._pacer is None else self._pacer.pace.size
        wanted = min(request.settings.work_size or automatic, *size)
        exact = fit_short_side(size, wanted)
        if exact in self._ready_sizes:
            self.work_size, self.missing_size = wanted, None
            return True
        self.missing_size = exact
        return fit_short_side(size, self.work_size) in self._ready_sizes

    def add_size(self, size: Size) -> None:
        """Note that a working size has been compiled; called from any thread."""
        self._ready_sizes.add(size)

    def _apply(self, stylizer: LiveStylizer, request: RenderRequest) -> None:
        """Switch to the wished styles as soon as they are loaded; until then keep the old."""
        wanted = request.selection
        if wanted is None or wanted == self._applied:
            return
        if all(stylizer.has_loaded(style) for style in wanted.styles):
            stylizer.set_style(wanted.styles, wanted.mix)
            self._applied = wanted

    def _keep_pace(self, paint_s: float, number: int, limit: int) -> None:
        """Let the pacer choose how large, and which frame, to paint next."""
        self.paint_ms.add(1000 * paint_s)
        if self._pacer is not None and self._state.request.settings.work_size is None:
            pace = self._pacer.update(paint_s, time.monotonic(), limit)
            self._next_number = number + pace.every
