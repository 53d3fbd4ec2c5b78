"""What a session needs of a stylizer."""

from collections.abc import Callable
from typing import Protocol

from nst_video.engines import PendingFrames
from nst_video.frames import Frame, Frames, Size
from nst_video.settings import ModelOptions, Regions, StylizeSettings
from nst_video.style_library.library import Style, StyleLibrary


class LiveStylizer(Protocol):
    """What a session needs of a stylizer; `nst_video.stylizer.Stylizer` is one.

    `prepare` and all methods that begin with `load` are slow and are called in the loader thread,
    all other methods in the render thread or the session's.
    """

    settings: StylizeSettings
    options: ModelOptions
    library: StyleLibrary

    @property
    def styles(self) -> tuple[Style, ...]:
        """The current styles."""
        ...

    @property
    def mix(self) -> tuple[float, ...]:
        """The weight of each current style."""
        ...

    def prepare(self) -> None:
        """Load and check the model and the engine.

        Raises:
            NstVideoError: something cannot be loaded.
        """
        ...

    def load_style(self, style: Style) -> None:
        """Compute and cache a style's vector, so that `set_style` is fast.

        Raises:
            NstVideoError: the picture cannot be read.
        """
        ...

    def has_loaded(self, style: Style) -> bool:
        """Return True if `set_style` with this style is fast."""
        ...

    def forget_styles(self) -> None:
        """Clear the cache of style vectors."""
        ...

    @property
    def has_predictor(self) -> bool:
        """True if an intensity below 1 can be blended between style vectors without loading."""
        ...

    def load_predictor(self) -> None:
        """Load the style predictor.

        Raises:
            NstVideoError: it cannot be loaded.
        """
        ...

    def set_style(self, style: tuple[Style, ...], mix: tuple[float, ...]) -> None:
        """Use these styles, with a weight for each, from the next frame on."""
        ...

    def set_regions(self, regions: Regions | None) -> None:
        """Use a mask, or none, from the next frame on.

        Raises:
            NstVideoError: its file or style cannot be found.
        """
        ...

    def overlay(self, content: Frame, small: Frame) -> Callable[[Frame], Frame] | None:
        """Return what lays the painting of the next frame over the rest of its regions.

        None where the network paints all of the frame.

        Args:
            content: the frame, uint8 RGB (height, width, 3).
            small: the same at working size.
        """
        ...

    def load_size(self, size: Size) -> None:
        """Compile the network for a working size (width, height)."""
        ...

    def load_regions(self, regions: Regions, size: Size) -> None:
        """Load what `set_regions` needs at a working size (width, height).

        Raises:
            NstVideoError: its file or style cannot be read.
        """
        ...

    @property
    def is_fading(self) -> bool:
        """True during the transition to another style."""
        ...

    def describe(self) -> str:
        """Return model, engine and device in a few words."""
        ...

    def __call__(self, frames: Frame) -> Frame | Frames:
        """Stylize a frame, uint8 RGB (height, width, 3); the result has the same shape.

        Raises:
            EngineError: the engine fails.
        """
        ...

    def begin(self, small: Frames) -> PendingFrames:
        """Begin to paint frames of working size, uint8 RGB (n, h, w, 3), each by itself.

        Raises:
            EngineError: the engine fails; so does waiting.
        """
        ...
