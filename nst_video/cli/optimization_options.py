"""Options of painting by optimization, each declared once, and what they describe."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from nst_video.cli.common_options import number
from nst_video.cli.completion import among
from nst_video.cli.console import say
from nst_video.errors import UsageError
from nst_video.networks.config import DEFAULT_NETWORK, DEFAULT_POOLING, Pooling
from nst_video.optimization.settings import (
    DEFAULT_PRESET,
    PRESETS,
    RANGES,
    WEIGHT,
    Colors,
    LayerWeights,
    OptimizerName,
    PaintSettings,
    Start,
    find_preset,
)
from nst_video.validation import COUNT

if TYPE_CHECKING:
    from nst_video.networks.vgg import LossNetwork
    from nst_video.optimization.painting import StylePicture

_PANEL = "Painting by optimization"
_NETWORK_PANEL = "Loss network"
_NETWORKS = ("builtin", "vgg16", "vgg19")

PresetOption = Annotated[
    str | None,
    typer.Option(
        "--preset",
        autocompletion=among(PRESETS),
        metavar="|".join(PRESETS),
        help="Settings to begin with; classic is the textbook's and needs --network vgg19.",
        rich_help_panel=_PANEL,
    ),
]
StepsOption = Annotated[
    int | None,
    number(RANGES["steps"], "--steps", help="Steps at most, over all scales.", panel=_PANEL),
]
OptimizerOption = Annotated[
    str | None,
    typer.Option(
        "--optimizer",
        autocompletion=among(get_args(OptimizerName)),
        metavar="|".join(get_args(OptimizerName)),
        help="adam, or lbfgs: fewer, longer and costlier steps.",
        rich_help_panel=_PANEL,
    ),
]
ScalesOption = Annotated[
    int | None,
    number(
        RANGES["scales"],
        "--scales",
        help="From coarse to fine, each twice as large as the last.",
        panel=_PANEL,
    ),
]
ContentLayersOption = Annotated[
    str | None,
    typer.Option(
        "--content-layers",
        metavar="LAYER[:W],...",
        help="Layers that stand for the content, such as block4_conv2 or block3_conv1:0.5.",
        rich_help_panel=_PANEL,
    ),
]
StyleLayersOption = Annotated[
    str | None,
    typer.Option(
        "--style-layers",
        metavar="LAYER[:W],...",
        help="Layers whose statistics are the style.",
        rich_help_panel=_PANEL,
    ),
]
ContentWeightOption = Annotated[
    float | None,
    number(WEIGHT, "--content-weight", "--alpha", help="Of content.", panel=_PANEL),
]
StyleWeightOption = Annotated[
    float | None,
    number(WEIGHT, "--style-weight", "--beta", help="Of style.", panel=_PANEL),
]
TvWeightOption = Annotated[
    float | None,
    number(WEIGHT, "--tv-weight", "--tv", help="Of smoothness (total variation).", panel=_PANEL),
]
InitOption = Annotated[
    str | None,
    typer.Option(
        "--init",
        autocompletion=among(get_args(Start)),
        metavar="|".join(get_args(Start)),
        help="What the picture is at first; previous is the content where there is none.",
        rich_help_panel=_PANEL,
    ),
]
SeedOption = Annotated[
    int | None, number(RANGES["seed"], "--seed", help="Of the noise.", panel=_PANEL)
]
StyleScaleOption = Annotated[
    float | None,
    number(
        RANGES["style_scale"],
        "--style-scale",
        help="Size of the style picture relative to the content's: larger is coarser.",
        panel=_PANEL,
    ),
]
ColorsOption = Annotated[
    str | None,
    typer.Option(
        "--colors",
        autocompletion=among(get_args(Colors)),
        metavar="|".join(get_args(Colors)),
        help="The style's; the picture's, kept or with only luminance painted; or the style's "
        "matched to the picture's.",
        rich_help_panel=_PANEL,
    ),
]
MaskOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--mask",
        help="A picture, white where a style is painted; one for each of the first styles, in "
        "order. Those without get the rest.",
        rich_help_panel=_PANEL,
    ),
]
NetworkOption = Annotated[
    str | None,
    typer.Option(
        "--network",
        autocompletion=among(_NETWORKS),
        metavar="|".join(_NETWORKS),
        help=f"What judges content and style; {DEFAULT_NETWORK} if not given.",
        rich_help_panel=_NETWORK_PANEL,
    ),
]
WeightsOption = Annotated[
    Path | None,
    typer.Option(
        "--weights",
        metavar="FILE",
        help="Its weights, .h5 or .npz; else those in --models-dir or the cache, or downloaded.",
        rich_help_panel=_NETWORK_PANEL,
    ),
]
PoolingOption = Annotated[
    str | None,
    typer.Option(
        "--pooling",
        autocompletion=among(get_args(Pooling)),
        metavar="|".join(get_args(Pooling)),
        help=f"Between its blocks; {DEFAULT_POOLING} if not given.",
        rich_help_panel=_NETWORK_PANEL,
    ),
]


PlotOption = Annotated[
    Path | None,
    typer.Option(
        "--plot", metavar="FILE", help="Draw the losses over all steps.", rich_help_panel=_PANEL
    ),
]
PreviewOption = Annotated[
    int | None,
    number(
        COUNT,
        "--preview-every",
        metavar="N",
        help="Show the unfinished picture beside the output every N steps, until it is done.",
        panel=_PANEL,
    ),
]


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What a user asked for of the settings, as typed; None leaves it to the preset."""

    preset: str | None = None
    steps: int | None = None
    optimizer: str | None = None
    scales: int | None = None
    content_layers: str | None = None
    style_layers: str | None = None
    content_weight: float | None = None
    style_weight: float | None = None
    tv_weight: float | None = None
    temporal_weight: float | None = None
    start: str | None = None
    seed: int | None = None
    style_scale: float | None = None
    colors: str | None = None

    def settings(
        self, default: str = DEFAULT_PRESET, *, keep_colors: bool = False
    ) -> PaintSettings:
        """Return the preset's settings with everything changed that was asked for.

        Args:
            default: preset where none was asked for.
            keep_colors: as `--colors keep`.

        Raises:
            UsageError: a value out of its range, or no such preset.
        """
        changes = {name: value for name, value in asdict(self).items() if value is not None}
        base = find_preset(changes.pop("preset", default))
        for name in ("content_layers", "style_layers"):
            if name in changes:
                changes[name] = parse_layers(changes[name])
        if keep_colors:
            changes.setdefault("colors", "keep")
        return replace(base, **changes)


