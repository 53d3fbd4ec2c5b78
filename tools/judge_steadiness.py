"""Judges how steady painted films are along a flow that neither steadies nor scores them.

    python tools/judge_steadiness.py SOURCE [PAINTED ...] [--style wave] [--vgg VGG19.npz]

PAINTED are films of SOURCE; the first was painted frame by frame. Without them SOURCE is painted
here, at `--width`: frame by frame, as by default, and as by `transcode --fast`. Printed are warp
errors (Lai et al. 2018, see `nst_video.scoring.measures`) at 1 and 5 frames, in 1e-4; the error
frame by frame over the film's own; sharpness relative to frame by frame; and, given VGG-19, the
distance of Gram matrices to the style, relative to frame by frame, too.

The flow is DeepFlow (Weinzaepfel et al. 2013) where OpenCV has its contributed modules
(`pip install opencv-contrib-python` in an environment of its own), else Farneback's, which misses
fast motion. Only what both frames show counts: where the flow there and back ends where it began.

The exit status is 1 where a film misses what is asked of it: 4 times as steady at 1 frame,
sharpness of 0.95 to 1.1, a Gram distance of at most 1.05.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from nst_video.engines import fast_engine
from nst_video.frames import Frame
from nst_video.image.optical_flow import Flow, warp
from nst_video.scoring.flow import Correspondence
from nst_video.scoring.measures import sharpness, warp_error
from nst_video.settings import FAST_PAINT_EVERY, FAST_WORK_SIZE, ModelOptions, StylizeSettings
from nst_video.style_library.library import StyleLibrary
from nst_video.stylizer import Stylizer
from nst_video.video.media.codec_options import DecodeOptions
from nst_video.video.sources import open_source

DISTANCES, STRIDE, FIRST = (1, 5), 4, 8
"""Frames between those compared, from one comparison to the next, and before the first of them."""

STEADIER, SHARPNESS, GRAM = 4.0, (0.95, 1.1), 1.05
"""What is asked of a steady film, relative to frame by frame."""

GRAM_STRIDE, STYLE_SIDE = 8, 512
"""Frames from one Gram distance to the next, and the longer side of the style, in pixels."""

FlowMethod = Callable[[Frame, Frame], Flow]
Correspondences = Mapping[int, Sequence[tuple[int, Correspondence]]]
"""By distance: numbers of frames, and where their pixels were so many frames before."""


@dataclass(frozen=True, slots=True)
class Judgment:
    """The measures of one film.

    Attributes:
        errors: the mean warp error, by distance.
        sharpness: the mean variance of the Laplacian.
        gram: the mean relative distance of Gram matrices to the style's; NaN without VGG-19.
    """

    errors: Mapping[int, float]
    sharpness: float
    gram: float = float("nan")


def find_flow_method() -> tuple[str, FlowMethod]:
    """Return the name of the best flow at hand, and the flow from a frame to another."""
    contributed = getattr(cv2, "optflow", None)
    if contributed is None:
        return "Farneback", lambda a, b: np.asarray(
            cv2.calcOpticalFlowFarneback(_gray(a), _gray(b), None, 0.5, 5, 15, 5, 7, 1.5, 0),  # type: ignore[call-overload]  # None is right
            np.float32,
        )
    deep = contributed.createOptFlow_DeepFlow()
    return "DeepFlow", lambda a, b: np.asarray(deep.calc(_gray(a), _gray(b), None), np.float32)


def correspond(source: Sequence[Frame], flow: FlowMethod) -> Correspondences:
    """Match frames of a source with earlier ones."""
    found: dict[int, list[tuple[int, Correspondence]]] = {}
    for distance in DISTANCES:
        numbers = range(max(FIRST, distance), len(source), STRIDE)
        found[distance] = [
            (n, _correspondence(source[n], source[n - distance], flow)) for n in numbers
        ]
    return found


def _correspondence(frame: Frame, earlier: Frame, flow: FlowMethod) -> Correspondence:
    """Return what both frames show: there and back, the flow returns (Sundaram et al. 2010)."""
    back, forth = flow(frame, earlier), flow(earlier, frame)
    returned = warp(forth, back)
    gap, length = _square(back + returned), _square(back) + _square(returned)
    return Correspondence(back, (gap < 0.01 * length + 0.5).astype(np.float32))


def judge(film: Sequence[Frame], where: Correspondences) -> Judgment:
    """Return a film's measures, given the correspondences of its source."""
    errors = {
        distance: _mean([warp_error(film[n], film[n - distance], each) for n, each in matches])
        for distance, matches in where.items()
    }
    return Judgment(errors, _mean([sharpness(frame) for frame in film[FIRST:]]))


