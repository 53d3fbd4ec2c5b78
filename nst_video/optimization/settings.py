"""Settings and presets of painting by optimization; imports nothing heavy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

from nst_video.errors import UsageError
from nst_video.validation import COUNT, SEED, Range, check_fields

LossUnits: TypeAlias = Literal["relative", "absolute"]
"""Content and style losses relative to the size of their targets, or in units of the features."""

OptimizerName: TypeAlias = Literal["adam", "lbfgs"]
Start: TypeAlias = Literal["content", "noise", "style", "previous"]
Colors: TypeAlias = Literal["style", "keep", "luminance", "histogram", "covariance"]
LayerWeights: TypeAlias = tuple[tuple[str, float], ...]
"""Names of layers of the loss network, each with its weight."""

MAX_SCALES = 4

WEIGHT = Range(0, 1e9)
"""Range of a loss weight; sums of much larger losses would overflow float32."""

RANGES: Mapping[str, Range] = MappingProxyType(
    {
        "content_weight": WEIGHT,
        "style_weight": WEIGHT,
        "tv_weight": WEIGHT,
        "temporal_weight": WEIGHT,
        "steps": COUNT,
        "learning_rate": Range(0, 1, is_above=True),
        "tolerance": Range(0, 1),
        "scales": Range(1, MAX_SCALES, is_whole=True),
        "seed": SEED,
        "style_scale": Range(0.05, 20),
    }
)
"""Valid range of each numeric setting."""

STYLE_LAYERS = tuple(f"block{block}_conv1" for block in range(1, 6))
"""Default style layers, those that the network has (Gatys et al. 2016)."""

CONTENT_LAYERS = ("block4_conv2", "block4_conv1", "block3_conv1")
"""Default content layers, best first; the first that the network has is used."""


@dataclass(frozen=True, kw_only=True)
class PaintSettings:
    """Settings of a painting by optimization, except its pictures and its loss network.

    Attributes:
        content_weight: of the content loss; alpha of Gatys et al.
        style_weight: of the style loss; beta of Gatys et al.
        tv_weight: of the total variation loss, which suppresses noise.
        temporal_weight: of the temporal loss, see `TemporalTarget`.
        content_layers: content layers with weights; empty for the best that the network has.
        style_layers: style layers with weights; empty for the first of each block.
        units: "relative": the loss of each layer is divided by the size of its target, so that
            weights mean the same for every network, size and set of layers. "absolute": as
            published, but averaged over positions.
        optimizer: "adam", or "lbfgs", which needs fewer but slower steps.
        steps: maximum number of steps, divided equally among the scales.
        learning_rate: of Adam, initially, in units of the pixel range 0..1; it decays to a tenth.
        tolerance: stop early where the total loss falls by less than this share of itself in
            `optimizers.PATIENCE` steps.
        scales: levels of the image pyramid, 1..4, coarse to fine; each doubles both sides.
        start: initial picture; "previous" is the previous keyframe, or else the content.
        seed: of the noise that `start` can be.
        style_scale: long side of the style image relative to that of the content.
        colors: "style"; "keep" the content's chrominance afterwards; paint "luminance" only; or
            transfer the content's colors to the style first, by "histogram" or "covariance".

    Raises:
        UsageError: a value is out of its range.
    """

    content_weight: float = 0.05
    style_weight: float = 1.0
    tv_weight: float = 1.0
    temporal_weight: float = 200.0
    content_layers: LayerWeights = ()
    style_layers: LayerWeights = ()
    units: LossUnits = "relative"
    optimizer: OptimizerName = "adam"
    steps: int = 300
    learning_rate: float = 0.04
    tolerance: float = 1e-3
    scales: int = 2
    start: Start = "previous"
    seed: int = 0
    style_scale: float = 1.0
    colors: Colors = "style"

    def __post_init__(self) -> None:
        check_fields(self, RANGES)
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise UsageError(
                    f"No {name} {getattr(self, name)!r}. Choose from: {', '.join(known)}."
                )
        for name in ("content_layers", "style_layers"):
            _check_layers(name, getattr(self, name))

    def for_network(self, layers: Sequence[str], name: str) -> "PaintSettings":
        """Return these settings with the default layers filled in for a network.

        Args:
            layers: names of the layers that the network has.
            name: of the network, for messages.

        Raises:
            UsageError: the settings name a layer that the network lacks.
        """
        content = self.content_layers or _first(CONTENT_LAYERS, layers)
        style = self.style_layers or tuple((each, 1.0) for each in STYLE_LAYERS if each in layers)
        for layer, _ in (*content, *style):
            if layer not in layers:
                raise UsageError(
                    f"The loss network {name} has no layer {layer!r}. It has: {', '.join(layers)}; "
                    "name some of these, or take a deeper network or another preset."
                )
        return replace(self, content_layers=content, style_layers=style)


_CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "units": get_args(LossUnits),
        "optimizer": get_args(OptimizerName),
        "start": get_args(Start),
        "colors": get_args(Colors),
    }
)


def _first(wanted: Sequence[str], layers: Sequence[str]) -> LayerWeights:
    return tuple((layer, 1.0) for layer in wanted if layer in layers)[:1]


def _check_layers(name: str, layers: LayerWeights) -> None:
    for layer, weight in layers:
        WEIGHT.check(f"The weight of {layer}", weight)
    if layers and not any(weight for _, weight in layers):
        raise UsageError(f"All weights in {name} are 0: raise one.")


PRESETS: Mapping[str, PaintSettings] = MappingProxyType(
    {
        "classic": PaintSettings(
            content_weight=1e4,
            style_weight=1e-2,
            tv_weight=0.0,
            content_layers=(("block5_conv2", 1.0),),
            style_layers=tuple((layer, 1.0) for layer in STYLE_LAYERS),
            units="absolute",
            learning_rate=0.02,
            scales=1,
            start="content",
        ),
        "faithful": PaintSettings(content_weight=0.2),
        "balanced": PaintSettings(),
        "painterly": PaintSettings(content_weight=0.01, scales=3),
        "fast": PaintSettings(steps=105, scales=3, learning_rate=0.05),
    }
)
"""Settings by name. `classic` is as published, and needs all five blocks of VGG-19. `fast` takes
large strokes from small scales, where steps cost little, and only a third of its steps are at full
size."""

DEFAULT_PRESET = "balanced"


def find_preset(name: str) -> PaintSettings:
    """Return the settings of a preset.

    Raises:
        UsageError: there is no such preset; it lists them all.
    """
    if name not in PRESETS:
        raise UsageError(f"No preset {name!r}. Choose from: {', '.join(PRESETS)}.")
    return PRESETS[name]
