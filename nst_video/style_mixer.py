"""Style parameters of the styles in use: loaded or predicted, mixed, and eased over time."""

import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from nst_video.frames import Floats, Frame, Frames
from nst_video.image.easing import EasedVector, SceneAverage
from nst_video.networks.models import StyleModel
from nst_video.settings import StylizeSettings
from nst_video.style_library.bottlenecks import mix_bottlenecks, mix_weights
from nst_video.style_library.library import Style, StyleLibrary, StyleName

SMOOTHING_RATE = 0.12
"""Weight of each new frame in the moving average of content bottlenecks: about 8 frames."""

SCENE_CHANGE = 0.4
"""Relative change of the content's bottleneck that counts as a new scene: the average restarts.

Measured with `magenta-lite` on six real clips: 0.01 to 0.06 within a scene (99th percentile at
most 0.36), 0.42 to 0.54 at their cuts, 0.5 between unrelated pictures.
"""


class StyleMixer:
    """What a network paints with: the style parameters of one style, or of a mix.

    Attributes:
        styles: the styles in use.
        mix: a weight for each of them.
        has_predictor: whether the style predictor is loaded.
    """

    def __init__(
        self,
        library: StyleLibrary,
        fade_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin without a style.

        Args:
            library: where styles come from.
            fade_s: seconds of the transition from one style to the next; 0 switches at once.
            clock: returns the current time in seconds, for the transition.
        """
        self.styles: tuple[Style, ...] = ()
        self.mix: tuple[float, ...] = ()
        self.has_predictor = False
        self._library = library
        self._vector: Floats | None = None
        self._eased = EasedVector(fade_s, clock)
        self._content_average = SceneAverage(SMOOTHING_RATE, SCENE_CHANGE)
        self._loaded: dict[Style, Floats] = {}
        self._predicting = threading.Lock()  # a predictor serves one thread at a time

    def __getstate__(self) -> dict[str, object]:
        """Return what copies keep: not the lock, the predictor or a transition in progress."""
        return self.__dict__ | {
            "has_predictor": False,
            "_predicting": None,
            "_loaded": dict(self._loaded),
            "_eased": EasedVector(self._eased.duration_s, self._eased.clock),
        }

    def __setstate__(self, state: dict[str, object]) -> None:
        """Restore what `__getstate__` returned."""
        self.__dict__.update(state)
        self._predicting = threading.Lock()

    def select(self, style: StyleName | Sequence[StyleName], mix: Sequence[float] | None) -> None:
        """Use another style or mix from now on; what is not loaded yet is loaded when needed.

        Raises:
            UsageError: not as many weights as styles, a negative weight, or only zeros.
            StyleError: an unknown style.
        """
        styles = self._library.select(style)
        self.mix = mix_weights(mix, len(styles))
        self.styles = styles
        self._vector = None

    def vector(self, model: StyleModel) -> Floats:
        """Return the weighted mean of the styles, see `Stylizer.style_vector`."""
        if self._vector is None:
            for style in self.styles:
                self.load(style, model)
            vectors = [self._loaded[style] for style in self.styles]
            if len({len(vector) for vector in vectors}) > 1:
                vectors = [_to_parameters(model, vector) for vector in vectors]
            self._vector = mix_bottlenecks(np.stack(vectors), self.mix)
        return self._vector

    def load(self, style: Style, model: StyleModel) -> None:
        """Get a style's refined parameters, or compute its bottleneck. Safe from any thread.

        Raises:
            SourceError: the picture cannot be read.
            StyleError: the model returns no finite bottleneck for it.
        """
        if style not in self._loaded:
            refined = self._library.refined(style, model.transformer_key)
            if refined is not None and len(refined) == model.config.style_size:
                self._loaded[style] = refined
                return
            with self._predicting:
                self._loaded[style] = self._library.bottleneck(style, model.predictor)

    def has_loaded(self, style: Style) -> bool:
        """Return whether `load` has loaded the style."""
        return style in self._loaded

    def forget(self) -> None:
        """Load every style again when it is needed."""
        self._loaded.clear()

    @property
    def is_fading(self) -> bool:
        """True during a transition from one style to the next."""
        return self._eased.is_moving

    def reset(self) -> None:
        """Forget the bottlenecks of earlier frames."""
        self._content_average.reset()

    def parameters(self, model: StyleModel, frames: Frames, settings: StylizeSettings) -> Floats:
        """Return the style parameters for a batch, (1, p), or (n, p) where each has its own.

        Args:
            model: their network.
            frames: at working size. Below full intensity they are partly painted as themselves.
            settings: intensity and way of blending.
        """
        intensity = settings.intensity
        if settings.blend == "pixel" or intensity == 1:
            return self.full_parameters(model)
        target = self._eased_vector(model)
        # Averaged over time, so that the frames' own noise does not flicker.
        own = np.stack(
            [self._content_average.update(self.predict(model, frame)) for frame in frames]
        )
        if own.shape[1:] != target.shape:
            own = model.to_parameters(own)
        return model.to_parameters((1 - intensity) * own + intensity * target)

    def full_parameters(self, model: StyleModel) -> Floats:
        """Return the style parameters (1, p) of the style alone."""
        return model.to_parameters(self._eased_vector(model)[None])

    def predict(self, model: StyleModel, picture: Frame) -> Floats:
        """Return the bottleneck (d,) of a picture. Safe from any thread."""
        with self._predicting:
            bottleneck = model.predictor(picture)
        self.has_predictor = True
        return bottleneck

    def _eased_vector(self, model: StyleModel) -> Floats:
        target = self.vector(model)
        return self._eased.toward(target, lambda vector: _to_parameters(model, vector))


def _to_parameters(model: StyleModel, vector: Floats) -> Floats:
    """Turn a bottleneck (d,) into style parameters (p,), which stay as they are."""
    parameters: Floats = model.to_parameters(vector[None])[0]
    return parameters