def gram_distances(
    films: Mapping[str, Sequence[Frame]], style: Frame, vgg: Path
) -> Mapping[str, float]:
    """Return the mean distance of each film's Gram matrices to a style's, judged by VGG-19."""
    from nst_video.networks.vgg import load_loss_network
    from nst_video.scoring.distances import DistanceMeter

    meter = DistanceMeter(load_loss_network("vgg19", vgg), style, STYLE_SIDE)
    found: dict[str, list[float]] = {name: [] for name in films}
    numbers = range(FIRST, min(map(len, films.values())), GRAM_STRIDE)
    for n in numbers:
        frames = [film[n] for film in films.values()]
        for name, each in zip(films, meter(frames[0], frames), strict=True):
            found[name].append(float("nan") if each.style is None else each.style)
    return {name: _mean(each) for name, each in found.items()}


def paint(source: Sequence[Frame], style: str) -> dict[str, list[Frame]]:
    """Return a source painted frame by frame, as by default, and as by `transcode --fast`."""
    fast = StylizeSettings(paint_every=FAST_PAINT_EVERY, work_size=FAST_WORK_SIZE)
    ways = {
        "frame by frame": (StylizeSettings(steady=0), ModelOptions()),
        "default": (StylizeSettings(), ModelOptions()),
        "fast": (fast, ModelOptions(engine=fast_engine())),
    }
    films = {}
    for name, (settings, options) in ways.items():
        stylizer = Stylizer(style, settings, options)
        films[name] = [np.asarray(stylizer(frame)) for frame in source]
    return films


def report(films: Mapping[str, Judgment]) -> bool:
    """Print a line for each film, the source and frame by frame first; return whether all hold."""
    print(f"{'':24}{'error 1':>9}{'error 5':>9}{'x':>8}{'x':>8}{'sharpness':>11}{'Gram':>8}")
    base = list(films.values())[min(1, len(films) - 1)]
    holds = True
    for index, (name, film) in enumerate(films.items()):
        ratios = [base.errors[each] / film.errors[each] for each in DISTANCES]
        sharp, gram = film.sharpness / base.sharpness, film.gram / base.gram
        errors = "".join(f"{film.errors[each]:9.2f}" for each in DISTANCES)
        print(f"{name[:23]:24}{errors}{ratios[0]:8.2f}{ratios[1]:8.2f}{sharp:11.3f}{gram:8.3f}")
        if index > 1:
            holds &= ratios[0] >= STEADIER and SHARPNESS[0] <= sharp <= SHARPNESS[1]
            holds &= not gram > GRAM
    return holds


def main() -> int:
    """Judge, and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("painted", type=Path, nargs="*", help="the first: frame by frame")
    parser.add_argument("--style", default="wave")
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--start", type=float, default=0.0, help="of SOURCE, in seconds")
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--vgg", type=Path, help="weights of VGG-19: judge Gram matrices, too")
    given = parser.parse_args()
    source = read(given.source, given.width, given.frames, given.start)
    if given.painted:
        size = source[0].shape[1::-1]
        films = {each.stem: read(each, size, given.frames) for each in given.painted}
    else:
        films = paint(source, given.style)
    count = min(len(source), *map(len, films.values()))
    films = {"source": source[:count]} | {name: film[:count] for name, film in films.items()}
    name, flow = find_flow_method()
    where = correspond(films["source"], flow)
    seen = [_mean([float(each.visible.mean()) for _, each in where[n]]) for n in DISTANCES]
    print(f"{given.source.name}: {count} frames, {name}, {seen[0]:.0%} and {seen[1]:.0%} visible")
    judged = {name: judge(film, where) for name, film in films.items()}
    if given.vgg is not None:
        grams = gram_distances(films, StyleLibrary().get(given.style).load(), given.vgg)
        judged = {k: Judgment(v.errors, v.sharpness, grams[k]) for k, v in judged.items()}
    return 0 if report(judged) else 1


def read(path: Path, size: int | tuple[int, int], frames: int, start_s: float = 0.0) -> list[Frame]:
    """Return the first frames of a film, of a width or a size (width, height)."""
    wanted = (size, None) if isinstance(size, int) else size
    with open_source(path, DecodeOptions(size=wanted, start_s=start_s)) as opened:
        return [frame.copy() for frame in islice(opened, frames)]


def _gray(frame: Frame) -> Frame:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY))


def _square(vectors: Flow) -> Flow:
    return np.asarray(np.square(vectors).sum(-1), np.float32)


def _mean(values: Sequence[float | None]) -> float:
    """Return the mean of those that could be measured."""
    known = [each for each in values if each is not None]
    return float(np.mean(known)) if known else float("nan")


if __name__ == "__main__":
    sys.exit(main())
