"""Gatys' method: a picture is changed step by step until a network sees content and style in it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nst_video.errors import UsageError
from nst_video.frames import Frame, Size, size_of
from nst_video.networks.vgg import LossNetwork
from nst_video.optimization.color_matching import after_painting, before_painting, recolor_style
from nst_video.optimization.optimizers import DESCENTS, Show
from nst_video.optimization.painting import (
    Painting,
    PaintStep,
    StylePicture,
    TemporalTarget,
    to_frame,
    to_unit,
)
from nst_video.optimization.pyramid import MIN_SIDE, carried_over, fitted, resized, scale_sizes
from nst_video.optimization.settings import PaintSettings
from nst_video.optimization.targets import content_features, group_styles, make_aims, style_regions
from nst_video.optimization.total_loss import Region, TotalLoss

__all__ = ["GatysOptimizer", "PaintStep", "Painting", "StylePicture", "TemporalTarget"]

Floats = NDArray[np.float32]
OnStep: TypeAlias = Callable[[PaintStep], None]
OnPicture: TypeAlias = Callable[[PaintStep, Callable[[], Frame]], None]


class GatysOptimizer:
    """Paints pictures, each by an optimization of its own; styles and compiled code are shared.

    Gatys et al. 2016, "Image style transfer using convolutional neural networks" (CVPR; arXiv
    1508.06576), coarse to fine as in Gatys et al. 2017 (arXiv 1611.07865) section 6.

    Attributes:
        network: the loss network.
        settings: with the layers named that are asked of it.
        layers: those.
    """

    def __init__(
        self, network: LossNetwork, styles: Sequence[StylePicture], settings: PaintSettings
    ) -> None:
        """Check everything; the styles are looked at when the size is known.

        Raises:
            UsageError: no style, a weight or mask without sense, or a layer that the network lacks.
        """
        self.network = network
        self.settings = settings.for_network(network.layers, network.name)
        self._styles = tuple(styles)
        self._groups = group_styles(self._styles)
        objective = TotalLoss(network, self.settings)
        self.layers = objective.layers
        self._descent = DESCENTS[self.settings.method](objective)
        self._regions: dict[Size, tuple[Region, ...]] = {}
        self._palette: Floats | None = None

    def __call__(
        self,
        content: Frame,
        *,
        start: Floats | None = None,
        targets: Sequence[TemporalTarget] = (),
        steps: int | None = None,
        rate: float | None = None,
        on_step: OnStep | None = None,
        on_picture: OnPicture | None = None,
    ) -> Painting:
        """Paint one picture.

        Styles that are given the content's colors get those of the first picture painted, unless
        `adopt_colors` was called before.

        Args:
            content: RGB uint8 (h, w, 3).
            start: RGB float32 (h, w, 3), 0..1, where to start instead of where the settings say.
            targets: what the painting should stay close to.
            steps: at most, instead of the settings' number.
            rate: longest step of Adam, instead of the settings'.
            on_step: called after every step.
            on_picture: called after every step, too, with the step and a function that returns the
                unfinished picture, RGB uint8, at the size of the scale it is at.

        Raises:
            UsageError: a picture too small, or of another size than the content.
        """
        _check_sizes(content, start, targets)
        colors = self.settings.colors
        original = to_unit(content)
        seen = before_painting(original, colors)
        if self._palette is None:
            self.adopt_colors(content)
        begin = self._begin(seen) if start is None else before_painting(start, colors)
        aims = [replace(each, picture=before_painting(each.picture, colors)) for each in targets]
        log = _Log(on_step, on_picture)
        settings = replace(
            self.settings,
            steps=self.settings.steps if steps is None else steps,
            rate=self.settings.rate if rate is None else rate,
        )
        job = _Job(seen, begin, tuple(aims), settings)
        painted = self._descend(job, log)
        return Painting(after_painting(painted, original, colors), tuple(log.history))

    @property
    def styles(self) -> tuple[StylePicture, ...]:
        """The styles, as given."""
        return self._styles

    def adopt_colors(self, content: Frame) -> None:
        """Let styles that are given the content's colors get those of this one, RGB uint8."""
        self._palette = to_unit(content)
        self._regions.clear()

    def _descend(self, job: "_Job", log: "_Log") -> Floats:
        """Paint at one scale after the other; each starts with the change the last one made."""
        sizes = scale_sizes(size_of(job.content), self.settings.scales)
        base = picture = resized(job.start, sizes[0])
        for scale, size in enumerate(sizes, 1):
            if scale > 1:
                coarse, base = base, resized(job.start, size)
                picture = carried_over(picture, coarse, base)
            log.begin(scale, len(sizes), _share_of(job.settings.steps, scale, len(sizes)))
            seen = resized(job.content, size)
            features = content_features(self.network, self._content_layers, seen)
            aims = make_aims(features, self._regions_at(size), job.targets, size)
            picture = self._descent(picture, aims, job.settings, log.steps, log.add)
        return picture

    @property
    def _content_layers(self) -> tuple[str, ...]:
        return tuple(layer for layer, _ in self.settings.content_layers)

    def _regions_at(self, size: Size) -> tuple[Region, ...]:
        """Return the styles as they are wanted at a size (width, height), computed once."""
        if size not in self._regions:
            layers = [layer for layer, _ in self.settings.style_layers]
            long_side = self.settings.style_scale * max(size)
            pictures = [self._style_at(style, long_side) for style in self._styles]
            regions = style_regions(self.network, layers, self._groups, pictures, size)
            self._regions[size] = regions
        return self._regions[size]

    def _style_at(self, style: StylePicture, long_side: float) -> Floats:
        """Return a style (h, w, 3), 0..1, at its size and in the colors it is to be painted in."""
        picture = fitted(style.picture, long_side)
        if self._palette is None:
            return picture
        return recolor_style(picture, self._palette, self.settings.colors)

    def _begin(self, content: Floats) -> Floats:
        """Return where the settings say to start, (h, w, 3), 0..1."""
        if self.settings.start == "noise":
            rng = np.random.default_rng(self.settings.seed)
            return np.clip(rng.normal(0.5, 0.25, content.shape), 0, 1).astype(np.float32)
        if self.settings.start == "style":
            return resized(self._style_at(self._styles[0], max(content.shape)), size_of(content))
        return content


@dataclass(frozen=True, slots=True)
class _Job:
    """One picture to paint, as the optimizer is to see it."""

    content: Floats
    start: Floats
    targets: tuple[TemporalTarget, ...]
    settings: PaintSettings


class _Log:
    """Collects the steps of all scales and tells of each."""

    def __init__(self, on_step: OnStep | None, on_picture: OnPicture | None) -> None:
        self.history: list[PaintStep] = []
        self.steps = 0
        self._on_step, self._on_picture = on_step, on_picture
        self._scale = self._scales = self._step = 0

    def begin(self, scale: int, scales: int, steps: int) -> None:
        """Go on to a scale."""
        self._scale, self._scales, self.steps, self._step = scale, scales, steps, 0

    def add(self, losses: Mapping[str, float], show: Show) -> None:
        """Note a step."""
        self._step += 1
        step = PaintStep(self._scale, self._scales, self._step, self.steps, losses)
        self.history.append(step)
        if self._on_step:
            self._on_step(step)
        if self._on_picture:
            self._on_picture(step, lambda: to_frame(show()))


def _share_of(steps: int, scale: int, scales: int) -> int:
    """Return how many of `steps` a scale gets; the last one takes what does not divide."""
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
                f"What a painting starts from or stays close to has the content's shape "
                f"{content.shape}, not {picture.shape}."
            )
