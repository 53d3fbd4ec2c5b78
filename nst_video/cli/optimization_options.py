"""Options of painting by optimization: its settings, its loss network, and its style pictures."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from nst_video.cli.completion import among
from nst_video.cli.console import say
from nst_video.cli.options import number
from nst_video.cli.progress import fetch_progress
from nst_video.cli.stylizer_options import ModelArguments, StyleOptions, parse_mix
from nst_video.errors import UsageError
from nst_video.networks.config import DEFAULT_NETWORK, DEFAULT_POOLING, LOSS_NETWORKS, Pooling
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
from nst_video.settings import PERSON
from nst_video.system.path_lookup import user_path

if TYPE_CHECKING:
    from nst_video.frames import Floats
    from nst_video.networks.vgg import LossNetwork
    from nst_video.optimization.painting import FindMask, StylePicture

PANEL = "Optimization"
_NETWORK_PANEL = "Loss network"


class PaintMethod(StrEnum):
    """How to stylize: by a feed-forward network, or by optimization."""

    FAST = "fast"
    GATYS = "gatys"


MethodOption = Annotated[
    PaintMethod,
    typer.Option(
        "--method",
        help="fast: one pass of a network. gatys: optimization after Gatys et al.; minutes per "
        "picture, with richer results.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class OptimizationOptions:
    """Settings of the optimization, as typed; None leaves a setting to the preset."""

    preset: Annotated[
        str | None,
        typer.Option(
            "--preset",
            autocompletion=among(PRESETS),
            metavar="|".join(PRESETS),
            help=f"Settings to start from; {DEFAULT_PRESET} if not given. faithful keeps more of "
            "the content, painterly less; fast takes a third of the time; classic is that of Gatys "
            "et al. and needs --network vgg19.",
            rich_help_panel=PANEL,
        ),
    ] = None
    steps: Annotated[
        int | None,
        number(RANGES["steps"], "--steps", help="Maximum steps over all scales.", panel=PANEL),
    ] = None
    optimizer: Annotated[
        str | None,
        typer.Option(
            "--optimizer",
            autocompletion=among(get_args(OptimizerName)),
            metavar="|".join(get_args(OptimizerName)),
            help="lbfgs takes fewer and more expensive steps than adam.",
            rich_help_panel=PANEL,
        ),
    ] = None
    scales: Annotated[
        int | None,
        number(
            RANGES["scales"],
            "--scales",
            help="Resolutions, coarse to fine, each twice the previous.",
            panel=PANEL,
        ),
    ] = None
    content_layers: Annotated[
        str | None,
        typer.Option(
            "--content-layers",
            metavar="LAYER[:W],...",
            help="Layers of the content loss, such as block4_conv2 or block3_conv1:0.5.",
            rich_help_panel=PANEL,
        ),
    ] = None
    style_layers: Annotated[
        str | None,
        typer.Option(
            "--style-layers",
            metavar="LAYER[:W],...",
            help="Layers of the style loss.",
            rich_help_panel=PANEL,
        ),
    ] = None
    content_weight: Annotated[
        float | None,
        number(
            WEIGHT, "--content-weight", "--alpha", help="Weight of the content loss.", panel=PANEL
        ),
    ] = None
    style_weight: Annotated[
        float | None,
        number(WEIGHT, "--style-weight", "--beta", help="Weight of the style loss.", panel=PANEL),
    ] = None
    tv_weight: Annotated[
        float | None,
        number(
            WEIGHT, "--tv-weight", "--tv", help="Weight of the total-variation loss.", panel=PANEL
        ),
    ] = None
    init: Annotated[
        str | None,
        typer.Option(
            "--init",
            autocompletion=among(get_args(Start)),
            metavar="|".join(get_args(Start)),
            help="Initial picture; previous is the previous keyframe, or the content without one.",
            rich_help_panel=PANEL,
        ),
    ] = None
    seed: Annotated[
        int | None, number(RANGES["seed"], "--seed", help="Seed of --init noise.", panel=PANEL)
    ] = None
    style_scale: Annotated[
        float | None,
        number(
            RANGES["style_scale"],
            "--style-scale",
            help="Size of the style picture relative to the content; larger gives coarser strokes.",
            panel=PANEL,
        ),
    ] = None
    colors: Annotated[
        str | None,
        typer.Option(
            "--colors",
            autocompletion=among(get_args(Colors)),
            metavar="|".join(get_args(Colors)),
            help="Colors of the style; those of the content, kept afterwards (keep) or by painting "
            "luminance only; or the style matched to the colors of the content first (histogram, "
            "covariance).",
            rich_help_panel=PANEL,
        ),
    ] = None

    def settings(
        self,
        default: str = DEFAULT_PRESET,
        *,
        keep_colors: bool = False,
        temporal_weight: float | None = None,
    ) -> PaintSettings:
        """Return the settings of the preset, changed as the options ask.

        Args:
            default: preset if none was given.
            keep_colors: like `--colors keep`.
            temporal_weight: that of `PaintSettings`, if given.

        Raises:
            UsageError: a value out of its range, or an unknown preset.
        """
        changes = asdict(self) | {"temporal_weight": temporal_weight}
        changes["start"] = changes.pop("init")
        changes = {name: value for name, value in changes.items() if value is not None}
        base = find_preset(changes.pop("preset", default))
        for name in ("content_layers", "style_layers"):
            if name in changes:
                changes[name] = parse_layers(changes[name])
        if keep_colors:
            changes.setdefault("colors", "keep")
        return replace(base, **changes)


def load_styles(
    style: StyleOptions, masks: Sequence[Path], model: ModelArguments
) -> "list[StylePicture]":
    """Return the pictures of the styles, with their weights and masks.

    Args:
        style: names, and their weights.
        masks: of `--mask`.
        model: says where the network that finds people is looked for.

    Raises:
        StyleError: an unknown style.
        SourceError: a picture that cannot be read.
        UsageError: not one weight for each style, or more masks than styles.
    """
    from nst_video.optimization.painting import StylePicture
    from nst_video.style_library.library import StyleLibrary

    names = style.style
    weights = parse_mix(style.mix) or [1.0] * len(names)
    if len(weights) != len(names):
        raise UsageError(f"{len(weights)} mix weights for {len(names)} styles: give one each.")
    if len(masks) > len(names):
        raise UsageError(f"{len(masks)} masks for {len(names)} styles: give at most one each.")
    library = StyleLibrary()
    regions = [_load_mask(mask, model) for mask in masks]
    regions += [None] * (len(names) - len(masks))
    styles = [library.get(name) for name in names]
    return [
        StylePicture(part.load(), weight / len(style.parts), region)
        for style, weight, region in zip(styles, weights, regions, strict=True)
        for part in style.parts
    ]


def _load_mask(path: Path, model: ModelArguments) -> "Floats | FindMask | None":
    """Return the mask of a file, or what finds people in what is painted."""
    import numpy as np

    from nst_video.segmentation import FileMasks, StillPersonMasks, open_segmenter

    if str(path) == PERSON:
        with fetch_progress(quiet=True) as on_fetch:
            return StillPersonMasks(
                open_segmenter(
                    models_dir=model.models_dir, offline=model.offline, on_progress=on_fetch
                )
            )
    still = FileMasks(user_path(path)).still
    if still is None:
        raise UsageError(f"With --method gatys a mask is a picture, not a video such as {path}.")
    return np.asarray(still, np.float32) / np.float32(255)


@dataclass(frozen=True, kw_only=True)
class LossNetworkOptions:
    """Which network the losses are computed with; None leaves it to the library's default."""

    network: Annotated[
        str | None,
        typer.Option(
            "--network",
            autocompletion=among(LOSS_NETWORKS),
            metavar="|".join(LOSS_NETWORKS),
            help=f"Network of the content and style losses; {DEFAULT_NETWORK} if not given.",
            rich_help_panel=_NETWORK_PANEL,
        ),
    ] = None
    weights: Annotated[
        Path | None,
        typer.Option(
            "--weights",
            metavar="FILE",
            help="Weights of --network, .h5 or .npz; by default from --models-dir or the cache, "
            "or downloaded.",
            rich_help_panel=_NETWORK_PANEL,
        ),
    ] = None
    pooling: Annotated[
        str | None,
        typer.Option(
            "--pooling",
            autocompletion=among(get_args(Pooling)),
            metavar="|".join(get_args(Pooling)),
            help=f"Pooling between the blocks; {DEFAULT_POOLING} if not given.",
            rich_help_panel=_NETWORK_PANEL,
        ),
    ] = None

    def load(self, model: ModelArguments, *, quiet: bool) -> "LossNetwork":
        """Return the loss network, and print which it is.

        Args:
            model: says where model files are looked for, and whether they may be downloaded.
            quiet: print nothing.

        Raises:
            UsageError: no such network.
            WeightsError: its weights are not available.
        """
        from nst_video.networks.vgg import load_loss_network

        with fetch_progress(quiet=quiet) as on_fetch:
            network = load_loss_network(
                self.network or DEFAULT_NETWORK,
                self.weights,
                pooling=self.pooling or DEFAULT_POOLING,  # type: ignore[arg-type]  # checked there
                models_dir=model.models_dir,
                offline=model.offline,
                on_fetch=on_fetch,
            )
        if not quiet:
            kind = "random filters" if network.is_random else f"up to {network.layers[-1]}"
            say(f"Loss network {network.name} ({kind}).")
        return network


def parse_layers(text: str) -> LayerWeights:
    """Turn "block4_conv2,block3_conv1:0.5" into layers with weights, by default 1.

    Raises:
        UsageError: a layer has no name, or a weight is not a number or out of range.
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
