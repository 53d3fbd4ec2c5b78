"""The thread that renders: takes the newest captured frame and stylizes it as requested."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from nst_video.errors import NstVideoError
from nst_video.frames import Frame, Size, fit_short_side, size_of
from nst_video.live.adaptive_resolution import CARRYING, AdaptiveResolution, FrameTime
from nst_video.live.capture_thread import CapturedFrame
from nst_video.live.checked_painting import checked, explained, paint
from nst_video.live.live_stylizer import LiveStylizer
from nst_video.live.metrics import SmoothedValue
from nst_video.live.state import LiveState, RenderRequest, Selection, requested_lines
from nst_video.live.steady_renderer import FollowedFrame, SteadyRenderer, is_same
from nst_video.settings import Regions, StylizeSettings
from nst_video.validation import WORK_SIZE
from nst_video.video.queues import LatestQueue

_POLL_S = 0.03
"""Seconds to wait for a frame before the current one is rendered again if a setting changed."""

_STILL_S = 0.1
"""Seconds without a frame after which the current one counts as still, and is rendered again until
its painting is finished. Earlier that would keep the next frame waiting."""

_GAP_S = 0.5
"""Seconds without a frame, as in a pause, after which a new shot begins."""


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
        regions: in use.
    """

    stylizer: LiveStylizer | None
    settings: StylizeSettings
    selection: Selection | None
    regions: Regions | None = None

    @property
    def is_frame_by_frame(self) -> bool:
        """Whether nothing is carried from frame to frame."""
        paints = self.regions is None or self.regions.paints
        return self.settings.is_frame_by_frame or not paints

    @property
    def look(self) -> tuple[StylizeSettings, Selection | None, Regions | None]:
        """What paintings of working size depend on."""
        settings = replace(self.settings, steady=1, paint_every=1, keep_colors=False)
        return settings, self.selection, self.regions


