"""Films a picture at rest with a noisy camera for minutes: does the painting drift?

    python tools/endurance/static_camera.py photo.jpg --minutes 10

Every frame is the picture with noise of its own, painted frame by frame and shown steady. For each
minute it prints mean and variance of the brightness shown, relative to those of the paintings of
the same minute; how far the local mean is from that of the paintings (dirt that accumulates would
let it grow); and the mean squared change from frame to frame, painted and shown. The exit status is
1 if mean or variance change by more than 1 % after the first minute.
"""

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from nst_video.frames import Floats, Frame
from nst_video.image.files import load_picture
from nst_video.image.resize import resize_area
from nst_video.settings import StylizeSettings
from nst_video.stylizer import Stylizer
from nst_video.temporal import Steadiness
from nst_video.temporal.planes import luma_of, planes_of_rgb

SIZE = (320, 180)
FPS = 30
ALLOWED = 0.01
LOCAL_SIGMA = 8.0


@dataclass
class Minute:
    """Sums over the frames of a minute."""

    frames: int = 0
    mean: float = 0.0
    variance: float = 0.0
    change: float = 0.0
    average: Floats = field(default_factory=lambda: np.zeros(SIZE[::-1], np.float32))

    def add(self, luma: Floats, before: Floats | None) -> None:
        """Count a frame."""
        self.frames += 1
        self.mean += float(luma.mean())
        self.variance += float(luma.var())
        self.average += luma
        if before is not None:
            self.change += float(np.square(luma - before).mean())

    def local_mean(self) -> Floats:
        """Return the average frame without its strokes."""
        average = self.average / np.float32(self.frames)
        return np.asarray(cv2.GaussianBlur(average, (0, 0), LOCAL_SIGMA), np.float32)


def film(picture: Frame, style: str, minutes: int, noise: float) -> bool:
    """Film, print a line for each minute, and return whether nothing drifts."""
    random = np.random.default_rng(1)
    stylizer = Stylizer(style, StylizeSettings(steady=0))
    steadiness = Steadiness(StylizeSettings().steady)
    before: list[Floats | None] = [None, None]
    first: tuple[float, float] | None = None
    is_steady = True
    print("minute  mean  variance  local mean  change painted  change shown")
    for number in range(1, minutes + 1):
        painted, shown = Minute(), Minute()
        for _ in range(60 * FPS):
            levels = picture + random.normal(0, noise, picture.shape).astype(np.float32)
            frame = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
            step = steadiness.follow(luma_of(frame))
            planes = planes_of_rgb(np.asarray(stylizer(frame)))
            lumas = (planes[0], steadiness.show(step, planes)[0])
            for index, (minute, luma) in enumerate(zip((painted, shown), lumas, strict=True)):
                values = luma.astype(np.float32)
                minute.add(values, before[index])
                before[index] = values
        ratios = (shown.mean / painted.mean, shown.variance / painted.variance)
        first = first or ratios
        is_steady &= all(
            abs(now / then - 1) <= ALLOWED for now, then in zip(ratios, first, strict=True)
        )
        far = float(np.sqrt(np.square(shown.local_mean() - painted.local_mean()).mean()))
        changes = (minute.change / minute.frames for minute in (painted, shown))
        print(
            f"{number:6}  {ratios[0]:.4f}  {ratios[1]:.4f}  {far:10.2f}  "
            + "  ".join(f"{change:.3f}" for change in changes),
            flush=True,
        )
    return is_steady


def main() -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("picture", type=Path)
    parser.add_argument("--style", default="wave")
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--noise", type=float, default=2.0, help="standard deviation, of 255")
    options = parser.parse_args()
    picture = resize_area(load_picture(options.picture), SIZE)
    return 0 if film(picture, options.style, options.minutes, options.noise) else 1


if __name__ == "__main__":
    sys.exit(main())
