"""Gatys' method: optimizes the pixels of a picture until its features match content and style."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from nst_video.errors import UsageError
from nst_video.frames import Floats, Frame, Size, size_of
from nst_video.networks.vgg import LossNetwork
from nst_video.optimization.color_matching import after_painting, before_painting, recolor_style
from nst_video.optimization.optimizers import OPTIMIZERS, GetPicture
from nst_video.optimization.painting import (
    Painting,
    PaintStep,
    StylePicture,
    TemporalTarget,
    to_frame,
    to_unit,
)
from nst_video.optimization.pyramid import (
    MIN_SIDE,
    add_upsampled_change,
    resize_long_side,
    resize_picture,
    scale_sizes,
)
from nst_video.optimization.settings import PaintSettings
from nst_video.optimization.targets import (
    StyleRegion,
    content_features,
    group_styles,
    make_targets,
    style_regions,
)
from nst_video.optimization.total_loss import TotalLoss

__all__ = ["GatysOptimizer", "PaintStep", "Painting", "StylePicture", "TemporalTarget"]


OnStep: TypeAlias = Callable[[PaintStep], None]
"""Called after every step."""

OnPicture: TypeAlias = Callable[[PaintStep, Callable[[], Frame]], None]
"""Called after every step with a function that returns the unfinished picture.

