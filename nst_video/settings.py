"""What a user chooses about stylizing: how the result looks, and what computes it."""

import reprlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from nst_video.errors import UsageError
from nst_video.validation import (
    GENTLE,
    INTENSITY,
    PAINT_EVERY,
    SOFTNESS,
    STEADY,
    STROKE_SCALE,
    TILE_ROWS,
    WORK_SIZE,
    Range,
    check_type,
)

DEFAULT_STYLE = "starfield"

Blend: TypeAlias = Literal["latent", "pixel"]
"""What intensity interpolates: style bottlenecks (richer), or pixels (cheaper)."""

LATENT_FROM = 0.2
"""Intensity from which a latent blend is the network's output alone; below, it is cross-faded.

Painted with its own bottleneck a frame does not stay as it was: it changes by 25 of 255 levels on
average. The cross-fade spreads that change: 0.01 of intensity adds at most 1.4 levels.
"""

WorkSize: TypeAlias = int | Literal["auto", "full"]
"""Short side, in pixels, of the frames that the network sees: of so many; of `AUTO_WORK_SIZE`,
divided by the stroke scale; or that of the input."""

AUTO_WORK_SIZE = 540
"""Lines from which strokes no longer shrink, so that a style looks alike at 540 and at 2160 lines.

The network's strokes are a few pixels wide, whatever the frame: at 1080 lines a style is hardly
more than color.
"""

RENEWAL_FRAMES = 48
"""Frames at the end of a chunk over which a film passes to the strokes of the next one. With 24,
the stillest of four clips has 1.2 to 1.5 times the warp error of a film without chunks, with 36
1.2 times; `tools/seams.py` measures it."""

FAST_PAINT_EVERY, FAST_WORK_SIZE = 6, 432
"""`StylizeSettings.paint_every` and `work_size` of `transcode --fast`. A painting at 432 lines
takes two thirds of one at 540. On five clips the warp error is about that of every fourth frame,
and something new lacks its strokes for a quarter of a second at most."""


@dataclass(frozen=True)
class StylizeSettings:
    """How a stylized frame looks, apart from the style itself.

    Attributes:
        intensity: 0..1: 0 is the input, exactly, and 1 the full style.
        blend: "latent" interpolates from the frame's own bottleneck, averaged over time, to the
            style's, and below `LATENT_FROM` also cross-fades with the input; "pixel" cross-fades
            the fully stylized frame with the input.
        keep_colors: take only luminance from the result, and chrominance from the input.
        work_size: short side, in pixels, of the frames that the network sees, see `WorkSize`. The
            result is enlarged again, with the input's fine structure.
        stroke_scale: 0.25..4: width of the strokes relative to the default's, with `work_size`
            "auto". Below 1 a frame may be enlarged before it is painted.
        gentle: 0..1: how much of the structure of faces and hands is brought back into the strokes,
            see `image.skin`.
        steady: 0..1: how firmly strokes stay on what they were painted on, from frame to frame; 0
            paints every frame by itself, which flickers. Single pictures do not depend on it.
        paint_every: one of so many frames is painted, and the others are moved along from it; more
            where much is new. "auto" lets the live session decide, and is 1 elsewhere. It does not
            matter where `steady` is 0.

    Raises:
        UsageError: a value out of its range.
    """

    intensity: float = 1.0
    blend: Blend = "latent"
    keep_colors: bool = False
    work_size: WorkSize = "auto"
    stroke_scale: float = 1.0
    gentle: float = 0.5
    steady: float = 1.0
    paint_every: int | Literal["auto"] = "auto"

    def __post_init__(self) -> None:
        INTENSITY.check("The intensity", self.intensity)
        if self.blend not in get_args(Blend):
            raise UsageError(f"No blend {self.blend!r}. Choose from: {', '.join(get_args(Blend))}.")
        _check_number_or_word("work_size", self.work_size, WORK_SIZE, "auto", "full")
        STROKE_SCALE.check("stroke_scale", self.stroke_scale)
        if self.stroke_scale != 1 and self.work_size != "auto":
            raise UsageError(
                f"A stroke_scale of {self.stroke_scale:g} and a work_size of {self.work_size} "
                "exclude each other: choose one of them."
            )
        GENTLE.check("gentle", self.gentle)
        STEADY.check("steady", self.steady)
        _check_number_or_word("paint_every", self.paint_every, PAINT_EVERY, "auto")

    @property
    def is_original(self) -> bool:
        """Whether the result is the input itself, so that no network is needed."""
        return self.intensity == 0

    @property
    def is_frame_by_frame(self) -> bool:
        """Whether every frame is painted by itself."""
        return self.steady == 0

    @property
    def looks_back(self) -> bool:
        """Whether frames depend on earlier ones."""
        has_average = self.intensity < 1 and self.blend == "latent"
        return not self.is_original and (has_average or not self.is_frame_by_frame)

    @property
    def every(self) -> int:
        """One of so many frames is painted."""
        return 1 if self.paint_every == "auto" or self.steady == 0 else self.paint_every

    @property
    def fade(self) -> float:
        """Weight of the network's output, 0..1, in the cross-fade with the input."""
        return self.intensity if self.blend == "pixel" else min(1.0, self.intensity / LATENT_FROM)


