"""Measures what the joins of chunks do to a film: flicker and sharpness with and without one.

    python tools/seams.py clip.mp4 --style wave --frames 12 24 48

A clip is painted as one chunk, and again with the end of a chunk in its middle. Printed is the warp
error (see `nst-video score`) of the frames on the way from one chunk to the next, and of the first
after it, relative to the same frames of the film without a join; then their sharpness.
"""

import argparse
import sys
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path

import numpy as np

from nst_video.frames import Frame
from nst_video.scoring.flow import Correspondence, correspondence
from nst_video.scoring.measures import sharpness, warp_error
from nst_video.settings import RENEWAL_FRAMES, StylizeSettings
from nst_video.stylizer import Stylizer
from nst_video.video.media.codec_options import DecodeOptions
from nst_video.video.sources import open_source


def paint(stylizer: Stylizer, source: list[Frame], at: int, count: int) -> Iterator[Frame]:
    """Yield a film, painted with a renewal of `count` frames that begins at frame `at`."""
    stylizer.reset()
    for number, frame in enumerate(source):
        if number == at and count:
            stylizer.renew(count)
        yield stylizer(frame)


def errors(film: list[Frame], seen: list[Correspondence], frames: range) -> list[float]:
    """Return the warp errors of frames against those before."""
    found = (warp_error(film[n], film[n - 1], seen[n - 1]) for n in frames)
    return [each for each in found if each is not None]


def main() -> int:
    """Run the tool; return 1 if a join has more than 1.1 times the flicker of the film."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--style", default="wave")
    parser.add_argument("--frames", type=int, nargs="+", default=[RENEWAL_FRAMES])
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--at", type=int, default=60, help="frame at which new strokes begin")
    parser.add_argument("--every", type=int, default=1, help="one of so many frames is painted")
    parser.add_argument("--intensity", type=float, default=1.0)
    given = parser.parse_args()
    settings = StylizeSettings(paint_every=given.every, intensity=given.intensity)
    stylizer = Stylizer(given.style, settings)
    worst = 0.0
    for clip in given.clips:
        longest = max(given.frames)
        with open_source(clip, DecodeOptions(size=(given.width, None))) as opened:
            source = [frame.copy() for frame in islice(opened, given.at + longest + 2)]
        seen = [correspondence(b, a) for a, b in pairwise(source)]
        plain = list(paint(stylizer, source, given.at, 0))
        for count in given.frames:
            film = list(paint(stylizer, source, given.at, count))
            frames = range(given.at, min(given.at + count + 1, len(source)))
            usual, joined = (np.mean(errors(each, seen, frames)) for each in (plain, film))
            inside = np.mean(errors(plain, seen, range(12, given.at)))
            sharp = [np.mean([sharpness(each[n]) for n in frames]) for each in (plain, film)]
            middle = given.at + count // 2
            dip = sharpness(film[middle]) / sharpness(plain[middle])
            worst = max(worst, joined / usual)
            print(
                f"{clip.name}, {count} frames: warp error {joined:.2f}, without a join "
                f"{usual:.2f} ({joined / usual:.3f} times; before it {inside:.2f}), sharpness "
                f"{sharp[1] / sharp[0]:.2f} of that without, {dip:.2f} in the middle",
                flush=True,
            )
    return int(worst > 1.1)


if __name__ == "__main__":
    sys.exit(main())
