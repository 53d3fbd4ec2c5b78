"""Which styles a stylizer paints in: chosen, loaded ahead, and mixed."""

from collections.abc import Sequence

import numpy as np

from nst_video.frames import Floats
from nst_video.networks.models import StyleModel
from nst_video.style_library.library import Style, StyleName
from nst_video.style_mixer import StyleMixer


class StyleSelection:
    """The part of `stylizer.Stylizer` that is about styles."""

    _mixer: StyleMixer

    @property
    def model(self) -> StyleModel:
        """The style model."""
        raise NotImplementedError

    def set_style(
        self,
        style: StyleName | Sequence[StyleName],
        mix: Sequence[float] | None = None,
    ) -> None:
        """Use another style, or a mix of several, from the next frame on.

        Returns at once; a style that `load_style` has not loaded is loaded with the next frame.

        Args:
            style: a style's name, the path of any picture, or several of these to mix.
            mix: a weight for each style, by default equal; normalized.

        Raises:
            UsageError: not as many weights as styles, a negative weight, or only zeros.
            StyleError: an unknown style.
        """
        self._mixer.select(style, mix)

    @property
    def styles(self) -> tuple[Style, ...]:
        """The styles in use."""
        return self._mixer.styles

    @property
    def mix(self) -> tuple[float, ...]:
        """A weight for each of them."""
        return self._mixer.mix

    @property
    def style_vector(self) -> Floats:
        """The weighted mean of the styles: of their bottlenecks, float32 (d,).

        Where one of them is refined, it is the mean of their style parameters, float32 (p,).
        """
        return self._mixer.vector(self.model)

    def load_style(self, style: Style) -> None:
        """Get a style's refined parameters, or compute its bottleneck, ahead of `set_style`.

        Safe to call from any thread.

        Raises:
            SourceError: the picture cannot be read.
            StyleError: the model returns no finite bottleneck for it.
        """
        self._mixer.load(style, self.model)

    def has_loaded(self, style: Style) -> bool:
        """Return whether `load_style` has loaded the style."""
        return self._mixer.has_loaded(style)

    def forget_styles(self) -> None:
        """Load styles again from the next `set_style` on: their pictures may have changed."""
        self._mixer.forget()

    def load_predictor(self) -> None:
        """Load the style predictor, which intensities below 1 use. Safe to call from any thread."""
        self._mixer.predict(self.model, np.zeros((64, 64, 3), np.uint8))

    @property
    def has_predictor(self) -> bool:
        """Whether the style predictor, which intensities below 1 use, is loaded."""
        return self._mixer.has_predictor

    @property
    def is_fading(self) -> bool:
        """True during a transition from one style to the next."""
        return self._mixer.is_fading
