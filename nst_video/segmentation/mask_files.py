"""Masks from a file: any gray picture, or a film of them, frame for frame."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.errors import SourceError
from nst_video.frames import Frame, Luma
from nst_video.image.files import load_opacity, load_picture
from nst_video.image.resize import resize
from nst_video.segmentation.alpha_films import alpha_decoder, opacities
from nst_video.segmentation.edges import MASK_LEVELS, to_bytes
from nst_video.system.paths import PICTURE_SUFFIXES
from nst_video.video.sources import open_source

_WANTED = "A mask is a picture or a video, white where the style goes."


class FileMasks:
    """Masks from a file: white is the region, of what can be transparent that which is opaque.

    A film that ends early keeps its last frame.
    """

    def __init__(self, path: Path, softness: float | None = None) -> None:
        """Find out what the file is.

        Args:
            path: of a picture or film.
            softness: 0..1, see `edges.to_bytes`; None to take the file as it is.

        Raises:
            SourceError: it cannot be read.
        """
        self.path = path
        self._softness = 1.0 if softness is None else softness
        self._still: NDArray[np.uint8] | None = None
        try:
            opacity = load_opacity(path)
            self._still = _gray(load_picture(path)) if opacity is None else opacity
        except SourceError as error:
            self._shown = _first_mask(path, error)
        self._film: Iterator[NDArray[np.uint8]] = iter(())
        self._index = 0

    def __call__(self, frame: Frame) -> NDArray[np.uint8]:
        """Return the mask of the next frame (height, width, 3), uint8 (height, width)."""
        return self.follow(frame, frame[..., 0])

    def follow(self, _: Frame, luma: Luma) -> NDArray[np.uint8]:
        """Return the mask of the next frame, as `PersonMasks.follow`: of the size of `luma`."""
        mask = resize(self._next(), (luma.shape[1], luma.shape[0]))
        if self._softness == 1:
            return mask
        return to_bytes(mask.astype(np.float32) * np.float32(1 / MASK_LEVELS), self._softness)

    @property
    def still(self) -> NDArray[np.uint8] | None:
        """The mask of every frame, uint8 (height, width); None where the file is a film."""
        return self._still

    def reset(self) -> None:
        """Begin at the first frame."""
        self._index = 0

    def begin_at(self, frame: int) -> None:
        """Go on with the mask of a later frame than the first."""
        self._index = frame
        if self._still is None and frame:
            self._film = _frames(self.path)
            for _ in range(frame):
                self._shown = next(self._film, self._shown)

    def _next(self) -> NDArray[np.uint8]:
        if self._still is not None:
            return self._still
        if self._index == 0:
            self._film = _frames(self.path)
        self._index += 1
        self._shown = next(self._film, self._shown)
        return self._shown


def _first_mask(path: Path, no_picture: SourceError) -> NDArray[np.uint8]:
    """Return the first mask of a film that is no picture for the reason given."""
    if path.suffix.lower() in PICTURE_SUFFIXES:
        raise SourceError(f"{no_picture} {_WANTED}") from no_picture
    try:
        return next(_frames(path))
    except SourceError as error:
        raise SourceError(f"{error} {_WANTED}") from error


def _frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    decoder = alpha_decoder(path)
    if decoder is not None:
        yield from opacities(path, decoder)
        return
    with open_source(path) as film:
        for frame in film:
            yield _gray(frame)


def _gray(frame: Frame) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)
