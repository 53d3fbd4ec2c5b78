"""Painted frames as three planes, brightness and two of color at half size (4:2:0).

Color at half size halves the work, and is what video files and cameras hold anyway.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Frame, size_of
from nst_video.image.resize import resize_area

Plane: TypeAlias = NDArray[np.uint8]
"""uint8 (height, width)."""

Planes: TypeAlias = tuple[Plane, Plane, Plane]
"""Brightness, (height, width), and two planes of color, about half as high and wide."""


@dataclass(frozen=True, slots=True)
class PlaneFormat:
    """How frames of one pixel format are turned into planes and back.

    Attributes:
        luma: returns the brightness of a frame, uint8 (height, width).
        split: returns the planes of a frame.
        join: returns the frame of planes.
    """

    luma: Callable[[NDArray[np.uint8]], Plane]
    split: Callable[[NDArray[np.uint8]], Planes]
    join: Callable[[Planes], NDArray[np.uint8]]


def luma_of(frame: Frame) -> Plane:
    """Return the brightness of an RGB frame, uint8 (height, width)."""
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY))


def planes_of_rgb(frame: Frame) -> Planes:
    """Return the planes of an RGB frame, uint8 (height, width, 3): Y, Cr, Cb of BT.601."""
    luma, red, blue = full_planes_of_rgb(frame)
    height, width = luma.shape
    half = ((width + 1) // 2, (height + 1) // 2)
    return luma, resize_area(red, half), resize_area(blue, half)


def full_planes_of_rgb(frame: Frame) -> Planes:
    """Return the same with color at full size too (4:4:4), for what will be enlarged yet."""
    luma, red, blue = cv2.split(cv2.cvtColor(frame, cv2.COLOR_RGB2YCrCb))
    return np.asarray(luma), np.asarray(red), np.asarray(blue)


def rgb_of_planes(planes: Planes) -> Frame:
    """Return the RGB frame of `planes_of_rgb`, with color enlarged linearly where it is smaller."""
    luma, red, blue = planes
    size = size_of(luma[..., None])
    full = [luma, *(cv2.resize(each, size, interpolation=cv2.INTER_LINEAR) for each in (red, blue))]
    return np.asarray(cv2.cvtColor(cv2.merge(full), cv2.COLOR_YCrCb2RGB))


def planes_of_yuv(yuv: Plane) -> Planes:
    """Return views of the planes of one 4:2:0 frame, uint8 (height * 3 / 2, width)."""
    rows, width = yuv.shape
    height = rows * 2 // 3
    colors = yuv[height:].reshape(2, height // 2, width // 2)
    return yuv[:height], colors[0], colors[1]


def yuv_of_planes(planes: Planes) -> Plane:
    """Return one 4:2:0 frame, uint8 (height * 3 / 2, width)."""
    # A plane of color need not fill whole rows: in 160x90 it has 45 rows of 80.
    flat = np.concatenate([plane.ravel() for plane in planes])
    return flat.reshape(-1, planes[0].shape[1])


RGB = PlaneFormat(luma_of, planes_of_rgb, rgb_of_planes)
"""Frames uint8 (height, width, 3)."""

YUV420 = PlaneFormat(lambda yuv: planes_of_yuv(yuv)[0], planes_of_yuv, yuv_of_planes)
"""Frames uint8 (height * 3 / 2, width)."""
