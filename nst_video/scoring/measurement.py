"""The measures of a source and the films painted from it, in one pass over their frames."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from statistics import fmean
from types import MappingProxyType
from typing import Protocol, TypeAlias

from nst_video.frames import Frame
from nst_video.scoring.flow import correspondences
from nst_video.scoring.measures import sharpness, warp_error

Series: TypeAlias = Sequence[tuple[float, float]]
"""(seconds, value), in order of time."""

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
class FilmSeries:
    """The measures of a film over time.

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
    """The measures of a source and its painted films.

    Attributes:
        source: of the source.
        painted: of each painted film.
        frames: number of frames that all films have.
        cuts_s: times of scene cuts, in seconds.
        visible: shares of the picture that could be compared, by distance.
    """

    source: FilmSeries
    painted: Sequence[FilmSeries]
    frames: int = 0
    cuts_s: list[float] = field(default_factory=list)
    visible: dict[int, list[float]] = field(
        default_factory=lambda: {distance: [] for distance in STRIDES}
    )


def measure(
    source: Iterable[Frame],
    painted: Sequence[Iterable[Frame]],
    fps: Fraction,
    *,
    is_cut: Callable[[Frame], bool],
    distances: MeasureDistances | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> Measurements:
    """Measure films frame by frame, to the end of the shortest; 20 frames of each are in memory.

    Args:
        source: frames, RGB uint8 (height, width, 3).
        painted: the frames of each painted film, of the same size.
        fps: frames per second of all.
        is_cut: takes each frame of the source; says whether a scene begins with it.
        distances: measures the distances to style and content; None for neither.
        on_frame: called with the number of frames that were measured so far.
    """
    found = Measurements(FilmSeries(), [FilmSeries() for _ in painted])
    films = (found.source, *found.painted)
    recent: deque[tuple[Frame, ...]] = deque(maxlen=max(STRIDES) + 1)
    in_scene = 0
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as workers:
        for index, frames in enumerate(_together([source, *painted])):
            time_s = float(index / fps)
            if is_cut(frames[0]) and index:
                found.cuts_s.append(time_s)
                recent.clear()
                in_scene = 0
            recent.append(frames)
            for film, frame in zip(films, frames, strict=True):
                film.sharpness.append((time_s, sharpness(frame)))
            _compare(found, films, recent, _due(in_scene), time_s, workers)
            if distances is not None and index % DISTANCE_STRIDE == 0:
                _add_distances(found.painted, distances(frames[0], frames[1:]))
            in_scene += 1
            found.frames += 1
            if on_frame is not None:
                on_frame(found.frames)
    return found


def _together(films: Sequence[Iterable[Frame]]) -> Iterator[tuple[Frame, ...]]:
    """Yield the frames of all films, to the end of the shortest."""
    return zip(*films, strict=False)


def _due(in_scene: int) -> list[int]:
    """Return the distances to measure at the frame of this number in its scene, from 0."""
    return [
        distance
        for distance, stride in STRIDES.items()
        if in_scene >= distance and (in_scene - distance) % stride == 0
    ]


def _compare(
    found: Measurements,
    films: Sequence[FilmSeries],
    recent: Sequence[tuple[Frame, ...]],
    due: Sequence[int],
    time_s: float,
    workers: Executor,
) -> None:
    """Add the warp errors between the newest frames and those `due` frames before."""
    newest = recent[-1]
    earlier = [recent[-1 - distance] for distance in due]
    pairs = [(newest[0], frames[0]) for frames in earlier]
    matches = correspondences(pairs, workers)
    for distance, frames, where in zip(due, earlier, matches, strict=True):
        found.visible[distance].append(float(where.visible.mean()))
        for film, now, before in zip(films, newest, frames, strict=True):
            error = warp_error(now, before, where)
            if error is not None:
                film.warp_errors[distance].append((time_s, error))


def _add_distances(painted: Sequence[FilmSeries], values: Sequence[FrameDistances]) -> None:
    for film, value in zip(painted, values, strict=True):
        film.content.append(value.content)
        if value.style is not None:
            film.style.append(value.style)


def mean_or_none(values: Iterable[float]) -> float | None:
    """Return the mean of numbers, None where there are none."""
    listed = list(values)
    return fmean(listed) if listed else None
