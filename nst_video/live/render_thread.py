"""The thread that renders: takes the newest captured frame and stylizes it as requested."""

import threading
import time
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from nst_video.errors import EngineError, NstVideoError
from nst_video.frames import Frame, Frames, Size, fit_short_side, size_of
from nst_video.live.adaptive_resolution import AdaptiveResolution
from nst_video.live.capture_thread import CapturedFrame
from nst_video.live.metrics import SmoothedValue
from nst_video.live.state import LiveState, RenderRequest, Selection
from nst_video.settings import StylizeSettings
from nst_video.style_library.library import Style, StyleLibrary
from nst_video.validation import WORK_SIZE
from nst_video.video.queues import LatestQueue

_POLL_S = 0.03
"""Seconds to wait for a frame before the current one is rendered again if a setting changed."""


class LiveStylizer(Protocol):
    """What a session needs of a stylizer; `nst_video.stylizer.Stylizer` is one.

    `load_style`, `load_size`, `load_predictor` and `prepare` are slow and are called in the loader
    thread, all other methods in the render thread or the session's.
    """

    settings: StylizeSettings
    library: StyleLibrary

    @property
    def styles(self) -> tuple[Style, ...]:
        """The current styles."""
        ...

    @property
    def mix(self) -> tuple[float, ...]:
        """The weight of each current style."""
        ...

    def prepare(self) -> None:
        """Load and check the model and the engine.

        Raises:
            NstVideoError: something cannot be loaded.
        """
        ...

    def load_style(self, style: Style) -> None:
        """Compute and cache a style's vector, so that `set_style` is fast.

        Raises:
            NstVideoError: the picture cannot be read.
        """
        ...

    def has_loaded(self, style: Style) -> bool:
        """Return True if `set_style` with this style is fast."""
        ...

    def forget_styles(self) -> None:
        """Clear the cache of style vectors."""
        ...

    @property
    def has_predictor(self) -> bool:
        """True if an intensity below 1 can be blended between style vectors without loading."""
        ...

    def load_predictor(self) -> None:
        """Load the style predictor.

        Raises:
            NstVideoError: it cannot be loaded.
        """
        ...

    def set_style(self, style: tuple[Style, ...], mix: tuple[float, ...]) -> None:
        """Use these styles, with a weight for each, from the next frame on."""
        ...

    def load_size(self, size: Size) -> None:
        """Compile the network for a working size (width, height)."""
        ...

    @property
    def is_fading(self) -> bool:
        """True during the transition to another style."""
        ...

    def describe(self) -> str:
        """Return model, engine and device in a few words."""
        ...

    def __call__(self, frames: Frame) -> Frame | Frames:
        """Stylize a frame, uint8 RGB (height, width, 3); the result has the same shape.

        Raises:
            EngineError: the engine fails.
        """
        ...


@dataclass(frozen=True, slots=True)
class RenderedFrame:
    """A captured frame and its stylized frame, both uint8 RGB (height, width, 3).

    Attributes:
        content: the captured frame.
        painting: the stylized frame; the content itself if no style was applied.
        number: number of the captured frame.
        captured_s: capture time (monotonic seconds).
        is_painted: a stylizer made it, or the user asked for the original.
    """

    content: Frame
    painting: Frame
    number: int
    captured_s: float
    is_painted: bool


@dataclass(frozen=True, slots=True)
class _RenderPlan:
    """Everything that the result depends on, apart from the frame.

    Attributes:
        stylizer: None if the frame is passed through.
        settings: with the working size in use.
        selection: the styles in use, None for those that the stylizer began with.
    """

    stylizer: LiveStylizer | None
    settings: StylizeSettings
    selection: Selection | None


