"""Masks of the people in consecutive frames: found in each frame, and held still along the flow."""

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Floats, Frame, Luma
from nst_video.image.dis_flow import DisFlow
from nst_video.image.resize import Pixel, resize_area
from nst_video.networks.segmenter import SIZE
from nst_video.segmentation.edges import follow_edges
from nst_video.segmentation.segmenters import Segmenter

HELD = 0.88
"""Share of the mask that is carried from the frame before where the flow explains the picture.

Warp error of a webcam clip along the source's flow, where that explains the picture, relative to
the network's own masks: 0.39 for `selfie`, 0.27 for `builtin`; the IoU with these is 0.99 and 0.97.
"""

DOUBT = 18.0
"""Difference of brightness, of 255, between a frame and the one before, moved, at which the flow is
half trusted. Noise of a webcam is about 3, uncovered background 20 and more."""

CUT = 30.0
"""Mean difference, of 255, from which nothing is carried: another scene."""

DEFAULT_SOFTNESS = 0.8

_PLACES = np.stack(np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1])), -1).astype(np.float32)
"""(column, row) of every pixel of a mask."""


class PersonMasks:
    """Masks of people, each made of its own frame; earlier ones only steady it."""

    def __init__(self, segmenter: Segmenter, softness: float | None = None) -> None:
        """Begin a film.

        Args:
            segmenter: finds people in single frames.
            softness: 0..1, see `edges.to_bytes`; None for `DEFAULT_SOFTNESS`.
        """
        self.segmenter = segmenter
        self._softness = DEFAULT_SOFTNESS if softness is None else softness
        self._flow = DisFlow()
        self._before: tuple[Floats, Luma] | None = None

    def __call__(self, frame: Frame) -> NDArray[np.uint8]:
        """Return the mask of the next frame (height, width, 3), uint8 (height, width)."""
        return self.follow(frame, np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8))

    def follow(self, picture: Frame, luma: Luma) -> NDArray[np.uint8]:
        """Return the mask of the next frame, uint8 (height, width).

        Args:
            picture: of any size, at least `SIZE`.
            luma: brightness of the frame, uint8 (height, width).
        """
        small = resize_area(luma, SIZE)
        mask = self._carry(self.segmenter(picture), small)
        self._before = mask, small
        return follow_edges(mask, luma, self._softness)

    def reset(self) -> None:
        """Begin another film."""
        self._before = None

    def _carry(self, found: Floats, luma: Luma) -> Floats:
        """Return the mask of a frame mixed with that of the frame before, moved along the flow."""
        if self._before is None:
            return found
        mask, before = self._before
        flow = self._flow(luma, before)
        at = np.asarray(_PLACES + flow, np.float32)
        moved_luma = _remap(before, at)
        difference = cv2.GaussianBlur(cv2.absdiff(luma, moved_luma).astype(np.float32), (0, 0), 1.5)
        if difference.mean() > CUT:
            return found
        moved = _remap(mask, at)
        trust = HELD / (1 + np.square(difference / np.float32(DOUBT)))
        return np.asarray(found + (moved - found) * trust, np.float32)


class StillPersonMasks:
    """Masks of people in pictures that have nothing to do with each other.

    Attributes:
        key: what the masks depend on besides the picture.
    """

    def __init__(self, segmenter: Segmenter) -> None:
        """Take what finds people."""
        self.key = f"{segmenter.name} {SIZE}"
        self._masks = PersonMasks(segmenter)

    def __call__(self, picture: Frame) -> Floats:
        """Return the mask of a picture (height, width, 3), float32 (height, width), 0..1."""
        self._masks.reset()
        return self._masks(picture).astype(np.float32) * np.float32(1 / 255)


def _remap(image: NDArray[Pixel], at: Floats) -> NDArray[Pixel]:
    """Return the values of an image (height, width) at (height, width, 2) places: (column, row)."""
    columns, rows = at[..., 0], at[..., 1]
    moved = cv2.remap(image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, image.dtype)