PERSON = "person"
"""`Regions.mask` for the people that a network finds."""

BACKGROUND_WORDS = ("original", "blur")
"""What the rest of a frame can be besides a style and a color."""

_COLORS = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "gray": (128, 128, 128),
    "green": (0, 177, 64),
    "blue": (0, 71, 187),
}
"""Green and blue are those of screens for keying."""


@dataclass(frozen=True)
class Regions:
    """Two regions of a frame: one in the style, and the rest.

    Attributes:
        mask: `PERSON`, or the path of a gray picture or video, white where the style is.
        rest: "original", "blur", a color (see `parse_color`), or a style, which the network paints
            in the same pass.
        softness: 0..1: how wide the transition is; 1 is as the network or the file has it. None is
            0.8 for people and 1 for files.
        invert: the style is outside of the mask, and the rest inside.
        paints: the style is painted at all; otherwise there is the input, as around the mask there
            is the rest.
        segmenter: what finds people, see `segmentation.SEGMENTERS`; "auto" takes the best at hand.

    Raises:
        UsageError: a value out of its range.
    """

    mask: str = PERSON
    rest: str = "original"
    softness: float | None = None
    invert: bool = False
    paints: bool = True
    segmenter: str = "auto"

    def __post_init__(self) -> None:
        if self.softness is not None:
            SOFTNESS.check("The softness of the mask", self.softness)


def parse_color(text: str) -> tuple[int, int, int] | None:
    """Return RGB of a color, as in "#00b140" or "green"; None for any other text."""
    if text in _COLORS:
        return _COLORS[text]
    digits = text.removeprefix("#")
    if not text.startswith("#") or len(digits) != 6:
        return None
    try:
        red, green, blue = bytes.fromhex(digits)
    except ValueError:
        return None
    return red, green, blue


def _check_number_or_word(name: str, value: object, allowed: Range, *words: str) -> None:
    """Check that a value is one of `words`, or a number in a range.

    Raises:
        UsageError: it is neither.
    """
    if value not in words and value not in allowed:
        choices = f"{', '.join(words)} or {allowed}"
        raise UsageError(f"{name} must be {choices}, not {reprlib.repr(value)}.")


TileRows: TypeAlias = int | Literal["auto", "off"]
"""How large frames are painted: in tiles of so many rows, whole ("off"), or, with "auto", in tiles
only where a whole frame does not fit into memory."""


def check_tile(tile: TileRows) -> None:
    """Refuse what is no `TileRows`.

    Raises:
        UsageError: neither "auto" nor "off" nor a number of rows.
    """
    _check_number_or_word("tile", tile, TILE_ROWS, "auto", "off")


DEFAULT_SCORE_SIZE = 512
"""Long side in pixels at which `score` compares films."""


@dataclass(frozen=True)
class ModelOptions:
    """Which network paints, and what computes it.

    Attributes:
        model: "magenta", "magenta-lite", "builtin", or "auto" for the best one at hand.
        engine: a name from `nst_video.engines.ENGINES`, such as "openvino" or "tensorflow", or
            "auto" for the fastest exact one on this machine.
        tile: how large frames are painted, see `TileRows`.
        models_dir: a folder with model files, searched before the cache.
        offline: never download model files.

    Raises:
        UsageError: a tile out of its range, or a folder that is not a Path. The names are checked
            when a `Stylizer` is made.
    """

    model: str = "auto"
    engine: str = "auto"
    tile: TileRows = "auto"
    models_dir: Path | None = None
    offline: bool = False

    def __post_init__(self) -> None:
        check_tile(self.tile)
        if self.models_dir is not None:
            check_type("The folder of models", self.models_dir, Path)