class RenderThread:
    """Renders the newest captured frame, again and again, in a thread of its own.

    Until the stylizer is loaded and compiled, frames pass through unchanged. A still or paused
    frame is rendered again when a setting or style changes.

    Attributes:
        rendered: holds the newest rendered frame; closed at the end, with the error if any.
        stylizer: None until it is loaded.
        paint_ms: moving average of the time to paint a frame, at working size with steadiness.
        wait_ms: moving average of the time between capture and rendering.
        reused: number of frames that equaled the one before.
        work_size: short side at which the last frame was rendered, in pixels.
        every: one of so many frames is painted.
        show_s: seconds that it takes to show a frame, set by the session: no more are useful.
        missing_size: (width, height) that has to be compiled next, None if there is none.
        missing_regions: regions that have to be loaded next, and the size to compile for them.
        loads_regions: somebody loads them; without, they are loaded with the frame.
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
        self._regions: Regions | None = None
        self._current: CapturedFrame | None = None
        self._taken_s = 0.0
        self._plan: _RenderPlan | None = None
        self.every = 1
        self.show_s = 0.0
        self._last: RenderedFrame | None = None
        self._steady = SteadyRenderer()
        self._finisher = ThreadPoolExecutor(1, "finish")
        self._finishing: Future[None] | None = None
        self._is_settled = False
        self._has_painted = False
        self._next_number = 0
        self.missing_size: Size | None = None
        self.missing_regions: tuple[Regions, Size] | None = None
        self.loads_regions = False
        self._ready_sizes: set[Size] = set()
        self._ready_regions: set[tuple[Regions, Size]] = set()
        self._next_regions: Regions | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="render", daemon=True)

    @property
    def thread(self) -> threading.Thread:
        """The thread that renders."""
        return self._thread

    def start(self) -> None:
        """Start rendering; with a mask, frames pass through until it is loaded."""
        self._next_regions = self._state.request.regions
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
                if captured is None or self._state.request.is_paused:
                    self._render_again()
                elif captured.number >= self._next_number:
                    self._render_next(captured)
            self._wait_finished()
            if not self._stopped.is_set():
                self._frames.take(0)  # raises the error that ended the capture, if any
                self._render_last()
            self.rendered.close()
        except BaseException as error:  # noqa: BLE001 - raised again by the consumer of the frames
            self.rendered.close(error)
        finally:
            self._steady.close()
            self._finisher.shutdown(wait=False)

    def _render_last(self) -> None:
        """Render the last frame of a source that ended before everything was loaded."""
        while (
            self._current is not None and not self._has_painted and not self._stopped.wait(_POLL_S)
        ):
            self._render_again()
            self._wait_finished()

    def _render_next(self, captured: CapturedFrame) -> None:
        """Render a new frame."""
        last, self._current = self._current, captured
        self._taken_s = time.monotonic()
        if last is None or captured.at_s > last.at_s + _GAP_S or captured.opening != last.opening:
            self._steady.reset()
        self._render(captured)

    def _render_again(self) -> None:
        """Render the current frame again if the result would change."""
        current = self._current
        if current is None:
            return
        plan, now_s = self._choose(self._state.request, size_of(current.frame)), time.monotonic()
        is_still = self._state.request.is_paused or now_s > self._taken_s + _STILL_S
        if plan != self._plan or (is_still and self._may_change(plan, current.frame)):
            self._render(replace(current, at_s=now_s))

    def _render(self, captured: CapturedFrame) -> None:
        """Render a frame and pass it on; with steadiness, another thread finishes it."""
        request, content = self._state.request, captured.frame
        plan = self._choose(request, size_of(content))
        stylizer = plan.stylizer
        done = RenderedFrame(
            content, content, captured.number, captured.at_s,
            is_painted=stylizer is not None or (self.stylizer is not None and request.is_original),
        )  # fmt: skip
        self._has_painted = done.is_painted
        is_new = plan != self._plan
        may_reuse = not is_new and not self._may_change(plan, content)
        # During a transition to another style, the result is not final yet.
        self._is_settled = not is_new and (stylizer is None or not stylizer.is_fading)
        self._plan = plan
        begun = time.monotonic()
        if stylizer is None:
            self._wait_finished()  # or the frame before could come after this one
            self._pass_on(done)
            return
        self.wait_ms.add(1000 * (begun - captured.at_s))
        if may_reuse:
            self._wait_finished()
        if may_reuse and self._last is not None and is_same(content, self._last.content):
            self.reused += 1
            self._pass_on(replace(done, painting=self._last.painting))
            return
        stylizer.settings = plan.settings
        if plan.is_frame_by_frame:
            self._steady.reset()
            self._wait_finished()
            self._pass_on(replace(done, painting=paint(stylizer, content)))
            took = FrameTime(time.monotonic() - begun)
            self.paint_ms.add(1000 * took.busy_s)
        else:
            took = self._render_steady(stylizer, plan, done, begun)
        self._update_resolution(took, captured.number, min(size_of(content)))

    def _render_steady(
        self, stylizer: LiveStylizer, plan: _RenderPlan, done: RenderedFrame, begun: float
    ) -> FrameTime:
        """Follow a frame and let the other thread finish it; return what it took."""
        steady = self._steady
        every = self._every(plan)
        with explained():
            frame = steady.follow(
                stylizer,
                done.content,
                every=every,
                look=plan.look,
                is_masked=plan.regions is not None,
            )
        self._wait_finished()
        self._finishing = self._finisher.submit(self._finish, frame, done)
        if steady.painting_s is not None:
            self.paint_ms.add(1000 * steady.painting_s)
        busy_s = max(time.monotonic() - begun, self.show_s)
        return FrameTime(busy_s, steady.painting_s, steady.is_painting)

    def _finish(self, frame: FollowedFrame, done: RenderedFrame) -> None:
        """Finish a followed frame and pass it on, in the other thread."""
        with explained():
            painting = self._steady.finish(frame)
        self._pass_on(replace(done, painting=checked(painting, done.content)))

    def _wait_finished(self) -> None:
        """Wait for the other thread; raises its error, if any."""
        finishing, self._finishing = self._finishing, None
        if finishing is not None:
            finishing.result()

    def _pass_on(self, done: RenderedFrame) -> None:
        self._last = done
        self.rendered.put(done)

    def _every(self, plan: _RenderPlan) -> int:
        """Return how often to paint: one of so many frames."""
        wanted = plan.settings.paint_every
        if wanted != "auto":
            self.every = wanted
        else:
            self.every = 1 if self._resolution is None else self._resolution.level.every
        return self.every

    def _may_change(self, plan: _RenderPlan, content: Frame) -> bool:
        """Return True if the same frame and plan may give another result."""
        stylizer = plan.stylizer
        if stylizer is None:
            return False
        if not plan.is_frame_by_frame:
            return not self._steady.is_settled(content, plan.look)
        return stylizer.is_fading or not self._is_settled

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
        settings = replace(request.settings, work_size="full" if is_tiny else self.work_size)
        if settings.intensity < 1 and not stylizer.has_predictor:
            # The predictor is not loaded yet; a cross-fade needs none.
            settings = replace(settings, blend="pixel")
        return _RenderPlan(stylizer, settings, self._applied, self._regions)

    def _choose_size(self, request: RenderRequest, size: Size) -> bool:
        """Use the requested working size once it is compiled; False if no size is compiled yet."""
        automatic = self._fixed_size if self._resolution is None else self._resolution.level.size
        requested = requested_lines(request.settings, limit=min(size))
        wanted = min(automatic if requested is None else requested, *size)
        exact, regions = fit_short_side(size, wanted), request.regions
        self.missing_size = self.missing_regions = None
        if self._is_ready(exact, regions):
            self.work_size, self._next_regions = wanted, regions
            return True
        if regions is None or not self.loads_regions:
            self.missing_size = exact
        else:
            self.missing_regions = regions, exact
        return self._is_ready(fit_short_side(size, self.work_size), self._next_regions)

    def _is_ready(self, size: Size, regions: Regions | None) -> bool:
        if regions is None or not self.loads_regions:
            return size in self._ready_sizes
        return (regions, size) in self._ready_regions

    def add_regions(self, regions: Regions, size: Size) -> None:
        """Mark regions as loaded for a working size (width, height). Thread-safe."""
        self._ready_regions.add((regions, size))

    def add_size(self, size: Size) -> None:
        """Mark a working size (width, height) as compiled. Thread-safe."""
        self._ready_sizes.add(size)

    def _apply(self, stylizer: LiveStylizer, request: RenderRequest) -> None:
        """Switch to the requested styles once they are loaded; keep the current ones until then."""
        if self._next_regions != self._regions:
            self._apply_regions(stylizer, self._next_regions)
        wanted = request.selection
        if wanted is None or wanted == self._applied:
            return
        if all(stylizer.has_loaded(style) for style in wanted.styles):
            stylizer.set_style(wanted.styles, wanted.mix)
            self._applied = wanted

    def _apply_regions(self, stylizer: LiveStylizer, regions: Regions | None) -> None:
        """Use a mask; where that fails, say so and use none."""
        try:
            stylizer.set_regions(regions)
        except NstVideoError as error:
            self._state.say(str(error))
            self._state.set_regions(None)
            regions = self._next_regions = None
            stylizer.set_regions(None)
        self._regions = regions

    def _update_resolution(self, took: FrameTime, number: int, limit: int) -> None:
        """Choose the working size, and how often to paint, from what frames take."""
        resolution, settings = self._resolution, self._state.request.settings
        if resolution is None:
            return
        rates: tuple[int, ...] | None = None
        if not settings.is_frame_by_frame:
            rates = CARRYING if settings.paint_every == "auto" else (settings.paint_every,)
        lines = requested_lines(settings, limit)
        resolution.choose_among(rates, lines)
        if rates is None and lines is not None:
            return
        level = resolution.update(took, time.monotonic(), limit)
        if rates is None:
            self.every = level.every
        self._next_number = number + (level.every if rates is None else 1)