class RenderThread:
    """Renders the newest captured frame, again and again, in a thread of its own.

    Until the stylizer is loaded and compiled, frames pass through unchanged. A still or paused
    frame is rendered again when a setting or style changes.

    Attributes:
        rendered: holds the newest rendered frame; closed at the end, with the error if any.
        stylizer: None until it is loaded.
        paint_ms: moving average of the time to stylize a frame.
        wait_ms: moving average of the time between capture and rendering.
        reused: number of frames that equaled the one before.
        work_size: short side at which the last frame was rendered, in pixels.
        missing_size: (width, height) that has to be compiled next, None if there is none.
    """

    def __init__(
        self,
        frames: LatestQueue[CapturedFrame],
        state: LiveState,
        resolution: AdaptiveResolution | None,
        fixed_size: int,
    ) -> None:
        """Prepare; the thread starts on `start`.

        Args:
            frames: the captured frames.
            state: its request says how to render.
            resolution: chooses the working size if the request has none; None keeps `fixed_size`.
            fixed_size: working size without `resolution`, short side in pixels.
        """
        self.rendered: LatestQueue[RenderedFrame] = LatestQueue()
        self.stylizer: LiveStylizer | None = None
        self.paint_ms = SmoothedValue()
        self.wait_ms = SmoothedValue()
        self.reused = 0
        self.work_size = fixed_size if resolution is None else resolution.level.size
        self._frames = frames
        self._state = state
        self._resolution = resolution
        self._fixed_size = fixed_size
        self._applied: Selection | None = None
        self._current: CapturedFrame | None = None
        self._plan: _RenderPlan | None = None
        self._last: RenderedFrame | None = None
        self._is_settled = False
        self._has_painted = False
        self._next_number = 0
        self.missing_size: Size | None = None
        self._ready_sizes: set[Size] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="render", daemon=True)

    @property
    def thread(self) -> threading.Thread:
        """The thread that renders."""
        return self._thread

    def start(self) -> None:
        """Start rendering."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end after the current frame, without waiting."""
        self._stopped.set()

    def forget_styles(self) -> None:
        """Apply the requested styles again, as their pictures may have changed. Thread-safe."""
        self._applied = None

    def _work(self) -> None:
        try:
            while not self._stopped.is_set() and not self._frames.is_closed:
                captured = self._frames.take(_POLL_S)
                rendered = None
                if captured is None or self._state.request.is_paused:
                    rendered = self._render_again()
                elif captured.number >= self._next_number:
                    self._current = captured
                    rendered = self._render(captured)
                if rendered is not None:
                    self.rendered.put(rendered)
            if not self._stopped.is_set():
                self._frames.take(0)  # raises the error that ended the capture, if any
                self._render_last()
            self.rendered.close()
        except BaseException as error:  # noqa: BLE001 - raised again by the consumer of the frames
            self.rendered.close(error)

    def _render_last(self) -> None:
        """Render the last frame of a source that ended before everything was loaded."""
        while (
            self._current is not None and not self._has_painted and not self._stopped.wait(_POLL_S)
        ):
            rendered = self._render_again()
            if rendered is not None:
                self.rendered.put(rendered)

    def _render_again(self) -> RenderedFrame | None:
        """Render the current frame again if the result would change; else None."""
        current = self._current
        if current is None:
            return None
        plan = self._choose(self._state.request, size_of(current.frame))
        if plan == self._plan and not self._may_change(plan):
            return None
        return self._render(replace(current, at_s=time.monotonic()))

    def _render(self, captured: CapturedFrame) -> RenderedFrame:
        request, content = self._state.request, captured.frame
        plan = self._choose(request, size_of(content))
        stylizer = plan.stylizer
        done = RenderedFrame(
            content, content, captured.number, captured.at_s,
            is_painted=stylizer is not None or (self.stylizer is not None and request.is_original),
        )  # fmt: skip
        self._has_painted = done.is_painted
        is_new = plan != self._plan
        may_reuse = not is_new and not self._may_change(plan)
        # During a transition to another style, the result is not final yet.
        self._is_settled = not is_new and (stylizer is None or not stylizer.is_fading)
        self._plan = plan
        if stylizer is None:
            return done
        begun = time.monotonic()
        self.wait_ms.add(1000 * (begun - captured.at_s))
        if may_reuse and self._last is not None and np.array_equal(content, self._last.content):
            self.reused += 1
            return replace(done, painting=self._last.painting)
        done = replace(done, painting=self._run(stylizer, plan.settings, content))
        self._update_resolution(time.monotonic() - begun, captured.number, min(size_of(content)))
        self._last = done
        return done

    def _may_change(self, plan: _RenderPlan) -> bool:
        """Return True if the same frame and plan may give another result."""
        stylizer = plan.stylizer
        return stylizer is not None and (stylizer.is_fading or not self._is_settled)

    def _choose(self, request: RenderRequest, size: Size) -> _RenderPlan:
        """Apply what is loaded and compiled of a request; return how to render now."""
        stylizer = self.stylizer
        is_compiled = self._choose_size(request, size)
        if stylizer is None or request.is_original:
            return _RenderPlan(None, request.settings, None)
        self._apply(stylizer, request)
        if not is_compiled:
            return _RenderPlan(None, request.settings, None)
        # Frames smaller than any working size are rendered as they are, or refused as too small.
        is_tiny = self.work_size not in WORK_SIZE
        settings = replace(request.settings, work_size=None if is_tiny else self.work_size)
        if settings.intensity < 1 and not stylizer.has_predictor:
            # The predictor is not loaded yet; a cross-fade needs none.
            settings = replace(settings, blend="pixel")
        return _RenderPlan(stylizer, settings, self._applied)

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
        """Use the requested working size once it is compiled; False if no size is compiled yet."""
        automatic = self._fixed_size if self._resolution is None else self._resolution.level.size
        wanted = min(request.settings.work_size or automatic, *size)
        exact = fit_short_side(size, wanted)
        if exact in self._ready_sizes:
            self.work_size, self.missing_size = wanted, None
            return True
        self.missing_size = exact
        return fit_short_side(size, self.work_size) in self._ready_sizes

    def add_size(self, size: Size) -> None:
        """Mark a working size (width, height) as compiled. Thread-safe."""
        self._ready_sizes.add(size)

    def _apply(self, stylizer: LiveStylizer, request: RenderRequest) -> None:
        """Switch to the requested styles once they are loaded; keep the current ones until then."""
        wanted = request.selection
        if wanted is None or wanted == self._applied:
            return
        if all(stylizer.has_loaded(style) for style in wanted.styles):
            stylizer.set_style(wanted.styles, wanted.mix)
            self._applied = wanted

    def _update_resolution(self, paint_s: float, number: int, limit: int) -> None:
        """Choose the working size and the next frame to render from the painting time."""
        self.paint_ms.add(1000 * paint_s)
        if self._resolution is not None and self._state.request.settings.work_size is None:
            level = self._resolution.update(paint_s, time.monotonic(), limit)
            self._next_number = number + level.every
