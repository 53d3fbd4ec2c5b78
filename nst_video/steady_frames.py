"""Consecutive frames, painted by an engine and shown steady."""

import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import numpy as np
from numpy.typing import NDArray

from nst_video.engines import OnNote, PendingFrames
from nst_video.settings import StylizeSettings
from nst_video.system.allocator import keep_freed_memory
from nst_video.temporal import Steadiness, Step, compile_loops
from nst_video.temporal.planes import PlaneFormat

Pictures = NDArray[np.uint8]
"""Frames in a `PlaneFormat`, uint8; the first axis counts them."""

QUICK = 0.35
"""Factor of the strength during a transition between styles: strokes must follow it."""


SLOW_S = 2.0
"""Seconds of compiling after which the user is told why nothing happens yet."""


class SteadyFrames:
    """Paints the frames of a film in batches, carrying the strokes from each to the next.

    Batches may be submitted before those before them have been waited for, and be waited for in
    any order, by any threads.

    Attributes:
        paintings: frames that were painted, of those since `reset`.
    """

    def __init__(self, on_note: OnNote | None = None) -> None:
        """Begin a film.

        Args:
            on_note: called with a sentence if compiling takes long, from any thread.
        """
        self.paintings = 0
        self._on_note = on_note
        self._is_prepared = False
        self._steadiness = Steadiness(1)
        self._look: Hashable = None
        self._last: _Batch | None = None
        self._submitting, self._showing = threading.Lock(), threading.RLock()
        self._shower = ThreadPoolExecutor(1, "show")

    def __reduce__(self) -> tuple[type["SteadyFrames"], tuple[()]]:
        """Copies begin another film."""
        return SteadyFrames, ()

    def submit(
        self,
        frames: Pictures,
        paint: Callable[..., PendingFrames],
        pixels: PlaneFormat,
        settings: StylizeSettings,
        *,
        look: Hashable,
        is_fading: bool = False,
        masks: NDArray[np.uint8] | None = None,
    ) -> PendingFrames:
        """Begin to paint the next frames of the film.

        Args:
            frames: not to be changed until they are painted.
            paint: begins to paint those of them that have to be painted, if any; it is given these
                frames, and their masks if there are masks.
            pixels: their format.
            settings: how steady, and one of how many frames is painted at least.
            look: whatever else the paintings depend on; where it changes, the strokes begin anew.
            is_fading: the style changes slowly.
            masks: one for each frame, (n, height, width).
        """
        if settings.is_frame_by_frame:
            self.reset()
            return paint(frames) if masks is None else paint(frames, masks)
        if not self._is_prepared and (len(frames) > 1 or self._last is not None):
            self._prepare()
        with self._submitting:
            if look != self._look:
                self._begin_anew(look)
            steadiness = self._steadiness
            steadiness.strength = settings.steady * (QUICK if is_fading else 1)
            steadiness.every = settings.every
            steps = [steadiness.follow(pixels.luma(frame)) for frame in frames]
            wanted = [index for index, step in enumerate(steps) if step.paint]
            chosen = frames if len(wanted) == len(frames) else frames[wanted]
            self.paintings += len(wanted)
            own = [chosen] if masks is None else [chosen, masks[wanted]]
            painting = paint(*own) if wanted else None
            self._last = _Batch(
                steadiness, pixels, frames, steps, painting, self._last, lock=self._showing
            )
            # At once, while the frames after them are followed.
            return PendingFrames(self._shower.submit(self._last.wait).result)

    def _prepare(self) -> None:
        """Compile everything that the second frame needs; single pictures need nothing."""
        keep_freed_memory()
        note = "Compiling for this processor: once, some 20 seconds ..."
        timer = threading.Timer(SLOW_S, self._on_note or (lambda _: None), (note,))
        timer.daemon = True
        timer.start()
        try:
            compile_loops()
        finally:
            timer.cancel()
        self._is_prepared = True

    def reset(self) -> None:
        """Forget the film; batches that are not shown yet are not affected."""
        with self._submitting:
            self.paintings = 0
            self._begin_anew(None)

    def renew(self, frames: int) -> None:
        """Pass over the next frames to the strokes of a film that begins with the next frame."""
        with self._submitting:
            self._steadiness.renew(frames)

    def _begin_anew(self, look: Hashable) -> None:
        """Begin with empty strokes."""
        self._look, self._last = look, None
        self._steadiness = Steadiness(1)


class _Batch:
    """Frames that were followed and are being painted."""

    def __init__(
        self,
        steadiness: Steadiness,
        pixels: PlaneFormat,
        frames: Pictures,
        steps: Sequence[Step],
        painting: PendingFrames | None,
        before: "_Batch | None",
        *,
        lock: AbstractContextManager[bool],
    ) -> None:
        self._steadiness = steadiness
        self._pixels = pixels
        self._frames = frames
        self._steps = steps
        self._painting = painting
        self._before = before
        self._lock = lock
        self._shown: Pictures | None = None

    def wait(self) -> Pictures:
        """Return the frames, steady; those of the batches before are computed first."""
        with self._lock:
            if self._shown is None:
                before, self._before = self._before, None
                if before is not None:
                    before.wait()
                painted = iter(() if self._painting is None else self._painting.wait())
                self._painting = None
                self._shown = np.stack(
                    [
                        self._show(step, frame, next(painted) if step.paint else None)
                        for step, frame in zip(self._steps, self._frames, strict=True)
                    ]
                )
            return self._shown

    def _show(self, step: Step, frame: Pictures, painted: Pictures | None) -> Pictures:
        pixels = self._pixels
        planes = None if painted is None else pixels.split(painted)
        planes = self._steadiness.show(step, planes, lambda: pixels.split(frame))
        # The first painting of a shot is shown as it is, without a round trip through planes.
        return painted if painted is not None and step.motion is None else pixels.join(planes)
