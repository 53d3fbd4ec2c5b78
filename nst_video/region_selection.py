"""What a stylizer does outside of a mask: chosen, and loaded ahead."""

from collections.abc import Callable

import numpy as np

from nst_video import weights
from nst_video.engines import Engine
from nst_video.frames import Frame, Size
from nst_video.networks.models import StyleModel
from nst_video.region_painter import RegionPainter
from nst_video.settings import ModelOptions, Regions, StylizeSettings
from nst_video.style_library.library import StyleLibrary
from nst_video.validation import check_type


class RegionSelection:
    """The part of `stylizer.Stylizer` that is about regions."""

    settings: StylizeSettings
    options: ModelOptions
    library: StyleLibrary
    _on_fetch: weights.OnProgress | None
    _regions: RegionPainter | None = None
    _loaded: RegionPainter | None = None

    @property
    def model(self) -> StyleModel:
        """The style model."""
        raise NotImplementedError

    @property
    def engine(self) -> Engine:
        """What runs the transformer."""
        raise NotImplementedError

    def load_size(self, size: Size) -> None:
        """Compile for a working size."""
        raise NotImplementedError

    def set_regions(self, regions: Regions | None) -> None:
        """Use a mask, or none, from the next frame on.

        Raises:
            StyleError: the rest is in an unknown style.
        """
        if regions is None:
            self._regions = None
        else:
            check_type("The regions", regions, Regions)
            self._regions = self._find(regions)

    def load_regions(self, regions: Regions, size: Size) -> None:
        """Load what `set_regions` needs, so that the next frame does not wait. Thread-safe.

        Args:
            regions: will be used.
            size: working size (width, height) for which the network is compiled.

        Raises:
            NstVideoError: its file or style cannot be read, or the network does not run.
        """
        painter = self._find(regions)
        painter.load()
        if not painter.has_style:
            self.load_size(size)
        else:
            frames = np.zeros((1, *size[::-1], 3), np.uint8)
            second = painter.second(self.model, frames, frames[..., 0], self.settings)
            if second is not None:
                self.engine(frames, second.style, second)
        self._loaded = painter

    def _find(self, regions: Regions) -> RegionPainter:
        """Return what paints regions, with the masks that are in use where they are the same."""
        loaded = self._loaded
        if loaded is not None and loaded.regions == regions:
            return loaded
        painter = RegionPainter(regions, self.library, self.options, self._on_fetch)
        for before in (self._loaded, self._regions):
            if before is not None:
                painter.take_masks(before)
        return painter

    @property
    def regions(self) -> Regions | None:
        """What else than the style is in the frame, and where."""
        return None if self._regions is None else self._regions.regions

    def found_nobody(self) -> bool:
        """Return whether people were looked for since the last call, and none were found."""
        return self._regions is not None and self._regions.found_nobody()

    def overlay(self, content: Frame, small: Frame) -> Callable[[Frame], Frame] | None:
        """Return what lays the painting of the next frame over the rest of its regions.

        None where the network paints all of the frame.

        Args:
            content: the frame, uint8 (height, width, 3).
            small: the same at working size.
        """
        regions = self._regions
        if regions is None or regions.has_style:
            return None
        masks = regions.masks(small[None])
        return lambda painted: regions.compose(painted[None], content[None], masks)[0]
