"""How a painting by optimization should look: checked choices and presets, nothing heavy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

from nst_video.errors import UsageError
from nst_video.validation import COUNT, SEED, Range, check_fields

Units: TypeAlias = Literal["relative", "absolute"]
"""What losses are measured in: the size of what is aimed at, or plain features."""

Method: TypeAlias = Literal["adam", "lbfgs"]
Start: TypeAlias = Literal["content", "noise", "style", "previous"]
Colors: TypeAlias = Literal["style", "keep", "luminance", "histogram", "covariance"]
LayerWeights: TypeAlias = tuple[tuple[str, float], ...]
"""Layers of the loss network and the weight of each."""

MAX_SCALES = 4

WEIGHT = Range(0, 1e9)
"""Of a loss: far beyond, sums of them would overflow float32."""

RANGES: Mapping[str, Range] = MappingProxyType(
    {
        "content_weight": WEIGHT,
        "style_weight": WEIGHT,
        "tv_weight": WEIGHT,
        "temporal_weight": WEIGHT,
        "steps": COUNT,
        "rate": Range(0, 1, is_above=True),
        "tolerance": Range(0, 1),
        "scales": Range(1, MAX_SCALES, is_whole=True),
        "seed": SEED,
        "style_scale": Range(0.05, 20),
    }
)
"""What numbers may be asked for, by setting."""

STYLE_LAYERS = tuple(f"block{block}_conv1" for block in range(1, 6))
"""Layers whose statistics are the style, as far as the network has them; Gatys et al. 2016."""

CONTENT_LAYERS = ("block4_conv2", "block4_conv1", "block3_conv1")
"""Layers that stand for the content, best first: the first that the network has is taken."""


@dataclass(frozen=True, kw_only=True)
class PaintSettings:
    """Everything about a painting by optimization except its pictures and its loss network.

    Attributes:
        content_weight: alpha of Gatys et al.
        style_weight: beta.
        tv_weight: of the total variation, against noise.
        temporal_weight: of the distance to a `TemporalTarget`.
        content_layers: layers with their weights; empty: the best that the network has.
        style_layers: likewise; empty: the first of each block that the network has.
        units: "relative": each layer's loss in units of what it aims at, so that weights mean the
            same for every network, size and set of layers. "absolute": in plain features, as
            published, but averaged over positions.
        method: "adam", or "lbfgs", which takes fewer and longer steps.
        steps: at most, shared equally by the scales.
        rate: longest step of Adam, in units of the range of pixels; it shrinks to a tenth.
        tolerance: stop where the loss fell by less than this share of itself in `PATIENCE` steps.
        scales: 1..4; from coarse to fine, each twice as large as the one before.
        start: what the picture is at first; "previous" is the content where nothing was before.
        seed: of the noise.
        style_scale: size of the style picture relative to the content's, by their long sides.
        colors: "style", or "keep" the content's chrominance afterwards, paint "luminance" only, or
            give the style the content's colors first, by "histogram" or "covariance".

    Raises:
        UsageError: a value out of its range.
    """

    content_weight: float = 0.05
    style_weight: float = 1.0
    tv_weight: float = 1.0
    temporal_weight: float = 200.0
    content_layers: LayerWeights = ()
    style_layers: LayerWeights = ()
    units: Units = "relative"
    method: Method = "adam"
    steps: int = 300
    rate: float = 0.04
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
        """Return these settings with the layers named that a network is to be asked for.

        Args:
            layers: what the network has.
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
        "units": get_args(Units),
        "method": get_args(Method),
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
            rate=0.02,
            scales=1,
            start="content",
        ),
        "faithful": PaintSettings(content_weight=0.2),
        "balanced": PaintSettings(),
        "painterly": PaintSettings(content_weight=0.01, scales=3),
    }
)
"""Settings by name. `classic` is the textbook's, and needs all five blocks of VGG-19."""

DEFAULT_PRESET = "balanced"


def find_preset(name: str) -> PaintSettings:
    """Return the settings of a preset; UsageError, naming all, when there is none."""
    if name not in PRESETS:
        raise UsageError(f"No preset {name!r}. Choose from: {', '.join(PRESETS)}.")
    return PRESETS[name]
