"""What a user chooses about stylizing: how the result looks, and what computes it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from nst_video.errors import UsageError
from nst_video.validation import INTENSITY, TILE_ROWS, WORK_SIZE, check_type

DEFAULT_MODEL = "auto"
DEFAULT_STYLE = "starfield"
DEFAULT_ENGINE = "auto"
DEFAULT_TILE: Literal["auto"] = "auto"

Blend: TypeAlias = Literal["latent", "pixel"]
"""How intensity works: between bottlenecks (richer), or between pictures (cheaper)."""


LATENT_FROM = 0.2
"""Intensity from which on a latent blend is the network's painting alone.

With its own bottleneck a frame is not painted as it was, but differs from itself by 25 of 255
levels on average: of this, a hundredth of intensity adds at most 1.4.
"""


@dataclass(frozen=True)
class StylizeSettings:
    """Everything about a painting except its style.

    Attributes:
        intensity: 0..1, how far from the frame (0) to the style (1).
        blend: "latent" goes from the frame's own bottleneck, smoothed over time, to the style's,
            and up to `LATENT_FROM` also from the frame itself to that painting; "pixel" cross-fades
            the finished picture. Both are the input exactly at 0.
        keep_colors: the style's luminance with the frame's chrominance.
        work_size: short side in pixels at which the network runs, None for the frame's own; the
            result is brought back to full size.

    Raises:
        UsageError: a value out of its range.
    """

    intensity: float = 1.0
    blend: Blend = "latent"
    keep_colors: bool = False
    work_size: int | None = None

    def __post_init__(self) -> None:
        INTENSITY.check("The intensity", self.intensity)
        if self.blend not in get_args(Blend):
            raise UsageError(f"No blend {self.blend!r}. Choose from: {', '.join(get_args(Blend))}.")
        WORK_SIZE.check_optional("The working size", self.work_size)

    @property
    def is_original(self) -> bool:
        """True where the painting is the input itself, so that no network is needed."""
        return self.intensity == 0

    @property
    def fade(self) -> float:
        """Share of the painted picture, 0..1, in a cross-fade with the input."""
        return self.intensity if self.blend == "pixel" else min(1.0, self.intensity / LATENT_FROM)


TileRows: TypeAlias = int | Literal["auto", "off"]
"""How large frames are painted: in tiles of so many rows, whole ("off"), or, with "auto", in tiles
only where a whole frame does not fit into memory."""


def check_tile(tile: TileRows) -> None:
    """Refuse what is no `TileRows`.

    Raises:
        UsageError: neither "auto" nor "off" nor a number of rows.
    """
    if tile not in ("auto", "off") and tile not in TILE_ROWS:
        raise UsageError(f"The tile must be auto, off or {TILE_ROWS} (rows), not {tile!r}.")


@dataclass(frozen=True)
class ModelOptions:
    """Which network paints, and what computes it.

    Attributes:
        model: "magenta", "magenta-lite", "builtin", or "auto" for the best one at hand.
        engine: a name from `nst_video.engines.ENGINES`, such as "openvino" or "tensorflow", or
            "auto" for the fastest exact one on this machine.
        tile: how frames that are large are painted, see `TileRows`.
        models_dir: a folder to look for model files in, before the cache.
        offline: never download model files.

    Raises:
        UsageError: a tile out of its range. Names are checked where they are used.
    """

    model: str = DEFAULT_MODEL
    engine: str = DEFAULT_ENGINE
    tile: TileRows = DEFAULT_TILE
    models_dir: Path | None = None
    offline: bool = False

    def __post_init__(self) -> None:
        check_tile(self.tile)
        if self.models_dir is not None:
            check_type("The folder of models", self.models_dir, Path)
