"""The part of a frame that is not in the first style: in a second one, or as it was, or plain."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video import weights
from nst_video.engines import SecondStyle
from nst_video.errors import UsageError
from nst_video.finishing import resize_yuv
from nst_video.frames import Frame, Frames
from nst_video.image.resize import resize_linear
from nst_video.image.yuv420 import (
    OUTPUT_COLORS,
    YuvColors,
    YuvFrames,
    to_output_colors,
    yuv_size,
    yuv_to_rgb,
)
from nst_video.jobs.fingerprint import digest_of_array
from nst_video.networks.models import StyleModel
from nst_video.networks.segmenter import SIZE
from nst_video.segmentation import FileMasks, PersonMasks, choose_segmenter, open_segmenter
from nst_video.settings import PERSON, ModelOptions, Regions, StylizeSettings, parse_color
from nst_video.style_library.library import StyleLibrary
from nst_video.style_mixer import StyleMixer
from nst_video.temporal.planes import planes_of_yuv

BLUR = 0.03
"""Sigma of the blurred background, relative to the height."""


_MIDDLE = 127
"""Level of a mask from which a pixel counts as a person's."""

NOBODY = 1e-3
"""Share of the frame up to which people count as not found."""


class RegionPainter:
    """Masks of consecutive frames, and what is done outside of them.

    Attributes:
        regions: where, and what.
        has_style: whether the other region is in a style, which the network paints in one pass.
    """

    def __init__(
        self,
        regions: Regions,
        library: StyleLibrary,
        options: ModelOptions,
        on_fetch: weights.OnProgress | None = None,
    ) -> None:
        """Find the second style, if there is one.

        Raises:
            StyleError: an unknown style.
            UsageError: there is nothing to paint, but a style around it.
        """
        self.regions = regions
        self.has_style = not (regions.rest in ("original", "blur") or parse_color(regions.rest))
        if self.has_style and not regions.paints:
            raise UsageError(
                f"Regions that paint no style in the mask have blur or a color around it, not "
                f"{regions.rest!r}; use invert to paint it there."
            )
        self._options = options
        self._on_fetch = on_fetch
        self._masks: PersonMasks | FileMasks | None = None
        self._largest: float | None = None
        self._mixer = StyleMixer(library)
        if self.has_style:
            self._mixer.select(regions.rest, None)

    def __getstate__(self) -> dict[str, object]:
        """Return what copies keep: they open the segmenter or the file for themselves."""
        return self.__dict__ | {"_masks": None, "_on_fetch": None}

    def take_masks(self, before: "RegionPainter") -> None:
        """Go on with the masks of another painter if they are the same, without loading again."""
        mine, other = self.regions, before.regions
        if (mine.mask, mine.softness, mine.segmenter) == (
            other.mask,
            other.softness,
            other.segmenter,
        ):
            self._masks = before._masks

    def load(self) -> None:
        """Open the segmenter, or the file of the mask, before the first frame.

        Raises:
            NstVideoError: it cannot be opened.
        """
        self._open()

    def masks(self, frames: Frames) -> NDArray[np.uint8]:
        """Return the masks of the next frames, uint8 (n, height, width): 255 is the first style."""
        source = self._open()
        return self._noted(np.stack([source(frame) for frame in frames]))

    def masks_yuv(self, yuv: YuvFrames, colors: YuvColors) -> NDArray[np.uint8]:
        """Return the masks of the next 4:2:0 frames, as `masks` does.

        Args:
            yuv: uint8 (n, height * 3 / 2, width).
            colors: their matrix and range.
        """
        source, height = self._open(), yuv_size(yuv)[1]
        pictures = yuv_to_rgb(resize_yuv(yuv, SIZE), colors)
        pairs = zip(pictures, yuv[:, :height], strict=True)
        return self._noted(np.stack([source.follow(picture, luma) for picture, luma in pairs]))

    def _noted(self, masks: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the masks as the regions want them; how much is in them is noted."""
        share = float((masks > _MIDDLE).mean((1, 2)).max())
        self._largest = max(share, self._largest or 0.0)
        return 255 - masks if self.regions.invert else masks

    def found_nobody(self) -> bool:
        """Return whether people were looked for since the last call, and none were found."""
        largest, self._largest = self._largest, None
        return self.regions.mask == PERSON and largest is not None and largest < NOBODY

    def second_yuv(self, model: StyleModel, masks: NDArray[np.uint8]) -> SecondStyle | None:
        """Return the second style of 4:2:0 frames, None where there is none."""
        return SecondStyle(self._mixer.full_parameters(model), masks) if self.has_style else None

    def second(
        self,
        model: StyleModel,
        frames: Frames,
        masks: NDArray[np.uint8],
        settings: StylizeSettings,
    ) -> SecondStyle | None:
        """Return the second style of frames at working size, None where there is none."""
        if not self.has_style:
            return None
        return SecondStyle(self._mixer.parameters(model, frames, settings), masks)

    def compose(self, painted: Frames, content: Frames, masks: NDArray[np.uint8]) -> Frames:
        """Return paintings, uint8 (n, height, width, 3), with the rest as the regions say.

        Args:
            painted: in the first style.
            content: what was painted.
            masks: of any size.
        """
        if self.has_style:
            return painted
        frames = zip(painted, content, masks, strict=True)
        return np.stack([_lay_over(self._plain(frame), each, mask) for each, frame, mask in frames])

    def compose_yuv(
        self,
        painted: YuvFrames,
        content: YuvFrames,
        colors: YuvColors,
        masks: NDArray[np.uint8],
    ) -> YuvFrames:
        """Return paintings of 4:2:0 frames with the rest as the regions say; see `compose`.

        Args:
            painted: in `OUTPUT_COLORS`.
            content: what was painted.
            colors: those of `content`.
            masks: of any size.
        """
        if self.has_style:
            return painted
        finished = np.empty_like(painted)
        content = to_output_colors(content, colors)
        for target, *frames, mask in zip(finished, painted, content, masks, strict=True):
            whole, rest = planes_of_yuv(frames[0]), self._plain_planes(frames[1])
            for plane, *pair in zip(planes_of_yuv(target), rest, whole, strict=True):
                plane[:] = _lay_over(pair[0], pair[1], mask)
        return finished

    def _plain_planes(self, frame: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
        """Return the planes of what is shown outside of the mask of a 4:2:0 frame."""
        planes, rest = planes_of_yuv(frame), self.regions.rest
        if rest == "original":
            return list(planes)
        if rest == "blur":
            blurred = (cv2.GaussianBlur(each, (0, 0), BLUR * len(each)) for each in planes)
            return [np.asarray(each, np.uint8) for each in blurred]
        color = OUTPUT_COLORS.from_rgb() @ np.array([*(parse_color(rest) or ()), 1], np.float32)
        values = zip(color.round().astype(np.uint8), planes, strict=True)
        return [np.broadcast_to(value, plane.shape) for value, plane in values]

    def _plain(self, frame: Frame) -> Frame:
        """Return what is shown outside of the mask."""
        rest = self.regions.rest
        if rest == "original":
            return frame
        if rest == "blur":
            return np.asarray(cv2.GaussianBlur(frame, (0, 0), BLUR * len(frame)), np.uint8)
        return np.broadcast_to(np.array(parse_color(rest), np.uint8), frame.shape)

    def reset(self) -> None:
        """Begin another film."""
        self._mixer.reset()
        if self._masks is not None:
            self._masks.reset()

    def renew(self) -> None:
        """Go on as a film does that begins with the next frame."""
        self._mixer.reset()
        if isinstance(self._masks, PersonMasks):
            self._masks.reset()

    def begin_at(self, frame: int) -> None:
        """After `reset`, go on with a later frame of the film than the first."""
        masks = self._open()
        if isinstance(masks, FileMasks):
            masks.begin_at(frame)

    def identity(self, model: StyleModel | None) -> Mapping[str, object]:
        """Return what the result depends on, as plain values."""
        regions = self.regions
        what: dict[str, object] = {**asdict(regions), "mask": str(regions.mask)}
        if regions.mask == PERSON:
            what["segmenter"] = self._segmenter_name()
        else:
            what["mask_digest"] = weights.digest_of(Path(regions.mask))
        if self.has_style and model is not None:
            what["second_style"] = digest_of_array(self._mixer.vector(model))
        return what

    def _segmenter_name(self) -> str:
        return choose_segmenter(self.regions.segmenter, self._options.models_dir)

    def _open(self) -> PersonMasks | FileMasks:
        if self._masks is None:
            softness = self.regions.softness
            if self.regions.mask == PERSON:
                segmenter = open_segmenter(
                    self._segmenter_name(),
                    models_dir=self._options.models_dir,
                    offline=self._options.offline,
                    on_progress=self._on_fetch,
                )
                self._masks = PersonMasks(segmenter, softness)
            else:
                self._masks = FileMasks(Path(self.regions.mask), softness)
        return self._masks


def _lay_over(
    rest: NDArray[np.uint8], painted: NDArray[np.uint8], mask: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Return the painting where the mask is white, and the rest where it is black.

    Args:
        rest: (height, width) or (height, width, 3).
        painted: of the same shape.
        mask: of any size.
    """
    size = painted.shape[1], painted.shape[0]
    share = resize_linear(mask, size).astype(np.float32) * np.float32(1 / 255)
    if painted.ndim == 3:
        share = share[..., None]
    return np.asarray(rest + (painted.astype(np.float32) - rest) * share + 0.5, np.uint8)
