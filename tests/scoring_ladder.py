"""A moving scene and videos painted from it that are unsteady, steady, blurred and averaged."""

from fractions import Fraction

import cv2
import numpy as np

from nst_video.frames import Frame
from nst_video.temporal import Steadiness
from nst_video.temporal.planes import luma_of, planes_of_rgb, rgb_of_planes

FPS = Fraction(25)
SIZE = (160, 96)
STEP_PX = 1


def texture(size: tuple[int, int], fineness_px: float, seed: int) -> np.ndarray:
    """Return smooth random gray levels (h, w, 1), mean 0, deviation 1."""
    noise = np.random.default_rng(seed).standard_normal((size[1], size[0])).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), fineness_px)
    return ((smooth - smooth.mean()) / smooth.std())[..., None]


def scene(count: int, seed: int = 0) -> list[Frame]:
    """Return a pan over a random picture."""
    width, height = SIZE
    size = (width + count * STEP_PX, height)
    # Coarse and fine structure, as real pictures have.
    wide = 128 + 30 * texture(size, 12, seed) + 20 * texture(size, 2.5, seed + 1000)
    return [window(wide.repeat(3, axis=2), index) for index in range(count)]


def window(wide: np.ndarray, index: int) -> Frame:
    part = wide[:, index * STEP_PX : index * STEP_PX + SIZE[0]]
    return np.ascontiguousarray(np.clip(part, 0, 255), np.uint8)


def strokes(index: int) -> np.ndarray:
    """Return strokes (h, w, 3) that are others in every frame."""
    return 30 * texture(SIZE, 0.8, 100 + index) * np.array((1, 0.5, -0.5), np.float32)


def painted_by_frame(source: list[Frame]) -> list[Frame]:
    return [
        np.clip(frame + strokes(index), 0, 255).astype(np.uint8)
        for index, frame in enumerate(source)
    ]


def shifted(frame: np.ndarray) -> np.ndarray:
    """Return what a frame of the pan becomes in the next."""
    moved = np.roll(frame, -STEP_PX, axis=1)
    moved[:, -STEP_PX:] = frame[:, -STEP_PX:]
    return moved


def averaged(painted: list[Frame], keep: float) -> list[Frame]:
    """Return the moving average along the motion of the pan."""
    shown = [painted[0].astype(np.float32)]
    for frame in painted[1:]:
        shown.append(keep * shifted(shown[-1]) + (1 - keep) * frame)
    return [np.rint(frame).astype(np.uint8) for frame in shown]


def steadied(source: list[Frame], painted: list[Frame]) -> list[Frame]:
    """Return what users see: strokes carried along the motion that is found in the source."""
    steadiness = Steadiness(1.0)
    shown = []
    for frame, painting in zip(source, painted, strict=True):
        step = steadiness.follow(luma_of(frame))
        shown.append(rgb_of_planes(steadiness.show(step, planes_of_rgb(painting))))
    return shown


def blurred(painted: list[Frame], radius_px: float) -> list[Frame]:
    return [cv2.GaussianBlur(frame, (0, 0), radius_px) for frame in painted]