That is RGB uint8, of the size of the current scale.
"""


class GatysOptimizer:
    """Paints pictures by optimization; style targets and compiled code are reused between them.

    Gatys et al. 2016, "Image style transfer using convolutional neural networks" (CVPR; arXiv
    1508.06576), coarse to fine as in Gatys et al. 2017 (arXiv 1611.07865) section 6.

    Attributes:
        network: the loss network.
        settings: the settings, with the names of its layers filled in.
        layers: names of all layers that the loss uses.
    """

    def __init__(
        self, network: LossNetwork, styles: Sequence[StylePicture], settings: PaintSettings
    ) -> None:
        """Check the styles and settings; style targets are computed for each size when needed.

        Raises:
            UsageError: there is no style, a weight or a mask is not valid, or the network lacks a
                layer.
        """
        self.network = network
        self.settings = settings.for_network(network.layers, network.name)
        self._styles = tuple(styles)
        self._finds_masks = any(callable(style.mask) for style in self._styles)
        self._groups = () if self._finds_masks else group_styles(self._styles)
        total_loss = TotalLoss(network, self.settings)
        self.layers = total_loss.layers
        self._optimizer = OPTIMIZERS[self.settings.optimizer](total_loss)
        self._regions: dict[Size, tuple[StyleRegion, ...]] = {}
        self._color_reference: Floats | None = None

    def __call__(
        self,
        content: Frame,
        *,
        start: Floats | None = None,
        targets: Sequence[TemporalTarget] = (),
        steps: int | None = None,
        learning_rate: float | None = None,
        on_step: OnStep | None = None,
        on_picture: OnPicture | None = None,
    ) -> Painting:
        """Paint one picture.

        Where `settings.colors` transfers colors to the styles, they are those of the first picture
        painted, unless `set_color_reference` was called before.

        Args:
            content: RGB uint8 (h, w, 3).
            start: initial picture, RGB float32 (h, w, 3), 0..1, instead of `settings.start`.
            targets: pictures that the painting should stay close to.
            steps: maximum number of steps, instead of that of the settings.
            learning_rate: of Adam, instead of that of the settings.
            on_step: see `OnStep`.
            on_picture: see `OnPicture`.

        Returns:
            The painting, of the size of `content`.

        Raises:
            UsageError: the content is too small, or another picture differs from it in size.
        """
        _check_sizes(content, start, targets)
        if self._finds_masks:
            self._groups = group_styles([style.on(content) for style in self._styles])
            self._regions.clear()
        colors = self.settings.colors
        original = to_unit(content)
        prepared = before_painting(original, colors)
        if self._color_reference is None:
            self.set_color_reference(content)
        if start is None:
            initial = self._initial_picture(prepared)
        else:
            initial = before_painting(start, colors)
        temporal = [
            replace(each, picture=before_painting(each.picture, colors)) for each in targets
        ]
        recorder = _StepRecorder(on_step, on_picture)
        settings = replace(
            self.settings,
            steps=self.settings.steps if steps is None else steps,
            learning_rate=self.settings.learning_rate if learning_rate is None else learning_rate,
        )
        painted = self._optimize(_Inputs(prepared, initial, tuple(temporal), settings), recorder)
        return Painting(after_painting(painted, original, colors), tuple(recorder.history))

    @property
    def styles(self) -> tuple[StylePicture, ...]:
        """The styles, as given."""
        return self._styles

    def set_color_reference(self, content: Frame) -> None:
        """Set the picture whose colors the styles get, RGB uint8 (h, w, 3).

        It matters only where `settings.colors` is "luminance", "histogram" or "covariance".
        """
        self._color_reference = to_unit(content)
        self._regions.clear()

    def _optimize(self, inputs: "_Inputs", recorder: "_StepRecorder") -> Floats:
        """Optimize at each scale, coarse to fine; return the picture (h, w, 3), 0..1."""
        sizes = scale_sizes(size_of(inputs.content), self.settings.scales)
        base = picture = resize_picture(inputs.start, sizes[0])
        for scale, size in enumerate(sizes, 1):
            if scale > 1:
                coarse, base = base, resize_picture(inputs.start, size)
                picture = add_upsampled_change(picture, coarse, base)
            steps = _steps_of_scale(inputs.settings.steps, scale, len(sizes))
            recorder.start_scale(scale, len(sizes), steps)
            content = resize_picture(inputs.content, size)
            features = content_features(self.network, self._content_layers, content)
            targets = make_targets(features, self._regions_at(size), inputs.temporal, size)
            picture = self._optimizer(picture, targets, inputs.settings, steps, recorder.add)
        return picture

    @property
    def _content_layers(self) -> tuple[str, ...]:
        return tuple(layer for layer, _ in self.settings.content_layers)

    def _regions_at(self, size: Size) -> tuple[StyleRegion, ...]:
        """Return the style targets for content of a size (width, height), computed once."""
        if size not in self._regions:
            layers = [layer for layer, _ in self.settings.style_layers]
            long_side = self.settings.style_scale * max(size)
            pictures = [self._style_at(style, long_side) for style in self._styles]
            regions = style_regions(self.network, layers, self._groups, pictures, size)
            self._regions[size] = regions
        return self._regions[size]

    def _style_at(self, style: StylePicture, long_side: float) -> Floats:
        """Return a style image (h, w, 3), 0..1, resized and recolored."""
        picture = resize_long_side(style.picture, long_side)
        if self._color_reference is None:
            return picture
        return recolor_style(picture, self._color_reference, self.settings.colors)

    def _initial_picture(self, content: Floats) -> Floats:
        """Return the initial picture that the settings name, (h, w, 3), 0..1."""
        if self.settings.start == "noise":
            rng = np.random.default_rng(self.settings.seed)
            return np.clip(rng.normal(0.5, 0.25, content.shape), 0, 1).astype(np.float32)
        if self.settings.start == "style":
            style = self._style_at(self._styles[0], max(content.shape))
            return resize_picture(style, size_of(content))
        return content


@dataclass(frozen=True, slots=True)
class _Inputs:
    """Inputs of one optimization, all pictures RGB float32 (h, w, 3), 0..1."""

    content: Floats
    start: Floats
    temporal: tuple[TemporalTarget, ...]
    settings: PaintSettings


class _StepRecorder:
    """Collects the steps of all scales and calls the callbacks."""

    def __init__(self, on_step: OnStep | None, on_picture: OnPicture | None) -> None:
        self.history: list[PaintStep] = []
        self._on_step, self._on_picture = on_step, on_picture
        self._scale = self._scales = self._step = self._steps = 0

    def start_scale(self, scale: int, scales: int, steps: int) -> None:
        self._scale, self._scales, self._steps, self._step = scale, scales, steps, 0

    def add(self, losses: Mapping[str, float], get_picture: GetPicture) -> None:
        self._step += 1
        step = PaintStep(self._scale, self._scales, self._step, self._steps, losses)
        self.history.append(step)
        if self._on_step:
            self._on_step(step)
        if self._on_picture:
            self._on_picture(step, lambda: to_frame(get_picture()))


def _steps_of_scale(steps: int, scale: int, scales: int) -> int:
    """Return how many of `steps` a scale gets; the last one gets the remainder too."""
    each = steps // scales
    return max(1, steps - each * (scales - 1) if scale == scales else each)


def _check_sizes(content: Frame, start: Floats | None, targets: Sequence[TemporalTarget]) -> None:
    height, width = content.shape[:2]
    if min(height, width) < MIN_SIDE:
        raise UsageError(
            f"A picture to paint needs at least {MIN_SIDE} pixels a side, not {width}x{height}."
        )
    pictures = [each.picture for each in targets]
    for picture in pictures if start is None else (start, *pictures):
        if picture.shape != content.shape:
            raise UsageError(
                f"Initial pictures and targets must have the content's shape {content.shape}, "
                f"not {picture.shape}."
            )
