"""The part of a frame that is not in the first style: in a second one, or as it was, or plain."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video import weights
from nst_video.engines import SecondStyle
from nst_video.frames import Frame, Frames, size_of
from nst_video.image.resize import resize_linear
from nst_video.jobs.fingerprint import digest_of_array
from nst_video.networks.models import StyleModel
from nst_video.segmentation import FileMasks, PersonMasks, choose_segmenter, open_segmenter
from nst_video.settings import PERSON, ModelOptions, Regions, StylizeSettings, parse_color
from nst_video.style_library.library import StyleLibrary
from nst_video.style_mixer import StyleMixer

BLUR = 0.03
"""Sigma of the blurred background, relative to the height."""


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
        """
        self.regions = regions
        self.has_style = not (regions.rest in ("original", "blur") or parse_color(regions.rest))
        self._options = options
        self._on_fetch = on_fetch
        self._masks: PersonMasks | FileMasks | None = None
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
        masks = np.stack([source(frame) for frame in frames])
        return 255 - masks if self.regions.invert else masks

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


def _lay_over(rest: Frame, painted: Frame, mask: NDArray[np.uint8]) -> Frame:
    """Return the painting where the mask is white, and the rest where it is black."""
    share = resize_linear(mask, size_of(painted)).astype(np.float32)[..., None]
    share *= np.float32(1 / 255)
    return np.asarray(rest + (painted.astype(np.float32) - rest) * share + 0.5, np.uint8)
