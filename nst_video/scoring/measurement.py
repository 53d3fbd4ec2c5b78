"""The measures of a source and the videos painted from it, in one pass over their frames."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from statistics import fmean
from types import MappingProxyType, TracebackType
from typing import Protocol, Self, TypeAlias

from nst_video.frames import Frame
from nst_video.scoring.flow import correspondence
from nst_video.scoring.measures import sharpness, warp_error
from nst_video.system.opencv_threads import one_opencv_thread_on_few_cores

Series: TypeAlias = Sequence[tuple[float, float]]
"""(seconds, value), in order of time."""

_Compared: TypeAlias = tuple[float, Sequence[float | None]]
"""The share of the picture that is visible in both frames, and each video's warp error."""

STRIDES: Mapping[int, int] = MappingProxyType({1: 2, 5: 4, 20: 4})
"""Distances in frames at which warp errors are measured, each with the number of frames from one
measurement to the next. Measured at every frame instead, the mean errors of two clips of 40 frames
change by at most 7 %, and scoring takes 2.5 times the processor time."""

DISTANCE_STRIDE = 24
"""Frames between two measurements of the distances to style and content, which change slowly."""


class FrameDistances(Protocol):
    """Relative squared distances of a painted frame: to its content, and to the style, if any."""

    @property
    def content(self) -> float:
        """Distance to the source's frame."""
        ...

    @property
    def style(self) -> float | None:
        """Distance to the style."""
        ...


MeasureDistances: TypeAlias = Callable[[Frame, Sequence[Frame]], Sequence[FrameDistances]]
"""Measures a source's frame and the frames painted from it."""


@dataclass(slots=True)
class VideoSeries:
    """The measures of a video over time.

    Attributes:
        warp_errors: (seconds, error) by distance in frames.
        sharpness: (seconds, sharpness).
        content: distances to the content.
        style: distances to the style.
    """

    warp_errors: dict[int, list[tuple[float, float]]] = field(
        default_factory=lambda: {distance: [] for distance in STRIDES}
    )
    sharpness: list[tuple[float, float]] = field(default_factory=list)
    content: list[float] = field(default_factory=list)
    style: list[float] = field(default_factory=list)

    @property
    def mean_warp_errors(self) -> dict[int, float | None]:
        """The mean warp error by distance, None where nothing could be compared."""
        return {
            distance: mean_or_none(value for _, value in series)
            for distance, series in self.warp_errors.items()
        }

    @property
    def mean_sharpness(self) -> float:
        """The mean sharpness; 0 without frames."""
        return mean_or_none(value for _, value in self.sharpness) or 0.0


@dataclass(slots=True)
class Measurements:
    """The measures of a source and its painted videos.

    Attributes:
        source: of the source.
        painted: of each painted video.
        frames: number of frames that all videos have.
        cuts_s: times of scene cuts, in seconds.
        visible: shares of the picture that could be compared, by distance.
    """

    source: VideoSeries
    painted: Sequence[VideoSeries]
    frames: int = 0
    cuts_s: list[float] = field(default_factory=list)
    visible: dict[int, list[float]] = field(
        default_factory=lambda: {distance: [] for distance in STRIDES}
    )

    @property
    def videos(self) -> tuple[VideoSeries, ...]:
        """All series, that of the source first."""
        return (self.source, *self.painted)


def measure(
    source: Iterable[Frame],
    painted: Sequence[Iterable[Frame]],
    fps: Fraction,
    *,
    is_cut: Callable[[Frame], bool],
    distances: MeasureDistances | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> Measurements:
    """Measure videos frame by frame, to the end of the shortest; 20 frames of each are in memory.

    Args:
        source: frames, RGB uint8 (height, width, 3).
        painted: the frames of each painted video, of the same size.
        fps: frames per second of all.
        is_cut: takes each frame of the source; says whether a scene begins with it.
        distances: measures the distances to style and content; None for neither.
        on_frame: called with the number of frames that were measured so far.
    """
    found = Measurements(VideoSeries(), [VideoSeries() for _ in painted])
    recent: deque[tuple[Frame, ...]] = deque(maxlen=max(STRIDES) + 1)
    in_scene = 0
    with one_opencv_thread_on_few_cores(), _Comparisons(found) as comparisons:
        for index, frames in enumerate(_together([source, *painted])):
            time_s = float(index / fps)
            if is_cut(frames[0]) and index:
                found.cuts_s.append(time_s)
                recent.clear()
                in_scene = 0
            recent.append(frames)
            for video, frame in zip(found.videos, frames, strict=True):
                video.sharpness.append((time_s, sharpness(frame)))
            for distance in _due(in_scene):
                comparisons.begin(distance, time_s, frames, recent[-1 - distance])
            if distances is not None and index % DISTANCE_STRIDE == 0:
                _add_distances(found.painted, distances(frames[0], frames[1:]))
            in_scene += 1
            found.frames += 1
            if on_frame is not None:
                on_frame(found.frames)
    return found


def _together(videos: Sequence[Iterable[Frame]]) -> Iterator[tuple[Frame, ...]]:
    """Yield the frames of all videos, to the end of the shortest."""
    return zip(*videos, strict=False)


def _due(in_scene: int) -> list[int]:
    """Return the distances to measure at the frame of this number in its scene, from 0."""
    return [
        distance
        for distance, stride in STRIDES.items()
        if in_scene >= distance and (in_scene - distance) % stride == 0
    ]


class _Comparisons:
    """Compares frames in threads, while the next ones are read, and adds the results in order."""

    def __init__(self, found: Measurements) -> None:
        self._found = found
        count = min(4, os.cpu_count() or 1)
        self._workers = ThreadPoolExecutor(count, "compare")
        self._most = 2 * count
        self._pending: deque[tuple[int, float, Future[_Compared]]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            while self._pending and error is None:
                self._add_oldest()
        finally:
            self._workers.shutdown(cancel_futures=True)

    def begin(
        self, distance: int, time_s: float, now: Sequence[Frame], before: Sequence[Frame]
    ) -> None:
        """Begin to compare the frames of all videos, the source first, with earlier ones."""
        if len(self._pending) == self._most:
            self._add_oldest()
        self._pending.append((distance, time_s, self._workers.submit(_compare, now, before)))

    def _add_oldest(self) -> None:
        distance, time_s, comparison = self._pending.popleft()
        visible, errors = comparison.result()
        self._found.visible[distance].append(visible)
        for video, error in zip(self._found.videos, errors, strict=True):
            if error is not None:
                video.warp_errors[distance].append((time_s, error))


def _compare(now: Sequence[Frame], before: Sequence[Frame]) -> _Compared:
    """Return what is visible in both of the source's frames, which come first, and all errors."""
    where = correspondence(now[0], before[0])
    errors = [warp_error(*each, where) for each in zip(now, before, strict=True)]
    return float(where.visible.mean()), errors


def _add_distances(painted: Sequence[VideoSeries], values: Sequence[FrameDistances]) -> None:
    for video, value in zip(painted, values, strict=True):
        video.content.append(value.content)
        if value.style is not None:
            video.style.append(value.style)


def mean_or_none(values: Iterable[float]) -> float | None:
    """Return the mean of numbers, None where there are none."""
    listed = list(values)
    return fmean(listed) if listed else None
