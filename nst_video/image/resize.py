"""Images at another size. `size` is (width, height); uint8 stays uint8, float32 stays float32."""

from typing import Literal, TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Frame, Size, size_of

Pixel = TypeVar("Pixel", np.uint8, np.float32)

Interpolation: TypeAlias = Literal["area", "linear", "cubic"]

_FLAGS: dict[Interpolation, int] = {
    "area": cv2.INTER_AREA,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
}


def resize(
    image: NDArray[Pixel], size: Size, *, enlarge: Interpolation = "linear"
) -> NDArray[Pixel]:
    """Return an image at `size`: area averages where it gets narrower, interpolated where wider.

    Args:
        image: (h, w) or (h, w, channels).
        size: (width, height).
        enlarge: the interpolation for enlarging.
    """
    return _resize(image, size, "area" if size[0] < image.shape[1] else enlarge)


def resize_area(image: NDArray[Pixel], size: Size) -> NDArray[Pixel]:
    """Return an image (h, w) or (h, w, channels) at `size`, by area averages: for shrinking."""
    return _resize(image, size, "area")


def shrink(image: NDArray[Pixel], size: Size) -> NDArray[Pixel]:
    """Return an image (h, w) or (h, w, channels) at a smaller `size`, fast.

    By area averages to a whole share, then linearly: 1.6 instead of 9 ms from 1280x720 to 848x480.
    Pixels at the right and lower edge that make up no whole share are left out.
    """
    share = max(1, image.shape[1] // size[0])
    height, width = (side // share for side in image.shape[:2])
    whole = image[: height * share, : width * share]
    return resize_linear(resize_area(whole, (width, height)), size)


def resize_linear(image: NDArray[Pixel], size: Size) -> NDArray[Pixel]:
    """Return an image (h, w) or (h, w, channels) at `size`, by bilinear interpolation."""
    return _resize(image, size, "linear")


def resize_cubic(image: NDArray[Pixel], size: Size) -> NDArray[Pixel]:
    """Return an image (h, w) or (h, w, channels) at `size`, by bicubic interpolation.

    Values of float32 images can overshoot the range of the input.
    """
    return _resize(image, size, "cubic")


def center_square(image: NDArray[Pixel], side: int) -> NDArray[Pixel]:
    """Return the square in the middle of an image, resized to (side, side, 3)."""
    height, width = image.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    return resize(image[top : top + edge, left : left + edge], (side, side), enlarge="cubic")


def letterbox(frame: Frame, size: Size) -> Frame:
    """Return the whole `frame` scaled to fit into `size`, aspect kept, centered on black."""
    if size_of(frame) == size:
        return frame
    width, height = size
    scale = min(width / frame.shape[1], height / frame.shape[0])
    inner = resize(frame, (_scaled(frame.shape[1], scale), _scaled(frame.shape[0], scale)))
    if size_of(inner) == size:
        return inner
    canvas = np.zeros((height, width, 3), np.uint8)
    top, left = (height - inner.shape[0]) // 2, (width - inner.shape[1]) // 2
    canvas[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return canvas


def cover(frame: Frame, size: Size) -> Frame:
    """Return the middle of `frame` scaled to cover all of `size`, aspect kept."""
    width, height = size
    scale = max(width / frame.shape[1], height / frame.shape[0])
    inner_width, inner_height = round(width / scale), round(height / scale)
    top, left = (frame.shape[0] - inner_height) // 2, (frame.shape[1] - inner_width) // 2
    return resize(frame[top : top + inner_height, left : left + inner_width], size)


def even_size(size: Size) -> Size:
    """Return `size` with each odd side one pixel longer."""
    width, height = size
    return width + width % 2, height + height % 2


def pad_to_even(frame: Frame) -> Frame:
    """Return the frame with each odd side one pixel longer, the edge repeated."""
    height, width = frame.shape[:2]
    if width % 2 or height % 2:
        frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(frame)


def mirrored(frame: Frame, is_wanted: bool = True) -> Frame:
    """Return `frame` with left and right swapped, or itself where that is not wanted."""
    return np.asarray(cv2.flip(frame, 1), np.uint8) if is_wanted else frame


def _resize(image: NDArray[Pixel], size: Size, interpolation: Interpolation) -> NDArray[Pixel]:
    if (size[1], size[0]) == image.shape[:2]:
        return image
    resized = cv2.resize(image, size, interpolation=_FLAGS[interpolation])
    return np.asarray(resized, image.dtype)


def _scaled(side: int, scale: float) -> int:
    return max(1, round(side * scale))