def parse_layers(text: str) -> LayerWeights:
    """Turn "block4_conv2,block3_conv1:0.5" into layers with weights, 1 where none is given.

    Raises:
        UsageError: a layer has no name, or a weight is no number or out of range.
    """
    layers = []
    for part in text.split(","):
        layer, colon, weight = part.strip().partition(":")
        if not layer or (colon and not weight):
            raise UsageError(
                f"Layers look like block4_conv2 or block4_conv2:0.5, not {part.strip()!r}."
            )
        layers.append((layer, WEIGHT.parse(f"The weight of {layer}", weight) if colon else 1.0))
    return tuple(layers)


def load_styles(
    names: Sequence[str], mix: Sequence[float] | None, masks: Sequence[Path]
) -> "list[StylePicture]":
    """Return the styles of these names or paths, with their weights and masks.

    Raises:
        StyleError: an unknown style.
        SourceError: a picture that cannot be read.
        UsageError: not one weight for each style, or more masks than styles.
    """
    from nst_video.image.files import load_picture
    from nst_video.optimization.painting import StylePicture
    from nst_video.style_library.library import StyleLibrary

    shares = mix or [1.0] * len(names)
    if len(shares) != len(names):
        raise UsageError(f"{len(shares)} mix weights for {len(names)} styles: give one each.")
    if len(masks) > len(names):
        raise UsageError(f"{len(masks)} masks for {len(names)} styles: give at most one each.")
    library = StyleLibrary()
    regions = [load_picture(mask).mean(axis=-1, dtype="float32") / 255 for mask in masks]
    regions += [None] * (len(names) - len(masks))
    return [
        StylePicture(library.get(name).load(), share, region)
        for name, share, region in zip(names, shares, regions, strict=True)
    ]


def load_network(
    name: str | None,
    file: Path | None,
    pooling: str | None,
    *,
    models_dir: Path | None,
    offline: bool,
    quiet: bool,
) -> "LossNetwork":
    """Return the loss network that the options describe, and say which it is.

    Raises:
        UsageError: no such network.
        WeightsError: its weights cannot be had.
    """
    from nst_video.cli.progress import fetch_progress
    from nst_video.networks.vgg import load_loss_network

    with fetch_progress(quiet=quiet) as on_fetch:
        network = load_loss_network(
            name or DEFAULT_NETWORK,
            file,
            pooling=pooling or DEFAULT_POOLING,  # type: ignore[arg-type]  # LossNetwork checks it
            models_dir=models_dir,
            offline=offline,
            on_fetch=on_fetch,
        )
    if not quiet:
        kind = "random filters" if network.is_random else f"up to {network.layers[-1]}"
        say(f"Loss network {network.name} ({kind}).")
    return network
